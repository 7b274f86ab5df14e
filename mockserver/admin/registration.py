"""Every operation of the control API: one function for each operationId of admin.yaml."""

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
from mockserver.admin.paging import Mock
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


def admin_handlers(mock: Mock) -> dict[str, Handler]:
    """operationId -> what answers it for this mock."""
    return {operation: _of(function, mock) for operation, function in handlers_in(*MODULES).items()}


def _of(function: Callable[..., Reply], mock: Mock) -> Handler:
    return lambda call, sandbox: function(call, sandbox, mock)
