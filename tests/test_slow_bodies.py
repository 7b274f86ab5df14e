"""Clients that stop in the middle of a request hold up nobody, and are told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.running import ready
from tests.wire_client import MINUTE, OWNER, answer_of, ask, begun, connected, few_descriptors, most_memory

THREADS = "POST /v1/threads"
HALF = (THREADS, OWNER, "Content-Type: application/json", "Content-Length: 50")
NEW = json.dumps({"organization_id": "org_abc123"}).encode()
MANY = 200


def create(url: str) -> int:
    """Status of a request with a body."""
    return ask(url, THREADS, OWNER, f"Content-Length: {len(NEW)}", body=NEW).status


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    with ready("--fault-port", "0", "--body-timeout", "3", "--keep-alive", "1", "--quiet") as line:
        yield line | {"fault": f"http://127.0.0.1:{line['fault_port']}"}


def test_many_stalled_bodies_get_a_408_and_hold_up_nobody(served: dict[str, Any]) -> None:
    with ExitStack() as stack:
        stalled = [stack.enter_context(begun(served["url"], *HALF, body=b"{")) for _ in range(MANY)]
        assert create(served["url"]) == 201
        assert ask(served["url"], "GET /v1/threads", OWNER).status == 200
        answers = [answer_of(connection) for connection in stalled]
        assert {answer.status for answer in answers} == {408}
        assert "--body-timeout" in answers[0].headers["x-mock-reason"]
        assert create(served["url"]) == 201
    assert most_memory(served["pid"]) < 200


@pytest.mark.slow
@pytest.mark.parametrize("port", ["url", "fault"])
@pytest.mark.parametrize(
    "length", ["Content-Length: 50", "Content-Length: 50000", "Transfer-Encoding: chunked"]
)
def test_a_body_that_stalls_is_a_408(served: dict[str, Any], port: str, length: str) -> None:
    start = b"5\r\n{" if "chunked" in length else b"{"
    answer = ask(served[port], THREADS, OWNER, length, body=start)
    assert answer.status == 408
    assert json.loads(answer.body)["error"]["code"] == "REQUEST_TIMEOUT"


def test_a_body_that_comes_after_its_408_is_not_carried_out(served: dict[str, Any]) -> None:
    sandbox = "X-Mock-Sandbox: late"
    length = f"Content-Length: {len(NEW)}"
    with begun(served["url"], THREADS, OWNER, sandbox, length, body=NEW[:1]) as connection:
        assert answer_of(connection).status == 408
        connection.sendall(NEW[1:])
        before = ask(served["url"], "GET /v1/threads?include_total=true", OWNER, "X-Mock-Sandbox: other")
        after = ask(served["url"], "GET /v1/threads?include_total=true", OWNER, sandbox)
    assert json.loads(after.body)["total"] == json.loads(before.body)["total"]


@pytest.mark.slow
def test_a_huge_body_that_stalls_leaves_room_for_others(served: dict[str, Any]) -> None:
    with begun(served["url"], "PUT /__admin/state", "Content-Length: 200000000", body=b"{") as stalled:
        body = NEW + b" " * 100_000
        assert ask(served["url"], THREADS, OWNER, f"Content-Length: {len(body)}", body=body).status == 201
        assert answer_of(stalled).status == 408


@pytest.mark.slow
def test_the_bytes_of_stalled_bodies_are_limited_and_freed(served: dict[str, Any]) -> None:
    """Three that would be 180 MB together, twice."""
    for _ in range(2):
        with ExitStack() as stack:
            parts = bytes(60_000_000)
            sent = ("PUT /__admin/state", "Content-Length: 200000000")
            opened = [stack.enter_context(begun(served["url"], *sent, body=parts)) for _ in range(3)]
            assert sorted(answer_of(connection).status for connection in opened) == [408, 408, 503]
            body = NEW + b" " * 100_000
            assert ask(served["url"], THREADS, OWNER, f"Content-Length: {len(body)}", body=body).status == 201
    assert most_memory(served["pid"]) < 512


@pytest.mark.slow
def test_an_answer_may_take_longer_than_a_connection_may_be_idle(served: dict[str, Any]) -> None:
    """Delayed answers and event streams are no idle connections."""
    assert ask(served["url"], "GET /v1/threads", OWNER, "X-Mock-Delay: 2500").status == 200
    with begun(served["url"], "GET /__admin/events?timeout=3") as connection:
        got = b""
        while more := connection.recv(65536):
            got += more
            if got.endswith(b"0\r\n\r\n"):
                break
    assert got.endswith(b"0\r\n\r\n")


@pytest.mark.slow
@pytest.mark.parametrize("port", ["url", "fault"])
@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"GET /__admin/health HTTP/1.1\r\nHost: localhost\r\n\r\n"]
)
def test_a_silent_connection_is_closed(served: dict[str, Any], port: str, sent: bytes) -> None:
    with connected(served[port]) as connection:
        connection.sendall(sent)
        while connection.recv(65536):  # times out after a minute
            pass


def test_more_bodies_than_can_be_awaited_are_a_503() -> None:
    """128 open files leave 64 connections, hence 64 readers, of which 62 wait for bodies."""
    with ready("--quiet", limit=few_descriptors(128)) as line, ExitStack() as stack:
        for _ in range(62):
            stack.enter_context(begun(line["url"], *HALF, body=b"{"))
        with connected(line["url"]) as connection:
            for _ in range(600):  # until all are being awaited
                connection.sendall(
                    b"POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ak_demo_owner\r\n"
                )
                connection.sendall(b"Content-Length: %d\r\n\r\n" % len(NEW) + NEW)
                answer = answer_of(connection)
                if answer.status != 201:
                    break
            assert answer.status == 503
            assert "bodies are being received" in answer.headers["x-mock-reason"]
            assert ask(line["url"], "GET /v1/threads", OWNER).status == 200


def test_a_client_that_leaves_frees_its_place() -> None:
    with ready("--quiet", limit=few_descriptors(128)) as line:
        for _ in range(5):
            with ExitStack() as stack:
                for _ in range(60):
                    stack.enter_context(begun(line["url"], *HALF, body=b"{"))
                assert ask(line["url"], "GET /v1/threads", OWNER).status == 200
        until = time.monotonic() + MINUTE
        while create(line["url"]) != 201:
            assert time.monotonic() < until
