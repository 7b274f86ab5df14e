"""Streams in progress: cancelled by the sandbox's clock, and read again by another connection."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mockserver.app import MockServer
from mockserver.http.event_stream import MOST
from tests.conftest import Ask

URL = "/v1/model/response"
THREAD = "/v1/threads/thrd_def456"
CANCEL, RECONNECT = f"{URL}/thrd_def456/cancel", f"{URL}/thrd_def456/stream"
STREAM = {
    "thread_id": "thrd_def456",
    "inputs": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is the booth?"},
    ],
    "stream": True,
}
STALL = {"kind": "silence", "after_events": 4, "seconds": 300}
"""After two of three words."""


def begin(ask: Ask, body: Any = STREAM, **reply: Any) -> TestResponse:
    """A stream that nobody reads yet; by default it stalls after two words."""
    reply = {"text": "One two three", "fault": STALL, **reply}
    assert ask("POST", "/__admin/replies", json=reply).status_code == 201
    return ask("POST", URL, json=body)


def frames(answer: TestResponse) -> list[tuple[int, Any]]:
    """Number and event of each frame but the last, which is [DONE]."""
    *blocks, last, rest = answer.get_data(as_text=True).split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    found = [block.removeprefix("id: ").split("\ndata: ") for block in blocks]
    return [(int(number), json.loads(event)) for number, event in found]


def messages(ask: Ask) -> list[Any]:
    data: list[Any] = ask("GET", f"{THREAD}/messages?limit=100").get_json()["data"]
    return data


def advance(ask: Ask, seconds: float) -> None:
    assert ask("PUT", "/__admin/clock", json={"advance": seconds}).status_code == 200


@pytest.mark.parametrize("seconds", [0, 2, 4.999])
def test_before_five_seconds_a_cancel_leaves_no_messages(ask: Ask, seconds: float) -> None:
    before, thread = messages(ask), ask("GET", THREAD).get_json()
    stream = begin(ask)
    assert len(messages(ask)) == len(before) + 3
    advance(ask, seconds)
    assert ask("POST", CANCEL).get_json() == {
        "success": True,
        "cancel_mode": "quick_edit",
        "elapsed_seconds": seconds,
        "user_message_deleted": True,
        "assistant_response_deleted": True,
        "partial_content_saved": False,
    }
    assert messages(ask) == before
    assert ask("GET", THREAD).get_json()["message_count"] == thread["message_count"]
    assert frames(stream)[-1][1]["event"] == "response.cancelled"


@pytest.mark.parametrize("seconds", [5, 3600])
def test_from_five_seconds_on_a_cancel_keeps_what_was_sent(ask: Ask, seconds: float) -> None:
    stream = begin(ask)
    advance(ask, seconds)
    answer = ask("POST", CANCEL).get_json()
    assert (answer["cancel_mode"], answer["elapsed_seconds"]) == ("keep_partial", seconds)
    assert (answer["partial_content_saved"], answer["user_message_deleted"]) == (True, False)
    assert [m["content"] for m in messages(ask)[-3:]] == ["Be brief.", "Where is the booth?", "One two "]
    assert messages(ask)[-1]["metadata"] == {"cancelled": True}
    assert [event.get("delta") for _, event in frames(stream)] == [None, None, "One ", "two ", None]


def test_a_cancelled_stream_says_so_and_is_done(ask: Ask) -> None:
    """Also to those who read it again."""
    stream = begin(ask)
    ask("POST", CANCEL)
    cancelled = {"event": "response.cancelled", "status": "cancelled", "thread_id": "thrd_def456"}
    seen = frames(stream)
    assert seen[-1] == (5, {**cancelled, "partial_content_length": len("One two ")})
    again = frames(ask("GET", RECONNECT))
    assert again == [(number, {**event, "source": "replay"}) for number, event in seen]


def test_what_is_kept_is_embedded_again(ask: Ask) -> None:
    ask("POST", "/v1/spaces/space_abc123/threads/thrd_def456")
    begin(ask, text="Aquamarine elephants parade", fault={**STALL, "after_events": 3})
    advance(ask, 60)
    ask("POST", CANCEL)
    advance(ask, 60)

    def found(question: str) -> list[str]:
        body = {"inputs": [{"role": "user", "content": question}], "space_id": "space_abc123"}
        answer = ask("POST", URL, json={**body, "include": ["file_search.results"]}).get_json()
        return [result["text"] for result in answer["file_search"]["results"]]

    assert "Aquamarine " in found("What about the aquamarine ones?")
    assert not any("parade" in text for text in found("Is there a parade?"))


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        ({"fault": None}, STREAM),
        ({"fault": {"kind": "error", "after_events": 3}}, STREAM),
        ({"fault": {"kind": "cut", "after_events": 3}}, STREAM),
        ({}, {**STREAM, "stream": False}),
    ],
)
def test_only_a_stream_that_is_being_sent_can_be_cancelled(ask: Ask, reply: Any, body: Any) -> None:
    begin(ask, body, **reply)
    before = messages(ask)
    answer = ask("POST", CANCEL)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert (error["system_message"], error["details"]) == ("No active stream", {"thread_id": "thrd_def456"})
    assert messages(ask) == before


def test_a_stream_is_cancelled_once(ask: Ask) -> None:
    begin(ask)
    assert [ask("POST", CANCEL).status_code for _ in range(2)] == [200, 404]


@pytest.mark.parametrize(
    ("key", "thread", "status"),
    [("ak_demo_viewer", "thrd_def456", 403), ("ak_demo_owner", "thrd_nope", 404), (None, "thrd_def456", 401)],
)
def test_a_stream_is_its_threads_owners_alone(ask: Ask, key: str | None, thread: str, status: int) -> None:
    begin(ask)
    for method, path in (("POST", f"{URL}/{thread}/cancel"), ("GET", f"{URL}/{thread}/stream")):
        assert ask(method, path, key=key).status_code == status
    assert ask("POST", CANCEL).status_code == 200


def test_a_thread_is_streaming_while_its_stream_is_sent(ask: Ask) -> None:
    ask("POST", "/v1/spaces/space_abc123/threads/thrd_def456")

    def status() -> set[str]:
        listed = [
            ask("GET", path).get_json()["data"] for path in ("/v1/threads", "/v1/spaces/space_abc123/threads")
        ]
        shown = [ask("GET", THREAD).get_json(), *(each for data in listed for each in data)]
        return {each["status"] for each in shown if each["id"] == "thrd_def456"}

    before = status()
    begin(ask)
    during = status()
    ask("POST", CANCEL)
    assert (before, during, status()) == ({"inactive"}, {"streaming"}, {"inactive"})


def test_the_rest_of_a_broken_stream_is_read_by_reconnecting(ask: Ask) -> None:
    """A cut, or a client that leaves, is of one connection: the stream goes on."""
    stream = begin(ask, fault={"kind": "cut", "after_events": 3})
    assert stream.get_data(as_text=True).rpartition("id: ")[2].startswith("3\n")
    rest = frames(ask("GET", RECONNECT, query_string={"last_event_id": 3}))
    assert [number for number, _ in rest] == [4, 5, 6]
    assert [event.get("delta") for _, event in rest] == ["two ", "three", None]
    assert {event["source"] for _, event in rest} == {"replay"}
    assert frames(ask("GET", RECONNECT))[3:] == rest


def test_a_client_that_reconnects_follows_the_stream_to_its_end(ask: Ask) -> None:
    """What comes after it connected is no replay; the first connection is cut when the silence is over."""
    stream = begin(ask, fault={**STALL, "seconds": 0.5})
    followed = frames(ask("GET", RECONNECT, query_string={"last_event_id": 2}))
    assert [number for number, _ in followed] == [3, 4, 5, 6]
    assert [event.get("source") for _, event in followed] == ["replay", "replay", None, None]
    assert not stream.get_data(as_text=True).endswith("[DONE]\n\n")


def test_a_stream_that_is_not_known_is_completed_from_the_saved_message(ask: Ask) -> None:
    begin(ask)
    begin(ask, {**STREAM, "stream": False}, text="Later")
    *blocks, last, _ = ask("GET", RECONNECT).get_data(as_text=True).split("\n\n")
    (completed,) = [json.loads(block.removeprefix("data: ")) for block in blocks]
    said = messages(ask)[-1]
    assert (completed["event"], completed["message_id"]) == ("response.completed", said["id"])
    assert (completed["response"][0]["text"], last) == ("Later", "data: [DONE]")


def test_without_an_answer_there_is_nothing_to_reconnect_to(ask: Ask) -> None:
    thread = ask("POST", "/v1/threads", json={"organization_id": "org_abc123"}).get_json()["id"]
    answer = ask("GET", f"{URL}/{thread}/stream")
    assert (answer.status_code, answer.get_json()["error"]["system_message"]) == (404, "No active stream")


def test_a_reset_ends_a_stream_for_the_sandbox_and_not_for_its_reader(ask: Ask) -> None:
    stream = begin(ask, fault={**STALL, "seconds": 0.3}, pace=0.01)
    ask("POST", "/__admin/reset")
    assert ask("POST", CANCEL).status_code == 404
    assert ask("GET", THREAD).get_json()["status"] == "inactive"
    assert b'"delta":"two "' in stream.data


def test_a_snapshot_holds_the_stream_and_a_fork_cancels_its_own(ask: Ask) -> None:
    stream = begin(ask)
    ask("PUT", "/__admin/snapshots/mid")
    name = ask("POST", "/__admin/sandboxes/default/fork", json={}).get_json()["id"]
    fork = {"headers": {"X-Mock-Sandbox": name}}
    assert ask("POST", CANCEL, **fork).get_json()["cancel_mode"] == "quick_edit"
    assert (ask("POST", CANCEL, **fork).status_code, ask("GET", THREAD).get_json()["status"]) == (
        404,
        "streaming",
    )
    ask("POST", CANCEL)
    assert frames(stream)[-1][1]["event"] == "response.cancelled"
    ask("POST", "/__admin/snapshots/mid/restore")
    assert ask("POST", CANCEL).status_code == 200


def test_a_state_document_holds_the_whole_answer_and_no_stream(ask: Ask) -> None:
    begin(ask)
    state = ask("GET", "/__admin/state").get_json()
    assert "streams" not in state["collections"]
    assert ask("PUT", "/__admin/state", json=state).status_code == 200
    assert messages(ask)[-1]["content"] == "One two three"
    assert ask("GET", THREAD).get_json()["status"] == "inactive"
    assert ask("POST", CANCEL).status_code == 404


def test_a_deleted_message_is_no_hindrance(ask: Ask) -> None:
    begin(ask)
    ask("DELETE", f"{THREAD}/messages/{messages(ask)[-1]['id']}")
    advance(ask, 6)
    assert ask("POST", CANCEL).status_code == 200
    assert messages(ask)[-1]["content"] == "Where is the booth?"


def test_a_refused_reconnection_takes_no_slot(app: MockServer, ask: Ask) -> None:
    begin(ask, fault=None).close()
    opened = [ask("GET", RECONNECT) for _ in range(MOST)]
    assert ask("GET", RECONNECT).status_code == 503
    for answer in opened:
        answer.close()
    assert ask("GET", RECONNECT).status_code == 200
