"""Handlers of the control API by operationId."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.admin import (
    clock,
    coverage,
    docs_page,
    embeddings,
    events,
    faults,
    replies,
    requests,
    sandboxes,
    state,
    verify,
)
from mockserver.admin.paging import ControlContext
from mockserver.http.calls import Handler, Reply, handlers_in

HANDLERS = handlers_in(
    sandboxes, state, clock, faults, embeddings, replies, requests, verify, coverage, events, docs_page
)


def admin_handlers(context: ControlContext) -> dict[str, Handler]:
    """Handlers by operationId, bound to this mock."""

    def bound(function: Callable[..., Reply]) -> Handler:
        return lambda call, sandbox: function(call, sandbox, context)

    return {operation: bound(function) for operation, function in HANDLERS.items()}
