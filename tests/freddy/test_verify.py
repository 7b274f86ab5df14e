"""Did the requests come that were to come? If not, what came instead; and which answers were never seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.freddy import HANDLERS
from mockserver.http.event_stream import MOST
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.running import FROZEN

SPACES = "/v1/spaces/"
LIST = f"{SPACES}?organization_id=org_abc123"
THREAD = "/v1/spaces/space_abc123/threads/thrd_def456"
NEW = {"organization_id": "org_abc123", "name": "New"}
EVENTS = "/__admin/events"


def verified(ask: Ask, **body: Any) -> Any:
    """What a verification says."""
    answer = ask("POST", "/__admin/verify", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.parametrize(
    ("wanted", "good"),
    [
        ({}, True),
        ({"exactly": 2}, True),
        ({"exactly": 1}, False),
        ({"exactly": 3}, False),
        ({"atLeast": 2}, True),
        ({"atLeast": 3}, False),
        ({"atMost": 2}, True),
        ({"atMost": 1}, False),
        ({"atLeast": 1, "atMost": 2}, True),
        ({"atLeast": 3, "atMost": 2}, False),
        ({"never": True}, False),
    ],
)
def test_two_requests_are_two(ask: Ask, wanted: dict[str, Any], good: bool) -> None:
    for _ in range(2):
        ask("GET", LIST)
    ask("POST", SPACES, json=NEW)
    answer = verified(ask, request={"operation": "listSpaces"}, **wanted)
    assert (answer["verified"], answer["count"]) == (good, 2)
    assert [request["number"] for request in answer["requests"]] == [1, 2]


def test_none_is_none(ask: Ask) -> None:
    assert verified(ask, request={}, never=True)["verified"]
    assert verified(ask, request={}, atMost=1)["verified"]
    assert not verified(ask, request={})["verified"]


def test_a_failure_shows_what_came_nearest_and_what_differs(ask: Ask) -> None:
    ask("GET", LIST)
    ask("POST", THREAD, key="ak_demo_viewer")
    request = {"operation": "addThreadToSpace", "status": 201, "headers": {"X-Test": {"contains": "a"}}}
    answer = verified(ask, request=request, exactly=1)
    assert answer["message"] == "0 requests were like this, exactly 1 wanted"
    first, second = answer["nearest"]
    assert first["request"]["number"] == 2
    assert first["differences"] == [
        {"at": "request.status", "wanted": "201", "found": "403"},
        {"at": "request.headers.X-Test", "wanted": "contains a", "found": "nothing"},
    ]
    assert [d["at"] for d in second["differences"]][:2] == ["request.operation", "request.status"]


def test_differences_show_no_key(ask: Ask) -> None:
    ask("GET", f"{LIST}&name=ak_demo_owner")
    answer = verified(ask, request={"queryParameters": {"name": {"equalTo": "ak_demo_viewer"}}})
    assert answer["nearest"][0]["differences"] == [
        {"at": "request.queryParameters.name", "wanted": "***", "found": "***"}
    ]


def test_a_sequence_is_in_order_whatever_came_between(ask: Ask) -> None:
    ask("POST", SPACES, json=NEW)
    ask("GET", LIST)
    ask("POST", THREAD)
    create, add = {"operation": "createSpace"}, {"operation": "addThreadToSpace"}
    assert verified(ask, sequence=[create, add])["verified"]
    answer = verified(ask, sequence=[add, create])
    assert (answer["verified"], answer["count"]) == (False, 1)
    message = "step 2 of the sequence did not come after request 3; it came before, as request 1"
    assert answer["message"] == message
    assert not verified(ask, sequence=[create, create])["verified"], "each step is a request of its own"


def test_what_was_dropped_is_not_taken_for_what_never_happened() -> None:
    client = create_app(Settings(quiet=True, journal_entries=1)).test_client()
    client.get(LIST)
    client.get("/v1/threads")

    def verify(**body: Any) -> Any:
        return client.post("/__admin/verify", json=body).get_json()

    for wanted in ({"never": True}, {"exactly": 0}, {"atMost": 5}):
        answer = verify(request={"operation": "listSpaces"}, **wanted)
        assert (answer["verified"], answer["truncated"]) == (False, True)
        assert "this is uncertain" in answer["message"]
    assert verify(request={"operation": "listThreads"})["verified"], "what is there is there"
    assert "this is uncertain" in verify(sequence=[{"operation": "listSpaces"}])["message"]


def test_a_body_that_was_cut_is_only_trusted_as_far_as_it_goes() -> None:
    client = create_app(Settings(quiet=True, journal_body_bytes=8)).test_client()
    client.post(SPACES, data=b"beginning and end")
    for pattern, good in (
        ({"contains": "begin"}, True),
        ({"doesNotContain": "nothing"}, False),
        ({"equalTo": "beginnin"}, False),
        ({"contains": "end"}, False),
    ):
        answer = client.post("/__admin/verify", json={"request": {"bodyPatterns": [pattern]}}).get_json()
        assert (answer["verified"], answer["truncated"]) == (good, not good), pattern


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"exactly": 1},
        {"request": {}, "never": False},
        {"request": {}, "exactly": 1, "never": True},
        {"sequence": []},
        {"sequence": [{}], "exactly": 1},
        {"sequence": [{"urlPattern": "("}]},
    ],
)
def test_a_verification_that_means_nothing_is_refused(ask: Ask, body: Any) -> None:
    assert ask("POST", "/__admin/verify", json=body).status_code == 422


def coverage(ask: Ask, query: str = "") -> Any:
    """What was seen."""
    answer: Any = ask("GET", f"/__admin/coverage{query}").get_json()
    return answer


def rows(answer: Any, operation: str) -> dict[tuple[int, str | None], int]:
    """(status, code) -> how often, of one operation."""
    (found,) = (o for o in answer["operations"] if o["operation"] == operation)
    assert found["count"] == sum(a["count"] for a in found["answers"])
    return {(a["status"], a["code"]): a["count"] for a in found["answers"]}


def test_coverage_names_every_described_answer_and_counts_it(ask: Ask) -> None:
    before = coverage(ask)
    assert (before["seen"], before["unmatched"]) == (0, 0)
    ask("GET", LIST)
    ask("GET", LIST, key="ak_nobody")
    ask("GET", LIST, key="ak_nobody")
    ask("GET", "/v1/nowhere")
    after = coverage(ask)
    assert (after["seen"], after["unmatched"], after["described"]) == (2, 1, before["described"])
    seen = {key: count for key, count in rows(after, "listSpaces").items() if count}
    assert seen == {(200, None): 1, (401, "INVALID_API_KEY"): 2}
    assert {(401, "API_KEY_EXPIRED"), (422, "VALIDATION_ERROR")} <= rows(after, "listSpaces").keys()
    assert len(after["operations"]) == len(HANDLERS)


def test_coverage_counts_what_was_dropped_and_starts_over_with_the_journal() -> None:
    client = create_app(Settings(quiet=True, journal_entries=1)).test_client()
    client.post("/__admin/sandboxes", json={"id": "c-1"})
    for _ in range(3):
        client.get("/v1/threads", headers={"X-Mock-Sandbox": "c-1"})

    def seen(query: str) -> Any:
        answer = client.get(f"/__admin/coverage{query}", headers={"X-Mock-Sandbox": "c-1"}).get_json()
        return rows(answer, "listThreads")[(401, "AUTHENTICATION_REQUIRED")]

    assert seen("") == 3
    client.post("/__admin/reset", headers={"X-Mock-Sandbox": "c-1"})
    assert (seen(""), seen("?everywhere=true")) == (0, 3)


def events(client: FlaskClient, **headers: str) -> Generator[tuple[str, Any], None, None]:
    """(id, event) as they come, without heartbeats."""
    answer: TestResponse = client.get(f"{EVENTS}?timeout=60", headers=headers)
    assert answer.content_type == "text/event-stream"
    for block in answer.response:
        *ids, data = block.decode().removesuffix("\n\n").split("\n")  # type: ignore[union-attr]
        event = json.loads(data.removeprefix("data: "))
        if event["event"] in ("exchange", "dropped"):
            yield ids[0].removeprefix("id: ") if ids else "", event


def test_events_tell_what_ends_from_now_on(app: MockServer, ask: Ask) -> None:
    ask("GET", LIST)
    stream = events(app.test_client())
    got: list[tuple[str, Any]] = []
    reader = threading.Thread(target=lambda: got.append(next(stream)))
    reader.start()
    while reader.is_alive():
        ask("POST", SPACES, json={})
        reader.join(0.05)
    number, event = got[0]
    assert (event["operation"], event["status"], event["caller"]) == ("createSpace", 422, "usr_abc123")
    assert int(number) >= 2
    stream.close()


def test_events_go_on_after_the_last_that_was_seen() -> None:
    app = create_app(Settings(quiet=True, journal_entries=3, freeze=FROZEN))
    client = app.test_client()
    for number in range(5):
        client.get(f"/v1/threads?limit={number + 1}")
    got = events(client, **{"Last-Event-ID": "1"})
    assert next(got) == ("2", {"event": "dropped", "count": 1})
    assert [next(got)[0] for _ in range(3)] == ["3", "4", "5"]
    again = events(client, **{"Last-Event-ID": "4"})
    last, event = next(again)
    assert (last, event["url"]) == ("5", "/v1/threads?limit=5")
    for stream in (got, again):
        stream.close()


def test_events_end_when_the_mock_stops_and_when_their_time_is_up() -> None:
    app = create_app(Settings(quiet=True))
    client = app.test_client()
    assert client.get(f"{EVENTS}?timeout=0").get_data(as_text=True) == 'data: {"event":"heartbeat"}\n\n'
    stopped = threading.Timer(0.2, app.stopping.set)
    stopped.start()
    assert client.get(f"{EVENTS}?timeout=60").get_data(as_text=True).count("heartbeat") >= 1
    stopped.join()


def test_an_event_stream_takes_the_place_of_a_stream() -> None:
    app = create_app(Settings(quiet=True))
    client = app.test_client()
    opened = [client.get(EVENTS) for _ in range(MOST)]
    assert client.get(EVENTS).status_code == 503
    opened.pop().close()
    opened.append(client.get(EVENTS))
    assert opened[-1].status_code == 200
    for answer in opened:
        answer.close()


def test_a_wrong_last_event_id_is_refused(ask: Ask) -> None:
    answer = ask("GET", EVENTS, headers={"Last-Event-ID": "yesterday"})
    assert answer.status_code == 422
    assert [(f["in"], f["name"]) for f in answer.get_json()["errors"]] == [("header", "Last-Event-ID")]
