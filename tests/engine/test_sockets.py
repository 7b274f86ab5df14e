"""What only a real socket shows: the same plain answers, and a connection that stays in order."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest

from tests.running import mock

HEAD = b"Host: localhost\r\nX-API-Key: ak_demo_owner\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where a mock of its own listens."""
    with mock("--quiet") as url:
        port = urlsplit(url).port
        assert port is not None
        yield port


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    """A connection on which nothing was said yet."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        yield connection


def answer(connection: socket.socket, method: str = "GET") -> HTTPResponse:
    """The next answer, read to its end."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    response.read()
    return response


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/v1/spaces/a%2Fb", 404),
        (b"/v1/spaces/%FF%00%0d%0aX:%20y", 404),
        (b"/v1/spaces/caf\xc3\xa9", 404),
        (b"/v1/spaces/" + b"x" * 20_000, 404),
        (b"/v1/spaces/?organization_id=%FF", 403),
        (b"/v1/spaces/?" + b"x=y&" * 5000, 422),
        (b"/v1/spaces", 307),
        (b"//evil.example/", 404),
        (b"http://evil.example/v1/spaces/space_abc123", 200),
        (b"*", 404),
    ],
)
def test_odd_targets_get_plain_answers(connection: socket.socket, target: bytes, status: int) -> None:
    connection.sendall(b"GET " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
    response = answer(connection)
    assert response.status == status
    assert response.getheader("x-request-id")
    assert "evil.example" not in (response.getheader("Location") or "")


def test_a_head_is_answered_without_a_body(connection: socket.socket) -> None:
    """A52; and the connection is good for another request."""
    for method, status in (("HEAD", 405), ("GET", 200)):
        connection.sendall(method.encode() + b" /v1/spaces/space_abc123 HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert answer(connection, method).status == status


def test_a_chunked_body_is_read(connection: socket.socket) -> None:
    body = json.dumps({"organization_id": "org_abc123", "name": "Chunks"}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    head = b"POST /v1/spaces/ HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + chunks)
    assert answer(connection).status == 201


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_10_mb_sees_the_413(port: int, chunked: bool) -> None:
    """And then asks on, on the same connection or on a new one."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    blocks = iter([b" " * 1_000_000] * 10) if chunked else b" " * 10_000_000
    headers = {"X-API-Key": "ak_demo_owner"}
    connection.request("POST", "/v1/spaces/", blocks, headers, encode_chunked=chunked)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    connection.request("GET", "/v1/spaces/space_abc123", headers=headers)
    assert connection.getresponse().read()
    connection.close()


def test_an_ignored_body_does_not_become_the_next_request(connection: socket.socket) -> None:
    """A56."""
    smuggled = b"GET /smuggled HTTP/1.1\r\n\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(smuggled)
    for _ in range(2):
        connection.sendall(b"GET /v1/spaces/space_abc123 HTTP/1.1\r\n" + HEAD + length + smuggled)
        assert answer(connection).status == 200


def test_a_key_that_is_no_text_is_401(connection: socket.socket) -> None:
    connection.sendall(b"GET /v1/spaces/x HTTP/1.1\r\nHost: x\r\nX-API-Key: \xff\xfe\r\n\r\n")
    assert answer(connection).status == 401
