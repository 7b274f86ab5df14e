"""Sandboxes: listed, made, copied, dropped. None of these calls is in a sandbox itself."""

from __future__ import annotations

from mockserver.admin.paging import Call, Mock, after, rest
from mockserver.admin.state import COUNTED, of_scenario
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Invalid
from mockserver.openapi.flaw import Flaw
from mockserver.sandbox.clock import Dial, as_text, instant
from mockserver.sandbox.sandbox import Moment, Record, Sandbox
from mockserver.sandbox.sandboxes import Sandboxes


@handles("listSandboxes")
def list_sandboxes(call: Call, _: Sandbox, mock: Mock) -> Reply:
    """One page, by name."""
    first, limit = after(call), call.query["limit"]
    found = [sandbox for sandbox in mock.sandboxes.listed() if sandbox.name > first]
    shown = [_shown(sandbox, mock.sandboxes) for sandbox in found[:limit]]
    return Reply(200, {"sandboxes": shown, **rest(call, "id", shown, len(found) > limit)})


@handles("createSandbox")
def create_sandbox(call: Call, _: Sandbox, mock: Mock) -> Reply:
    """A new one, from the start or from what the body names."""
    body = call.body or {}
    sandbox = mock.sandboxes.create(body.get("id"), _start(body, mock.sandboxes))
    return Reply(201, _shown(sandbox, mock.sandboxes))


@handles("getSandbox")
def get_sandbox(call: Call, _: Sandbox, mock: Mock) -> Reply:
    """One of them."""
    return Reply(200, _shown(mock.sandboxes.get(call.path["id"]), mock.sandboxes))


@handles("deleteSandbox")
def delete_sandbox(call: Call, _: Sandbox, mock: Mock) -> Reply:
    """One less."""
    mock.sandboxes.drop(call.path["id"])
    return Reply(204)


@handles("forkSandbox")
def fork_sandbox(call: Call, _: Sandbox, mock: Mock) -> Reply:
    """A copy that goes on apart."""
    source = mock.sandboxes.get(call.path["id"])
    with source.transaction():
        moment, faults = source.moment(f"sandbox:{source.name}"), source.faults.mark()
    fork = mock.sandboxes.create((call.body or {}).get("id"), moment)
    fork.inherit(faults)
    return Reply(201, _shown(fork, mock.sandboxes))


def _shown(sandbox: Sandbox, sandboxes: Sandboxes) -> Record:
    idle = sandboxes.idle(sandbox)
    return {
        "id": sandbox.name,
        "origin": sandbox.start.origin,
        "scenario": sandbox.world.name,
        "seed": sandbox.ids.seed,
        "now": as_text(sandbox.clock.now()),
        "frozen": sandbox.clock.is_frozen,
        "idle_seconds": None if idle is None else round(idle, 3),
        "counts": {table: len(getattr(sandbox, table)) for table in COUNTED},
    }


def _start(body: Record, sandboxes: Sandboxes) -> Moment:
    """What a new sandbox begins with: a snapshot, a scenario, or what all of them begin with."""
    start = sandboxes.start
    if body.get("snapshot") is not None:
        start = sandboxes.snapshots.get(body["snapshot"])
    elif body.get("scenario") is not None:
        start = of_scenario(body["scenario"], start, sandboxes)
    if body.get("seed") is not None:
        start = start._replace(policy=start.policy._replace(seed=int(body["seed"])))
    if body.get("freeze") is not None:
        try:
            start = start._replace(dial=Dial(instant(body["freeze"]), frozen=True))
        except ValueError as error:
            raise Invalid([Flaw("body", "freeze", str(error))]) from error
    return start
