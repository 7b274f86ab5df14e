"""Vector stores of a space, wrongly."""

from __future__ import annotations

from typing import Any

from mockserver.freddy import space_vector_stores
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant


@mutant()
def attached_store_is_not_stored(bench: Bench) -> None:
    """Attaching a store answers 201 and stores nothing."""
    bench.without_effect("addVectorStoreToSpace")


@mutant()
def detached_store_stays(bench: Bench) -> None:
    """Detaching a store answers 204 and changes nothing."""
    bench.around("removeVectorStoreFromSpace", lambda *_: Reply(204))


@mutant()
def attached_stores_are_not_shown_with_the_space(bench: Bench) -> None:
    """A space never names its attached stores."""
    bench.shown_space(lambda space: space.update(additional_vector_store_ids=[]))


@mutant()
def one_store_for_all_spaces(bench: Bench) -> None:
    """Every space says that the same store is its own."""
    bench.shown_space(lambda space: space.update(vector_store_id="vs_" + "0" * 32))


@mutant()
def detaching_deletes_the_store(bench: Bench) -> None:
    """Detaching a store deletes it."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        sandbox.vector_stores.remove(call.path["vector_store_id"])
        return reply

    bench.around("removeVectorStoreFromSpace", wrap)


@mutant(assumed=True)
def own_store_can_be_attached(bench: Bench) -> None:
    """A space's own store may be attached."""
    bench.replace([space_vector_stores], "require_attachable", lambda *_: None)


@mutant(assumed=True)
def unknown_store_is_attached(bench: Bench) -> None:
    """Attaching a store that does not exist is 201."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if call.path["vector_store_id"] in sandbox.vector_stores:
            return handler(call, sandbox)
        body = {"success": True, "message": "Vector store added to space", **call.path}
        return Reply(201, {**body, "added_at": sandbox.now()})

    bench.around("addVectorStoreToSpace", wrap)


@mutant(assumed=True)
def attaching_twice_lists_twice(bench: Bench) -> None:
    """A store that is attached twice is listed twice."""
    twice: set[Any] = set()

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        link = call.path["space_id"], call.path["vector_store_id"]
        if link in sandbox.space_vector_stores:
            twice.add(link)
        return handler(call, sandbox)

    def listed(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        found = handler(call, sandbox).body["vector_stores"]
        again = [s for s in found if (call.path["space_id"], s["vector_store_id"]) in twice]
        return Reply(200, {"vector_stores": [*found, *again]})

    bench.around("addVectorStoreToSpace", wrap)
    bench.around("listSpaceVectorStores", listed)


@mutant(assumed=True)
def own_store_is_not_made(bench: Bench) -> None:
    """A new space names a store that does not exist."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        sandbox.vector_stores.remove(reply.body["vector_store_id"])
        return reply

    bench.around("createSpace", wrap)
