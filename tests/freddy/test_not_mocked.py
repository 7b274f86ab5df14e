"""Operations of the vendor that the mock does not have say so (A80)."""

from __future__ import annotations

import pytest
from flask import request
from werkzeug.test import EnvironBuilder

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.running import FROZEN


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/v1/images/models", "/v1/images/models"),
        ("GET", "/v1/images/models/", "/v1/images/models"),
        ("DELETE", "/v1/trash", "/v1/trash"),
        ("GET", "/v1/assistants/asst_def456/history", "/v1/assistants/{assistant_id}/history"),
    ],
)
def test_an_operation_that_is_not_mocked_is_a_501_that_says_so(
    ask: Ask, method: str, path: str, template: str
) -> None:
    answer = ask(method, path)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (501, "NOT_IMPLEMENTED")
    reason = answer.headers["X-Mock-Reason"]
    expected = f"{method} {template} is an operation of the vendor's that this mock does not have"
    assert reason == f"{expected}; answer it yourself with --extend"
    (entry,) = ask("GET", "/__admin/requests", query_string={"status": 501}).get_json()["requests"]
    assert entry["request"]["url"] == path


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/threads/thrd_abc123", 200),
        ("GET", "/v1/threads/unreadable", 404),
        ("DELETE", "/v1/threads/unread", 404),
        ("PUT", "/v1/threads/unread", 405),
        ("GET", "/v1/threads/thrd_abc123/", 307),
        ("PUT", "/v1/threads", 405),
        ("GET", "/v1/nowhere", 404),
    ],
)
def test_all_other_paths_answer_as_before(ask: Ask, method: str, path: str, status: int) -> None:
    assert ask(method, path).status_code == status


@pytest.fixture
def extended() -> MockServer:
    """A mock with routes of the user's own for two of these operations."""
    app = create_app(Settings(freeze=FROZEN, quiet=True))

    @app.get("/v1/images/models")
    def models() -> dict[str, int]:
        return {"count": 0}

    @app.post("/v1/assistants/<assistant_id>/warm")
    def warm(assistant_id: str) -> dict[str, int]:
        return {"bytes": len(request.get_data())}

    return app


def test_a_route_of_the_users_own_answers_it(extended: MockServer) -> None:
    answer = extended.test_client().get("/v1/images/models", headers={"X-API-Key": "ak_demo_owner"})
    assert (answer.status_code, answer.get_json()) == (200, {"count": 0})
    assert answer.headers["X-Mock-Source"] == "extension"


def test_a_route_of_the_users_own_gets_the_whole_body(extended: MockServer) -> None:
    environ = EnvironBuilder(method="POST", path="/v1/assistants/asst_def456/warm", data=b"x" * 100_000)
    assert extended.body_limit(environ.get_environ()) >= 100_000
    answer = extended.test_client().open(environ)
    assert answer.get_json() == {"bytes": 100_000}
