"""Threads: create, list, read, change, pin, delete; for their creator only (A36)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.freddy.access import require_member
from mockserver.freddy.anchor_paging import Listing, anchors_of, list_body
from mockserver.freddy.lookup import Call, merged_metadata, own_thread, without_nulls
from mockserver.freddy.shared_memory import remove_thread, spaces_of
from mockserver.freddy.stream_events import with_status
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox import records
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.records import public_fields
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.sorted_keys import Key

PINNED_FIRST = (True, False)
PIN_FIELDS = ("id", "is_pinned", "pinned_at")
MOST_PINNED = 20
"""Most pinned threads of a user in one organization (A78)."""
INCOGNITO = 24 * 3600 * 1_000_000
"""Microseconds after which a thread in incognito mode is to be deleted (A123)."""
FILTERS = ("organization_id", "assistant_id", "workflow_id", "is_pinned")


@handles("createThread")
def create_thread(call: Call, sandbox: Sandbox) -> Reply:
    """Create an empty thread of the caller."""
    body = without_nulls(call.body, "visible_in_ui")
    require_member(body["organization_id"], call)
    thread = new_thread(call.caller, sandbox=sandbox, **body)
    return Reply(201, thread_body(thread, sandbox))


def new_thread(caller: Caller, organization_id: str, sandbox: Sandbox, **fields: Any) -> Record:
    """Store an empty thread of the caller (A42)."""
    if fields.get("is_incognito"):
        fields["expected_deletion_at"] = sandbox.text(sandbox.instant() + INCOGNITO)
    if sandbox.follows("A42"):
        fields.setdefault("metadata", None)
    thread = records.thread(
        sandbox.ids.new("thrd"),
        organization_id=organization_id,
        user_id=caller.user_id,
        created_at=sandbox.now(),
        **fields,
    )
    sandbox.threads.put(thread["id"], thread)
    return thread


@handles("listThreads")
def list_threads(call: Call, sandbox: Sandbox) -> Reply:
    """Threads of the caller: pinned ones, the last pinned first, then others by activity (A43, A60)."""
    query = call.query
    if query["organization_id"] is not None:
        require_member(query["organization_id"], call)
    tables = (sandbox.threads, sandbox.deleted_threads)
    anchors = anchors_of(
        call,
        tables,
        "user",
        lambda t: PINNED_FIRST.index(t["is_pinned"]) if t["user_id"] == call.caller.user_id else None,
        "is not a thread of yours",
    )

    def is_wanted(key: Key) -> bool:
        thread = _thread(key[-1], sandbox)
        if thread["visible_in_ui"] != (query["visible_in_ui"] is not False):
            return False
        title = query.get("search") or ""  # a parameter of newer revisions
        if title.casefold() not in (thread["title"] or "").casefold():
            return False
        return all(query[field] in (None, thread.get(field)) for field in FILTERS)

    listed = tables if query["include_deleted"] else tables[:1]
    listing = Listing(
        [[table.keys("user", (call.caller.user_id, pinned)) for table in listed] for pinned in PINNED_FIRST],
        descending=(True, query["order"] == "desc"),
    )
    found, has_more = listing.window(query["limit"], *anchors, is_wanted)
    data = [thread_body(_thread(key[-1], sandbox), sandbox) for key in found]
    total = sum(map(is_wanted, listing.forward())) if query["include_total"] else None
    return Reply(200, {**list_body(data, has_more), "limit": query["limit"], "total": total})


@handles("getThread")
def get_thread(call: Call, sandbox: Sandbox) -> Reply:
    """Return one thread of the caller."""
    return Reply(200, thread_body(own_thread(call, sandbox), sandbox))


@handles("updateThread")
def update_thread(call: Call, sandbox: Sandbox) -> Reply:
    """Change the fields sent; metadata is merged, null clears it."""
    thread = own_thread(call, sandbox)
    changes = without_nulls(call.body, "visible_in_ui")
    if changes:
        metadata = merged_metadata(thread, changes, cleared={} if sandbox.follows("A61") else None)
        thread = {**thread, **changes, "metadata": metadata, "updated_at": sandbox.now()}
        sandbox.threads.put(thread["id"], thread)
    return Reply(200, thread_body(thread, sandbox))


@handles("deleteThread")
def delete_thread(call: Call, sandbox: Sandbox) -> Reply:
    """Delete a thread, and remove it from every space (A14, A40)."""
    _delete(own_thread(call, sandbox)["id"], sandbox)
    return Reply(204)


@handles("deleteAllThreads")
def delete_all_threads(call: Call, sandbox: Sandbox) -> Reply:
    """Delete every thread of the caller, hidden ones too, or those of one organization (A84)."""
    organization_id = call.query["organization_id"]
    if organization_id is not None:
        require_member(organization_id, call)
    ids = [
        thread_id
        for thread_id in thread_ids_of(call.caller, sandbox)
        if organization_id in (None, sandbox.threads.record(thread_id)["organization_id"])
    ]
    for thread_id in ids:
        _delete(thread_id, sandbox)
    return Reply(200, {"deleted": len(ids), "message": f"Successfully deleted {len(ids)} thread(s)"})


def thread_ids_of(caller: Caller, sandbox: Sandbox) -> Iterator[str]:
    """Ids of all threads of the caller, pinned ones first."""
    for pinned in PINNED_FIRST:
        yield from sandbox.threads.ids("user", (caller.user_id, pinned))


def _delete(thread_id: str, sandbox: Sandbox) -> None:
    for space_id in spaces_of(thread_id, sandbox):
        remove_thread(space_id, thread_id, sandbox)
    sandbox.threads.move(thread_id, sandbox.deleted_threads)
    sandbox.streams.remove(thread_id)


@handles("pinThread")
def pin_thread(call: Call, sandbox: Sandbox) -> Reply:
    """Pin a thread of the caller; no effect on a pinned one (A78)."""
    thread = own_thread(call, sandbox)
    if not thread["is_pinned"]:
        pinned = sandbox.threads.records(sandbox.threads.ids("user", (thread["user_id"], True)))
        if sum(each["organization_id"] == thread["organization_id"] for each in pinned) >= MOST_PINNED:
            text = f"can't be pinned: {MOST_PINNED} threads are pinned, the most there may be"
            raise Invalid([FieldError("path", "thread_id", text)])
        last = max((each.get("pin_order", 0) for each in pinned), default=0)
        thread = {**thread, "is_pinned": True, "pinned_at": sandbox.now(), "pin_order": last + 1}
        sandbox.threads.put(thread["id"], thread)
    return _pin_reply(thread, "Thread pinned successfully")


@handles("unpinThread")
def unpin_thread(call: Call, sandbox: Sandbox) -> Reply:
    """Unpin a thread of the caller; no effect on one that is not pinned (A78)."""
    thread = own_thread(call, sandbox)
    if thread["is_pinned"]:
        thread = {**thread, "is_pinned": False, "pinned_at": None, "pin_order": 0}
        sandbox.threads.put(thread["id"], thread)
    return _pin_reply(thread, "Thread unpinned successfully")


def _pin_reply(thread: Record, message: str) -> Reply:
    return Reply(200, {**{field: thread[field] for field in PIN_FIELDS}, "message": message})


def thread_body(thread: Record, sandbox: Sandbox) -> Record:
    """Thread as the thread operations return it, with its spaces (A29)."""
    thread = with_status(public_fields(thread, "thread"), sandbox)
    return {**thread, "space_ids": spaces_of(thread["id"], sandbox)}


def _thread(thread_id: str, sandbox: Sandbox) -> Record:
    thread = sandbox.threads.get(thread_id) or sandbox.deleted_threads.get(thread_id)
    assert thread is not None
    return thread
