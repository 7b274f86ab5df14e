"""Handlers of the sandbox's clock."""

from __future__ import annotations

from mockserver.admin.embeddings import attempt_body
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.clock import as_text, duration, instant
from mockserver.sandbox.sandbox import Sandbox

MOST_DUE = 100
"""Most ended attempts listed in the answer."""


@handles("getClock")
def get_clock(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Current time; with a fraction, unlike the vendor's answers."""
    return Reply(200, {"now": as_text(sandbox.clock.now()), "frozen": sandbox.clock.is_frozen})


@handles("setClock")
def set_clock(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Freeze, advance or resume (exactly one, by the document); lists the attempts that ended on the way."""
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
        raise Invalid([FieldError("body", change, str(error))]) from error
    # Setting the clock back ends no attempt.
    totals, first = sandbox.embeddings.ended(before, max(before, sandbox.clock.now()), MOST_DUE)
    due = {**totals, "first": [attempt_body(one) for one in first]}
    now = as_text(sandbox.clock.now())
    return Reply(200, {"now": now, "frozen": sandbox.clock.is_frozen, "due": due})
