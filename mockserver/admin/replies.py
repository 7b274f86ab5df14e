"""Messages and answers that the vendor's API can't order."""

from __future__ import annotations

from mockserver.admin.paging import Call, Mock
from mockserver.freddy.shared_memory import Draft, append
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import NotFound
from mockserver.sandbox.sandbox import Sandbox


@handles("addThreadMessage")
def add_thread_message(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """A message of any role, stored and queued like any other."""
    thread_id = call.path["thread_id"]
    thread = sandbox.threads.get(thread_id)
    if thread is None:
        raise NotFound("Thread not found", reason=f"thread {thread_id!r} does not exist")
    draft = Draft(call.body["role"], call.body["content"], call.body.get("metadata"))
    return Reply(201, append(thread, [draft], sandbox)[0])


@handles("listReplies")
def list_replies(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """The orders that are left."""
    return Reply(200, {"replies": list(sandbox.replies)})


@handles("queueReply")
def queue_reply(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """Order an answer of createResponse."""
    order = {"id": sandbox.ids.new("reply"), **call.body}
    sandbox.replies.put(order["id"], order)
    return Reply(201, order)


@handles("clearReplies")
def clear_replies(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """Forget all orders."""
    for order in list(sandbox.replies):
        sandbox.replies.remove(order["id"])
    return Reply(204)
