"""One function for each operationId of admin.yaml."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver import __version__
from mockserver.admin import conversation, embeddings, sandboxes, state
from mockserver.admin.registry import Call
from mockserver.engine.calls import Handlers, Reply
from mockserver.engine.problems import Flaw, Invalid
from mockserver.sandbox.clock import as_text, duration, instant
from mockserver.sandbox.sandbox import Sandbox
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.sandbox.state_file import States

MOST_DUE = 100
"""Ended attempts that a moved clock tells one by one."""


def admin_handlers(served: Mapping[str, str], house: Sandboxes, states: States) -> Handlers[None, Sandbox]:
    """The handlers; `served` is title, version and sha256 of the spec, `house` all that they steer."""
    handlers: Handlers[None, Sandbox] = Handlers()

    @handlers.handles("health")
    def health(call: Call, sandbox: Sandbox) -> Reply:
        return Reply(200, {"status": "ok", "version": __version__, "spec": served})

    @handlers.handles("ready")
    def ready(call: Call, sandbox: Sandbox) -> Reply:
        return Reply(200, {"status": "ready", "scenario": house.start.world.name})

    handlers.handles("seed")(state.seed)
    sandboxes.register(handlers, house)
    state.register(handlers, house)
    state.register_documents(handlers, states)
    handlers.handles("getClock")(get_clock)
    handlers.handles("setClock")(set_clock)
    handlers.handles("listEmbeddings")(embeddings.list_embeddings)
    handlers.handles("drainEmbeddings")(embeddings.drain_embeddings)
    handlers.handles("addThreadMessage")(conversation.add_thread_message)
    handlers.handles("listReplies")(conversation.list_replies)
    handlers.handles("queueReply")(conversation.queue_reply)
    handlers.handles("clearReplies")(conversation.clear_replies)
    return handlers


def get_clock(call: Call, sandbox: Sandbox) -> Reply:
    """What time it is here; with its fraction, unlike in the vendor's answers."""
    return Reply(200, {"now": as_text(sandbox.clock.now()), "frozen": sandbox.clock.is_frozen})


def set_clock(call: Call, sandbox: Sandbox) -> Reply:
    """Freeze, advance or resume: the spec lets through exactly one. Tells what fell due on the way."""
    before = sandbox.clock.now()
    ((change, value),) = call.body.items()
    try:
        match change:
            case "freeze":
                sandbox.clock.freeze(instant(value))
            case "advance":
                sandbox.clock.advance(duration(value))
            case _:
                sandbox.clock.resume()
    except ValueError as error:
        raise Invalid([Flaw("body", change, str(error))]) from error
    # A clock that was put back passed nothing.
    totals, first = sandbox.embeddings.due(before, max(before, sandbox.clock.now()), MOST_DUE)
    due = {**totals, "first": [embeddings.shown_due(one) for one in first]}
    now = as_text(sandbox.clock.now())
    return Reply(200, {"now": now, "frozen": sandbox.clock.is_frozen, "due": due})
