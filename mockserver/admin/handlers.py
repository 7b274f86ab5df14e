"""One function for each operationId of admin.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver import __version__
from mockserver.admin import (
    conversation,
    embeddings,
    events,
    faults,
    leash,
    requests,
    sandboxes,
    state,
    verify,
    viewer,
)
from mockserver.admin.coverage import Coverage, documented
from mockserver.admin.registry import Call
from mockserver.engine.calls import Handlers, Reply
from mockserver.engine.problems import Flaw, Invalid
from mockserver.sandbox.clock import as_text, duration, instant
from mockserver.sandbox.sandbox import Sandbox
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.sandbox.state_file import States

MOST_DUE = 100
"""Ended attempts that a moved clock tells one by one."""


def admin_handlers(
    served: Mapping[str, str],
    house: Sandboxes,
    states: States,
    document: Mapping[str, Any],
    own: Mapping[str, Any],
) -> Handlers[None, Sandbox]:
    """The handlers; `served` is title, version and sha256 of the spec, `house` all that they steer.

    `document` is that spec, `own` the one of the control API.
    """
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
    handlers.handles("listFaults")(faults.list_faults)
    handlers.handles("addFault")(faults.add_fault)
    handlers.handles("clearFaults")(faults.clear_faults)
    handlers.handles("getFault")(faults.get_fault)
    handlers.handles("changeFault")(faults.change_fault)
    handlers.handles("removeFault")(faults.remove_fault)
    handlers.handles("getRateLimit")(faults.get_rate_limit)
    handlers.handles("setRateLimit")(faults.set_rate_limit)
    handlers.handles("listEmbeddings")(embeddings.list_embeddings)
    handlers.handles("drainEmbeddings")(embeddings.drain_embeddings)
    handlers.handles("getEmbeddingPolicy")(leash.get_policy)
    handlers.handles("putEmbeddingPolicy")(leash.put_policy)
    handlers.handles("stepEmbeddings")(leash.step)
    handlers.handles("failEmbedding")(leash.fail_job)
    handlers.handles("completeEmbedding")(leash.complete_job)
    handlers.handles("retryEmbedding")(leash.retry_job)
    handlers.handles("addThreadMessage")(conversation.add_thread_message)
    handlers.handles("listReplies")(conversation.list_replies)
    handlers.handles("queueReply")(conversation.queue_reply)
    handlers.handles("clearReplies")(conversation.clear_replies)
    handlers.handles("listRequests")(requests.list_requests)
    handlers.handles("clearRequests")(requests.clear_requests)
    handlers.handles("countRequests")(requests.count_requests)
    handlers.handles("findRequests")(requests.find_requests)
    handlers.handles("waitForRequests")(requests.wait_for_requests)
    handlers.handles("getRequest")(requests.get_request)
    handlers.handles("verify")(verify.verify)
    handlers.handles("listViolations")(requests.list_violations)
    handlers.handles("getCoverage")(Coverage(documented(document)).get_coverage)
    handlers.handles("streamEvents")(events.stream_events)
    viewer.add_viewer(handlers, {"openapi.json": document, "admin.json": own})
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
    totals, first = sandbox.embeddings.ended(before, max(before, sandbox.clock.now()), MOST_DUE)
    due = {**totals, "first": [embeddings.shown_attempt(one) for one in first]}
    now = as_text(sandbox.clock.now())
    return Reply(200, {"now": now, "frozen": sandbox.clock.is_frozen, "due": due})
