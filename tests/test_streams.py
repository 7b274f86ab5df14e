"""Streams over a socket: read as they come, left early, silent, many at once, and at the mock's end."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from mockserver.http.event_stream import HEARTBEAT, MOST
from tests.running import FROZEN, ROOT
from tests.streaming import KEY, QUESTION, THREAD, Mock, started

NOTICED = HEARTBEAT + 0.5
"""Seconds in which the mock has noticed that a client left."""


@pytest.fixture(scope="module")
def _shared() -> Iterator[Mock]:
    with started("--freeze", FROZEN) as one:
        yield one


@pytest.fixture
def served(_shared: Mock) -> Mock:
    """A mock as it starts."""
    _shared.ask("POST", "/__admin/reset")
    return _shared


def seconds_until(done: Callable[[], bool]) -> float:
    """How long it takes; asks again and again."""
    before = time.monotonic()
    while not done():
        assert time.monotonic() - before < 60
    return time.monotonic() - before


def test_events_arrive_before_the_next_is_sent(served: Mock) -> None:
    served.order(pace=60)
    with served.stream() as stream:
        assert (stream.name(), stream.name()) == ("processing", "created")


def test_events_keep_their_pace(served: Mock) -> None:
    served.order(pace=0.3)
    before = time.monotonic()
    with served.stream() as stream:
        assert stream.rest() == ["processing", "created", *["content_delta"] * 3, "completed", "[DONE]"]
    assert time.monotonic() - before >= 0.9


def test_the_connection_is_good_for_another_request(served: Mock) -> None:
    with served.session.post(
        served.url + "/v1/model/response", json={**QUESTION, "stream": True}, stream=True, timeout=10
    ) as response:
        lines = list(response.iter_lines())
    assert lines[-2:] == [b"data: [DONE]", b""]
    assert served.ask("GET", THREAD).status_code == 200


def test_a_stream_has_the_headers_that_a_browser_needs(served: Mock) -> None:
    origin = {"Origin": "http://localhost:3000", **KEY}
    body = {**QUESTION, "stream": True}
    with requests.post(f"{served.url}/v1/model/response", json=body, headers=origin, timeout=60) as response:
        headers = response.headers
        created = json.loads(response.text.split("\n\n")[1].removeprefix("id: 2\ndata: "))
    assert headers["Content-Type"] == "text/event-stream"
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-cache, no-transform", "no")
    assert headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "x-request-id" in headers["Access-Control-Expose-Headers"]
    assert headers["x-request-id"] == created["trace_id"]
    assert "Content-Length" not in headers


@pytest.mark.slow
def test_a_heartbeat_comes_every_two_seconds_but_none_in_an_ordered_silence(served: Mock) -> None:
    served.order(fault={"kind": "silence", "after_events": 2, "seconds": 4.5})
    served.order(pace=5, deltas=["One two three"])
    with served.stream() as silent, served.stream() as paced:
        assert silent.rest() == ["processing", "created"]
        assert paced.rest() == [
            *("processing", "created", "heartbeat", "heartbeat"),
            *("content_delta", "completed", "[DONE]"),
        ]


def test_a_silence_from_the_start_still_has_a_head(served: Mock) -> None:
    served.order(fault={"kind": "silence", "seconds": 1})
    with served.stream() as stream:
        assert stream.response.status == 200


def test_a_client_that_goes_away_changes_nothing_and_frees_its_thread() -> None:
    with started("--threads", "1") as one:
        one.order(pace=60)
        with one.stream() as stream:
            assert (stream.name(), stream.name()) == ("processing", "created")
        assert seconds_until(lambda: one.ask("GET", THREAD).ok) < NOTICED
        messages = one.ask("GET", f"{THREAD}/messages").json()["data"]
        assert [m["content"] for m in messages[-2:]] == ["Where is the booth?", "One two three"]


def test_a_stream_whose_client_has_left_goes_on_and_can_be_cancelled(served: Mock) -> None:
    served.order(pace=60)
    with served.stream() as stream:
        assert stream.name() == "processing"
    assert served.ask("GET", THREAD).json()["status"] == "streaming"
    cancelled = served.ask("POST", "/v1/model/response/thrd_def456/cancel").json()
    assert (cancelled["success"], cancelled["cancel_mode"]) == (True, "quick_edit")
    assert served.ask("GET", THREAD).json()["status"] == "inactive"


@pytest.mark.parametrize("lines", [0, 3])
def test_a_client_that_leaves_a_stream_unread_frees_its_thread(lines: int) -> None:
    """The stream is longer than what the sockets hold, and never waits."""
    with started("--threads", "1", "--max-body-bytes", "100000000") as one:
        one.order(text="x", deltas=["x" * 2000] * 10_000)
        with one.stream() as stream:
            for _ in range(lines):
                stream.line()
        assert seconds_until(lambda: one.ask("GET", THREAD).ok) < NOTICED


def test_clients_that_leave_before_the_first_byte_hold_nothing() -> None:
    with started() as one, ExitStack() as stack:
        one.order(pace=60, times=3 * MOST)
        body = json.dumps({**QUESTION, "stream": True})
        head = f"POST /v1/model/response HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY['X-API-Key']}\r\n"
        for _ in range(MOST):
            with socket.create_connection(one.address, timeout=60) as connection:
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

        def is_served() -> bool:
            return stack.enter_context(one.stream()).response.status == 200

        assert sum(seconds_until(is_served) for _ in range(MOST)) < 2 * NOTICED


def test_one_stream_too_many_waits_for_another_to_go() -> None:
    with started() as one, ExitStack() as others, ExitStack() as first:
        one.order(pace=60, times=2 * MOST)
        first.enter_context(one.stream()).name()
        for _ in range(MOST - 1):
            others.enter_context(one.stream()).name()
        before = one.ask("GET", THREAD).json()
        with one.stream() as refused:
            assert (refused.response.status, refused.response.headers["Retry-After"]) == (503, "1")
        assert one.ask("GET", THREAD).json() == before
        first.close()

        def is_served() -> bool:
            with one.stream() as another:
                return another.response.status == 200

        assert seconds_until(is_served) < NOTICED


@pytest.mark.slow
def test_quick_requests_are_answered_while_64_streams_are_open() -> None:
    with started() as one, ExitStack() as stack:
        one.order(text="x", deltas=["x"] * 10_000, pace=0.01, times=64)
        streams = [stack.enter_context(one.stream()) for _ in range(64)]
        for _ in range(100):
            assert one.ask("GET", THREAD).status_code == 200
        for stream in streams:
            assert [stream.name() for _ in range(4)] == ["processing", "created", *["content_delta"] * 2]


def test_sigterm_ends_every_stream_cleanly_without_waiting_for_its_next_event() -> None:
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child, ExitStack() as stack:
        stack.callback(child.kill)
        assert child.stdout is not None
        one = Mock(json.loads(child.stdout.readline())["url"])
        stack.enter_context(one.session)
        one.order(fault={"kind": "silence", "after_events": 2}, times=16)
        one.order(pace=60, times=64)
        streams = [stack.enter_context(one.stream()) for _ in range(16 + 64)]
        for stream in streams:
            assert (stream.name(), stream.name()) == ("processing", "created")
        child.send_signal(signal.SIGTERM)
        assert child.wait(50) == 0  # the next event of each is 60 s away
        assert {tuple(set(stream.rest()) - {"heartbeat"}) for stream in streams} == {()}


node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine")


def fetched(what: str, url: str) -> Any:
    """What tests/streams.mjs saw."""
    done = subprocess.run(
        ["node", "tests/streams.mjs", what, url], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert done.stderr == b""
    return json.loads(done.stdout)


@node
def test_fetch_in_javascript_reads_a_stream(served: Mock) -> None:
    served.order(text="Zürich 🙂", pace=0.1)
    seen = fetched("read", served.url)
    *events, last = seen["events"]
    deltas = [json.loads(event).get("delta", "") for event in events]
    assert (seen["type"], "".join(deltas), last) == ("text/event-stream", "Zürich 🙂", "[DONE]")


@pytest.mark.slow
@node
def test_fetch_that_is_aborted_frees_its_thread() -> None:
    """The next request of the script needs the mock's only thread."""
    with started("--threads", "1") as one:
        one.order(pace=60)
        seen = fetched("abort", one.url)
        assert (len(seen["events"]), seen["error"], seen["next"]) == (2, "AbortError", 200)
