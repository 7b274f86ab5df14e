"""A request that will be refused is refused before its body is received, whatever its size."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import repeat
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.running import ready
from tests.wire_client import OWNER, answer_of, ask, begun, connected, head, most_memory

TOKEN = "token-of-the-test"
HUGE = "Content-Length: 1073741824"
THREADS = "POST /v1/threads"
REFUSED: list[tuple[str, tuple[str, ...], int]] = [
    (THREADS, (), 401),
    (THREADS, ("X-API-Key: unknown",), 401),
    (THREADS, (OWNER,), 413),
    (THREADS, (OWNER, "X-Mock-Sandbox: ../.."), 400),
    ("POST /x", (), 404),
    ("POST /x", (OWNER,), 404),
    ("POST /v1/threads/", (OWNER,), 307),
    ("PATCH /v1/threads", (OWNER,), 405),
    ("PUT /__admin/state", (), 401),
    ("PUT /__admin/state", (f"Authorization: Bearer {TOKEN}",), 413),
    ("POST /__admin/nowhere", (f"Authorization: Bearer {TOKEN}",), 404),
]
each_refused = pytest.mark.parametrize(("start", "headers", "status"), REFUSED)
each_port = pytest.mark.parametrize("port", ["url", "fault"])


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    with ready("--fault-port", "0", "--quiet", MOCK_ADMIN_TOKEN=TOKEN) as line:
        yield line | {"fault": f"http://127.0.0.1:{line['fault_port']}"}


@each_port
@each_refused
def test_a_huge_body_is_refused_before_it_is_sent(
    served: dict[str, Any], port: str, start: str, headers: tuple[str, ...], status: int
) -> None:
    answer = ask(served[port], start, *headers, HUGE, body=b"x" * 100)
    assert answer.status == status
    assert answer.headers.get("x-mock-reason") or status == 307


@each_port
@each_refused
def test_a_client_that_asks_before_it_sends_gets_the_refusal_instead(
    served: dict[str, Any], port: str, start: str, headers: tuple[str, ...], status: int
) -> None:
    for length in (HUGE, "Transfer-Encoding: chunked"):
        if status != 413 or length == HUGE:
            assert ask(served[port], start, *headers, length, "Expect: 100-continue").status == status


@each_port
def test_a_client_that_may_send_is_told_so(served: dict[str, Any], port: str) -> None:
    body = json.dumps({"organization_id": "org_abc123"}).encode()
    expects = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with begun(served[port], THREADS, OWNER, *expects) as connection:
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert answer_of(connection).status == 201


@each_port
@pytest.mark.parametrize("key", ["", "ak_demo_owner"])
def test_a_client_that_sends_everything_first_sees_the_status(
    served: dict[str, Any], port: str, key: str
) -> None:
    """And the mock keeps none of it."""
    before = most_memory(served["pid"])
    for chunked in (False, True):
        connection = HTTPConnection(urlsplit(served[port]).netloc, timeout=60)
        length = {} if chunked else {"Content-Length": str(64 << 20)}
        pieces = repeat(bytes(1 << 16), 1 << 10)
        connection.request("POST", "/v1/threads", pieces, {"X-API-Key": key, **length})
        answer = connection.getresponse()
        assert answer.status == (413 if key else 401)
        connection.close()
    assert most_memory(served["pid"]) < before + 32


@each_port
def test_a_body_within_the_limits_is_received_with_and_without_its_length(
    served: dict[str, Any], port: str
) -> None:
    data = json.dumps({"organization_id": "org_abc123", "title": "x" * 200, "metadata": {"k": " "}}).encode()
    data += b" " * 100_000
    halves = data[:50_000], data[50_000:]
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(half), half) for half in halves) + b"0\r\nT: x\r\n\r\n"
    for length, body in ((f"Content-Length: {len(data)}", data), ("Transfer-Encoding: chunked", chunks)):
        assert ask(served[port], THREADS, OWNER, length, body=body).status == 201


def test_the_journal_shows_a_small_body_of_a_refused_request(served: dict[str, Any]) -> None:
    ask(served["url"], THREADS, "X-Mock-Sandbox: refused", "Content-Length: 5", body=b'"all"')
    token = f"Authorization: Bearer {TOKEN}"
    ask(served["url"], "GET /v1/threads", OWNER, "X-Mock-Sandbox: refused")
    journal = ask(served["url"], "GET /__sandbox/default/__admin/requests?limit=50", token)
    assert b'"status":401' in journal.body.replace(b" ", b"")


@each_port
@pytest.mark.parametrize("hosts", [("evil.example",), ("localhost",), ("localhost", "127.0.0.1")])
def test_more_than_one_host_is_a_400(served: dict[str, Any], port: str, hosts: tuple[str, ...]) -> None:
    more = [f"Host: {host}" for host in hosts]
    for start in ("GET /v1/threads", "GET /__admin/health", "GET /", "GET /nowhere"):
        answer = ask(served[port], start, OWNER, *more)
        assert answer.status == 400
        assert "more than one Host" in answer.headers["x-mock-reason"]


@pytest.mark.parametrize(
    "body",
    [b"zz\r\n", b"-5\r\nhello\r\n", b"f" * 16 + b"\r\n", b"5\r\nhello!!\r\n0\r\n\r\n", b"x" * 9000, b"\r\n"],
)
def test_a_malformed_chunk_is_a_400_on_the_fault_port(served: dict[str, Any], body: bytes) -> None:
    answer = ask(served["fault"], THREADS, OWNER, "Transfer-Encoding: chunked", body=body)
    assert answer.status == 400
    assert "\n" not in answer.headers["x-mock-reason"]


@pytest.mark.parametrize("length", ["-1", "1x", "0x10", "9" * 30])
def test_an_invalid_length_is_a_400_on_the_fault_port(served: dict[str, Any], length: str) -> None:
    assert ask(served["fault"], THREADS, OWNER, f"Content-Length: {length}").status == 400


@each_port
@pytest.mark.parametrize("size", [b"ffffffffffff", b"7fffffffffffffff", b"fffff"])
def test_the_announced_size_of_a_chunk_takes_no_memory(
    served: dict[str, Any], port: str, size: bytes
) -> None:
    before = most_memory(served["pid"])
    with connected(served[port]) as connection:
        connection.sendall(head(THREADS, OWNER, "Transfer-Encoding: chunked") + size + b"\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # times out after a minute
            pass
    assert most_memory(served["pid"]) < before + 32


@pytest.fixture(scope="module")
def app() -> MockServer:
    return create_app(Settings(quiet=True))


@pytest.mark.parametrize(
    ("method", "path", "key", "limit"),
    [
        ("POST", "/v1/threads", "ak_demo_owner", 1 << 20),
        ("POST", "/v1/threads", "", 16_384),
        ("POST", "/nowhere", "ak_demo_owner", 16_384),
        ("PUT", "/__admin/state", "", 256 << 20),
    ],
)
def test_the_limit_of_a_body_follows_from_path_and_key(
    app: MockServer, method: str, path: str, key: str, limit: int
) -> None:
    """Asking for it changes nothing, so that the same requests get the same ids."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_X_API_KEY": key, "HTTP_HOST": "localhost"}
    environ["HTTP_X_MOCK_SANDBOX"] = "asked-only"
    assert app.body_limit(environ) == limit
    assert app.test_client().get("/__admin/sandboxes").get_json()["sandboxes"][1:] == []
