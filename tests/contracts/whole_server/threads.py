"""Threads of the whole server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from tests.contracts.whole_server.access import Me, Now, member, thread_of
from tests.contracts.whole_server.errors import wrong
from tests.contracts.whole_server.shapes import ForName, NewThread, ThreadChange
from tests.contracts.whole_server.state import Record, State, User, new_id

router = APIRouter(prefix="/v1/threads")
Limit = Annotated[int, Query(ge=1, le=100)]
Order = Literal["asc", "desc"]


def new_thread(state: State, me: Me, organization_id: str, **fields: Any) -> Record:
    """New thread without messages."""
    now = state.now()
    thread = {
        "id": new_id("thrd"),
        "object": "thread",
        **dict.fromkeys(("created_at", "updated_at", "last_message_at"), now),
        "metadata": {},
        "assistant_id": None,
        "organization_id": organization_id,
        "user_id": me.id,
        "title": None,
        "status": "inactive",
        "message_count": 0,
        "visible_in_ui": True,
        "last_model_used": None,
        "is_pinned": False,
        "pinned_at": None,
        "workflow_id": None,
        "deleted": False,
        **fields,
    }
    state.threads[thread["id"]], state.messages[thread["id"]] = thread, []
    return thread


def as_body(state: State, thread: Record) -> Record:
    """Thread as it is shown."""
    spaces = [space for space, threads in state.links.items() if thread["id"] in threads]
    shown = {name: value for name, value in thread.items() if name not in ("workflow_id", "deleted")}
    return {**shown, "space_ids": spaces}


def part(
    records: list[Record], limit: int, after: str | None, before: str | None
) -> tuple[list[Record], bool]:
    """Records next to the anchors, and whether there are more on that side."""
    ids = [record["id"] for record in records]
    for name, anchor in (("after", after), ("before", before)):
        if anchor and anchor not in ids:
            raise wrong((("query", name), "is not in the list"))
    records = records[ids.index(after) + 1 if after else 0 : ids.index(before) if before else None]
    if before and not after:
        return records[-limit:], len(records) > limit
    return records[:limit], len(records) > limit


def as_page(records: list[Record], has_more: bool) -> Record:
    """Page by ids."""
    ids = [record["id"] for record in records] or [None]
    return {"object": "list", "data": records, "first_id": ids[0], "last_id": ids[-1], "has_more": has_more}


@router.post("", status_code=201)
async def create_thread(body: NewThread, state: Now, me: Me) -> Record:
    """A thread of the caller."""
    member(me, body.organization_id)
    fields = body.model_dump(exclude_unset=True)
    fields["visible_in_ui"] = fields.get("visible_in_ui") is not False
    return as_body(state, new_thread(state, me, **fields))


@router.get("")
async def list_threads(
    state: Now,
    me: Me,
    limit: Limit = 20,
    order: Order = "desc",
    after: str | None = None,
    before: str | None = None,
    organization_id: str | None = None,
    assistant_id: str | None = None,
    workflow_id: str | None = None,
    visible_in_ui: bool | None = None,
    include_deleted: bool = False,
    is_pinned: bool | None = None,
    include_total: bool = False,
) -> Record:
    """The caller's threads: the last pinned first, then those with the latest activity."""
    if organization_id:
        member(me, organization_id)
    wanted = {
        "organization_id": organization_id or None,
        "assistant_id": assistant_id or None,
        "workflow_id": workflow_id or None,
        "visible_in_ui": visible_in_ui is not False,
        "is_pinned": is_pinned,
        "deleted": None if include_deleted else False,
    }
    mine = [
        thread
        for thread in [*state.threads.values(), *state.deleted.values()]
        if thread["user_id"] == me.id and all(value in (None, thread[name]) for name, value in wanted.items())
    ]
    mine.sort(key=lambda thread: (thread["last_message_at"], thread["created_at"]), reverse=order == "desc")
    pinned = sorted((t for t in mine if t["is_pinned"]), key=lambda t: t["pinned_at"], reverse=True)
    listed = [*pinned, *(t for t in mine if not t["is_pinned"])]
    found, more = part(listed, limit, after, before)
    total = len(mine) if include_total else None
    return {**as_page([as_body(state, t) for t in found], more), "limit": limit, "total": total}


@router.delete("")
async def delete_all(state: Now, me: Me, organization_id: str | None = None) -> Record:
    """Deletes the caller's threads."""
    if organization_id is not None:
        member(me, organization_id)
    mine = [t["id"] for t in state.threads.values() if t["user_id"] == me.id]
    for thread_id in mine:
        delete(state, thread_id)
    return {"deleted": len(mine), "message": f"Deleted {len(mine)} threads"}


def delete(state: State, thread_id: str) -> None:
    """Delete a thread softly; its links go with it."""
    state.deleted[thread_id] = {**state.threads.pop(thread_id), "deleted": True}
    for threads in state.links.values():
        threads.pop(thread_id, None)


def in_organization(state: State, me: User, organization_id: str | None) -> list[Record]:
    """The caller's threads of one organization or all."""
    if organization_id:
        member(me, organization_id)
    mine = [thread for thread in state.threads.values() if thread["user_id"] == me.id]
    return [thread for thread in mine if organization_id in (None, "", thread["organization_id"])]


@router.get("/unread")
async def unread(state: Now, me: Me, organization_id: str | None = None) -> Record:
    """Threads with an answer behind the last message that was read."""
    ids = [
        thread["id"]
        for thread in in_organization(state, me, organization_id)
        if any(m["role"] == "assistant" for m in state.messages[thread["id"]][state.read[thread["id"]] :])
    ]
    return {"unread_count": len(ids), "unread_thread_ids": sorted(ids)}


@router.get("/changes")
async def changes(since: datetime, state: Now, me: Me, organization_id: str | None = None) -> Record:
    """Threads that have changed, the first change first."""
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    found = [
        thread
        for thread in in_organization(state, me, organization_id)
        if datetime.fromisoformat(thread["updated_at"]) >= since
    ]
    found.sort(key=lambda thread: thread["updated_at"])
    threads = [as_body(state, thread) for thread in found]
    return {"threads": threads, "total": len(threads), "since": since.isoformat()}


@router.post("/{thread_id}/read")
async def read(thread_id: str, state: Now, me: Me) -> Record:
    """Marks the messages that are there as read."""
    thread_of(state, me, thread_id)
    state.read[thread_id] = len(state.messages[thread_id])
    return {"success": True}


@router.get("/{thread_id}")
async def get_thread(thread_id: str, state: Now, me: Me) -> Record:
    """One thread."""
    return as_body(state, thread_of(state, me, thread_id))


@router.patch("/{thread_id}")
async def update_thread(thread_id: str, body: ThreadChange, state: Now, me: Me) -> Record:
    """Changes what is sent; metadata is merged."""
    thread = thread_of(state, me, thread_id)
    changes = body.model_dump(exclude_unset=True)
    if "metadata" in changes:
        changes["metadata"] = merged(thread["metadata"], changes["metadata"])
    if changes.get("visible_in_ui", True) is None:
        del changes["visible_in_ui"]
    thread.update(changes, updated_at=state.now())
    return as_body(state, thread)


def merged(old: Record | None, new: Record | None) -> Record:
    """Metadata after a change; 422 above sixteen pairs."""
    whole = {} if new is None else {**(old or {}), **new}
    if len(whole) > 16:
        raise wrong((("body", "metadata"), "more than 16 pairs"))
    return whole


@router.delete("/{thread_id}", status_code=204)
async def delete_thread(thread_id: str, state: Now, me: Me) -> None:
    """Deletes a thread."""
    thread_of(state, me, thread_id)
    delete(state, thread_id)


@router.post("/{thread_id}/pin")
async def pin(thread_id: str, state: Now, me: Me) -> Record:
    """Pins, twenty threads at most."""
    thread = thread_of(state, me, thread_id)
    pinned = [t for t in state.threads.values() if t["user_id"] == me.id and t["is_pinned"]]
    if not thread["is_pinned"] and len(pinned) >= 20:
        raise wrong((("path", "thread_id"), "twenty threads are pinned"))
    thread.update(is_pinned=True, pinned_at=state.now())
    what = {"id": thread_id, "is_pinned": True, "pinned_at": thread["pinned_at"]}
    return {**what, "message": "Thread pinned successfully"}


@router.post("/{thread_id}/unpin")
async def unpin(thread_id: str, state: Now, me: Me) -> Record:
    """Takes the pin off."""
    thread_of(state, me, thread_id).update(is_pinned=False, pinned_at=None)
    what = {"id": thread_id, "is_pinned": False, "pinned_at": None}
    return {**what, "message": "Thread unpinned successfully"}


@router.post("/{thread_id}/generateName")
async def generate_name(
    thread_id: str, state: Now, me: Me, body: ForName | None = None, stream: bool = False
) -> Record:
    """Names a thread after its last message."""
    thread = thread_of(state, me, thread_id)
    sent = [turn.content for turn in (body.messages or ()) if body] if body else []
    texts = sent or [message["content"] for message in state.messages[thread_id]]
    title = " ".join((texts or [""])[-1].split()[:3])[:40] or "A talk"
    thread.update(title=title, updated_at=state.now())
    return {"id": thread_id, "title": title, "updated_at": thread["updated_at"]}
