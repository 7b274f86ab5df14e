"""createResponse: what it stores, where, for whom, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import create_app
from mockserver.sandbox.sandbox import Sandbox
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.conftest import fields, said
from tests.freddy.steps import Steps

RESPONSE, REPLIES = "/v1/model/response", "/__admin/replies"
HELLO: dict[str, Any] = {"inputs": [{"role": "user", "content": "Hello"}]}
SEVERAL = """
organizations:
  - {id: org_a, name: A}
  - {id: org_b, name: B}
users:
  - id: usr_both
    name: Both
    keys: [{key: ak_both}]
    member_of: [{organization: org_a}, {organization: org_b}]
  - {id: usr_none, name: None, keys: [{key: ak_none}]}
spaces:
  - {id: space_b, organization_id: org_b, created_by: usr_both, name: B, vector_store_id: vs_b,
     created_at: "2026-02-26T10:00:00Z"}
"""


@pytest.fixture
def several(tmp_path: Path) -> Ask:
    """A mock with somebody in two organizations and somebody in none."""
    scenario = tmp_path / "several.yaml"
    scenario.write_text(SEVERAL, encoding="utf-8")
    app = create_app(Settings(scenario=str(scenario), quiet=True))
    app.testing = True

    def ask(key: str, **fields: Any) -> Any:
        return app.test_client().post(RESPONSE, json=HELLO | fields, headers={"X-API-Key": key})

    return ask


def texts(steps: Steps, thread: str, key: str = "ak_demo_owner") -> list[tuple[str, str]]:
    """Role and text of each message."""
    return [(message["role"], message["content"]) for message in steps.messages(thread, key)]


def test_a_question_and_its_answer_are_stored_in_a_new_thread_of_the_caller(
    steps: Steps, later: Callable[..., str]
) -> None:
    """A33."""
    now = later()
    answer = steps.answer("Hello", "ak_demo_editor")
    thread = steps("GET", f"/v1/threads/{answer['thread_id']}", "ak_demo_editor")
    (block,) = answer["response"]
    assert answer == {
        "success": True,
        "thread_id": thread["id"],
        "response": [{"type": "text", "text": block["text"]}],
        "response_id": answer["response_id"],
        "is_summarized": False,
        "stop_reason": "end_turn",
    }
    assert answer["response_id"].startswith("resp_")
    assert texts(steps, thread["id"], "ak_demo_editor") == [
        ("user", "Hello"),
        ("assistant", block["text"]),
    ]
    expected = {
        "user_id": "usr_editor",
        "organization_id": "org_abc123",
        "message_count": 2,
        "created_at": now,
        "last_message_at": now,
        "status": "inactive",
        "title": None,
        "visible_in_ui": True,
        "metadata": {},
        "assistant_id": None,
        "space_ids": [],
    }
    assert expected.items() <= thread.items()


def test_every_input_is_stored_in_order_and_blocks_are_joined_by_line_breaks(steps: Steps) -> None:
    """A69."""
    inputs = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]},
        {"role": "tool", "content": "42", "tool_call_id": "call_1"},
        {"role": "assistant", "content": "Before"},
    ]
    answer = steps("POST", RESPONSE, json={"inputs": inputs, "metadata": {"a": "b"}})
    expected = [("system", "Be brief."), ("user", "One\ntwo"), ("tool", "42"), ("assistant", "Before")]
    assert texts(steps, answer["thread_id"])[:4] == expected
    messages = steps.messages(answer["thread_id"])
    assert [message["metadata"] for message in messages] == [{}, {"a": "b"}, {}, {}, {}]  # A72
    assert steps("GET", f"/v1/threads/{answer['thread_id']}")["message_count"] == 5


def test_without_a_user_the_last_input_is_the_question(steps: Steps) -> None:
    """A69."""
    inputs = [{"role": "system", "content": "a"}, {"role": "tool", "content": "b", "tool_call_id": "c"}]
    answer = steps("POST", RESPONSE, json={"inputs": inputs, "metadata": {"a": "b"}})
    messages = steps.messages(answer["thread_id"])
    assert [message["metadata"] for message in messages] == [{}, {"a": "b"}, {}]


def test_a_thread_that_exists_goes_on_and_keeps_what_it_is(steps: Steps, later: Callable[..., str]) -> None:
    before, now = steps("GET", "/v1/threads/thrd_abc123"), later()
    sent: dict[str, Any] = {
        "store": False,
        "assistant_id": "asst_other",
        "model": "gpt-9",
        "metadata": {"a": "b"},
    }
    answer = steps.answer("Hello", thread_id="thrd_abc123", **sent)
    assert answer["thread_id"] == "thrd_abc123"
    changed = {"message_count": 14, "last_message_at": now, "updated_at": now, "last_model_used": "gpt-9"}
    assert steps("GET", "/v1/threads/thrd_abc123") == before | changed
    assert steps("GET", "/v1/spaces/space_abc123")["last_activity_at"] == now  # A16


def test_a_new_thread_takes_store_assistant_and_model(steps: Steps) -> None:
    """A72."""
    sent: dict[str, Any] = {"store": False, "assistant_id": "asst_a", "model": "m"}
    thread = steps.answer("Hello", **sent)["thread_id"]
    expected = {"visible_in_ui": False, "assistant_id": "asst_a", "last_model_used": "m"}
    assert expected.items() <= steps("GET", f"/v1/threads/{thread}").items()
    visible = [each["id"] for each in steps("GET", "/v1/threads?limit=100")["data"]]
    hidden = [each["id"] for each in steps("GET", "/v1/threads?visible_in_ui=false")["data"]]
    assert (thread in visible, thread in hidden) == (False, True)
    assert steps("GET", f"/v1/threads/{steps.answer('x')['thread_id']}")["last_model_used"] == "gpt-4o"


def test_the_same_request_twice_makes_two_threads(steps: Steps) -> None:
    assert steps.answer("Hello")["thread_id"] != steps.answer("Hello")["thread_id"]


def test_who_is_in_several_organizations_must_name_one(several: Callable[..., Any]) -> None:
    """A70."""
    error = said(several("ak_both"))
    assert error[:2] == (403, "AMBIGUOUS_ORGANIZATION")
    assert error.details == {}
    assert said(several("ak_both", space_id="space_b")).code == "AMBIGUOUS_ORGANIZATION"
    for organization in ("org_a", "org_b"):
        assert several("ak_both", organization_id=organization).status_code == 200
    thread = several("ak_both", organization_id="org_b").get_json()["thread_id"]
    assert several("ak_both", thread_id=thread).status_code == 200
    elsewhere = said(several("ak_both", thread_id=thread, organization_id="org_a"))
    assert elsewhere == (404, "RESOURCE_NOT_FOUND", "Thread not found", {"thread_id": thread})
    space = said(several("ak_both", organization_id="org_a", space_id="space_b"))
    assert space == (404, "RESOURCE_NOT_FOUND", "Space not found", {"space_id": "space_b"})


def test_who_is_in_no_organization_cannot_ask(several: Callable[..., Any]) -> None:
    """A70."""
    assert said(several("ak_none")).code == "NO_ORGANIZATION_MEMBERSHIP"
    assert said(several("ak_none", organization_id="org_a")).code == "ORGANIZATION_ACCESS_DENIED"


@pytest.mark.parametrize("organization", ["org_other", "org_nowhere"])
def test_an_organization_that_is_not_the_callers_is_refused(ask: Ask, organization: str) -> None:
    """A70."""
    error = said(ask("POST", RESPONSE, json=HELLO | {"organization_id": organization}))
    details = {"organization_id": organization}
    assert error == (403, "ORGANIZATION_ACCESS_DENIED", "Organization access denied", details)


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    # Each line has one fault less than the one before it (A71).
    ("nobody", {"thread_id": "x", "organization_id": "x", "space_id": "x", "temperature": 2}, 401, ""),
    ("viewer", {"thread_id": "x", "organization_id": "x", "space_id": "x", "temperature": 2}, 422, ""),
    ("viewer", {"thread_id": "x", "organization_id": "x", "space_id": "x"}, 404, "Thread not found"),
    ("viewer", {"thread_id": "thrd_abc123", "organization_id": "x"}, 403, "Thread access required"),
    ("viewer", {"organization_id": "x", "space_id": "x"}, 403, "Organization access denied"),
    ("viewer", {"space_id": "x", "vector_store_ids": ["x"]}, 404, "Space not found"),
    ("viewer", {"space_id": "space_abc123", "vector_store_ids": ["x"]}, 403, "Edit access required"),
    ("editor", {"space_id": "space_abc123", "vector_store_ids": ["x"]}, 404, "Vector store not found"),
]


@pytest.mark.parametrize(("key", "sent", "status", "message"), WRONG)
def test_the_first_fault_in_order_decides_and_nothing_changes(
    ask: Ask,
    state: Callable[[], Any],
    sandbox: Sandbox,
    key: str,
    sent: dict[str, Any],
    status: int,
    message: str,
) -> None:
    ask("POST", REPLIES, json={"text": "Stays"})
    before, ids = state(), sandbox.ids.checkpoint()
    error = said(ask("POST", RESPONSE, f"ak_demo_{key}", json=HELLO | sent))
    assert (error.status, error.system_message) == (status, message or error.system_message)
    assert (state(), sandbox.ids.checkpoint()) == (before, ids)


@pytest.mark.parametrize(
    ("sent", "faults"),
    [
        ({"inputs": []}, ["inputs"]),
        ({"inputs": "Hello"}, ["inputs"]),
        ({"inputs": [{"role": "robot", "content": "x"}]}, ["inputs.0.role"]),
        ({"inputs": [{"role": "user", "content": 5}]}, ["inputs.0.content"]),
        ({"inputs": [{"role": "user", "content": [""]}]}, ["inputs.0.content.0"]),
        ({"thread_id": 5, "stream": "maybe", "temperature": 1.5}, ["stream", "temperature", "thread_id"]),
        ({"previous_message_id": "msg_a"}, ["previous_message_id"]),
        ({"metadata": {f"k{n}": "" for n in range(17)}}, ["metadata"]),
    ],
)
def test_all_faults_of_a_request_are_told(ask: Ask, sent: dict[str, Any], faults: list[str]) -> None:
    found = {name for _, name in fields(ask("POST", RESPONSE, json=HELLO | sent))}
    assert found == set(faults)


def test_an_ordered_answer_is_given_as_often_as_ordered_and_then_the_canned_one(steps: Steps) -> None:
    canned = steps.answer("Hello")["response"][0]["text"]
    steps("POST", REPLIES, json={"text": "First", "times": 2, "stop_reason": "tool_use"})
    steps("POST", REPLIES, json={"text": "Second"})
    answers = [steps.answer("Hello") for _ in range(4)]
    said_ = [(answer["response"][0]["text"], answer["stop_reason"]) for answer in answers]
    first, second = ("First", "tool_use"), ("Second", "end_turn")
    assert said_ == [first, first, second, (canned, "end_turn")]
    assert texts(steps, answers[0]["thread_id"])[-1] == ("assistant", "First")
    assert steps("GET", REPLIES) == {"replies": []}


def test_an_order_for_one_thread_waits_for_it(steps: Steps) -> None:
    thread = steps.thread()
    steps("POST", REPLIES, json={"text": "Here", "thread_id": thread})
    steps("POST", REPLIES, json={"text": "Anywhere"})
    assert steps.answer("Hello")["response"][0]["text"] == "Anywhere"
    assert steps.answer("Hello", thread_id=thread)["response"][0]["text"] == "Here"


def test_an_order_is_told_with_its_defaults_and_what_is_left_of_it(steps: Steps) -> None:
    order = steps("POST", REPLIES, json={"text": "Twice", "times": 2})
    expected: dict[str, Any] = {"deltas": None, "pace": 0, "stop_reason": "end_turn", "thread_id": None}
    assert order == {"id": order["id"], "text": "Twice", "times": 2, "fault": None, **expected}
    steps.answer("Hello")
    assert steps("GET", REPLIES) == {"replies": [order | {"times": 1}]}
    steps("DELETE", REPLIES)
    assert steps("GET", REPLIES) == {"replies": []}
    assert steps.answer("Hello")["response"][0]["text"] != "Twice"


def test_a_fault_of_streams_leaves_a_plain_answer_whole(steps: Steps) -> None:
    steps("POST", REPLIES, json={"text": "Whole", "fault": {"kind": "error", "after_events": 0}})
    assert steps.answer("Hello")["response"] == [{"type": "text", "text": "Whole"}]


def test_a_reset_forgets_all_orders(steps: Steps) -> None:
    steps("POST", REPLIES, json={"text": "Gone"})
    steps("POST", "/__admin/reset")
    assert steps("GET", REPLIES) == {"replies": []}


@pytest.mark.parametrize(
    "order", [{}, {"text": ""}, {"text": "x", "times": 0}, {"text": "x", "fault": {"kind": "fire"}}]
)
def test_an_order_that_cannot_be_filled_is_refused(ask: Ask, order: dict[str, Any]) -> None:
    assert ask("POST", REPLIES, json=order).status_code == 422
    assert ask("GET", REPLIES).get_json() == {"replies": []}
