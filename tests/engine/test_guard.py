"""The control API: who may use it, and that no page of a stranger's can."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from mockserver.app import create_app
from mockserver.settings import Settings
from tests.running import FROZEN

TOKEN = "let-me-steer-this"
STRANGERS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "rebind.evil.example"},
    {"Host": "127.0.0.1.evil.example:4010"},
]
STEERING = (
    ("POST", "/__admin/reset"),
    ("PUT", "/__admin/clock"),
    ("GET", "/__admin/clock"),
    ("GET", "/__admin/no"),
)


@pytest.mark.parametrize("headers", STRANGERS)
def test_a_foreign_page_cannot_steer_the_mock(client: FlaskClient, headers: dict[str, str]) -> None:
    """Whether or not it could read the answer."""
    for method, path in STEERING:
        refused = client.open(path, method=method, headers=headers, json={"advance": 60})
        assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    assert client.get("/__admin/clock").get_json()["now"] == FROZEN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-site"},
        {"Host": "127.0.0.1:4010"},
        {"Host": "localhost"},
        {"Host": "[::1]:4010"},
    ],
)
def test_a_page_or_tool_on_this_machine_can(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/__admin/reset", headers=headers).status_code == 200


def test_a_peer_elsewhere_cannot(client: FlaskClient) -> None:
    refused = client.post("/__admin/reset", environ_overrides={"REMOTE_ADDR": "10.0.0.7"})
    assert refused.status_code == 403
    assert "10.0.0.7" in refused.headers["X-Mock-Reason"]


def test_an_origin_that_may_read_answers_may_still_not_steer() -> None:
    client = create_app(Settings(cors_origins=("*",), quiet=True)).test_client()
    refused = client.post("/__admin/reset", headers={"Origin": "https://docs.example"})
    assert refused.status_code == 403
    assert "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.parametrize(
    "authorization", [None, TOKEN, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
def test_where_there_is_a_token_nothing_else_lets_in(authorization: str | None) -> None:
    client = create_app(Settings(admin_token=TOKEN, quiet=True)).test_client()
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in STEERING:
        refused = client.open(path, method=method, headers=headers, json={"advance": 60})
        assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in refused.headers["X-Mock-Reason"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_lets_in_from_everywhere(scheme: str) -> None:
    client = create_app(Settings(host="0.0.0.0", admin_token=TOKEN, quiet=True)).test_client()
    headers = {"Authorization": f"{scheme} {TOKEN}", "Host": "mock:4010"}
    answer = client.get("/__admin/clock", headers=headers, environ_overrides={"REMOTE_ADDR": "10.0.0.7"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/__admin/health", "/__admin/ready"])
def test_health_and_readiness_need_no_token(path: str) -> None:
    client = create_app(Settings(host="0.0.0.0", quiet=True)).test_client()
    assert client.get(path, headers={"Host": "mock:4010"}).status_code == 200


def test_a_mock_that_others_can_reach_makes_a_token_up() -> None:
    one, other = (create_app(Settings(host="0.0.0.0", quiet=True)) for _ in range(2))
    assert one.admin_token != other.admin_token
    assert one.test_client().get("/__admin/clock").status_code == 401
    headers = {"Authorization": f"Bearer {one.admin_token}"}
    assert one.test_client().get("/__admin/clock", headers=headers).status_code == 200


def test_the_api_itself_asks_for_no_such_token() -> None:
    client = create_app(Settings(admin_token=TOKEN, quiet=True)).test_client()
    answer: Any = client.get("/v1/spaces/space_abc123", headers={"X-API-Key": "ak_demo_owner"})
    assert answer.status_code == 200
