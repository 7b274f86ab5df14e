"""The stream of events: of one sandbox or of all, of every kind, in one order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.admin.events import CHANGES
from mockserver.admin.registration import HANDLERS
from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.conftest import frozen_app
from tests.running import FROZEN

SPACE = "/v1/spaces/space_abc123"
EVERYTHING = "/__admin/events?timeout=0&sandbox=*"


@pytest.fixture
def app() -> MockServer:
    """A mock of its own for each test."""
    return frozen_app()


def told(ask: Ask, path: str = EVERYTHING, after: int = 0) -> list[Any]:
    """Events that there are, without heartbeats, each with its `event_id`."""
    text = ask("GET", path, headers={"Last-Event-ID": str(after)}).get_data(as_text=True)
    found = []
    for block in text.split("\n\n")[:-1]:
        *ids, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        if event["event"] != "heartbeat":
            found.append({**event, "event_id": int(ids[0].removeprefix("id: "))})
    return found


def test_an_exchange_is_told_when_it_begins_and_when_it_ends(ask: Ask) -> None:
    assert told(ask) == []
    answer = ask("DELETE", SPACE, key="ak_demo_viewer")
    begun, ended = told(ask)
    assert (begun["event"], begun["id"], begun["path"]) == ("begun", answer.headers["x-request-id"], SPACE)
    assert (ended["event"], ended["id"], ended["status"]) == ("exchange", begun["id"], 403)
    assert (ended["ended"], ended["at"]) == ("complete", FROZEN)
    assert ended["reason"] == "access: usr_viewer has VIEW by access_users, EDIT needed"
    assert begun["wall"] <= ended["wall"]
    assert len(ended["wall"]) == len("2026-02-26T10:30:00.000Z")


@pytest.mark.parametrize(
    ("kind", "method", "path", "body"),
    [
        ("reset", "POST", "/reset", None),
        ("clock", "PUT", "/clock", {"advance": 60}),
        ("queue", "POST", "/embeddings/drain", None),
        ("queue", "PUT", "/embeddings/policy", {"mode": "manual"}),
        ("faults", "POST", "/faults", {"delay": 1}),
        ("faults", "PUT", "/rate-limit", {"plan": "off"}),
        ("replies", "POST", "/replies", {"text": "Hello"}),
        ("records", "POST", "/seed", {"threads": 1}),
        ("snapshot", "PUT", "/snapshots/one", None),
        ("journal", "DELETE", "/requests", None),
    ],
)
def test_each_change_by_the_control_api_is_told_with_its_call(
    ask: Ask, kind: str, method: str, path: str, body: Any
) -> None:
    assert ask(method, f"/__sandbox/a/__admin{path}", json=body).status_code < 300
    made, changed = told(ask)
    assert (made["event"], made["sandbox"], made["detail"]) == ("sandbox", "a", "created from scenario:demo")
    assert (changed["event"], changed["sandbox"]) == (kind, "a")
    assert body is None or json.dumps(body, separators=(",", ":"))[1:10] in changed["detail"]


@pytest.mark.parametrize(
    ("origin", "allowed"), [("http://localhost:5173", True), ("https://app.example", False)]
)
def test_a_preflight_is_told_with_its_origin_and_whether_it_is_allowed(
    ask: Ask, origin: str, allowed: bool
) -> None:
    told(ask)
    headers = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    ask("OPTIONS", f"/__sandbox/a{SPACE}", key=None, headers=headers)
    event = told(ask)[-1]
    assert (event["event"], event["method"], event["path"]) == ("preflight", "DELETE", SPACE)
    assert (event["origin"], event["allowed"]) == (origin, allowed)


def test_every_operation_that_is_told_exists() -> None:
    assert CHANGES.keys() <= HANDLERS.keys()


def test_a_refused_change_is_not_told(ask: Ask) -> None:
    assert ask("PUT", "/__admin/clock", json={"freeze": "never"}).status_code == 422
    assert ask("DELETE", "/__admin/faults/none").status_code == 404
    assert told(ask) == []


def test_all_sandboxes_are_told_in_one_order_or_one_alone(ask: Ask) -> None:
    for name in ("a", "b", "a"):
        ask("GET", SPACE, headers={"X-Mock-Sandbox": name})
    ask("DELETE", "/__admin/sandboxes/b")
    events = [event for event in told(ask) if event["event"] != "dropped"]
    assert [event["event_id"] for event in events] == sorted({event["event_id"] for event in events})
    assert [(e["event"], e["sandbox"]) for e in events if e["event"] not in ("begun", "exchange")] == [
        ("sandbox", "a"),
        ("sandbox", "b"),
        ("sandbox", "b"),
    ]
    assert events[-1]["detail"] == "was deleted"
    alone = [
        each for each in told(ask, "/__sandbox/a/__admin/events?timeout=0") if each["event"] != "dropped"
    ]
    assert alone == [event for event in events if event["sandbox"] == "a"]
    assert [e["event"] for e in told(ask, after=alone[-1]["event_id"])] == ["sandbox"]


def test_all_sandboxes_can_be_watched_where_a_name_is_required() -> None:
    client = create_app(Settings(quiet=True, require_sandbox=True)).test_client()
    assert client.get(EVERYTHING).status_code == 200
    assert client.get("/__admin/events?timeout=0&sandbox=%2A").status_code == 200
    assert client.get("/__admin/events?timeout=0").status_code == 400


@pytest.mark.parametrize(
    ("end", "how"),
    [("read", "complete"), ("leave", "client"), ("cut", "cut"), ("stop", "stopped")],
)
def test_the_end_of_a_stream_says_how_it_came(app: MockServer, ask: Ask, end: str, how: str) -> None:
    fault = {"kind": "cut", "after_events": 2} if end == "cut" else None
    reply = {"text": "one two", "pace": 60 if end == "stop" else 0, "fault": fault}
    assert ask("POST", "/__admin/replies", json=reply).status_code == 201
    body = {"inputs": [{"role": "user", "content": "?"}], "stream": True, "organization_id": "org_abc123"}
    answer = ask("POST", "/v1/model/response", json=body)
    assert answer.status_code == 200, answer.text
    pieces = iter(answer.response)
    next(pieces)
    (entry,) = ask("GET", "/__admin/requests").get_json()["requests"]
    assert (entry["complete"], entry["ended"]) == (False, None)
    if end == "stop":
        app.stopping.set()
    if end == "leave":
        answer.close()
    else:
        assert list(pieces) is not None
    (entry,) = ask("GET", "/__admin/requests").get_json()["requests"]
    assert (entry["complete"], entry["ended"]) == (True, how)


def test_no_key_is_shown_in_an_event(ask: Ask) -> None:
    ask("GET", "/v1/spaces/ak_demo_owner?api_key=ak_demo_owner")
    ask("POST", "/__admin/replies", json={"text": "ak_demo_owner"})
    assert "ak_demo_owner" not in str(told(ask))
