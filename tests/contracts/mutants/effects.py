"""Calls that do not do what they say, or do more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mockserver.freddy import HANDLERS, spaces, threads
from mockserver.freddy.lookup import Call
from mockserver.freddy.shared_memory import remove_thread
from mockserver.http.calls import Reply
from mockserver.http.problems import Invalid, NotFound
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, add, mutant


def _not_stored(operation: str) -> Callable[[Bench], None]:
    """The operation answers as always, and changes nothing."""
    return lambda bench: bench.without_effect(operation)


for _operation in (
    "createSpace",
    "updateSpace",
    "deleteSpace",
    "addThreadToSpace",
    "removeThreadFromSpace",
    "createThread",
    "updateThread",
    "deleteThread",
    "pinThread",
    "unpinThread",
    "generateThreadName",
):
    add(
        f"not-stored-{_operation}", f"{_operation} answers well and changes nothing.", _not_stored(_operation)
    )


@mutant(assumed=True)
def adding_twice_is_a_conflict(bench: Bench) -> None:
    """Adding a thread again is refused."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if (call.path["space_id"], call.path["thread_id"]) in sandbox.space_threads:
            raise Invalid([FieldError("path", "thread_id", "is in the space already")])
        return handler(call, sandbox)

    bench.around("addThreadToSpace", wrap)


@mutant(assumed=True)
def adding_twice_moves_added_at(bench: Bench) -> None:
    """Adding a thread again gives it a new added_at."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        again = (call.path["space_id"], call.path["thread_id"]) in sandbox.space_threads
        body = handler(call, sandbox).body
        return Reply(201, {**body, "added_at": "2030-01-01T00:00:00Z"} if again else body)

    bench.around("addThreadToSpace", wrap)


def doubling(bench: Bench, twice: set[Any]) -> None:
    """List the threads of these links twice."""

    def listed(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        again = [t for t in reply.body["data"] if (call.path["space_id"], t["id"]) in twice]
        return Reply(200, {**reply.body, "data": [*reply.body["data"], *again]})

    bench.around("listSpaceThreads", listed)


@mutant(assumed=True)
def adding_twice_lists_twice(bench: Bench) -> None:
    """A thread that is added twice is listed twice."""
    twice: set[Any] = set()

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        link = call.path["space_id"], call.path["thread_id"]
        if link in sandbox.space_threads:
            twice.add(link)
        return handler(call, sandbox)

    bench.around("addThreadToSpace", wrap)
    doubling(bench, twice)


@mutant()
def adding_moves_the_thread(bench: Bench) -> None:
    """Adding a thread takes it out of every other space."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        for space_id, thread_id in list(sandbox.space_threads.ids("thread", call.path["thread_id"])):
            if space_id != call.path["space_id"]:
                remove_thread(space_id, thread_id, sandbox)
        return handler(call, sandbox)

    bench.around("addThreadToSpace", wrap)


@mutant()
def removal_from_every_space(bench: Bench) -> None:
    """Removing a thread takes it out of every space."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        for space_id, thread_id in list(sandbox.space_threads.ids("thread", call.path["thread_id"])):
            remove_thread(space_id, thread_id, sandbox)
        return reply

    bench.around("removeThreadFromSpace", wrap)


@mutant()
def removal_deletes_the_thread(bench: Bench) -> None:
    """Removing a thread from a space deletes it."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        if not list(sandbox.space_threads.ids("thread", call.path["thread_id"])):
            sandbox.threads.move(call.path["thread_id"], sandbox.deleted_threads)
        return reply

    bench.around("removeThreadFromSpace", wrap)


@mutant(assumed=True)
def removing_what_is_not_there_is_fine(bench: Bench) -> None:
    """Removing a thread that is not in the space is 204."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        try:
            return handler(call, sandbox)
        except NotFound as problem:
            if "thread_id" not in problem.details:
                raise
            return Reply(204)

    bench.around("removeThreadFromSpace", wrap)


@mutant()
def deleted_space_is_still_listed(bench: Bench) -> None:
    """A deleted space is 404, and still in the list."""
    gone: list[Any] = []

    def deleted(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        space = sandbox.spaces.get(call.path["space_id"])
        reply = handler(call, sandbox)
        gone.append(spaces.space_body(space, sandbox) if space else None)
        return reply

    bench.around("deleteSpace", deleted)
    bench.body(
        "listSpaces", lambda body: body["spaces"].extend(filter(None, gone)) if not body["has_more"] else 0
    )


@mutant()
def deleted_space_lists_its_threads(bench: Bench) -> None:
    """The threads of a deleted space can still be listed: none."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if call.path["space_id"] in gone:
            return Reply(200, {"object": "list", "data": [], "has_more": False, "next_cursor": None})
        return handler(call, sandbox)

    def deleted(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        gone.add(call.path["space_id"])
        return reply

    gone: set[str] = set()
    bench.around("listSpaceThreads", wrap)
    bench.around("deleteSpace", deleted)


@mutant()
def deleting_a_space_deletes_its_threads(bench: Bench) -> None:
    """With a space its threads are deleted."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        inside = [thread for _, thread in sandbox.space_threads.ids("space", call.path["space_id"])]
        reply = handler(call, sandbox)
        for thread in inside:
            HANDLERS["deleteThread"](replace(call, path={"thread_id": thread}), sandbox)
        return reply

    bench.around("deleteSpace", wrap)


@mutant(assumed=True)
def deleted_thread_stays_listed(bench: Bench) -> None:
    """A deleted thread is still in the lists of its spaces."""

    def listed(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        with bench.patch.context() as inner:
            find = sandbox.threads.records
            inner.setattr(
                sandbox.threads, "records", lambda ids: find(i for i in ids if i in sandbox.threads)
            )
            reply = handler(call, sandbox)
        links = sandbox.space_threads.ids("space", call.path["space_id"])
        gone = [t for _, t in links if t in sandbox.deleted_threads]
        return Reply(
            200, {**reply.body, "data": [*reply.body["data"], *sandbox.deleted_threads.records(gone)]}
        )

    bench.replace([threads], "remove_thread", lambda *_: True)
    bench.around("listSpaceThreads", listed)


@mutant()
def deleted_thread_breaks_the_list(bench: Bench) -> None:
    """The link of a deleted thread stays, and its space's list is a 500."""
    bench.replace([threads], "remove_thread", lambda *_: True)


@mutant()
def pins_have_no_limit(bench: Bench) -> None:
    """A user can pin any number of threads."""
    bench.replace([threads], "MOST_PINNED", 1_000_000)
