"""Invalid responses lead to verdicts and reports, never to a traceback."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from werkzeug.test import EnvironBuilder, run_wsgi_app

from mockserver.app import MockServer
from tests.contracts.broken import contracts, report
from tests.contracts.front import KEYS
from tests.contracts.strength import fresh_app

pytestmark = pytest.mark.slow

JSON = b"Content-Type: application/json\r\n"


def whole(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
        + JSON
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


SEEN = ("a-created-space-reads-back", "operation-getSpace")
"""Checks that read a space."""
BODIES = {
    "half a surrogate pair in a value": rb'{"id": "\ud800"}',
    "half a surrogate pair in a key": rb'{"\udfff": 1}',
    "5,000 levels of lists": b"[" * 5000 + b"]" * 5000,
    "900 levels of objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a number too large": b'{"id": 1e400}',
    "a number of 5,000 digits": b'{"id": ' + b"9" * 5000 + b"}",
    "NaN": b'{"id": NaN}',
    "control characters": b'{"id": "\x00\x1b[31m\x07"}',
    "no UTF-8": b'{"id": "\xff\xfe"}',
    "a page of HTML": b"<html>sorry</html>",
}
"""Bodies declared as JSON that are not interoperable JSON."""
ODD = {
    "escaped control characters": whole(rb'{"id": "\u0000\u001b[31m", "name": "\u009b"}'),
    "another type": whole(b'"text"'),
    "nothing": whole(b""),
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n" + JSON + b"\r\n{}",
}
"""Responses whose JSON is not a space."""
NO_HTTP = {
    "hangs up": b"",
    "breaks off": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n" + JSON + b"\r\n{",
    "garbage": b"\x00\xff\x16\x03\x01 nonsense\r\n\r\n",
    "a header without an end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "headers without an end": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000,
    "a broken encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "broken chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "a place that is no text": b"HTTP/1.1 307 X\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
}
"""Bytes that are not an HTTP response."""


@contextmanager
def hostile(said: bytes, *, after: int = 0) -> Iterator[str]:
    """A mock that answers `said` whenever a space is read, once that was done so many times."""
    app, reads = fresh_app(), iter(range(1_000_000))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Suppress the log."""

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            one = re.fullmatch(r"/v1/spaces/[^/]+", self.path.partition("?")[0])
            if self.command == "GET" and one and next(reads) >= after:
                self.wfile.write(said)
                self.close_connection = True
            else:
                self._honest(app, body)

        def _honest(self, app: MockServer, body: bytes) -> None:
            headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")}
            asked = EnvironBuilder(self.path, method=self.command, data=body, headers=[*headers.items()])
            parts, status, answered = run_wsgi_app(app, asked.get_environ(), buffered=True)
            text = b"".join(parts)
            self.send_response_only(int(status[:3]))
            for name, value in answered:
                if name.lower() not in ("content-length", "connection") and not name.lower().startswith(
                    "x-mock"
                ):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def run(
    folder: Path, said: bytes, *checks: str, after: int = 0, profile: str = "quick"
) -> tuple[Result, dict[str, str]]:
    """The command, and the verdict of each check."""
    only = [word for check in (*checks, "a-deleted-thread-is-gone") for word in ("--only", check)]
    with hostile(said, after=after) as url:
        result = contracts(
            "run", "--target", url, "--report-dir", folder, "--profile", profile, *only, **KEYS
        )
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output + result.stderr
    assert "\x1b[31m" not in result.output
    for name in ("junit.xml", "report.html", "failures.har"):
        assert (folder / name).stat().st_size
    return result, {each["id"]: each["verdict"] for each in report(folder)["outcomes"]}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_no_json_fails_the_checks_that_see_it_and_no_other(kind: str, tmp_path: Path) -> None:
    result, verdicts = run(tmp_path, whole(BODIES[kind]), *SEEN)
    assert result.exit_code == 1, result.output
    assert verdicts == {**dict.fromkeys(SEEN, "broken"), "a-deleted-thread-is-gone": "passed"}
    assert all("the answer is not JSON: " in each["message"] for each in report(tmp_path)["failures"])


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_body_fails_the_checks_that_see_it_and_no_other(kind: str, tmp_path: Path) -> None:
    result, verdicts = run(tmp_path, ODD[kind], *SEEN)
    assert result.exit_code == 1, result.output
    assert verdicts == {**dict.fromkeys(SEEN, "broken"), "a-deleted-thread-is-gone": "passed"}


@pytest.mark.parametrize("kind", NO_HTTP)
def test_what_is_no_http_says_nothing_about_the_contract(kind: str, tmp_path: Path) -> None:
    result, verdicts = run(tmp_path, NO_HTTP[kind], *SEEN[:1])
    assert result.exit_code == 3, result.output
    assert verdicts == {SEEN[0]: "no answer", "a-deleted-thread-is-gone": "passed"}


@pytest.mark.parametrize("after", [0, 3, 8])
def test_connections_that_are_reset_in_the_middle_of_lock_step_are_no_answer(
    after: int, tmp_path: Path
) -> None:
    lockstep = "the-target-answers-like-the-mock"
    result, verdicts = run(tmp_path, b"", lockstep, after=after)
    assert result.exit_code == 3, result.output
    assert verdicts[lockstep] == "no answer"


@pytest.mark.parametrize("kind", ["5,000 levels of lists", "NaN"])
def test_lock_step_finds_a_body_that_is_no_json(kind: str, tmp_path: Path) -> None:
    lockstep = "the-target-answers-like-the-mock"
    result, verdicts = run(tmp_path, whole(BODIES[kind]), lockstep, after=5)
    assert (result.exit_code, verdicts[lockstep]) == (1, "broken"), result.output


def test_a_crash_of_the_suite_ends_with_3_and_its_reports_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("a bug\nof the suite")

    monkeypatch.setattr("contracts.http.role_client.RoleClient.threads_of", crash)
    checks = ("an-added-thread-is-listed", "a-viewer-may-list", "walking-by-any-size-gives-the-same-list")
    only = [word for check in checks for word in ("--only", check)]
    result = contracts("run", "--target", "mock", "--report-dir", tmp_path, *only)
    assert result.exit_code == 3
    assert result.stderr.startswith("contracts: crashed in a-viewer-may-list: RuntimeError")
    assert result.stderr.count("\n") == 1
    assert "the run crashed" in result.output
    data = report(tmp_path)
    assert data["run"]["crash"] in result.stderr
    assert not data["holds"]
    assert [each["id"] for each in data["outcomes"]] == [checks[0]]
    assert '<error type="crash"' in (tmp_path / "junit.xml").read_text("utf-8")
    assert "The run crashed" in (tmp_path / "report.html").read_text("utf-8")
    assert json.loads((tmp_path / "failures.har").read_text("utf-8"))


def test_a_version_of_hypothesis_with_other_insides_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from contracts.generated.hypothesis_patches import patch_hypothesis

    patch_hypothesis.cache_clear()
    monkeypatch.delattr("hypothesis.internal.conjecture.providers._get_local_constants")
    result = contracts("run", "--target", "mock", "--only", "a-new-space-has-no-threads")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "hypothesis" in result.stderr
    assert "is not supported" in result.stderr
