"""Messages of a thread: list, edit, delete; for the thread's owner only."""

from __future__ import annotations

from mockserver.freddy.anchor_paging import Listing, anchors_of, list_body
from mockserver.freddy.lookup import Call, merged_metadata, own_thread
from mockserver.freddy.shared_memory import message_key, spaces_of
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import NotFound
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
    listing = Listing([[keys]], descending=call.query["order"] == "desc")
    found, has_more = listing.window(call.query["limit"], *anchors, lambda _: True)
    as_blocks = call.query["output_mode"] in ("blocks", "structured")
    data = [_message_body(sandbox.messages.record(key[-1]), as_blocks) for key in found]
    return Reply(200, list_body(data, has_more))


@handles("updateThreadMessage")
def update_thread_message(call: Call, sandbox: Sandbox) -> Reply:
    """Edit a message; a new text is embedded again in every space of the thread (A15)."""
    message = _message(call, sandbox)
    if call.body:
        metadata = merged_metadata(message, call.body)
        before = message["content"]
        message = {**message, **call.body, "metadata": metadata, CHANGED: sandbox.now()}
        key = message_key(message["id"], sandbox)
        sandbox.messages.put(message["id"], message)
        if message["content"] != before:
            for space_id in spaces_of(message["thread_id"], sandbox):
                sandbox.embeddings.edit_message(space_id, message["thread_id"], key, sandbox.clock.now())
    return Reply(200, {CHANGED: message["created_at"], **message})


@handles("deleteThreadMessage")
def delete_thread_message(call: Call, sandbox: Sandbox) -> Reply:
    """Delete a message and its embeddings; its id still marks a position (A32)."""
    message = _message(call, sandbox)
    key = message_key(message["id"], sandbox)
    for space_id in spaces_of(message["thread_id"], sandbox):
        sandbox.embeddings.remove_message(space_id, message["thread_id"], key, sandbox.clock.now())
    sandbox.messages.move(message["id"], sandbox.deleted_messages)
    thread = sandbox.threads.record(message["thread_id"])
    sandbox.threads.put(thread["id"], {**thread, "message_count": thread["message_count"] - 1})
    return Reply(200, {"id": message["id"], "deleted": True, "object": "thread.message.deleted"})


def _message(call: Call, sandbox: Sandbox) -> Record:
    thread = own_thread(call, sandbox)
    message_id = call.path["message_id"]
    message = sandbox.messages.get(message_id)
    if message is None or message["thread_id"] != thread["id"]:
        raise NotFound(
            "Message not found",
            code="MESSAGE_NOT_FOUND",
            reason=f"no message {message_id!r} in {thread['id']}",
            message_id=message_id,
            thread_id=thread["id"],
        )
    return message


def _message_body(message: Record, as_blocks: bool) -> Record:
    if CHANGED in message:
        message = {name: value for name, value in message.items() if name != CHANGED}
    if not as_blocks:
        return message
    return {**message, "response_blocks": [{"type": "text", "text": message["content"]}]}
