"""Messages and replies that a tester adds, beyond the vendor's API."""

from __future__ import annotations

from mockserver.admin.paging import Call, ControlContext
from mockserver.freddy.shared_memory import Draft, append
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Conflict, NotFound
from mockserver.sandbox.sandbox import Sandbox

MOST_QUEUED = 1000
"""Most replies in the queue of a sandbox."""


@handles("addThreadMessage")
def add_thread_message(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Store and queue a message of any role."""
    thread_id = call.path["thread_id"]
    thread = sandbox.threads.get(thread_id)
    if thread is None:
        raise NotFound("Thread not found", reason=f"thread {thread_id!r} does not exist")
    draft = Draft(call.body["role"], call.body["content"], call.body.get("metadata"))
    return Reply(201, append(thread, [draft], sandbox)[0])


@handles("listReplies")
def list_replies(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Queued replies that are left."""
    return Reply(200, {"replies": list(sandbox.replies)})


@handles("queueReply")
def queue_reply(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Queue a reply for createResponse; Conflict if the queue is full."""
    if len(sandbox.replies) >= MOST_QUEUED:
        clear = "use some up, or clear the queue with DELETE /__admin/replies"
        raise Conflict("The queue is full", reason=f"{MOST_QUEUED} replies are queued, the limit: {clear}")
    queued = {"id": sandbox.ids.new("reply"), **call.body}
    sandbox.replies.put(queued["id"], queued)
    return Reply(201, queued)


@handles("clearReplies")
def clear_replies(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Remove all queued replies."""
    for queued in list(sandbox.replies):
        sandbox.replies.remove(queued["id"])
    return Reply(204)
