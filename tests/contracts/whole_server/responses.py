"""Questions to the model of the whole server: it repeats what it finds, as JSON or as a stream."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from tests.contracts.whole_server.access import Me, Now, levels, space_of, store_of, thread_of
from tests.contracts.whole_server.errors import Refused
from tests.contracts.whole_server.messages import message_of
from tests.contracts.whole_server.shapes import Question
from tests.contracts.whole_server.state import Record, State, new_id
from tests.contracts.whole_server.threads import new_thread

router = APIRouter(prefix="/v1/model/response")
PAUSE = 0.01
"""Seconds between the events of a stream."""


class Stream:
    """Answer on its way; whoever reads it gets the events from the first, or behind the last one seen."""

    def __init__(self, thread: Record, messages: list[Record]) -> None:
        self.thread, self.messages = thread, messages
        self.events: list[Record] = []
        self.since = monotonic()
        self.is_over = self.is_cancelled = False

    async def send(self, first: list[Record], text: str, completed: Record) -> None:
        """Produce the events, whether or not somebody reads them."""
        self.thread["status"] = "streaming"
        self.events += first
        for piece in re.findall(r"\s*\S+\s*|\s+", text):
            await asyncio.sleep(PAUSE)
            if self.is_cancelled:
                break
            self.events.append({"event": "response.content_delta", "delta": piece})
        else:
            self.events.append(completed)
        self.thread["status"] = "inactive"
        self.is_over = True

    async def read(self, seen: int = 0, **marks: str) -> AsyncIterator[bytes]:
        """Lines of the stream; `marks` are added to each event."""
        while True:
            for event in self.events[seen:]:
                seen += 1
                yield f"id: {seen}\ndata: {json.dumps({**event, **marks})}\n\n".encode()
            if self.is_over and seen == len(self.events):
                break
            await asyncio.sleep(PAUSE / 2)
        yield b"data: [DONE]\n\n"


def organization_of(body: Question, thread: Record | None, me: Me) -> str:
    """Organization of a question: a user has one here."""
    if body.organization_id and body.organization_id != me.organization:
        message = "You don't have access to this organization"
        raise Refused(403, "Not your organization", "ORGANIZATION_ACCESS_DENIED", message)
    return me.organization


def cut(state: State, thread: Record, body: Question) -> None:
    """Delete what an edit or a branch leaves out."""
    named = body.edit_message_id or body.previous_message_id
    if named:
        messages = state.messages[thread["id"]]
        at = messages.index(message_of(state, thread["id"], named))
        del messages[at if body.edit_message_id else at + 1 :]
        thread["message_count"] = len(messages)


def say(
    state: State, thread: Record, role: str, text: str, metadata: Record | None, request: Request
) -> Record:
    """Add a message to a thread."""
    message = {
        "id": new_id("msg"),
        "created_at": state.now(),
        "thread_id": thread["id"],
        "role": role,
        "content": text,
        "attachments": [],
        "metadata": metadata or {},
        "tool_calls": None,
        "iterations": None,
    }
    state.messages[thread["id"]].append(message)
    thread["message_count"] += 1
    thread["last_message_at"] = thread["updated_at"] = message["created_at"]
    for space_id, threads in state.links.items():
        if thread["id"] in threads:
            state.spaces[space_id]["last_activity_at"] = message["created_at"]
    request.app.state.embedder.add_message(message)
    return message


@router.post("", response_model=None)
async def create_response(body: Question, state: Now, me: Me, request: Request) -> Record | StreamingResponse:
    """Stores the inputs and an answer."""
    thread = thread_of(state, me, body.thread_id) if body.thread_id else None
    organization = organization_of(body, thread, me)
    space = space_of(state, me, body.space_id, "v" if thread else "e") if body.space_id else None
    for store_id in body.vector_store_ids or ():
        store_of(state, me, organization, store_id)
    if thread is not None:
        cut(state, thread, body)
    else:
        fields = {"assistant_id": body.assistant_id, "workflow_id": body.workflow_id}
        thread = new_thread(state, me, organization, visible_in_ui=body.store, **fields)
        if space is not None:
            state.links[space["id"]][thread["id"]] = state.now()
    searched = [s for s, threads in state.links.items() if thread["id"] in threads]
    searched = [s for s in {*searched, *([space["id"]] if space else [])} if levels(state.spaces[s], me)]
    asked = next((each.text for each in reversed(body.inputs) if each.role == "user"), body.inputs[-1].text)
    found = request.app.state.embedder.found(asked, searched)
    text = f"I remember: {found[0]['text']}" if found else "I remember nothing of this."
    stored = [say(state, thread, i.role, i.text, body.metadata, request) for i in body.inputs]
    stored.append(say(state, thread, "assistant", text, None, request))
    thread["last_model_used"] = body.model
    said = {"type": "output_text", "text": text}
    answer: dict[str, Any] = {
        "thread_id": thread["id"],
        "response": [{"type": "text", "text": text}],
        "response_id": new_id("resp"),
        "is_summarized": False,
        "stop_reason": "end_turn",
    }
    if thread["assistant_id"] is not None:
        answer["assistant_id"] = thread["assistant_id"]
    if body.output_mode == "structured":
        answer["response_blocks"] = [{"type": "text", "content": text}]
    if "file_search.results" in (body.include or ()):
        answer["file_search"] = {"results": found}
    if output := searched_files(state, request, asked, searched, body):
        answer["output"] = [*output, {"type": "message", "role": "assistant", "content": [said]}]
    if not body.stream:
        return {"success": True, **answer}
    return streamed(state, me, thread, stored, text, answer)


def searched_files(
    state: State, request: Request, asked: str, spaces: list[str], body: Question
) -> list[Record]:
    """Search in the files of all stores that a question reaches; none if they have no files."""
    stores = {*(body.vector_store_ids or ())}
    for space_id in spaces:
        stores |= {state.spaces[space_id]["vector_store_id"], *state.attached[space_id]}
    if not any(state.stored[store_id] for store_id in stores):
        return []
    found = request.app.state.embedder.found_in_files(asked, stores)
    return [{"type": "file_search_call", "id": new_id("fs"), "status": "completed", "results": found}]


def streamed(
    state: State, me: Me, thread: Record, stored: list[Record], text: str, answer: Record
) -> StreamingResponse:
    """Stream of an answer that is stored already."""
    names = {"thread_id": thread["id"], "user_id": me.id, "org_id": me.organization}
    first = [
        {"event": "response.processing", "status": "processing", **names, "message": "One moment"},
        {"event": "response.created", "status": "in_progress", **names},
    ]
    for name in ("user_id", "org_id"):
        del first[0][name]
    asked = next((m for m in reversed(stored[:-1]) if m["role"] == "user"), stored[0])
    first[1].update(user_message_id=asked["id"], trace_id=uuid.uuid4().hex)
    completed = {
        "event": "response.completed",
        "status": "completed",
        **answer,
        "message_id": stored[-1]["id"],
    }
    stream = state.streams[thread["id"]] = Stream(thread, stored)
    task = asyncio.get_running_loop().create_task(stream.send(first, text, completed))
    state.tasks.add(task)
    task.add_done_callback(state.tasks.discard)
    return StreamingResponse(stream.read(), media_type="text/event-stream")


@router.post("/{thread_id}/cancel")
async def cancel(thread_id: str, state: Now, me: Me) -> Record:
    """Ends a stream: in its first five seconds as if it had not been asked for."""
    thread = thread_of(state, me, thread_id)
    stream = state.streams.get(thread_id)
    if stream is None or stream.is_over or stream.is_cancelled:
        raise Refused(404, "No active stream")
    stream.is_cancelled, seconds = True, round(monotonic() - stream.since, 2)
    said = "".join(event.get("delta", "") for event in stream.events)
    is_quick = seconds < 5
    messages = state.messages[thread_id]
    if is_quick:
        messages[:] = [message for message in messages if message not in stream.messages]
    else:
        stream.messages[-1].update(content=said, metadata={"cancelled": True})
    thread["message_count"] = len(messages)
    event = {"event": "response.cancelled", "status": "cancelled", "thread_id": thread_id}
    stream.events.append({**event, "partial_content_length": len(said)})
    return {
        "success": True,
        "cancel_mode": "quick_edit" if is_quick else "keep_partial",
        "elapsed_seconds": seconds,
        "user_message_deleted": is_quick,
        "assistant_response_deleted": is_quick,
        "partial_content_saved": not is_quick,
    }


@router.get("/{thread_id}/stream")
async def reconnect(thread_id: str, state: Now, me: Me, last_event_id: int = 0) -> StreamingResponse:
    """The events again, behind the last one seen."""
    thread_of(state, me, thread_id)
    if thread_id not in state.streams:
        raise Refused(404, "No active stream")
    lines = state.streams[thread_id].read(max(last_event_id, 0), source="replay")
    return StreamingResponse(lines, media_type="text/event-stream")
