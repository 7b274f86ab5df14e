"""Streams in progress: cancelled, and read again."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from contracts.behaviour.streams import events, frames
from contracts.behaviour.vendor_documents import not_found
from contracts.checks.check import check, equal
from contracts.checks.errors import Excluded
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run

LIMIT = 5.0
"""Seconds after which a cancelled stream keeps its messages."""
LATE = LIMIT + 0.5
"""Seconds to wait before a late cancel."""
PAUSE = 0.05
"""Seconds between two attempts to cancel a stream that has not begun."""
LONG = "Please tell me a very long story about a lighthouse, in at least a thousand words."


@check("cancelStream", "createResponse", "listThreadMessages")
def a_stream_that_is_cancelled_at_once_leaves_no_messages(run: Run) -> None:
    """A stream that is cancelled in its first five seconds says so, and leaves no messages."""
    _cancel(run, after=0.0)


@check("cancelStream", "createResponse", "listThreadMessages")
def a_stream_that_is_cancelled_late_keeps_what_was_said(run: Run) -> None:
    """A stream that is cancelled after five seconds keeps the question and what was sent of the answer."""
    _cancel(run, after=LATE)


def _cancel(run: Run, after: float) -> None:
    thread_id = run.owner.new_thread()["id"]
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(events, run, thread_id, LONG)
        answer = _cancelled(run, thread_id, reading, time.monotonic() + after)
        sent = reading.result()
    if answer is None:
        raise Excluded("the stream was over before it could be cancelled")
    is_quick = answer.body["elapsed_seconds"] < LIMIT
    equal(
        answer.body["cancel_mode"],
        "quick_edit" if is_quick else "keep_partial",
        "cancel_mode",
        "/cancel_mode",
    )
    for field in ("user_message_deleted", "assistant_response_deleted"):
        equal(answer.body[field], is_quick, field, f"/{field}")
    equal(bool(answer.body.get("partial_content_saved")), not is_quick, "partial_content_saved")
    equal(sent[-1].get("event"), "response.cancelled", "the last event")
    said = "".join(event["delta"] for event in sent if event.get("event") == "response.content_delta")
    messages = run.owner.get(f"/v1/threads/{thread_id}/messages").body["data"]
    equal([each["content"] for each in messages], [] if is_quick else [LONG, said], "what is stored", "/data")
    if not is_quick:
        metadata = messages[-1]["metadata"] or {}
        equal(metadata.get("cancelled"), True, "cancelled of the answer", "/data/1/metadata")
    count = run.owner.get(f"/v1/threads/{thread_id}").body["message_count"]
    equal(count, len(messages), "message_count", "/message_count")


def _cancelled(
    run: Run, thread_id: str, reading: Future[list[dict[str, Any]]], at: float
) -> ClientResponse | None:
    """Answer to the first cancel that finds the stream; None if the stream is over before."""
    while not reading.done():
        if time.monotonic() >= at:
            answer = run.owner.ask("POST", f"/v1/model/response/{thread_id}/cancel")
            if answer.status != 404:
                equal(answer.status, 200, "status of the cancel")
                return answer
        time.sleep(PAUSE)
    return None


@check("cancelStream")
def cancelling_without_a_stream_is_404(run: Run) -> None:
    """Without a stream in the thread, cancelling is 404, No active stream."""
    thread_id = run.owner.new_thread()["id"]
    answer = run.owner.ask("POST", f"/v1/model/response/{thread_id}/cancel")
    not_found(answer, "No active stream")


@check("reconnectStream", "createResponse")
def a_stream_can_be_read_again_from_any_event(run: Run) -> None:
    """The events of a stream are sent again, all or those after last_event_id, marked as a replay."""
    thread_id = run.owner.new_thread()["id"]
    sent = [event for event in events(run, thread_id) if event.get("event") != "response.heartbeat"]
    path = f"/v1/model/response/{thread_id}/stream"
    whole = run.owner.get(path)
    equal(whole.status, 200, "status")
    again = [frame for frame in frames(whole) if frame[1].get("event") != "response.heartbeat"]
    equal([event for _, event in again], [{**event, "source": "replay"} for event in sent], "the replay")
    equal([number for number, _ in again if number is None], [], "events without an id")
    rest = frames(run.owner.get(path, last_event_id=again[1][0]))
    equal(rest, again[2:], "what follows the second event")


@check("generateThreadName", "getThread")
def a_generated_name_becomes_the_title(run: Run) -> None:
    """The name, made of the messages that were sent, has at most 50 characters and is the thread's title."""
    run.spend_model_question()
    path = f"/v1/threads/{run.owner.new_thread()['id']}"
    messages = [{"role": "user", "content": "How do I configure Docker volumes for my PostgreSQL database?"}]
    answer = run.owner.ask("POST", f"{path}/generateName", {"messages": messages})
    equal(answer.status, 200, "status")
    title = run.owner.get(path).body["title"]
    equal(title, answer.body["title"], "the title of the thread", "/title")
    equal(0 < len(title) <= 50, True, "whether it has 1 to 50 characters", "/title")
