"""Messages of the threads of the whole server."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request

from tests.contracts.whole_server.access import Me, Now, thread_of
from tests.contracts.whole_server.errors import Refused
from tests.contracts.whole_server.shapes import MessageChange
from tests.contracts.whole_server.state import Record, State
from tests.contracts.whole_server.threads import Limit, Order, as_page, merged, part

router = APIRouter(prefix="/v1/threads")


@router.get("/{thread_id}/messages")
async def list_messages(
    thread_id: str,
    state: Now,
    me: Me,
    limit: Limit = 20,
    order: Order = "asc",
    after: str | None = None,
    before: str | None = None,
    output_mode: Literal["text", "plain", "blocks", "structured"] = "text",
) -> Record:
    """Messages of a thread, the oldest first."""
    thread_of(state, me, thread_id)
    messages = state.messages[thread_id]
    found, more = part(messages if order == "asc" else messages[::-1], limit, after, before)
    return as_page([shown(message, output_mode) for message in found], more)


def shown(message: Record, output_mode: str = "text") -> Record:
    """Message as it is shown."""
    blocks = [{"type": "text", "content": message["content"]}]
    return {**message, "response_blocks": blocks if output_mode in ("blocks", "structured") else None}


def message_of(state: State, thread_id: str, message_id: str) -> Record:
    """Message of a thread; 404 for any other."""
    for message in state.messages[thread_id]:
        if message["id"] == message_id:
            return message
    raise Refused(404, "Message not found", "MESSAGE_NOT_FOUND", message_id=message_id, thread_id=thread_id)


@router.patch("/{thread_id}/messages/{message_id}")
async def update_message(
    thread_id: str, message_id: str, body: MessageChange, state: Now, me: Me, request: Request
) -> Record:
    """Changes text or metadata; the text is embedded again."""
    thread_of(state, me, thread_id)
    message = message_of(state, thread_id, message_id)
    if body.content is not None:
        message["content"] = body.content
        request.app.state.embedder.add_message(message)
    if "metadata" in body.model_fields_set:
        message["metadata"] = merged(message["metadata"], body.metadata)
    return {**shown(message), "updated_at": state.now()}


@router.delete("/{thread_id}/messages/{message_id}")
async def delete_message(thread_id: str, message_id: str, state: Now, me: Me) -> Record:
    """Deletes a message."""
    thread = thread_of(state, me, thread_id)
    state.messages[thread_id].remove(message_of(state, thread_id, message_id))
    thread["message_count"] -= 1
    return {"id": message_id, "deleted": True, "object": "thread.message.deleted"}
