"""Handlers of the control API by operationId."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.admin import (
    clock,
    coverage,
    docs_page,
    embedding_control,
    embeddings,
    events,
    faults,
    health,
    replies,
    requests,
    sandboxes,
    state,
    verify,
)
from mockserver.admin.paging import ControlContext
from mockserver.http.calls import Handler, Reply, handlers_in

MODULES = (
    health,
    sandboxes,
    state,
    clock,
    faults,
    embeddings,
    embedding_control,
    replies,
    requests,
    verify,
    coverage,
    events,
    docs_page,
)


def admin_handlers(context: ControlContext) -> dict[str, Handler]:
    """Handlers by operationId, bound to this mock."""
    return {operation: _of(function, context) for operation, function in handlers_in(*MODULES).items()}


def _of(function: Callable[..., Reply], context: ControlContext) -> Handler:
    return lambda call, sandbox: function(call, sandbox, context)
