"""A proxy passes on what is the target's and the client's, and nothing of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.proxy.target import Asked, answer, ask, proxy, saying, scripted, target
from tests.running import mock
from tests.wire_client import answer_of, begun, connected

THREADS: dict[str, Any] = {
    "object": "list",
    "data": [],
    "first_id": None,
    "last_id": None,
    "has_more": False,
    "limit": 20,
    "total": None,
}
REQUEST_ID = "x-request-id: 516734eb-4475-45f2-86bb-f7a0a4b97c10"
BODIES = {"clock": {"advance": 1}, "records": {"title": "one"}, "embeddings": {}}


@pytest.fixture(scope="module")
def nowhere() -> Iterator[str]:
    """Proxy in front of nothing."""
    with proxy("http://127.0.0.1:1") as url:
        yield url


def test_the_answer_is_the_targets() -> None:
    body = b'{"object": "list",  "data": []}'
    with scripted(saying("Content-Type: application/json", "X-Its-Own: a, b", body=body)) as (url, _):
        got = ask("GET", f"{url}/v1/threads")
    assert (got.status_code, got.content, got.headers["X-Its-Own"]) == (200, body, "a, b")
    assert (got.headers["X-Mock-Source"], got.headers["X-Mock-Operation"]) == ("target", "listThreads")


def test_nothing_of_ours_leaves_and_everything_of_the_client_does() -> None:
    ours = {
        "X-Mock-Sandbox": "a",
        "X-Mock-Delay": "1",
        "Prefer": "wait=5",
        "Connection": "x-hop",
        "X-Hop": "1",
    }
    with scripted(saying(body={})) as (url, behind):
        ask("POST", f"{url}/__sandbox/b/v1/a%20b/ü?q=%2F&q=2", headers={**ours, "X-Own": "é"}, data=b"ab\0")
    (asked,) = behind.asked
    assert asked.line == "POST /v1/a%20b/%C3%BC?q=%2F&q=2 HTTP/1.1"
    assert asked.body == b"ab\0"
    names = set(asked.headers)
    assert names == {
        "host",
        "x-api-key",
        "x-own",
        "user-agent",
        "accept",
        "accept-encoding",
        "content-length",
    }
    assert asked.headers["host"] == behind.url.removeprefix("http://")


def test_a_query_that_is_not_encoded_is_encoded() -> None:
    with scripted(saying(body={})) as (url, behind), connected(url) as client:
        client.sendall("GET /v1/threads?q=ü%2F HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert answer_of(client).status == 200
    assert behind.asked[0].line == "GET /v1/threads?q=%C3%BC%2F HTTP/1.1"


def test_a_mock_as_the_target_gets_the_sandbox_if_it_is_to() -> None:
    with scripted(saying(body={}), "--forward-sandbox") as (url, behind):
        ask("GET", f"{url}/__sandbox/b/v1/threads", headers={"Prefer": "code=404"})
    assert behind.asked[0].headers["x-mock-sandbox"] == "b"
    assert behind.asked[0].headers["prefer"] == "code=404"


def test_a_header_of_the_command_line_replaces_the_clients() -> None:
    with scripted(saying(body={}), "--header", "X-API-Key: other", "--header", "X-Gate: 1") as (url, behind):
        ask("GET", f"{url}/v1/threads")
    assert (behind.asked[0].headers["x-api-key"], behind.asked[0].headers["x-gate"]) == ("other", "1")


def test_redirects_and_cookies_of_the_target_lead_to_the_proxy() -> None:
    with target(lambda *_: None) as behind:
        host = behind.url.removeprefix("http://")
        behind.script = saying(
            f"Location: {behind.url}/api/v1/new?a=1",
            "Set-Cookie: a=1; Domain=127.0.0.1; Path=/",
            "Set-Cookie: b=2; Domain=elsewhere.example",
            body={},
            status="307 Temporary Redirect",
        )
        with proxy(f"{behind.url}/api") as url:
            got = ask("GET", f"{url}/v1/threads")
            assert behind.asked[0].line == "GET /api/v1/threads HTTP/1.1"
            assert behind.asked[0].headers["host"] == host
            assert got.headers["Location"] == f"{url}/v1/new?a=1"
            assert got.raw.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Domain=elsewhere.example"]
            behind.script = saying("Location: https://elsewhere.example/x", body={}, status="302 Found")
            assert ask("GET", f"{url}/v1/threads").headers["Location"] == "https://elsewhere.example/x"


def test_pages_are_allowed_by_the_proxy_and_not_by_the_target() -> None:
    with scripted(saying("Access-Control-Allow-Origin: https://app.example", body={})) as (url, behind):
        got = ask("GET", f"{url}/v1/threads", headers={"Origin": "http://localhost:5173"})
        assert got.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
        ask(
            "OPTIONS",
            f"{url}/v1/threads",
            headers={"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"},
        )
    assert len(behind.asked) == 1, "a preflight is answered by the proxy"


def test_an_answer_without_a_body_keeps_its_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nETag: x\r\n\r\n"
    with scripted(lambda connection, _: connection.sendall(head)) as (url, _):
        got = ask("HEAD", f"{url}/v1/threads")
    assert (got.headers["Content-Length"], got.headers["ETag"], got.content) == ("12", "x", b"")


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nA: b\r\n  c\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["early hints", "two lengths", "until close", "folded"],
)
def test_every_form_of_http_is_understood(sent: bytes) -> None:
    def script(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(sent)
        return False

    with scripted(script) as (url, _):
        got = ask("GET", f"{url}/v1/nothing")
        assert (got.status_code, got.content) == (200, b"{}")
        assert got.headers.get("A") in (None, "b c")


def test_upgrades_are_refused_and_writes_too_if_it_only_reads() -> None:
    with scripted(saying(body={}), "--read-only") as (url, behind):
        asked = "GET /v1/threads", "Connection: upgrade", "Upgrade: websocket"
        with begun(url, *asked) as connection:
            assert answer_of(connection).status == 501
        refused = ask("POST", f"{url}/v1/threads", json={})
        assert (refused.status_code, refused.headers["X-Mock-Source"]) == (403, "proxy")
        assert "--read-only" in refused.headers["X-Mock-Reason"]
    assert behind.asked == []


def test_faults_come_on_top_of_the_targets_answers() -> None:
    with scripted(saying(body={})) as (url, behind):
        rule = {"operation": "listThreads", "times": 1, "error": {"status": 429}}
        assert ask("POST", f"{url}/__admin/faults", json=rule).status_code == 201
        first, second = (ask("GET", f"{url}/v1/threads") for _ in range(2))
    assert (first.status_code, first.headers["X-Mock-Source"]) == (429, "fault")
    assert (second.status_code, second.headers["X-Mock-Source"]) == (200, "target")
    assert len(behind.asked) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "clock"),
        ("PUT", "clock"),
        ("POST", "reset"),
        ("GET", "state"),
        ("PUT", "records/threads/thrd_a"),
        ("POST", "embeddings/drain"),
        ("PUT", "snapshots/a"),
    ],
)
def test_clock_and_data_are_refused_with_a_reason(nowhere: str, method: str, path: str) -> None:
    got = ask(method, f"{nowhere}/__admin/{path}", json=BODIES.get(path.partition("/")[0]))
    assert got.status_code == 409, got.text
    assert "a proxy has no data: " in got.headers["X-Mock-Reason"]


def test_it_says_what_it_is(nowhere: str) -> None:
    health = requests.get(f"{nowhere}/__admin/health", timeout=60).json()
    assert (health["mode"], health["target"]) == ("proxy", "http://127.0.0.1:1")


def test_our_own_mock_behind_it_breaks_nothing() -> None:
    with mock("--seed", "7", "--freeze", "2026-03-01T00:00:00Z") as behind, proxy(behind) as url:
        made = ask("POST", f"{url}/v1/threads", json={"organization_id": "org_abc123"}).json()
        asked = [
            f"/v1/threads/{made['id']}",
            "/v1/threads",
            "/v1/spaces/?organization_id=org_abc123",
            "/v1/no",
        ]
        for path in asked:
            got, direct = ask("GET", url + path), ask("GET", behind + path)
            assert (got.status_code, got.content) == (direct.status_code, direct.content)
        assert ask("GET", f"{url}/__admin/violations").json() == {"count": 0, "violations": []}
        listed = ask("GET", f"{url}/__admin/requests").json()["requests"]
        assert [each["source"] for each in listed] == ["target"] * 5
        assert {each["caller"] for each in listed} == {"owner"}
        seen = ask("GET", f"{url}/__admin/requests/{got.headers['x-request-id']}").json()
        assert seen["url"] == "/v1/no"
        assert ask("GET", f"{url}/__admin/coverage").json()["seen"] == 4


def test_the_id_of_the_answer_finds_its_exchange() -> None:
    with scripted(lambda connection, _: connection.sendall(answer(REQUEST_ID, body=THREADS))) as (url, _):
        told = ask("GET", f"{url}/v1/threads").headers["x-request-id"]
        assert ask("GET", f"{url}/__admin/requests/{told}").json()["operation"] == "listThreads"
