"""g.sandbox of a view: one instant, records of its own, transactions that nobody waits for forever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import current_app, g

from mockserver.app import MockServer, create_app
from mockserver.http.problems import NotFound
from mockserver.sandbox import sandbox as sandboxes
from mockserver.sandbox.transaction import NestedTransaction
from mockserver.settings import Settings
from tests.running import FROZEN

OWNER = {"X-API-Key": "ak_demo_owner"}
SPACE = "/v1/spaces/space_abc123"


def app_with(**views: Callable[[], Any]) -> MockServer:
    """A mock with these views at /NAME, whose errors are raised."""
    app = create_app(Settings(freeze=FROZEN, quiet=True))
    app.testing = True
    for name, view in views.items():
        app.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    return app


def in_sandbox(view: Callable[[], Any]) -> Any:
    """JSON of a view's answer."""
    return app_with(view=view).test_client().get("/view").get_json()


def test_a_view_may_raise_an_error_of_the_vendor() -> None:
    def view() -> Any:
        raise NotFound("No such session", session="s")

    assert in_sandbox(view)["error"]["details"] == {"session": "s"}


def test_a_request_has_one_instant() -> None:
    app = create_app(Settings(quiet=True))

    @app.get("/view")
    def view() -> list[Any]:
        seen = [g.sandbox.clock.now(), g.sandbox.instant()]
        with g.sandbox.transaction():
            inside = [g.sandbox.clock.now(), g.sandbox.instant()]
        return [seen, [*inside, g.sandbox.clock.now()]]

    for instants in app.test_client().get("/view").get_json():
        assert len(set(instants)) == 1


def test_a_clock_is_moved_in_a_transaction_only() -> None:
    def view() -> Any:
        assert not hasattr(g.sandbox.clock, "advance")
        with g.sandbox.transaction():
            g.sandbox.clock.advance(1_000_000)
        return {"now": g.sandbox.clock.text()}

    assert in_sandbox(view) == {"now": FROZEN}
    app = app_with(view=view)
    app.test_client().get("/view")
    assert app.sandboxes.default.now() == "2026-02-26T10:30:01Z"


def test_a_failing_transaction_changes_nothing() -> None:
    def view() -> Any:
        with g.sandbox.transaction():
            g.sandbox.extension_records.put("a", {})
        try:
            with g.sandbox.transaction():
                g.sandbox.extension_records.put("b", {})
                raise KeyError
        except KeyError:
            return {"kept": len(g.sandbox.extension_records)}

    assert in_sandbox(view) == {"kept": 1}


def test_records_of_a_view_are_reset_and_isolated() -> None:
    def view() -> Any:
        with g.sandbox.transaction():
            g.sandbox.extension_records.put(str(len(g.sandbox.extension_records)), {})
        return {"count": len(g.sandbox.extension_records)}

    client = app_with(view=view).test_client()
    paths = ["/view", "/view", "/__sandbox/room/view"]
    assert [client.get(path).get_json()["count"] for path in paths] == [1, 2, 1]
    client.post("/__admin/reset")
    assert client.get("/view").get_json() == {"count": 1}


def test_a_view_calls_the_mock_and_keeps_its_own_g() -> None:
    def other() -> Any:
        return {"other": g.sandbox.name}

    def view() -> Any:
        client = current_app.test_client()
        return {
            "space": client.get(SPACE, headers=OWNER).get_json()["id"],
            **client.get("/other", headers={"X-Mock-Sandbox": "room"}).get_json(),
            "mine": g.sandbox.name,
        }

    answer = app_with(view=view, other=other).test_client().get("/view").get_json()
    assert answer == {"space": "space_abc123", "other": "room", "mine": "default"}


@pytest.mark.parametrize("path", [SPACE, "/nested", "/__admin/clock"])
def test_a_call_of_the_mock_from_a_transaction_is_an_error(path: str) -> None:
    def nested() -> Any:
        with g.sandbox.transaction():
            return {}

    def view() -> Any:
        with g.sandbox.transaction():
            return current_app.test_client().get(path, headers=OWNER).get_json()

    client = app_with(view=view, nested=nested).test_client()
    with pytest.raises(NestedTransaction, match="transaction of sandbox 'default'"):
        client.get("/view")
    assert client.get(SPACE, headers=OWNER).status_code == 200


def test_who_waits_too_long_for_a_view_gets_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandboxes, "VIEW_SECONDS", 0.05)
    inside, leave = threading.Event(), threading.Event()

    def view() -> Any:
        with g.sandbox.transaction():
            inside.set()
            leave.wait(60)
        return {}

    app = app_with(view=view)
    thread = threading.Thread(target=lambda: app.test_client().get("/view"))
    thread.start()
    inside.wait(60)
    answer = app.test_client().get(SPACE, headers=OWNER)
    leave.set()
    thread.join()
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "transaction of sandbox 'default'" in answer.headers["X-Mock-Reason"]
    assert app.test_client().get(SPACE, headers=OWNER).status_code == 200
