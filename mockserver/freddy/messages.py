"""Messages of a thread: list, edit, delete; for the thread's owner only."""

from __future__ import annotations

from mockserver.freddy.anchor_paging import Listing, anchors_of, list_body
from mockserver.freddy.lookup import Call, merged_metadata, message_of, own_thread, without_nulls
from mockserver.freddy.shared_memory import remove_message, replace_message
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.records import public_fields
from mockserver.sandbox.sandbox import Record, Sandbox

CHANGED = "updated_at"
"""Field of an edited message; only returned by the edit itself (A73)."""


@handles("listThreadMessages")
def list_thread_messages(call: Call, sandbox: Sandbox) -> Reply:
    """Messages of a thread, oldest or newest first."""
    thread = own_thread(call, sandbox)
    anchors = anchors_of(
        call,
        (sandbox.messages, sandbox.deleted_messages),
        "thread",
        lambda message: 0 if message["thread_id"] == thread["id"] else None,
        "is no message of this thread",
    )
    keys = sandbox.messages.keys("thread", thread["id"])
    listing = Listing([[keys]], descending=[call.query["order"] == "desc"])
    found, has_more = listing.window(call.query["limit"], *anchors, lambda _: True)
    as_blocks = call.query["output_mode"] in ("blocks", "structured")
    data = [_message_body(sandbox.messages.record(key[-1]), as_blocks) for key in found]
    return Reply(200, list_body(data, has_more))


@handles("updateThreadMessage")
def update_thread_message(call: Call, sandbox: Sandbox) -> Reply:
    """Edit a message; a new text is embedded again in every space of the thread (A15)."""
    message = _message(call, sandbox)
    changes = without_nulls(call.body, "content")
    if changes:
        if "content" in changes:
            changes["content"] = changes["content"].strip()
        metadata = merged_metadata(message, changes, cleared={})
        message = {**message, **changes, "metadata": metadata, CHANGED: sandbox.now()}
        replace_message(message, sandbox)
    return Reply(200, {CHANGED: message["created_at"], **message})


@handles("deleteThreadMessage")
def delete_thread_message(call: Call, sandbox: Sandbox) -> Reply:
    """Delete a message and its embeddings; its id still marks a position (A32)."""
    message = _message(call, sandbox)
    remove_message(message, sandbox)
    return Reply(200, {"id": message["id"], "deleted": True, "object": "thread.message.deleted"})


def _message(call: Call, sandbox: Sandbox) -> Record:
    return message_of(own_thread(call, sandbox), call.path["message_id"], sandbox)


def _message_body(message: Record, as_blocks: bool) -> Record:
    message = public_fields(message, "message")
    if not as_blocks:
        return message
    return {**message, "response_blocks": [{"type": "text", "text": message["content"]}]}
