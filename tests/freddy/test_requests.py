"""What was asked of the mock, told back: whole, bounded, without secrets, and at once."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.freddy import HANDLERS
from mockserver.http.calls import Reply
from mockserver.http.event_stream import MOST
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.running import FROZEN

SPACES = "/v1/spaces/"
LIST = f"{SPACES}?organization_id=org_abc123"
THREAD = "/v1/spaces/space_abc123/threads/thrd_def456"
REQUESTS = "/__admin/requests"
NEW = {"organization_id": "org_abc123", "name": "Secret plans", "description": "Ready in May"}


def count(ask: Ask, **criteria: Any) -> int:
    """How many requests are like this."""
    answer = ask("POST", f"{REQUESTS}/count", key=None, json=criteria).get_json()
    assert answer.keys() == {"count", "truncated"}
    return int(answer["count"])


def listed(ask: Ask, query: str = "") -> list[Any]:
    """The exchanges of one page."""
    found: list[Any] = ask("GET", f"{REQUESTS}{query}", key=None).get_json()["requests"]
    return found


def test_an_exchange_is_told_whole(ask: Ask) -> None:
    answer = ask("POST", THREAD, key="ak_demo_viewer", headers={"X-Test": "a"})
    (entry,) = listed(ask)
    assert entry.pop("milliseconds") > 0
    assert entry.pop("wall").endswith("Z")
    assert entry["request"]["headers"].pop("user-agent")
    assert entry["response"].pop("headers")["x-mock-operation"] == "addThreadToSpace"
    assert entry == {
        "id": answer.headers["x-request-id"],
        "number": 1,
        "operation": "addThreadToSpace",
        "caller": "usr_viewer",
        "method": "POST",
        "url": THREAD,
        "status": 403,
        "at": FROZEN,
        "complete": True,
        "ended": "complete",
        "sandbox": "default",
        "source": "state",
        "fault": None,
        "why": [
            "route: addThreadToSpace",
            "auth: usr_viewer",
            "access: usr_viewer has VIEW by access_users, EDIT needed",
        ],
        "violations": [],
        "request": {
            "method": "POST",
            "url": THREAD,
            "headers": {"host": "localhost", "x-api-key": "***", "x-test": "a"},
            "body": "",
            "body_bytes": 0,
            "body_cut": False,
        },
        "response": {
            "status": 403,
            "body": answer.get_data(as_text=True),
            "body_bytes": len(answer.data),
            "body_cut": False,
        },
    }
    assert ask("GET", f"{REQUESTS}/{entry['id']}").get_json()["url"] == THREAD


def test_pages_are_told_as_they_were_sent_whatever_has_changed_since(ask: Ask) -> None:
    """The long one up to --journal-body-bytes; what they have in common is kept once."""
    page = "/v1/spaces/space_team/threads?limit={}"
    sent = [ask("GET", page.format(limit)) for limit in (3, 3, 50, 50, 3)]
    renamed = sent[0].get_json()["data"][1]["id"]
    assert ask("PATCH", f"/v1/threads/{renamed}", json={"title": "Another"}).status_code == 200
    assert ask("DELETE", f"/v1/spaces/space_team/threads/{renamed}").status_code == 204
    sent += [ask("GET", page.format(limit)) for limit in (3, 50)]
    told = [entry["response"] for entry in listed(ask) if entry["operation"] == "listSpaceThreads"]
    assert len({answer.data for answer in sent}) == 4
    for answer, response in zip(sent, reversed(told), strict=True):
        assert response["body"] == answer.data[:16_384].decode(errors="ignore")
        assert response["body_bytes"] == len(answer.data)
        assert response["body_cut"] == (len(answer.data) > 16_384)


def test_each_request_is_told_with_headers_of_its_own(ask: Ask) -> None:
    for client in ("a", "a", "b", "a"):
        ask("GET", LIST, headers={"X-Client": client})
    told = [entry["request"]["headers"]["x-client"] for entry in reversed(listed(ask))]
    assert told == ["a", "a", "b", "a"]


@pytest.mark.parametrize(
    ("method", "path", "key", "body", "rule"),
    [
        ("GET", LIST, "ak_demo_owner", None, "state: computed from what is stored"),
        ("GET", LIST, None, None, "auth: neither X-API-Key nor Authorization was sent"),
        ("GET", LIST, "ak_demo_expired", None, "auth: a key of usr_abc123 that is expired"),
        ("GET", "/v1/nowhere", None, None, "route: no operation at GET /v1/nowhere"),
        ("PUT", "/v1/threads", None, None, "route: PUT is not offered here, DELETE, GET, POST is"),
        ("GET", "/v1/spaces", "ak_demo_owner", None, "route: the path is /v1/spaces/"),
        ("POST", SPACES, "ak_demo_owner", {}, "validation: body organization_id: is required"),
        ("GET", "/v1/spaces/space_no", "ak_demo_owner", None, "state: no space 'space_no'"),
        (
            "GET",
            "/v1/spaces/space_abc123",
            "ak_demo_outsider",
            None,
            "access: usr_outsider has no access by any rule",
        ),
    ],
)
def test_the_last_line_of_why_names_the_rule_that_decided(
    ask: Ask, method: str, path: str, key: str | None, body: Any, rule: str
) -> None:
    ask(method, path, key=key, json=body)
    (entry,) = listed(ask)
    assert entry["why"][-1].startswith(rule)


def test_no_key_is_ever_shown_wherever_it_stands(ask: Ask) -> None:
    for path in ("/v1/spaces/ak_demo_owner/", "/v1/%61k_demo_owner", f"{LIST}&key=%61k_demo_owner"):
        ask("GET", path)
    ask("POST", SPACES, json={**NEW, "name": "ak_demo_viewer and ak_demo_owner"})
    ask("GET", LIST, key=None, headers={"Authorization": "Bearer another-form-of-ak_demo_owner"})
    ask("GET", LIST, key=None, headers={"Authorization": "another-form-of-owner", "X-Note": "ak_demo_owner"})
    ask("GET", LIST, headers={"Cookie": "session=owner", "Proxy-Authorization": "Basic b3duZXI="})
    answers = [ask("GET", REQUESTS), ask("POST", f"{REQUESTS}/find", json={})]
    for answer in answers:
        text = answer.get_data(as_text=True)
        assert answer.get_json()["total"] == 7
        for secret in ("demo_owner", "demo_viewer", "another-form", "session=", "b3duZXI", "%61k"):
            assert secret not in text, secret
    assert listed(ask, "?limit=1")[0]["request"]["headers"]["proxy-authorization"] == "Basic ***"


def test_a_key_that_was_cut_is_not_shown_in_part() -> None:
    app = create_app(Settings(quiet=True, journal_body_bytes=20, api_key="my own secret key"))
    client = app.test_client()
    client.post(SPACES, data=b"The key: my own secret key", headers={"X-API-Key": "ak_demo_owner"})
    (entry,) = client.get(REQUESTS).get_json()["requests"]
    assert entry["request"]["body"] == "The key: ***"
    assert (entry["request"]["body_bytes"], entry["request"]["body_cut"]) == (26, True)


def test_calls_of_the_control_api_and_preflights_are_not_counted(ask: Ask) -> None:
    ask("GET", "/__admin/clock")
    ask("GET", "/__admin/nowhere")
    origin = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}
    assert ask("OPTIONS", LIST, headers=origin).status_code == 204
    ask("GET", LIST, headers={"X-Mock-Sandbox": "no name"})
    assert listed(ask) == []


def test_each_sandbox_has_a_journal_of_its_own(ask: Ask, app: MockServer) -> None:
    ask("GET", f"/__sandbox/j-1{LIST}")
    assert listed(ask) == []
    (entry,) = ask("GET", f"/__sandbox/j-1{REQUESTS}").get_json()["requests"]
    assert (entry["sandbox"], entry["url"]) == ("j-1", LIST)
    ask("POST", "/__sandbox/j-1/__admin/reset")
    assert ask("GET", f"/__sandbox/j-1{REQUESTS}").get_json()["requests"] == []


def test_pages_go_from_the_newest_to_the_oldest_and_survive_new_requests(ask: Ask) -> None:
    for _ in range(5):
        ask("GET", LIST)
    first = ask("GET", f"{REQUESTS}?limit=2").get_json()
    assert ([e["number"] for e in first["requests"]], first["next_before"]) == ([5, 4], 4)
    ask("GET", LIST)
    second = ask("GET", f"{REQUESTS}?limit=2&before=4").get_json()
    assert ([e["number"] for e in second["requests"]], second["has_more"]) == ([3, 2], True)
    last = ask("GET", f"{REQUESTS}?limit=2&before=2").get_json()
    assert [e["number"] for e in last["requests"]] == [1]
    assert (last["has_more"], last["next_before"], last["total"]) == (False, None, 6)


def test_filters_let_through_what_they_name(ask: Ask) -> None:
    ask("GET", LIST)
    ask("POST", THREAD, key="ak_demo_viewer")
    ask("POST", THREAD)
    for query, wanted in {
        "?operation=listSpaces": [1],
        "?caller=usr_viewer": [2],
        "?method=POST&status=201": [3],
        f"?path={THREAD}": [3, 2],
        "?status=500": [],
        "?violations=true": [],
    }.items():
        assert [entry["number"] for entry in listed(ask, query)] == wanted, query


def test_a_request_that_is_not_there_is_a_404(ask: Ask) -> None:
    answer = ask("GET", f"{REQUESTS}/nope")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_a_journal_that_was_cleared_or_reset_is_empty(ask: Ask) -> None:
    for method, path in (("DELETE", REQUESTS), ("POST", "/__admin/reset")):
        ask("GET", LIST)
        assert ask(method, path).status_code in (200, 204)
        assert ask("GET", REQUESTS).get_json()["total"] == 0


def test_what_was_dropped_is_told() -> None:
    client = create_app(Settings(quiet=True, journal_entries=2)).test_client()
    for _ in range(2):
        client.get(LIST)
    assert client.post(f"{REQUESTS}/count", json={}).get_json() == {"count": 2, "truncated": False}
    client.get(LIST)
    assert client.post(f"{REQUESTS}/count", json={}).get_json() == {"count": 2, "truncated": True}
    answer = client.get(REQUESTS).get_json()
    assert (answer["total"], answer["dropped"], answer["truncated"]) == (2, 1, True)


BODY = {"organization_id": "org_abc123", "name": "Team", "visible_to_roles": ["role_admin", "role_research"]}
CRITERIA: list[tuple[dict[str, Any], int]] = [
    ({}, 2),
    ({"method": "ANY"}, 2),
    ({"method": "POST"}, 1),
    ({"operation": "listSpaces"}, 1),
    ({"operation": "listSpaces", "status": 403}, 0),
    ({"status": 201}, 1),
    ({"caller": "usr_viewer"}, 1),
    ({"source": "state"}, 2),
    ({"source": "fault"}, 0),
    ({"url": f"{LIST}&limit=20&limit=30"}, 1),
    ({"url": SPACES}, 1),
    ({"urlPath": SPACES}, 2),
    ({"urlPath": "/v1/spaces"}, 0),
    ({"urlPathTemplate": "/v1/{what}/"}, 2),
    ({"urlPathTemplate": "/{all}"}, 0),
    ({"urlPattern": "/v1/spaces/"}, 1),
    ({"urlPattern": "/v1/spaces/.*"}, 2),
    ({"urlPattern": "/v1/.*|nothing"}, 2),
    ({"urlPathPattern": "/v1/[a-z]+/"}, 2),
    ({"urlPathPattern": "/v1/spaces"}, 0),
    ({"urlPathPattern": "(a+)+$"}, 0),
    ({"queryParameters": {"limit": {"equalTo": "30"}}}, 1),
    ({"queryParameters": {"limit": {"doesNotContain": "2"}}}, 1),
    ({"queryParameters": {"limit": {"absent": True}}}, 1),
    ({"queryParameters": {"limit": {"matches": "[0-9]"}}}, 0),
    ({"queryParameters": {"limit": {"matches": "[0-9]{2}", "contains": "3"}}}, 1),
    ({"headers": {"x-note": {"equalTo": "HELLO", "caseInsensitive": True}}}, 1),
    ({"headers": {"X-Note": {"equalTo": "HELLO"}}}, 0),
    ({"headers": {"X-Note": {"absent": True}}}, 1),
    ({"headers": {"X-API-Key": {"equalTo": "ak_demo_viewer"}}}, 0),
    ({"headers": {"X-API-Key": {"equalTo": "***"}}}, 2),
    ({"bodyPatterns": [{"contains": "Team"}]}, 1),
    ({"bodyPatterns": [{"contains": "Team"}, {"doesNotMatch": "(?s).*nowhere.*"}]}, 1),
    ({"bodyPatterns": [{"absent": True}]}, 1),
    ({"bodyPatterns": [{"equalToJson": BODY}]}, 1),
    ({"bodyPatterns": [{"equalToJson": '{"name": "Team"}'}]}, 0),
    ({"bodyPatterns": [{"equalToJson": '{"name": "Team"}', "ignoreExtraElements": True}]}, 1),
    ({"bodyPatterns": [{"equalToJson": {**BODY, "visible_to_roles": ["role_research", "role_admin"]}}]}, 0),
]
ANY_ORDER = {"equalToJson": {"visible_to_roles": ["role_research", "role_admin"]}, "ignoreArrayOrder": True}
CRITERIA += [
    ({"bodyPatterns": [{**ANY_ORDER, "ignoreExtraElements": True}]}, 1),
    ({"bodyPatterns": [ANY_ORDER]}, 0),
]


@pytest.fixture(scope="module")
def two() -> MockServer:
    """A mock that was asked twice."""
    app = create_app(Settings(quiet=True, freeze=FROZEN))
    client = app.test_client()
    url, note = f"{LIST}&limit=20&limit=30", {"X-API-Key": "ak_demo_viewer", "X-Note": "Hello"}
    assert client.get(url, headers=note).status_code == 200
    assert client.post(SPACES, json=BODY, headers={"X-API-Key": "ak_demo_owner"}).status_code == 201
    return app


@pytest.mark.parametrize(("criteria", "wanted"), CRITERIA, ids=lambda value: str(value)[:60])
def test_criteria_mean_what_wiremock_means(two: MockServer, criteria: dict[str, Any], wanted: int) -> None:
    client = two.test_client()
    assert client.post(f"{REQUESTS}/count", json=criteria).get_json() == {"count": wanted, "truncated": False}
    assert client.post(f"{REQUESTS}/find", json=criteria).get_json()["total"] == wanted


@pytest.mark.parametrize(
    ("criteria", "name"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"urlPattern": "a(b"}, "urlPattern"),
        ({"urlPattern": "a)(b"}, "urlPattern"),
        ({"urlPattern": "(?=a)"}, "urlPattern"),
        ({"urlPattern": "((a{1000}){1000}){1000}"}, "urlPattern"),
        ({"headers": {"a": {"matches": "["}}}, "headers.a.matches"),
        ({"headers": {"a": {}}}, "headers.a"),
        ({"bodyPatterns": [{}, {"matchesJsonPath": "$.a"}]}, "bodyPatterns.1.matchesJsonPath"),
        ({"bodyPatterns": [{"equalToJson": "[" * 200 + "]" * 200}]}, "bodyPatterns.0.equalToJson"),
    ],
)
def test_criteria_that_cannot_be_heeded_are_refused(ask: Ask, criteria: Any, name: str) -> None:
    answer = ask("POST", f"{REQUESTS}/count", json=criteria)
    assert answer.status_code == 422
    assert name in [each["name"] for each in answer.get_json()["errors"]]


def test_a_body_that_was_cut_makes_the_count_unsure() -> None:
    client = create_app(Settings(quiet=True, journal_body_bytes=10)).test_client()
    client.post(SPACES, data=b"0123456789 and the word")
    criteria = {"bodyPatterns": [{"contains": "word"}]}
    assert client.post(f"{REQUESTS}/count", json=criteria).get_json() == {"count": 0, "truncated": True}
    assert client.post(f"{REQUESTS}/count", json={}).get_json() == {"count": 1, "truncated": False}


def waiting(app: MockServer, query: str) -> tuple[threading.Thread, list[TestResponse]]:
    """A wait that goes on in a thread of its own."""
    answers: list[TestResponse] = []
    client = app.test_client()
    thread = threading.Thread(target=lambda: answers.append(client.get(f"{REQUESTS}/wait?{query}")))
    thread.start()
    return thread, answers


def test_a_wait_ends_with_the_request_that_it_waits_for(ask: Ask, app: MockServer) -> None:
    """And does not keep others out of the sandbox meanwhile."""
    ask("GET", LIST)
    thread, answers = waiting(app, "operation=createSpace&status=201&count=2&timeout=60")
    ask("POST", SPACES, json={})
    for _ in range(2):
        assert answers == []
        assert ask("POST", SPACES, json=NEW).status_code == 201
    thread.join()
    assert answers[0].get_json() == {"reached": True, "count": 2, "truncated": False}


def test_a_wait_counts_what_was_there_before(ask: Ask) -> None:
    ask("GET", LIST)
    answer = ask("GET", f"{REQUESTS}/wait?operation=listSpaces&timeout=60").get_json()
    assert answer == {"reached": True, "count": 1, "truncated": False}


def test_a_wait_in_vain_says_so(ask: Ask) -> None:
    ask("GET", LIST)
    answer = ask("GET", f"{REQUESTS}/wait?count=2&timeout=0")
    assert (answer.status_code, answer.get_json()["reached"]) == (200, False)


def test_a_wait_ends_when_the_mock_stops() -> None:
    app = create_app(Settings(quiet=True))
    thread, answers = waiting(app, "timeout=60")
    app.stopping.set()
    thread.join()
    assert answers[0].get_json()["reached"] is False


def test_waits_take_the_places_of_event_streams_and_give_them_back() -> None:
    app = create_app(Settings(quiet=True))
    many = [waiting(app, "timeout=60") for _ in range(MOST)]
    client = app.test_client()
    corridor: Any = app._corridor
    deadline = time.monotonic() + 60
    while corridor._control_streams.free and time.monotonic() < deadline:
        time.sleep(0.001)
    refused = client.get(f"{REQUESTS}/wait?timeout=60")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    client.get(LIST)
    for thread, answers in many:
        thread.join()
        assert answers[0].get_json()["reached"] is True
    assert (corridor._control_streams.free, corridor._streams.free) == (MOST, MOST)


def test_an_answer_that_breaks_the_spec_is_listed(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        HANDLERS, "listSpaces", lambda *_: Reply(200, {"spaces": 3, "next_cursor": None, "has_more": False})
    )
    app = create_app(Settings(quiet=True))
    client = app.test_client()
    broken = client.get(LIST, headers={"X-API-Key": "ak_demo_owner"})
    client.get(LIST)
    answer = client.get("/__admin/violations").get_json()
    assert answer["count"] == 1
    (found,) = answer["violations"]
    assert (found["id"], found["status"]) == (broken.headers["x-request-id"], 500)
    assert found["violations"][0]["pointer"] == "/spaces"
    assert client.get(f"{REQUESTS}?violations=true").get_json()["total"] == 1
    assert ask("GET", "/__admin/violations").get_json() == {"count": 0, "violations": []}
