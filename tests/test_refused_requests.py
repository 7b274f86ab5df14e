"""A refused request has no effect: on sandboxes, on their order, on what the journal keeps of others."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings

OWNER = {"X-API-Key": "ak_demo_owner"}
PREFLIGHT = {"Origin": "http://localhost", "Access-Control-Request-Method": "GET"}
FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.example"},
]
REFUSED: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/v1/threads", {}),
    ("POST", "/v1/threads", {"X-API-Key": "unknown"}),
    ("GET", "/v1/threads", {"X-API-Key": "ak_demo_expired"}),
    ("GET", "/v1/threads", {"Authorization": "Bearer unknown"}),
    ("GET", "/nowhere", {}),
    ("PUT", "/v1/threads", {}),
    ("GET", "/v1/threads/", {}),
    ("OPTIONS", "/v1/threads", PREFLIGHT),
    ("OPTIONS", "/__admin/reset", PREFLIGHT),
    ("GET", "/__admin/health", {}),
    ("GET", "/__admin/docs", {}),
    *[("GET", "/__admin/clock", headers) for headers in FOREIGN],
    *[("GET", "/__admin/nowhere", headers) for headers in FOREIGN],
    *[("POST", "/__admin/reset", headers) for headers in FOREIGN],
]
ACCEPTED: list[tuple[str, str, Any, int]] = [
    ("GET", "/v1/threads", None, 200),
    ("GET", "/v1/threads/thrd_unknown", None, 404),
    ("GET", "/v1/threads?limit=x", None, 422),
    ("POST", "/v1/threads", {}, 422),
    ("GET", "/nowhere", None, 404),
    ("PUT", "/v1/threads", None, 405),
    ("GET", "/__admin/requests/wait?timeout=0", None, 200),
    ("DELETE", "/__admin/requests", None, 204),
    ("PUT", "/__admin/clock", {"freeze": "never"}, 422),
]


@pytest.fixture
def app() -> MockServer:
    app = create_app(Settings(quiet=True))
    app.testing = True
    return app


@pytest.fixture
def client(app: MockServer) -> FlaskClient:
    return app.test_client()


def names(app: MockServer) -> list[str]:
    """Sandboxes besides the default one."""
    return [sandbox.name for sandbox in app.sandboxes.listed() if sandbox.name != "default"]


@pytest.mark.parametrize(("method", "path", "headers"), REFUSED)
def test_a_refused_request_makes_no_sandbox(
    app: MockServer, client: FlaskClient, method: str, path: str, headers: dict[str, str]
) -> None:
    """However it names one; and one that exists is not used by it."""
    client.get("/v1/threads", headers=OWNER | {"X-Mock-Sandbox": "used"})
    before = app.sandboxes.get("used").last_used
    for name in ("new", "used"):
        client.open("/__sandbox/" + name + path, method=method, headers=headers)
        client.open(path, method=method, headers=headers | {"X-Mock-Sandbox": name})
    assert names(app) == ["used"]
    assert app.sandboxes.get("used").last_used == before


@pytest.mark.parametrize(("method", "path", "body", "status"), ACCEPTED)
def test_an_accepted_request_makes_its_sandbox(
    app: MockServer, client: FlaskClient, method: str, path: str, body: Any, status: int
) -> None:
    answer = client.open("/__sandbox/new" + path, method=method, json=body, headers=OWNER)
    assert (answer.status_code, names(app)) == (status, ["new"])


def test_the_token_is_checked_before_the_sandbox_is_made() -> None:
    app = create_app(Settings(quiet=True, admin_token="token-of-admin"))
    client = app.test_client()
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert client.get("/__sandbox/new/__admin/clock", headers=headers).status_code == 401
    assert names(app) == []
    client.post("/__sandbox/new/__admin/reset", headers={"Authorization": "Bearer token-of-admin"})
    assert names(app) == ["new"]


def test_a_view_makes_its_sandbox_without_a_key(app: MockServer, client: FlaskClient) -> None:
    Flask.add_url_rule(app, "/plain", "plain", lambda: "plain")
    assert client.get("/__sandbox/new/plain").data == b"plain"
    assert names(app) == ["new"]


def test_the_data_of_others_survives_a_thousand_refusals(app: MockServer, client: FlaskClient) -> None:
    mine = OWNER | {"X-Mock-Sandbox": "mine"}
    made = client.post("/v1/threads", json={"organization_id": "org_abc123"}, headers=mine).get_json()
    for number in range(1001):
        client.get(f"/__sandbox/e{number}/v1/threads")
        client.get(f"/__sandbox/e{number}/__admin/clock", headers=FOREIGN[1])
    assert client.get(f"/v1/threads/{made['id']}", headers=mine).status_code == 200


def test_refused_requests_displace_no_other_from_the_journal(client: FlaskClient) -> None:
    client.get("/v1/threads", headers=OWNER)
    for _ in range(1001):
        client.get("/v1/threads")
    listed = client.get("/__admin/requests?status=200").get_json()
    assert [each["url"] for each in listed["requests"]] == ["/v1/threads"]
    assert listed["dropped"] == 1
    assert client.get("/__admin/requests?status=401").get_json()["total"] == 1000


def test_when_all_sandboxes_are_in_use_another_is_refused_in_both_formats() -> None:
    app = create_app(Settings(quiet=True, max_sandboxes=1))
    client = app.test_client()
    client.get("/__sandbox/a/v1/threads", headers=OWNER)
    for method, path in (("GET", "/v1/threads"), ("DELETE", "/__admin/faults"), ("GET", "/nowhere")):
        answer = client.open("/__sandbox/b" + path, method=method, headers=OWNER)
        assert answer.status_code == 503
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert "--max-sandboxes" in answer.headers["X-Mock-Reason"]
    assert client.post("/__admin/sandboxes", json={"id": "b"}).status_code == 503
    assert names(app) == ["a"]


def test_a_dropped_sandbox_is_gone_for_every_request(app: MockServer, client: FlaskClient) -> None:
    client.get("/__sandbox/a/v1/threads", headers=OWNER)
    app.sandboxes.drop("a")
    for path in ("/v1/threads", "/__admin/clock", "/nowhere"):
        assert client.get("/__sandbox/a" + path, headers=OWNER).status_code == 410
