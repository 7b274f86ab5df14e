"""One line for each request, with no secret in it, and never in the way of an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest

from mockserver.app import create_app
from mockserver.http import log as request_log
from mockserver.http.log import Exchange, RequestLog
from mockserver.settings import Settings

OWNER = {"X-API-Key": "ak_demo_owner"}
THREAD = "/v1/spaces/space_abc123/threads/thrd_def456"


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """As a terminal says."""
        return True


def lines_of(stream: StringIO, *requests: tuple[str, str, dict[str, str]], quiet: bool = False) -> list[str]:
    """What the mock logs on `stream` for these requests."""
    log = RequestLog(stream, quiet=quiet)
    client = create_app(Settings(quiet=quiet), log=log).test_client()
    for method, path, headers in requests:
        client.open(path, method=method, headers=headers)
    log.flush()
    return stream.getvalue().splitlines()


def test_a_request_is_one_line_of_json() -> None:
    (line,) = lines_of(StringIO(), ("POST", THREAD, {"X-API-Key": "ak_demo_viewer"}))
    entry = json.loads(line)
    assert entry.pop("ms") > 0
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "status": 403,
        "operation": "addThreadToSpace",
        "sandbox": "default",
        "caller": "usr_viewer",
        "method": "POST",
        "path": THREAD,
        "reason": "usr_viewer has VIEW by access_users, EDIT needed",
    }


def test_on_a_terminal_it_is_one_line_of_text() -> None:
    (line,) = lines_of(Terminal(), ("POST", THREAD, {"X-API-Key": "ak_demo_viewer"}))
    time, status, operation, sandbox, caller, milliseconds, _ = line.split(maxsplit=6)
    assert len(time) == len("10:30:00.000")
    assert (status, operation, sandbox, caller) == ("403", "addThreadToSpace", "default", "usr_viewer")
    assert float(milliseconds) > 0
    assert line.endswith(f"POST {THREAD}  (usr_viewer has VIEW by access_users, EDIT needed)")


def test_the_query_is_in_the_line_without_secrets() -> None:
    query = "/v1/threads?limit=%35&note=%61k_demo_owner&api_key=hidden"
    (line,) = lines_of(StringIO(), ("GET", query, OWNER))
    assert json.loads(line)["query"] == "limit=5&note=***&api_key=***"
    (line,) = lines_of(Terminal(), ("GET", "/v1/threads?limit=5", OWNER))
    assert line.endswith("GET /v1/threads?limit=5")


def test_quiet_logs_no_request() -> None:
    assert lines_of(StringIO(), ("GET", THREAD, OWNER), quiet=True) == []


SECRETS: list[tuple[str, dict[str, str]]] = [
    ("/v1/spaces/ak_demo_owner", OWNER),
    ("/v1/spaces/ak_demo_owner", {}),
    ("/v1/nowhere/ak_demo_owner", {}),
    ("/v1/%61k_demo_owner/", {"X-API-Key": "ak_demo_viewer"}),
    ("/v1/spaces?api_key=ak_demo_owner", {}),
    ("/v1/spaces/ak_demo_owner/", OWNER),
    ("/v1/threads?limit=ak_demo_owner", OWNER),
    ("/v1/threads?limit=ak_demo_owner", {"Authorization": "Bearer ak_demo_viewer"}),
    ("/v1/threads?after=ak_demo_owner", OWNER),
    ("/v1/spaces/eyJhbGciOiJI.eyJzdWIi.owner", {}),
    ("/v1/spaces/" + "x" * 185 + "-ak_demo_owner/nowhere", {}),
    ("/v1/spaces/an_owner_of_another_form", {"Authorization": "bearer an_owner_of_another_form"}),
]


@pytest.mark.parametrize("stream", [StringIO(), Terminal()], ids=["json", "text"])
def test_no_key_is_ever_logged(stream: StringIO) -> None:
    """Wherever a request carries it."""
    lines = lines_of(stream, *(("GET", path, headers) for path, headers in SECRETS))
    assert len(lines) == len(SECRETS)
    assert not [line for line in lines if "owner" in line]


@pytest.mark.parametrize("secret", ["hunter2-of-mine", "three words of-mine"])
def test_our_own_key_is_masked_whoever_sends_it_and_whatever_its_form(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("FREDDY_API_KEY", secret)
    paths = [f"/v1/spaces/{secret}", f"/v1/nowhere/{secret}", f"/v1/threads?after={secret}"]
    sent: list[dict[str, str]] = [{}, OWNER, {"X-API-Key": secret}, {"Authorization": f"Bearer {secret}"}]
    requests = [("GET", quote(path, "/?="), headers) for path in paths for headers in sent]
    lines = lines_of(StringIO(), *requests)
    assert len(lines) == len(requests)
    assert not [line for line in lines if "mine" in line]


@pytest.mark.parametrize("new_stream", [StringIO, Terminal])
def test_a_path_cannot_add_a_line(new_stream: Any) -> None:
    path = "/v1/spaces/a%0A%0D%1B[2J%E2%80%A8%C2%85b"
    (line,) = lines_of(new_stream(), ("GET", path, OWNER))
    assert line.isascii()
    assert line.isprintable()


def test_a_reader_that_never_reads_does_not_stop_the_mock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it reads again, it is told how many lines are lost."""
    monkeypatch.setattr(request_log, "WAITING_LINES", 100)
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader, os.fdopen(write_end, "w") as stream:
        log = RequestLog(stream)
        for number in range(5000):
            log.exchange(Exchange("GET", f"/{number}" + "x" * 200))
        entries: list[dict[str, Any]] = []
        while not entries or entries[-1].get("path", "").split("x")[0] != "/4999":
            entries.append(json.loads(reader.readline()))
        log.flush()
    dropped = sum(entry.get("dropped", 0) for entry in entries)
    assert dropped > 0
    assert dropped + sum("path" in entry for entry in entries) == 5000


def test_a_closed_stream_is_no_failure() -> None:
    read_end, write_end = os.pipe()
    stream = os.fdopen(write_end, "w")
    log = RequestLog(stream)
    stream.close()
    os.close(read_end)
    log.exchange(Exchange("GET", "/"))
    log.flush()


def test_many_threads_share_one_writer() -> None:
    stream = StringIO()
    log = RequestLog(stream)
    start = threading.Barrier(8)

    def speak(name: int) -> None:
        start.wait()
        for number in range(100):
            log.exchange(Exchange("GET", f"/{name}/{number}"))

    threads = [threading.Thread(target=speak, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    paths = [json.loads(line)["path"] for line in stream.getvalue().splitlines()]
    assert len(paths) == len(set(paths)) == 800
    assert [p for p in paths if p.startswith("/3/")] == [f"/3/{number}" for number in range(100)]


def test_the_mock_ends_at_once_though_nobody_read_its_log() -> None:
    """The pipe behind stderr is full when SIGTERM comes."""
    code = (
        "import sys, os; from mockserver.http.log import *; log = RequestLog()\n"
        "for n in range(9000): log.exchange(Exchange('GET', '/' + 'x' * 100))\n"
        "log.flush(); sys.stderr.flush(); os._exit(7)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as child:
        try:
            assert child.wait(60) == 7
        finally:
            child.kill()
