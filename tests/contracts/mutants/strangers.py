"""Threads that are added to a space although they must not be."""

from __future__ import annotations

from mockserver.freddy.access import Access
from mockserver.freddy.lookup import Call, space_for
from mockserver.freddy.shared_memory import add_thread
from mockserver.http.calls import Reply
from mockserver.http.problems import NotFound
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant


@mutant(assumed=True)
def unknown_thread_is_added(bench: Bench) -> None:
    """Adding a thread that does not exist is 201."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        try:
            return handler(call, sandbox)
        except NotFound as problem:
            if "thread_id" not in problem.details:
                raise
            body = {"success": True, "message": "Thread added to space", **call.path}
            return Reply(201, {**body, "added_at": sandbox.now()})

    bench.around("addThreadToSpace", wrap)


@mutant(assumed=True)
def thread_of_another_organization_is_added(bench: Bench) -> None:
    """A thread of another organization may be added."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        thread = sandbox.threads.get(call.path["thread_id"])
        if thread is not None and thread["organization_id"] == "org_other":
            space = space_for(Access.EDIT, call, sandbox)
            link = add_thread(space["id"], thread["id"], sandbox)
            return Reply(201, {"success": True, "message": "Thread added to space", **link})
        return handler(call, sandbox)

    bench.around("addThreadToSpace", wrap)
