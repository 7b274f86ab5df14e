"""Messages of a thread: listed, changed, deleted, and what that changes elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Ask
from tests.freddy.conftest import fields, said
from tests.freddy.steps import Steps
from tests.running import FROZEN

MINE = "/v1/threads/thrd_abc123"
LATER = "2026-02-26T10:31:00Z"


@pytest.fixture
def thread(steps: Steps) -> str:
    """A thread of five messages."""
    return steps.thread(*"abcde")


def page(steps: Steps, thread: str, **query: Any) -> tuple[str, bool]:
    """The texts of a page, and whether there is more."""
    found = steps("GET", f"/v1/threads/{thread}/messages", query_string=query)
    ids = [message["id"] for message in found["data"]]
    assert (found["object"], found["first_id"], found["last_id"]) == (
        "list",
        ids[0] if ids else None,
        ids[-1] if ids else None,
    )
    return "".join(message["content"] for message in found["data"]), found["has_more"]


def by_text(steps: Steps, thread: str) -> dict[str, str]:
    """text -> id"""
    return {message["content"]: message["id"] for message in steps.messages(thread)}


def test_a_message_is_told_in_the_vendors_shape(steps: Steps) -> None:
    thread = steps.thread("Hello")
    (message,) = steps.messages(thread)
    assert message == {
        "id": message["id"],
        "created_at": FROZEN,
        "thread_id": thread,
        "role": "user",
        "content": "Hello",
        "attachments": [],
        "metadata": {},
        "tool_calls": None,
        "iterations": None,
        "response_blocks": None,
    }
    assert message["id"].startswith("msg_")


def test_messages_come_in_the_order_of_their_arrival_or_newest_first(steps: Steps, thread: str) -> None:
    assert page(steps, thread) == ("abcde", False)
    assert page(steps, thread, order="desc") == ("edcba", False)
    assert page(steps, thread, limit=2) == ("ab", True)
    assert page(steps, steps.thread()) == ("", False)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_of_any_size_in_either_direction_tell_every_message_once(
    steps: Steps, thread: str, order: str, limit: int
) -> None:
    every = "abcde" if order == "asc" else "edcba"
    ids, sent = by_text(steps, thread), {"limit": limit, "order": order}
    forward = backward = ""
    more = True
    while more:
        texts, more = page(steps, thread, **sent, **({"after": ids[forward[-1]]} if forward else {}))
        forward += texts
    backward, more = every[-1], True
    while more:
        texts, more = page(steps, thread, **sent, before=ids[backward[0]])
        backward = texts + backward
    assert (forward, backward) == (every, every)


def test_after_and_before_together_mean_what_is_between(steps: Steps, thread: str) -> None:
    """A62."""
    ids = by_text(steps, thread)
    assert page(steps, thread, after=ids["a"], before=ids["e"]) == ("bcd", False)
    assert page(steps, thread, after=ids["a"], before=ids["e"], limit=2) == ("bc", True)
    assert page(steps, thread, after=ids["d"], before=ids["b"]) == ("", False)
    assert page(steps, thread, after=ids["d"], before=ids["b"], order="desc") == ("c", False)


def test_a_deleted_message_still_marks_its_place(steps: Steps, thread: str) -> None:
    """A32."""
    ids = by_text(steps, thread)
    steps.delete(thread, ids["b"])
    steps.delete(thread, ids["d"])
    assert page(steps, thread) == ("ace", False)
    assert page(steps, thread, after=ids["b"]) == ("ce", False)
    assert page(steps, thread, before=ids["d"]) == ("ac", False)
    assert page(steps, thread, after=ids["b"], before=ids["d"]) == ("c", False)
    assert page(steps, thread, after=ids["d"], order="desc") == ("ca", False)


def test_unknown_anchors_are_told_together(ask: Ask, steps: Steps, thread: str) -> None:
    """A09, A32: a message of another thread is unknown here, a deleted one too."""
    other = steps.thread("x", "y")
    ids = by_text(steps, other)
    steps.delete(other, ids["y"])
    query = {"after": ids["x"], "before": ids["y"]}
    told = fields(ask("GET", f"/v1/threads/{thread}/messages", query_string=query))
    assert told == [("query", "after"), ("query", "before")]
    query["after"] = by_text(steps, thread)["a"]
    told = fields(ask("GET", f"/v1/threads/{thread}/messages", query_string=query))
    assert told == [("query", "before")]


def test_blocks_are_told_only_in_the_modes_that_have_them(steps: Steps) -> None:
    """A68."""
    thread = steps.thread("Hello")
    for mode, blocks in (
        ("text", None),
        ("plain", None),
        ("blocks", [{"type": "text", "text": "Hello"}]),
        ("structured", [{"type": "text", "text": "Hello"}]),
    ):
        (message,) = steps("GET", f"/v1/threads/{thread}/messages?output_mode={mode}")["data"]
        assert (message["content"], message["response_blocks"]) == ("Hello", blocks)


def test_an_edit_changes_what_is_sent_and_where_nothing_else(
    steps: Steps, thread: str, later: Callable[..., str]
) -> None:
    """A73."""
    steps.add("space_abc123", thread)
    space, whole = (steps("GET", path) for path in ("/v1/spaces/space_abc123", f"/v1/threads/{thread}"))
    before, now = steps.messages(thread), later()
    edited = steps("PATCH", f"/v1/threads/{thread}/messages/{before[1]['id']}", json={"content": "B"})
    assert edited == before[1] | {"content": "B", "updated_at": now}
    assert steps.messages(thread) == [before[0], before[1] | {"content": "B"}, *before[2:]]
    assert steps("GET", f"/v1/threads/{thread}") == whole
    assert steps("GET", "/v1/spaces/space_abc123") == space  # A40


def test_metadata_is_merged_and_null_clears_it(steps: Steps) -> None:
    """A42."""
    thread = steps.thread("Hello")
    path = f"/v1/threads/{thread}/messages/{steps.messages(thread)[0]['id']}"
    for sent, kept in (
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}),
        ({"b": "3"}, {"a": "1", "b": "3"}),
        ({}, {"a": "1", "b": "3"}),
        (None, {}),
        ({"c": ""}, {"c": ""}),
    ):
        assert steps("PATCH", path, json={"metadata": sent})["metadata"] == kept
        assert steps.messages(thread)[0]["metadata"] == kept
    assert steps("PATCH", path, json={"content": "Bye"})["metadata"] == {"c": ""}


def test_a_17th_pair_is_refused_whole_however_it_comes(
    ask: Ask, steps: Steps, state: Callable[[], Any]
) -> None:
    thread = steps.thread("Hello")
    path = f"/v1/threads/{thread}/messages/{steps.messages(thread)[0]['id']}"
    sixteen = {f"k{number}": "" for number in range(16)}
    steps("PATCH", path, json={"metadata": sixteen})
    assert steps("PATCH", path, json={"metadata": {"k3": "other"}})["metadata"] == sixteen | {"k3": "other"}
    before = state()
    refused = ask("PATCH", path, json={"content": "Bye", "metadata": {"k16": ""}})
    assert fields(refused) == [("body", "metadata")]
    assert state() == before


def test_an_empty_change_changes_nothing(
    steps: Steps, thread: str, later: Callable[..., str], state: Callable[[], Any]
) -> None:
    """A41."""
    later()
    before, message = state(), steps.messages(thread)[0]
    answer = steps("PATCH", f"/v1/threads/{thread}/messages/{message['id']}", json={})
    assert answer == message | {"updated_at": FROZEN}
    assert state() == before


def test_an_answer_tells_the_last_change_which_an_empty_one_is_not(
    steps: Steps, thread: str, later: Callable[..., str]
) -> None:
    path, now = f"/v1/threads/{thread}/messages/{steps.messages(thread)[0]['id']}", later()
    steps("PATCH", path, json={"content": "A"})
    later()
    assert steps("PATCH", path, json={})["updated_at"] == now
    assert "updated_at" not in steps.messages(thread)[0]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"content": ""}, [("body", "content")]),
        ({"content": " \n\u2003"}, [("body", "content")]),
        ({"content": 1, "metadata": {"a": "v" * 513}}, [("body", "content"), ("body", "metadata.a")]),
        ([], [("body", "")]),
    ],
)
def test_what_cannot_be_changed_is_told(
    ask: Ask, steps: Steps, body: Any, faults: list[tuple[str, str]]
) -> None:
    message = steps.messages("thrd_abc123")[0]["id"]
    assert sorted(fields(ask("PATCH", f"{MINE}/messages/{message}", json=body))) == faults


@pytest.mark.parametrize("body", [{"content": None}, {"role": "tool"}, {"content": None, "thread_id": "x"}])
def test_null_content_and_unknown_fields_change_nothing(
    steps: Steps, thread: str, later: Callable[..., str], body: Any
) -> None:
    """A30; a client sends what it does not set as null."""
    message = steps.messages(thread)[0]
    later()
    changed = steps("PATCH", f"/v1/threads/{thread}/messages/{message['id']}", json=body)
    assert changed == {**message, "updated_at": message["created_at"]}


def test_content_is_stored_without_the_white_space_around_it(steps: Steps, thread: str) -> None:
    message = steps.messages(thread)[0]
    path = f"/v1/threads/{thread}/messages/{message['id']}"
    assert steps("PATCH", path, json={"content": "\n two  words\t"})["content"] == "two  words"


def test_a_change_of_metadata_alone_leaves_the_text_as_it_is(steps: Steps, thread: str) -> None:
    steps.say(thread, " two\n")
    message = steps.messages(thread)[-1]
    changed = steps("PATCH", f"/v1/threads/{thread}/messages/{message['id']}", json={"metadata": {"a": 1}})
    assert (message["content"], changed["content"]) == (" two\n", " two\n")


def test_metadata_holds_any_json(steps: Steps, thread: str) -> None:
    path = f"/v1/threads/{thread}/messages/{steps.messages(thread)[0]['id']}"
    metadata = {"edited": True, "tags": ["a", {"b": None}], "n": 1.5}
    assert steps("PATCH", path, json={"metadata": metadata})["metadata"] == metadata
    assert steps.messages(thread)[0]["metadata"] == metadata


def test_a_deletion_lowers_the_count_and_changes_nothing_else_of_the_thread(
    steps: Steps, thread: str, later: Callable[..., str]
) -> None:
    """A40, A73."""
    steps.add("space_abc123", thread)
    space, whole = (steps("GET", path) for path in ("/v1/spaces/space_abc123", f"/v1/threads/{thread}"))
    ids = by_text(steps, thread)
    later()
    path = f"/v1/threads/{thread}/messages/{ids['e']}"
    gone = {"id": ids["e"], "deleted": True, "object": "thread.message.deleted"}
    assert steps("DELETE", path) == gone
    assert page(steps, thread) == ("abcd", False)
    assert steps("GET", f"/v1/threads/{thread}") == whole | {"message_count": 4}
    assert steps("GET", "/v1/spaces/space_abc123") == space
    listed = steps("GET", "/v1/spaces/space_abc123/threads")["data"]
    assert listed[-1]["message_count"] == 4


def test_an_unknown_message_is_not_found_for_its_owner_alone(ask: Ask, steps: Steps) -> None:
    """A36, A38: a deleted one and one of another thread, too."""
    other = steps.messages("thrd_def456")[0]["id"]
    gone = steps.messages("thrd_abc123")[0]["id"]
    steps.delete("thrd_abc123", gone)
    for message in ("msg_nowhere", other, gone):
        for method, body in (("PATCH", {}), ("DELETE", None)):
            path = f"{MINE}/messages/{message}"
            details = {"message_id": message, "thread_id": "thrd_abc123"}
            error = said(ask(method, path, json=body))
            assert error == (404, "MESSAGE_NOT_FOUND", "Message not found", details)
            error = said(ask(method, path, "ak_demo_admin", json=body))
            assert error[1:3] == ("INSUFFICIENT_PERMISSIONS", "Thread access required")


@pytest.mark.parametrize("thread", ["thrd_nowhere", "DELETED"])
def test_messages_of_a_thread_that_is_not_there_are_not_found(ask: Ask, steps: Steps, thread: str) -> None:
    if thread == "DELETED":
        thread = steps.thread("a")
        steps("DELETE", f"/v1/threads/{thread}")
    for method, path in (("GET", ""), ("PATCH", "/msg_a"), ("DELETE", "/msg_a")):
        error = said(ask(method, f"/v1/threads/{thread}/messages{path}", json={}))
        assert error == (404, "RESOURCE_NOT_FOUND", "Thread not found", {"thread_id": thread})


def test_a_message_moves_its_thread_and_every_space_that_it_is_in(
    steps: Steps, thread: str, later: Callable[..., str]
) -> None:
    """A16, A73."""
    spaces = [steps.space() for _ in range(3)]
    for space in spaces[:2]:
        steps.add(space, thread)
    now = later()
    steps.say(thread, "f", role="tool")
    told = steps("GET", f"/v1/threads/{thread}")
    assert (told["message_count"], told["last_message_at"], told["updated_at"]) == (6, now, now)
    moved = [steps("GET", f"/v1/spaces/{space}") for space in spaces]
    assert [space["last_activity_at"] for space in moved] == [now, now, None]
    assert [space["updated_at"] for space in moved] == [FROZEN] * 3
    unpinned = [t["id"] for t in steps("GET", "/v1/threads?limit=100")["data"] if not t["is_pinned"]]
    assert unpinned.index(thread) < unpinned.index("thrd_abc123")


def test_a_message_of_the_control_api_keeps_role_and_metadata(ask: Ask, steps: Steps, thread: str) -> None:
    path = f"/__admin/threads/{thread}/messages"
    for role in ("user", "assistant", "system", "tool"):
        body = {"role": role, "content": "x", "metadata": {"a": "b"}}
        assert body.items() <= steps("POST", path, json=body).items()
    for wrong in ({"role": "other", "content": "x"}, {"role": "user", "content": ""}, {"content": "x"}):
        refused = ask("POST", path, json=wrong)
        assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
    for nowhere in ("thrd_nowhere", "thrd_gone"):
        assert ask("POST", f"/__admin/threads/{nowhere}/messages", json=body).status_code == 404
