"""Unread and changed threads of the caller, for a list of threads that keeps itself up to date."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.freddy.access import require_member
from mockserver.freddy.lookup import Call, own_thread
from mockserver.freddy.threads import PINNED_FIRST, thread_body
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.clock import instant
from mockserver.sandbox.sandbox import Record, Sandbox


@handles("getUnreadThreads")
def get_unread_threads(call: Call, sandbox: Sandbox) -> Reply:
    """Threads with an answer after the last one that was there when the caller marked the thread as read."""
    unread = [thread["id"] for thread in _threads(call, sandbox) if is_unread(thread, sandbox)]
    return Reply(200, {"unread_count": len(unread), "unread_thread_ids": unread})


@handles("markThreadRead")
def mark_thread_read(call: Call, sandbox: Sandbox) -> Reply:
    """Mark every message of a thread as read (A115)."""
    thread = own_thread(call, sandbox)
    last = next(sandbox.messages.keys("thread", thread["id"]).before(None), None)
    if last is not None:
        sandbox.threads.put(thread["id"], {**thread, "last_read": last[0]})
    return Reply(200, {"success": True})


@handles("getThreadChanges")
def get_thread_changes(call: Call, sandbox: Sandbox) -> Reply:
    """Threads created or changed after `since`, the last change first (A116)."""
    try:
        since = instant(call.query["since"])
    except ValueError as error:
        raise Invalid([FieldError("query", "since", str(error))]) from error
    changed = [thread for thread in _threads(call, sandbox) if instant(thread["updated_at"]) > since]
    changed.sort(key=lambda thread: (thread["updated_at"], thread["id"]), reverse=True)
    found = [thread_body(thread, sandbox) for thread in changed]
    return Reply(200, {"threads": found, "total": len(found), "since": call.query["since"]})


def _threads(call: Call, sandbox: Sandbox) -> Iterator[Record]:
    """Threads of the caller in one organization or all, as listThreads orders them."""
    organization_id = call.query["organization_id"]
    if organization_id is not None:
        require_member(organization_id, call)
    for pinned in PINNED_FIRST:
        for key in sandbox.threads.keys("user", (call.caller.user_id, pinned)).before(None):
            thread = sandbox.threads.record(key[-1])
            if organization_id in (None, thread["organization_id"]) and thread["visible_in_ui"]:
                yield thread


def is_unread(thread: Record, sandbox: Sandbox) -> bool:
    """Whether the assistant has said anything since the last message that was read."""
    last_read = thread.get("last_read", 0)
    for sequence, message_id in sandbox.messages.keys("thread", thread["id"]).before(None):
        if sequence <= last_read:
            return False
        if sandbox.messages.record(message_id)["role"] == "assistant":
            return True
    return False
