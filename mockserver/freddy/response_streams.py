"""Streams in progress: cancel one, reconnect to one; for the thread's owner only."""

from __future__ import annotations

from mockserver.freddy.lookup import MOST_METADATA, Call, own_thread
from mockserver.freddy.shared_memory import remove_message, replace_message
from mockserver.freddy.stream_events import HEARTBEAT, active_stream, body_of, failed, sent
from mockserver.http.calls import Reply, handles
from mockserver.http.event_stream import Step, Stream
from mockserver.http.problems import NotFound
from mockserver.sandbox.answer_stream import AnswerStream
from mockserver.sandbox.sandbox import Record, Sandbox

QUICK_EDIT = 5_000_000
"""Microseconds of the sandbox's clock; a stream that is cancelled earlier leaves no messages."""


@handles("cancelStream")
def cancel_stream(call: Call, sandbox: Sandbox) -> Reply:
    """End a stream; its messages are deleted, or its answer is cut to what was sent (A81)."""
    thread = own_thread(call, sandbox)
    stream = active_stream(thread["id"], sandbox)
    if stream is None:
        raise _no_stream(thread)
    due = sent(stream, sandbox)
    ran = max(0, sandbox.clock.now() - stream.began)
    is_quick = ran < QUICK_EDIT
    if is_quick:
        for message_id in stream.message_ids:
            if (message := sandbox.messages.get(message_id)) is not None:
                remove_message(message, sandbox)
    elif (answer := sandbox.messages.get(stream.message_ids[-1])) is not None:
        text = "".join(event.get("delta", "") for event in due)
        metadata = [*answer["metadata"].items(), ("cancelled", True)][-MOST_METADATA:]
        replace_message({**answer, "content": text, "metadata": dict(metadata)}, sandbox)
    sandbox.streams.put(thread["id"], stream._replace(cancelled_after=len(due)))
    return Reply(
        200,
        {
            "success": True,
            "cancel_mode": "quick_edit" if is_quick else "keep_partial",
            "elapsed_seconds": ran / 1_000_000,
            "user_message_deleted": is_quick,
            "assistant_response_deleted": is_quick,
            "partial_content_saved": not is_quick,
        },
    )


@handles("reconnectStream")
def reconnect_stream(call: Call, sandbox: Sandbox) -> Reply:
    """Send the events of the thread's last stream after one of them, and follow it to its end (A82)."""
    thread = own_thread(call, sandbox)
    stream: AnswerStream | None = sandbox.streams.get(thread["id"])
    if stream is not None:
        return Reply(200, body_of(stream, sandbox, call.query["last_event_id"] or 0))
    last = next(sandbox.messages.keys("thread", thread["id"]).before(), None)
    message = None if last is None else sandbox.messages.record(last[-1])
    if message is None or message["role"] != "assistant":
        raise _no_stream(thread)
    return Reply(200, Stream([Step(_completion(message, thread))], HEARTBEAT, "[DONE]", failed))


def _completion(message: Record, thread: Record) -> Record:
    """Last event of a stream that is no longer known, from the saved message (A82)."""
    bound = {} if thread["assistant_id"] is None else {"assistant_id": thread["assistant_id"]}
    return {
        "event": "response.completed",
        "status": "completed",
        "is_summarized": False,
        "thread_id": thread["id"],
        "response": [{"type": "text", "text": message["content"]}],
        "response_id": "resp_" + message["id"].removeprefix("msg_"),
        "stop_reason": "end_turn",
        "message_id": message["id"],
        **bound,
    }


def _no_stream(thread: Record) -> NotFound:
    reason = f"no answer is being streamed in {thread['id']}"
    return NotFound("No active stream", reason=reason, thread_id=thread["id"])
