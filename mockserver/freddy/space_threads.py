"""Threads of a space: list, add, remove."""

from __future__ import annotations

from mockserver.freddy.access import Access
from mockserver.freddy.lookup import Call, backward, no_thread, own_thread, space_for, start_of_page
from mockserver.freddy.shared_memory import add_thread, remove_thread
from mockserver.freddy.stream_events import with_status
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import NotFound, of_status
from mockserver.sandbox.records import public_fields
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.collection import cursor, page


@handles("listSpaceThreads")
def list_space_threads(call: Call, sandbox: Sandbox) -> Reply:
    """Threads of a space, of all owners, in the order in which they were added (A04)."""
    space_id = space_for(Access.VIEW, call, sandbox)["id"]
    limit = call.query["limit"]

    def build_page() -> tuple[list[Record], str | None]:
        keys = sandbox.space_threads.keys("space", space_id)
        start = start_of_page(call, "listSpaceThreads", space_id)
        wanted = backward(keys, start) if sandbox.follows("A04") else keys.after(start)
        found, has_more = page(wanted, limit)
        following = cursor(found[-1][:-1], "listSpaceThreads", space_id) if has_more else None
        threads = sandbox.threads.records([thread_id for _, (_, thread_id) in found])
        return [public_fields(thread, "thread") for thread in threads], following

    data, following = sandbox.space_thread_pages.get((space_id, call.query["cursor"], limit), build_page)
    if len(sandbox.streams):
        data = [with_status(thread, sandbox) for thread in data]
    return Reply(
        200,
        {"object": "list", "data": [*data], "has_more": following is not None, "next_cursor": following},
        stored="data",
    )


@handles("addThreadToSpace")
def add_thread_to_space(call: Call, sandbox: Sandbox) -> Reply:
    """Add a thread of the same organization; repeating it gives the same reply (A01, A26)."""
    space = space_for(Access.EDIT, call, sandbox)
    thread_id = call.path["thread_id"]
    thread = sandbox.threads.get(thread_id)
    if thread is None or thread["organization_id"] != space["organization_id"]:
        raise no_thread(thread_id, sandbox)
    link = sandbox.space_threads.get((space["id"], thread_id))
    if sandbox.follows("A26"):
        own_thread(call, sandbox)
    status, again = 201, None if link is None else sandbox.follows("A01")
    if again == {"status": 409}:
        problem = of_status(409, "Thread already in space", space_id=space["id"], thread_id=thread_id)
        problem.by_profile = True
        raise problem
    if again == {"status": 200}:
        status = 200
    elif again is not None:
        sandbox.space_threads.remove((space["id"], thread_id))
    if link is None or again == "a new added_at":
        link = add_thread(space["id"], thread_id, sandbox)
    return Reply(status, {"success": True, "message": "Thread added to space", **link})


@handles("removeThreadFromSpace")
def remove_thread_from_space(call: Call, sandbox: Sandbox) -> Reply:
    """Remove a thread from the space; the thread itself stays (A03, A31)."""
    space = space_for(Access.EDIT, call, sandbox)
    thread_id = call.path["thread_id"]
    if not remove_thread(space["id"], thread_id, sandbox):
        if thread_id not in sandbox.threads and sandbox.follows("A31"):
            raise no_thread(thread_id, sandbox)
        raise NotFound(
            "Thread not attached to space",
            reason=f"thread {thread_id!r} is not in {space['id']}",
            space_id=space["id"],
            thread_id=thread_id,
        )
    return Reply(204)
