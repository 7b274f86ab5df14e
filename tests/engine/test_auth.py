"""Who calls is asked before what the request says, and a 401 names what is wrong with the credential."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.conftest import Ask

SPACE = "/v1/spaces/space_abc123"


def code(answer: TestResponse) -> str:
    """The error code of a 401."""
    assert answer.status_code == 401
    assert answer.json is not None
    text: str = answer.json["error"]["code"]
    return text


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "AUTHENTICATION_REQUIRED"),
        ({"X-API-Key": ""}, "AUTHENTICATION_REQUIRED"),
        ({"X-API-Key": "nobody's"}, "INVALID_API_KEY"),
        ({"X-API-Key": "clé"}, "INVALID_API_KEY"),
        ({"X-API-Key": "ak_demo_expired"}, "API_KEY_EXPIRED"),
        ({"X-API-Key": "ak_demo_deactivated"}, "API_KEY_DEACTIVATED"),
        ({"X-API-Key": "ak_demo_paused"}, "API_KEY_PAUSED"),
        ({"Authorization": "Bearer"}, "AUTHENTICATION_REQUIRED"),
        ({"Authorization": "Bearer "}, "AUTHENTICATION_REQUIRED"),
        ({"Authorization": "bearer ak_demo_owner"}, "AUTHENTICATION_REQUIRED"),
        ({"Authorization": "Basic YTpi"}, "AUTHENTICATION_REQUIRED"),
        ({"Authorization": "Bearer nobody's"}, "TOKEN_INVALID"),
        ({"Authorization": "Bearer ak_demo_expired"}, "TOKEN_EXPIRED"),
        ({"X-API-Key": "nobody's", "Authorization": "Bearer ak_demo_owner"}, "INVALID_API_KEY"),
        ({"X-API-Key": "", "Authorization": "Bearer ak_demo_owner"}, "AUTHENTICATION_REQUIRED"),
    ],
)
def test_a_credential_that_is_not_good_is_401(ask: Ask, headers: dict[str, str], expected: str) -> None:
    """A11, A12, A35."""
    assert code(ask("GET", SPACE, key=None, headers=headers)) == expected


def test_a_key_is_good_as_a_token(ask: Ask) -> None:
    """A35."""
    answer = ask("GET", SPACE, key=None, headers={"Authorization": "Bearer ak_demo_viewer"})
    assert answer.status_code == 200


def test_the_api_key_wins_over_the_token(ask: Ask) -> None:
    """A12."""
    token = {"Authorization": "Bearer ak_demo_outsider"}
    assert ask("GET", SPACE, key="ak_demo_owner", headers=token).status_code == 200
    token = {"Authorization": "Bearer ak_demo_owner"}
    assert ask("GET", SPACE, key="ak_demo_outsider", headers=token).status_code == 403


@pytest.mark.parametrize(
    "path", ["/v1/spaces/", "/v1/spaces/x/threads?limit=nonsense", "/v1/threads?limit=0"]
)
def test_a_missing_credential_comes_before_a_bad_request(ask: Ask, path: str) -> None:
    """A11."""
    assert code(ask("GET", path, key=None)) == "AUTHENTICATION_REQUIRED"
    assert code(ask("POST", "/v1/spaces/", key=None, data=b"{" * 2_000_000)) == "AUTHENTICATION_REQUIRED"


def test_a_bad_request_comes_before_what_is_not_found(ask: Ask) -> None:
    """A02."""
    assert ask("GET", "/v1/spaces/unknown/threads?limit=0").status_code == 422


def test_the_control_api_needs_no_credential(ask: Ask) -> None:
    assert ask("GET", "/__admin/health", key=None).status_code == 200


def test_freddy_api_key_is_one_more_key_of_usr_abc123(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREDDY_API_KEY", "my own key")
    assert _creator(create_app(Settings(quiet=True)), "my own key") == "usr_abc123"


def test_freddy_api_key_never_changes_whose_a_key_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREDDY_API_KEY", "ak_demo_viewer")
    assert _creator(create_app(Settings(quiet=True)), "ak_demo_viewer") == "usr_viewer"


def _creator(app: MockServer, key: str) -> str:
    body = {"organization_id": "org_abc123", "name": "Mine"}
    answer = app.test_client().post("/v1/spaces/", json=body, headers={"X-API-Key": key})
    assert answer.json is not None
    user: str = answer.json["created_by"]
    return user
