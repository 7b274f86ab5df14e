"""What a streamed answer of createResponse says, in which order, and what stays when it fails."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.freddy import HANDLERS
from mockserver.freddy.model_responses import create_response
from mockserver.freddy.stream_events import PROCESSING, SILENCE
from mockserver.http.calls import Call, Reply
from mockserver.http.event_stream import MOST, Step, Stream
from mockserver.http.log import RequestLog
from mockserver.http.problems import Internal, SpecViolation
from mockserver.sandbox.sandbox import Sandbox
from mockserver.settings import Settings
from tests.conftest import Ask

URL = "/v1/model/response"
REPLIES = "/__admin/replies"
MESSAGES = "/v1/threads/thrd_def456/messages?limit=100"
OWNER = {"X-API-Key": "ak_demo_owner"}
QUESTION = {"thread_id": "thrd_def456", "inputs": [{"role": "user", "content": "Where is the booth?"}]}
STREAM = {**QUESTION, "stream": True}


def events(answer: TestResponse) -> list[Any]:
    """The events of a stream; its literal last line is a text."""
    *blocks, rest = answer.get_data(as_text=True).split("\n\n")
    assert rest == ""
    numbered = [block.partition("data: ") for block in blocks]
    ids = [head for head, _, _ in numbered if head]
    assert ids == [f"id: {number}\n" for number in range(1, len(ids) + 1)]
    texts = [text for _, _, text in numbered]
    return [json.loads(text) if text.startswith("{") else text for text in texts]


def names(answer: TestResponse) -> list[str]:
    """What kind of event each is, `response.` left out."""
    return [e if isinstance(e, str) else e["event"].removeprefix("response.") for e in events(answer)]


def order(ask: Ask, text: str = "One two three", **more: Any) -> None:
    """Order the next answer."""
    assert ask("POST", REPLIES, json={"text": text, **more}).status_code == 201


def test_the_events_come_in_the_promised_order(ask: Ask) -> None:
    order(ask, stop_reason="tool_use")
    answer = ask("POST", URL, json=STREAM)
    processing, created, *deltas, completed, last = events(answer)
    assert (processing.pop("event"), processing.pop("status")) == ("response.processing", "processing")
    assert processing == {"thread_id": "thrd_def456", "message": PROCESSING}
    question, said = ask("GET", MESSAGES).get_json()["data"][-2:]
    assert created == {
        "event": "response.created",
        "status": "in_progress",
        "thread_id": "thrd_def456",
        "user_id": "usr_abc123",
        "org_id": "org_abc123",
        "user_message_id": question["id"],
        "trace_id": answer.headers["x-request-id"],
    }
    assert [d.pop("delta") for d in deltas] == ["One ", "two ", "three"]
    assert {d.pop("event") for d in deltas} == {"response.content_delta"}
    assert (completed["event"], completed["stop_reason"]) == ("response.completed", "tool_use")
    assert (completed["status"], completed["is_summarized"]) == ("completed", False)
    assert (completed["message_id"], completed["response"][0]["text"]) == (said["id"], "One two three")
    assert last == "[DONE]"


@pytest.mark.parametrize("text", ["one", " \n two\u2028lines\t", "Zürich 🙂 é", "x" * 5000, "[DONE]"])
def test_the_pieces_joined_are_the_answer(ask: Ask, text: str) -> None:
    order(ask, text)
    assert "".join(e["delta"] for e in events(ask("POST", URL, json=STREAM))[2:-2]) == text


def test_a_stream_says_what_the_json_answer_says(app: MockServer, ask: Ask) -> None:
    body = {**QUESTION, "include": ["file_search.results"], "space_id": "space_abc123"}
    whole = ask("POST", URL, json=body).get_json()
    app.sandboxes.get().reset()
    completed = events(ask("POST", URL, json={**body, "stream": True}))[-2]
    assert whole.pop("success") is True
    assert (completed.pop("event"), completed.pop("status")) == ("response.completed", "completed")
    assert completed.pop("message_id").startswith("msg_")
    assert completed == whole


def test_a_stream_is_the_same_bytes_after_a_reset(app: MockServer, ask: Ask) -> None:
    first = ask("POST", URL, json=STREAM)
    app.sandboxes.get().reset()
    second = ask("POST", URL, json=STREAM)
    assert (first.data, list(first.headers)) == (second.data, list(second.headers))


def test_both_messages_are_stored_before_the_first_byte(ask: Ask) -> None:
    """And stay if nobody ever reads it."""
    order(ask)
    before = ask("GET", MESSAGES).get_json()["data"]
    answer = ask("POST", URL, json=STREAM)
    after = ask("GET", MESSAGES).get_json()["data"]
    added = [m["content"] for m in after if m not in before]
    answer.close()
    assert added == ["Where is the booth?", "One two three"]
    assert ask("GET", MESSAGES).get_json()["data"] == after


def test_the_question_is_told_apart_from_an_input_with_the_same_text(ask: Ask) -> None:
    twice = [{"role": role, "content": "Same?"} for role in ("system", "user", "assistant")]
    created = events(ask("POST", URL, json={**STREAM, "inputs": twice}))[1]
    asked = ask("GET", MESSAGES).get_json()["data"][-3]
    assert (created["user_message_id"], asked["role"]) == (asked["id"], "user")


@pytest.mark.parametrize("after", [0, 1, 3, 5])
def test_a_cut_stream_ends_after_so_many_events(ask: Ask, after: int) -> None:
    order(ask, fault={"kind": "cut", "after_events": after})
    whole = ["processing", "created", "content_delta", "content_delta", "content_delta", "completed"]
    assert names(ask("POST", URL, json=STREAM)) == whole[:after]


@pytest.mark.parametrize(("after", "sent"), [(0, 0), (3, 3), (5, 5), (6, 5), (10_000, 5)])
def test_an_ordered_error_comes_after_so_many_events_but_never_after_completed(
    ask: Ask, after: int, sent: int
) -> None:
    order(ask, fault={"kind": "error", "after_events": after})
    answer = ask("POST", URL, json=STREAM)
    *before, error, last = events(answer)
    assert len(before) == sent
    assert error == {"event": "response.error", "status": "failed", "message": Internal.message}
    assert last == "[DONE]"


def test_a_fault_leaves_the_stored_messages_and_the_json_answer_whole(ask: Ask) -> None:
    order(ask, fault={"kind": "error"}, times=2)
    assert names(ask("POST", URL, json=STREAM)) == ["error", "[DONE]"]
    assert ask("GET", MESSAGES).get_json()["data"][-1]["content"] == "One two three"
    assert ask("POST", URL, json=QUESTION).get_json()["response"][0]["text"] == "One two three"


def test_a_silence_lasts_as_long_as_the_spec_says_by_default() -> None:
    admin = yaml.load(Path("mockserver/admin/admin.yaml").read_bytes(), yaml.CSafeLoader)
    seconds = admin["components"]["schemas"]["StreamFault"]["properties"]["seconds"]
    assert (seconds["default"], seconds["maximum"]) == (SILENCE, 300)


def test_a_longer_silence_than_300_seconds_is_refused(ask: Ask) -> None:
    body = {"text": "x", "fault": {"kind": "silence", "seconds": 301}}
    assert ask("POST", REPLIES, json=body).status_code == 422


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        (None, STREAM, 401, "AUTHENTICATION_REQUIRED"),
        ("ak_demo_owner", {"stream": True, "inputs": []}, 422, "VALIDATION_ERROR"),
        ("ak_demo_owner", {**STREAM, "thread_id": "thrd_nope"}, 404, "RESOURCE_NOT_FOUND"),
        ("ak_demo_viewer", STREAM, 403, "INSUFFICIENT_PERMISSIONS"),
    ],
)
def test_a_refused_stream_is_plain_json(ask: Ask, key: str | None, body: Any, status: int, code: str) -> None:
    answer = ask("POST", URL, key=key, json=body, headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.content_type) == (status, "application/json")
    assert answer.get_json()["error"]["code"] == code


def test_one_stream_too_many_changes_nothing(ask: Ask) -> None:
    """Not even the order is taken."""
    opened = [ask("POST", URL, json=STREAM) for _ in range(MOST)]
    order(ask, pace=60)
    thread = "/v1/threads/thrd_def456"  # tells how many messages it has
    before = ask("GET", thread).data, ask("GET", REPLIES).data
    refused = ask("POST", URL, json=STREAM)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.get_json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert (ask("GET", thread).data, ask("GET", REPLIES).data) == before
    assert ask("POST", URL, json={**QUESTION, "thread_id": "thrd_abc123"}).status_code == 200
    opened.pop().close()
    opened.append(ask("POST", URL, json=STREAM))
    assert opened[-1].status_code == 200
    for answer in opened:
        answer.close()


def with_a_bad_event(call: Call[Any], sandbox: Sandbox) -> Reply:
    """createResponse, but its third event has a piece that is no text."""
    reply = create_response(call, sandbox)
    assert isinstance(reply.body, Stream)
    assert callable(reply.body.steps)
    first, second, *_ = reply.body.steps(threading.Event())
    bad = Step({"event": "response.content_delta", "delta": 3})
    return replace(reply, body=replace(reply.body, steps=[first, second, bad, bad]))


def test_an_event_against_the_spec_becomes_response_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "createResponse", with_a_bad_event)
    log = RequestLog(StringIO(), quiet=True)
    app = create_app(Settings(quiet=True, freeze="2026-02-26T10:30:00Z"), log=log)
    answer = app.test_client().post(URL, json=STREAM, headers=OWNER)
    assert names(answer) == ["processing", "created", "error", "[DONE]"]
    assert events(answer)[-2] == {"event": "response.error", "status": "failed", "message": Internal.message}
    log.flush()
    assert isinstance(log._stream, StringIO)
    assert "SpecViolation" in json.loads(log._stream.getvalue())["traceback"]


def test_an_event_against_the_spec_is_raised_in_tests(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "createResponse", with_a_bad_event)
    answer = ask("POST", URL, json=STREAM)
    with pytest.raises(SpecViolation, match=r"createResponse 200: .*event response\.content_delta"):
        _ = answer.data


def test_a_stream_is_one_line_of_the_log_written_when_it_begins() -> None:
    log = RequestLog(StringIO())
    answer = create_app(Settings(), log=log).test_client().post(URL, json=STREAM, headers=OWNER)
    log.flush()
    assert isinstance(log._stream, StringIO)
    lines = log._stream.getvalue().splitlines()
    answer.close()
    log.flush()
    assert (len(lines), log._stream.getvalue().splitlines()) == (1, lines)
    entry = json.loads(lines[0])
    assert (entry["status"], entry["operation"], entry["caller"]) == (200, "createResponse", "usr_abc123")
