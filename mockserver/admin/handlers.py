"""Every operation of the control API: one function for each operationId of admin.yaml."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.admin import (
    clock,
    conversation,
    coverage,
    embeddings,
    events,
    faults,
    health,
    leash,
    requests,
    sandboxes,
    state,
    verify,
    viewer,
)
from mockserver.admin.registry import Mock
from mockserver.engine.calls import Handler, Reply, handlers_in

MODULES = (
    health,
    sandboxes,
    state,
    clock,
    faults,
    embeddings,
    leash,
    conversation,
    requests,
    verify,
    coverage,
    events,
    viewer,
)


def admin_handlers(mock: Mock) -> dict[str, Handler]:
    """operationId -> what answers it for this mock."""
    return {operation: _of(function, mock) for operation, function in handlers_in(*MODULES).items()}


def _of(function: Callable[..., Reply], mock: Mock) -> Handler:
    return lambda call, sandbox: function(call, sandbox, mock)
