"""Threads: create, list, read, change, delete. A thread is its creator's alone (A36)."""

from __future__ import annotations

from mockserver.access import require_member
from mockserver.engine.problems import Flaw, Invalid
from mockserver.handlers.lookup import own_thread
from mockserver.handlers.registry import Call, Reply, handles
from mockserver.handlers.spaces import touch
from mockserver.handlers.window import Anchor, Listing
from mockserver.sandbox.ordered import Key
from mockserver.sandbox.sandbox import Record, Sandbox

MOST_METADATA = 16
"""Pairs on one thread, after a merge too (A32)."""
PINNED_FIRST = (True, False)
FILTERS = ("organization_id", "assistant_id", "is_pinned")


@handles("createThread")
def create_thread(call: Call, sandbox: Sandbox) -> Reply:
    """A new, empty thread of the caller."""
    body = call.body
    require_member(body["organization_id"], call.caller)
    now = sandbox.now()
    thread: Record = {
        "id": sandbox.ids.new("thrd"),
        "object": "thread",
        "created_at": now,
        "updated_at": now,
        "last_message_at": now,
        "metadata": body["metadata"],
        "assistant_id": body["assistant_id"],
        "organization_id": body["organization_id"],
        "user_id": call.caller.user_id,
        "title": body["title"],
        "status": "inactive",
        "message_count": 0,
        "visible_in_ui": body["visible_in_ui"],
        "last_model_used": None,
        "is_pinned": False,
        "pinned_at": None,
    }
    sandbox.threads.put(thread["id"], thread)
    return Reply(201, shown(thread, sandbox))


@handles("listThreads")
def list_threads(call: Call, sandbox: Sandbox) -> Reply:
    """The caller's threads by last activity, newest first, pinned ones before the others (A43, A60)."""
    query = call.query
    if query["organization_id"] is not None:
        require_member(query["organization_id"], call.caller)
    named = {side: query[side] for side in ("after", "before") if query[side] is not None}
    anchors = {side: _anchor(thread_id, call, sandbox) for side, thread_id in named.items()}
    if flaws := [
        Flaw("query", side, f"{named[side][:80]!r} is not a thread of yours")
        for side, anchor in anchors.items()
        if anchor is None
    ]:
        raise Invalid(flaws)

    def is_wanted(key: Key) -> bool:
        thread = _thread(key[-1], sandbox)
        if thread["visible_in_ui"] != (query["visible_in_ui"] is not False):
            return False
        return all(query[field] in (None, thread[field]) for field in FILTERS)

    tables = [sandbox.threads, sandbox.deleted_threads] if query["include_deleted"] else [sandbox.threads]
    listing = Listing(
        [[table.keys("user", (call.caller.user_id, pinned)) for table in tables] for pinned in PINNED_FIRST],
        descending=query["order"] == "desc",
    )
    found, has_more = listing.window(query["limit"], anchors.get("after"), anchors.get("before"), is_wanted)
    data = [shown(_thread(key[-1], sandbox), sandbox) for key in found]
    return Reply(
        200,
        {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": has_more,
            "limit": query["limit"],
            "total": sum(map(is_wanted, listing.forward())) if query["include_total"] else None,
        },
    )


@handles("getThread")
def get_thread(call: Call, sandbox: Sandbox) -> Reply:
    """One thread of the caller."""
    return Reply(200, shown(own_thread(call, sandbox), sandbox))


@handles("updateThread")
def update_thread(call: Call, sandbox: Sandbox) -> Reply:
    """Change what was sent; metadata is merged, null clears it."""
    thread = own_thread(call, sandbox)
    if call.body:
        changes = dict(call.body)
        if changes.get("metadata") is not None:
            changes["metadata"] = {**(thread["metadata"] or {}), **changes["metadata"]}
            if len(changes["metadata"]) > MOST_METADATA:
                text = f"would have {len(changes['metadata'])} pairs, {MOST_METADATA} are the most"
                raise Invalid([Flaw("body", "metadata", text)])
        thread = {**thread, **changes, "updated_at": sandbox.now()}
        sandbox.threads.put(thread["id"], thread)
    return Reply(200, shown(thread, sandbox))


@handles("deleteThread")
def delete_thread(call: Call, sandbox: Sandbox) -> Reply:
    """The thread goes, and with it its place in every space (A14, A40)."""
    thread = own_thread(call, sandbox)
    for link in list(sandbox.space_threads.ids("thread", thread["id"])):
        sandbox.space_threads.remove(link)
        space = sandbox.spaces.get(link[0])
        assert space is not None
        touch(space, sandbox)
    sandbox.threads.move(thread["id"], sandbox.deleted_threads)
    return Reply(204)


def shown(thread: Record, sandbox: Sandbox) -> Record:
    """A thread as the threads operations show it: with the spaces it is in (A29)."""
    links = sandbox.space_threads.ids("thread", thread["id"])
    return {**thread, "space_ids": [space_id for space_id, _ in links]}


def _thread(thread_id: str, sandbox: Sandbox) -> Record:
    thread = sandbox.threads.get(thread_id) or sandbox.deleted_threads.get(thread_id)
    assert thread is not None
    return thread


def _anchor(thread_id: str, call: Call, sandbox: Sandbox) -> Anchor | None:
    """Where the caller's thread of this id stands, deleted or not (A32)."""
    for table in (sandbox.threads, sandbox.deleted_threads):
        thread, position = table.get(thread_id), table.position("user", thread_id)
        if thread is not None and position is not None and thread["user_id"] == call.caller.user_id:
            return Anchor(PINNED_FIRST.index(thread["is_pinned"]), position)
    return None
