"""Handlers of the control API by operationId."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.admin import (
    about,
    changes,
    clock,
    control_page,
    coverage,
    docs_page,
    embeddings,
    events,
    faults,
    har,
    records,
    replies,
    requests,
    sandboxes,
    space_access,
    state,
    verify,
)
from mockserver.admin.events import CHANGES, change_text
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Handler, Reply, handlers_in
from mockserver.sandbox.sandbox import Sandbox

_DATA = state, records, changes, space_access, clock, embeddings, replies
_JOURNAL = requests, verify, coverage, events, har
HANDLERS = handlers_in(sandboxes, faults, *_DATA, *_JOURNAL, about, docs_page, control_page)

STATEFUL = frozenset(handlers_in(*_DATA))
"""Operations about clock and data."""


def admin_handlers(context: ControlContext) -> dict[str, Handler]:
    """Handlers by operationId, bound to this mock."""

    def bound(operation: str, function: Callable[..., Reply]) -> Handler:
        def handle(call: Call, sandbox: Sandbox) -> Reply:
            reply = function(call, sandbox, context)
            if operation in CHANGES:
                sandbox.journal.happened(CHANGES[operation], sandbox.instant(), change_text(call))
            return reply

        return handle

    return {operation: bound(operation, function) for operation, function in HANDLERS.items()}
