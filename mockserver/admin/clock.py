"""The sandbox's clock, seen and set."""

from __future__ import annotations

from mockserver.admin.embeddings import shown_attempt
from mockserver.admin.paging import Call, Mock
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Invalid
from mockserver.openapi.flaw import Flaw
from mockserver.sandbox.clock import as_text, duration, instant
from mockserver.sandbox.sandbox import Sandbox

MOST_DUE = 100
"""Ended attempts that a moved clock tells one by one."""


@handles("getClock")
def get_clock(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """What time it is here; with its fraction, unlike in the vendor's answers."""
    return Reply(200, {"now": as_text(sandbox.clock.now()), "frozen": sandbox.clock.is_frozen})


@handles("setClock")
def set_clock(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
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
    due = {**totals, "first": [shown_attempt(one) for one in first]}
    now = as_text(sandbox.clock.now())
    return Reply(200, {"now": now, "frozen": sandbox.clock.is_frozen, "due": due})
