"""Failures on order, over the control API and by a request's own headers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.app import MockServer, create_app
from mockserver.faults.profiles import PROFILES
from mockserver.http.problems import SpecViolation
from mockserver.settings import Settings
from tests.conftest import Ask

SPACE = "/v1/spaces/space_abc123"
THREADS = f"{SPACE}/threads"
ADD = f"{THREADS}/thrd_def456"
FAULTS = "/__admin/faults"
LIMIT = "/__admin/rate-limit"


@pytest.fixture(autouse=True)
def _no_limit(app: MockServer) -> Iterator[None]:
    yield
    app.sandboxes.get().reset()


def order(ask: Ask, **fault: Any) -> dict[str, Any]:
    answer: Any = ask("POST", FAULTS, json=fault)
    assert answer.status_code == 201, answer.json
    return dict(answer.json["faults"][0])


def statuses(ask: Ask, path: str, calls: int, method: str = "GET", **kw: Any) -> list[int]:
    return [ask(method, path, **kw).status_code for _ in range(calls)]


def test_an_operation_fails_as_often_as_ordered(ask: Ask) -> None:
    order(ask, operation="addThreadToSpace", times=2, error={"status": 500})
    assert statuses(ask, ADD, 3, "POST") == [500, 500, 201]
    assert statuses(ask, THREADS, 1) == [200]


def test_a_failed_call_changes_nothing(ask: Ask) -> None:
    order(ask, operation="addThreadToSpace", error={"status": 500})
    ask("POST", ADD)
    listed: Any = ask("GET", THREADS).json
    assert [thread["id"] for thread in listed["data"]] == ["thrd_abc123"]


def test_an_error_is_the_documented_one_told_of_this_request(ask: Ask) -> None:
    fault = order(ask, error={"status": 404})
    answer: Any = ask("GET", SPACE)
    error = answer.json["error"]
    assert (answer.status_code, error["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert error["details"] == {"space_id": "space_abc123"}
    assert error["trace_id"] == answer.headers["x-request-id"]
    assert error["timestamp"] == "2026-02-26T10:30:00Z"
    assert answer.headers["X-Mock-Source"] == "fault"
    assert answer.headers["X-Mock-Fault"] == f"{fault['id']}; status=404"
    assert answer.headers["X-Mock-Reason"] == f"injected: {fault['id']}; status=404"


def test_an_error_waits_as_long_as_ordered(ask: Ask) -> None:
    order(ask, name="busy", error={"status": 429, "retry_after": 7})
    answer: Any = ask("GET", SPACE)
    assert answer.headers["Retry-After"] == "7"
    assert answer.json["error"]["details"] == {"retry_after": 7}
    assert answer.headers["X-Mock-Fault"] == "busy; status=429"


def test_a_documented_header_is_there_unordered_too(ask: Ask) -> None:
    order(ask, error={"status": 429})
    assert ask("GET", SPACE).headers["Retry-After"] == "30"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(418, "I_M_A_TEAPOT", "client_error"), (502, "BAD_GATEWAY", "server_error"), (599, "STATUS_599", None)],
)
def test_a_status_that_is_not_documented_comes_in_the_envelope(
    ask: Ask, status: int, code: str, kind: str | None
) -> None:
    order(ask, error={"status": status})
    answer: Any = ask("GET", SPACE)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["status"] == status
    assert kind in (None, answer.json["error"]["type"])


def test_a_body_of_ones_own_is_sent_as_it_is(ask: Ask) -> None:
    order(ask, error={"status": 502, "body": "<h1>Bad gateway</h1>", "content_type": "text/html"})
    answer = ask("GET", SPACE)
    assert (answer.text, answer.headers["Content-Type"]) == ("<h1>Bad gateway</h1>", "text/html")
    ask("DELETE", FAULTS)
    order(ask, error={"status": 200, "body": {"unexpected": True}})
    assert ask("GET", SPACE).json == {"unexpected": True}


def test_a_success_can_be_ordered_and_is_the_documented_example(ask: Ask) -> None:
    order(ask, operation="addThreadToSpace", error={"status": 201})
    answer: Any = ask("POST", ADD)
    assert answer.json["message"] == "Thread added to space"
    order(ask, operation="deleteSpace", error={"status": 204})
    assert ask("DELETE", SPACE).data == b""
    assert ask("GET", SPACE).status_code == 200


def test_an_example_is_chosen_by_its_name(ask: Ask) -> None:
    order(ask, error={"status": 401, "example": "noCredential"})
    answer: Any = ask("GET", SPACE)
    assert answer.json["error"]["code"] == "AUTHENTICATION_REQUIRED"


def test_rules_tell_callers_methods_paths_and_headers_apart(ask: Ask) -> None:
    order(ask, caller="usr_viewer", method="GET", path="/v1/spaces/*/threads", error={"status": 500})
    order(ask, header={"name": "X-Test", "value": "a"}, error={"status": 503})
    assert ask("GET", THREADS, key="ak_demo_viewer").status_code == 500
    assert ask("GET", THREADS).status_code == 200
    assert ask("GET", SPACE, key="ak_demo_viewer").status_code == 200
    assert ask("GET", SPACE, headers={"X-Test": "a"}).status_code == 503
    assert ask("GET", SPACE, headers={"X-Test": "b"}).status_code == 200


def test_a_caller_that_nobody_knows_is_still_a_401(ask: Ask) -> None:
    order(ask, error={"status": 500})
    assert ask("GET", SPACE, key="ak_nobody").status_code == 401


def test_the_control_api_never_fails_on_order(ask: Ask) -> None:
    order(ask, error={"status": 500})
    assert statuses(ask, FAULTS, 3, headers={"X-Mock-Fault": "503", "Prefer": "code=500"}) == [200] * 3


def test_a_time_ends_by_the_sandboxs_clock(ask: Ask) -> None:
    order(ask, seconds=60, error={"status": 500})
    assert statuses(ask, SPACE, 1) == [500]
    ask("PUT", "/__admin/clock", json={"advance": 60})
    assert statuses(ask, SPACE, 1) == [200]


def test_a_rule_is_seen_changed_and_removed(ask: Ask) -> None:
    fault = order(ask, error={"status": 500})
    path = f"{FAULTS}/{fault['id']}"
    statuses(ask, SPACE, 2)
    seen: Any = ask("GET", path).json
    assert (seen["matched"], seen["struck"]) == (2, 2)
    changed: Any = ask("PATCH", path, json={"error": {"status": 503}, "times": 1}).json
    assert (changed["struck"], changed["error"]) == (0, {"status": 503})
    assert statuses(ask, SPACE, 2) == [503, 200]
    assert ask("DELETE", path).status_code == 204
    assert statuses(ask, path, 1) == [404]
    assert statuses(ask, path, 1, "DELETE") == [404]
    assert statuses(ask, path, 1, "PATCH", json={}) == [404]


def test_a_reset_forgets_rules_and_limit(ask: Ask) -> None:
    order(ask, error={"status": 500})
    ask("PUT", LIMIT, json={"plan": "standard"})
    ask("POST", "/__admin/reset")
    answer = ask("GET", SPACE)
    assert answer.status_code == 200
    assert "X-RateLimit-Limit" not in answer.headers
    assert ask("GET", FAULTS).json == {"faults": []}


def test_a_sandbox_fails_alone(ask: Ask) -> None:
    order(ask, error={"status": 500})
    assert ask("GET", f"/__sandbox/f-1{SPACE}").status_code == 200


def test_an_unknown_operation_is_a_422_with_the_nearest(ask: Ask) -> None:
    answer: Any = ask("POST", FAULTS, json={"operation": "listSpace", "error": {"status": 500}})
    assert answer.status_code == 422
    assert "listSpaces" in answer.json["errors"][0]["message"]


def test_fifty_orders_at_once_are_all_there(app: MockServer, ask: Ask) -> None:
    start = threading.Barrier(50)

    def client(number: int) -> None:
        start.wait()
        app.test_client().post(FAULTS, json={"name": f"n{number}", "delay": 0})

    threads = [threading.Thread(target=client, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed: Any = ask("GET", FAULTS).json
    assert {rule["name"] for rule in listed["faults"]} == {f"n{number}" for number in range(50)}
    assert len({rule["id"] for rule in listed["faults"]}) == 50


def test_three_times_are_three_times_for_32_clients(app: MockServer, ask: Ask) -> None:
    order(ask, times=3, error={"status": 503})
    found: list[int] = []
    start = threading.Barrier(32)

    def client() -> None:
        asked = app.test_client()
        start.wait()
        found.extend(asked.get(SPACE, headers={"X-API-Key": "ak_demo_owner"}).status_code for _ in range(10))

    threads = [threading.Thread(target=client) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found.count(503), found.count(200)) == (3, 317)


def test_the_same_calls_fail_the_same_way_each_time(ask: Ask) -> None:
    runs = []
    for _ in range(2):
        ask("POST", "/__admin/reset")
        order(ask, probability=0.4, error={"status": 500})
        runs.append(statuses(ask, SPACE, 40))
    assert runs[0] == runs[1]
    assert {200, 500} == set(runs[0])


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_can_be_ordered(ask: Ask, profile: str) -> None:
    answer: Any = ask("POST", FAULTS, json={"profile": profile})
    assert [rule["id"] for rule in answer.json["faults"]] == [rule["name"] for rule in PROFILES[profile]]


def test_a_profile_can_be_there_from_the_start() -> None:
    app = create_app(Settings(faults="rate-limited", quiet=True))
    client = app.test_client()
    for _ in range(2):
        found = [client.get(SPACE, headers={"X-API-Key": "ak_demo_owner"}).status_code for _ in range(6)]
        assert found == [200, 200, 429, 200, 200, 429]
        client.post("/__admin/reset")


def test_a_request_that_is_never_done_leaves_no_trace(ask: Ask) -> None:
    order(ask, damage={"kind": "malformed"}, handled=False)
    answer = ask("POST", ADD)
    assert answer.status_code == 503
    ask("DELETE", FAULTS)
    listed: Any = ask("GET", THREADS).json
    assert [thread["id"] for thread in listed["data"]] == ["thrd_abc123"]


def test_a_damaged_answer_is_of_a_request_that_was_carried_out(ask: Ask) -> None:
    order(ask, damage={"kind": "malformed"})
    answer = ask("POST", ADD)
    assert (answer.status_code, answer.headers["X-Mock-Source"]) == (201, "fault")
    with pytest.raises(ValueError, match="Expecting"):
        _ = answer.json
    ask("DELETE", FAULTS)
    listed: Any = ask("GET", THREADS).json
    assert [thread["id"] for thread in listed["data"]] == ["thrd_abc123", "thrd_def456"]


@pytest.mark.parametrize("kind", ["truncate", "malformed"])
def test_an_answer_without_content_can_be_damaged_too(ask: Ask, kind: str) -> None:
    answer = ask("DELETE", SPACE, headers={"X-Mock-Fault": kind})
    assert (answer.status_code, answer.data) == (200, b"{")


def test_a_stream_stays_whole_and_says_so(ask: Ask) -> None:
    body = {"inputs": [{"role": "user", "content": "Hello"}], "stream": True}
    answer = ask("POST", "/v1/model/response", json=body, headers={"X-Mock-Fault": "truncate"})
    assert answer.headers["X-Mock-Fault"] == "truncate; damage=none; instead-of=truncate"
    assert answer.text.endswith("data: [DONE]\n\n")


def test_a_stream_can_fail_before_its_first_byte(ask: Ask) -> None:
    body = {"inputs": [{"role": "user", "content": "Hello"}], "stream": True}
    answer = ask("POST", "/v1/model/response", json=body, headers={"X-Mock-Fault": "503"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/json")


def test_ordered_answers_pass_the_check_that_others_are_held_to(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The documents know no 418 here, and a handler that sent one would be told so."""
    from mockserver.freddy import HANDLERS
    from mockserver.http.calls import Reply

    assert ask("GET", SPACE, headers={"X-Mock-Fault": "418"}).status_code == 418
    monkeypatch.setitem(HANDLERS, "getSpace", lambda *_: Reply(418))
    with pytest.raises(SpecViolation):
        ask("GET", SPACE)


def test_an_example_is_ordered_by_its_status(ask: Ask) -> None:
    answer: Any = ask("GET", SPACE, headers={"Prefer": "code=403"})
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
    assert answer.headers["X-Mock-Source"] == "example"
    assert answer.headers["Preference-Applied"] == "code=403"


def test_an_example_is_ordered_by_its_name(ask: Ask) -> None:
    answer: Any = ask("GET", SPACE, headers={"Prefer": "example=tooMany"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert answer.headers["Preference-Applied"] == 'example="tooMany"'


@pytest.mark.parametrize(
    ("prefer", "said"),
    [
        ("code=418", "getSpace documents no 418, only 200, 401"),
        ("example=nope", "tooMany"),
        ("code=x", "200"),
    ],
)
def test_an_example_that_there_is_not_is_a_400_that_says_what_there_is(
    ask: Ask, prefer: str, said: str
) -> None:
    answer: Any = ask("GET", SPACE, headers={"Prefer": prefer})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_CONTROL")
    assert said in answer.headers["X-Mock-Reason"]


def test_every_documented_status_of_every_operation_can_be_ordered(app: MockServer, ask: Ask) -> None:
    """And each has an example, or no content."""
    from mockserver.app import bundled_spec
    from mockserver.openapi.spec import Spec

    for operation in Spec(bundled_spec()).operations.values():
        path = operation.template.replace("{", "").replace("}", "")
        for status, response in operation.responses.items():
            answer = ask(operation.method, path, headers={"Prefer": f"code={status}"})
            assert answer.status_code == status, (operation.id, answer.headers)
            assert bool(answer.data) is bool(response.content)


def test_what_is_unknown_is_no_preference_that_was_applied(ask: Ask) -> None:
    answer = ask("GET", SPACE, headers={"Prefer": "respond-async, wait=5"})
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_lenient_handling_drops_what_is_wrong(ask: Ask) -> None:
    lenient = {"Prefer": "handling=lenient"}
    answer: Any = ask("GET", f"{THREADS}?limit=1000&cursor=", headers=lenient)
    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "handling=lenient"
    body = {"organization_id": "org_abc123", "name": "New", "description": 5, "strange": 1}
    answer = ask("POST", "/v1/spaces/", json=body, headers=lenient)
    assert (answer.status_code, answer.json["description"]) == (201, None)


def test_lenient_handling_still_asks_for_what_is_needed(ask: Ask) -> None:
    for body in ({"organization_id": "org_abc123"}, {"organization_id": "org_abc123", "name": 5}):
        answer: Any = ask("POST", "/v1/spaces/", json=body, headers={"Prefer": "handling=lenient"})
        assert answer.status_code == 422
        assert [field["name"] for field in answer.json["error"]["details"]["fields"]] == ["name"]


def test_a_request_that_orders_for_itself_is_passed_by_the_rules(ask: Ask) -> None:
    fault = order(ask, error={"status": 500})
    assert ask("GET", SPACE, headers={"X-Mock-Fault": "none"}).status_code == 200
    assert ask("GET", SPACE, headers={"X-Mock-Fault": "404"}).status_code == 404
    assert ask("GET", SPACE, headers={"Prefer": "code=200"}).status_code == 200
    seen: Any = ask("GET", f"{FAULTS}/{fault['id']}").json
    assert seen["matched"] == 0


def test_a_delay_is_told(ask: Ask) -> None:
    assert ask("GET", SPACE, headers={"X-Mock-Delay": "1"}).headers["X-Mock-Delay"] == "1"
    order(ask, delay=2)
    answer = ask("GET", SPACE, headers={"X-Mock-Delay": "1"})
    assert answer.headers["X-Mock-Delay"] == "3"
    assert answer.headers["X-Mock-Source"] == "state"
    assert "X-Mock-Fault" in answer.headers


def test_controls_can_be_switched_off_and_rules_stay() -> None:
    client = create_app(Settings(no_request_controls=True, quiet=True)).test_client()
    headers = {"X-API-Key": "ak_demo_owner", "X-Mock-Fault": "500", "Prefer": "code=500", "X-Mock-Delay": "x"}
    answer = client.get(SPACE, headers=headers)
    assert answer.status_code == 200
    client.post(FAULTS, json={"error": {"status": 503}})
    assert client.get(SPACE, headers=headers).status_code == 503


def test_a_limit_counts_down_and_refuses(ask: Ask) -> None:
    shown: Any = ask("PUT", LIMIT, json={"per_minute": 2}).json
    assert shown == {"plan": "custom", "per_minute": 2, "burst": 2, "per_day": None}
    first, second, third = (ask("GET", path) for path in (SPACE, "/v1/spaces/space_nope", SPACE))
    left = [answer.headers["X-RateLimit-Remaining"] for answer in (first, second, third)]
    assert left == ["1", "0", "0"]
    assert [a.headers["X-RateLimit-Limit"] for a in (first, second, third)] == ["2"] * 3
    error: Any = third.json
    assert (third.status_code, error["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert error["error"]["details"] == {"retry_after": 30}
    assert third.headers["Retry-After"] == "30"
    assert third.headers["X-RateLimit-Reset"] == "1772101860"
    assert ask("GET", SPACE, key="ak_demo_viewer").status_code == 200


def test_a_limit_is_by_the_sandboxs_clock(ask: Ask) -> None:
    ask("PUT", LIMIT, json={"per_minute": 1})
    assert statuses(ask, SPACE, 2) == [200, 429]
    ask("PUT", "/__admin/clock", json={"advance": 60})
    assert statuses(ask, SPACE, 2) == [200, 429]


def test_a_limit_is_seen_and_taken_away(ask: Ask) -> None:
    ask("PUT", LIMIT, json={"plan": "standard"})
    assert ask("GET", LIMIT).json == {"plan": "standard", "per_minute": 100, "burst": 120, "per_day": 10000}
    off: Any = ask("PUT", LIMIT, json={"plan": "off"}).json
    assert off["plan"] == "off"
    assert "X-RateLimit-Limit" not in ask("GET", SPACE).headers


def test_a_limit_is_told_on_a_bad_order_too(ask: Ask) -> None:
    ask("PUT", LIMIT, json={"per_minute": 9})
    answer = ask("GET", SPACE, headers={"X-Mock-Fault": "boom"})
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (400, "8")


def test_a_page_in_a_browser_may_read_what_was_injected(ask: Ask) -> None:
    answer = ask("GET", SPACE, headers={"Origin": "http://localhost:3000", "X-Mock-Fault": "503"})
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"X-Mock-Fault", "X-Mock-Delay", "Preference-Applied", "X-RateLimit-Remaining"} <= set(exposed)


def test_the_journal_names_what_was_injected_and_keeps_the_whole_answer(ask: Ask) -> None:
    ask("GET", SPACE, headers={"X-Mock-Fault": "truncate"})
    journal: Any = ask("GET", "/__admin/requests").json
    (kept,) = journal["requests"]
    assert (kept["source"], kept["fault"]) == ("fault", "truncate; damage=truncate")
    assert kept["why"][-1] == "fault: injected: truncate; damage=truncate"
    assert kept["response"]["body"].endswith("}")
    assert kept["response"]["headers"]["content-length"] == str(kept["response"]["body_bytes"])


def test_the_journal_says_what_was_dropped(ask: Ask) -> None:
    ask("GET", f"{THREADS}?limit=1000", headers={"Prefer": "handling=lenient"})
    journal: Any = ask("GET", "/__admin/requests").json
    assert journal["requests"][0]["why"][-1] == "control: dropped: query limit"
