"""Handlers of sandboxes: list, create, fork, delete; they run outside of any sandbox."""

from __future__ import annotations

from mockserver.admin.paging import Call, ControlContext, named_page
from mockserver.admin.state import COUNTED, of_scenario
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.clock import ClockStart, as_text, instant
from mockserver.sandbox.sandbox import Record, Sandbox, SandboxState
from mockserver.sandbox.sandboxes import Sandboxes


@handles("listSandboxes")
def list_sandboxes(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """One page of sandboxes, by name."""
    rows = [(sandbox.name, sandbox) for sandbox in context.sandboxes.listed()]
    return Reply(200, named_page(call, "sandboxes", rows, lambda each: sandbox_body(each, context.sandboxes)))


@handles("createSandbox")
def create_sandbox(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """Create a sandbox, from the default start or from what the body names."""
    body = call.body or {}
    sandbox = context.sandboxes.create(body.get("id"), _start(body, context.sandboxes))
    return Reply(201, sandbox_body(sandbox, context.sandboxes))


@handles("getSandbox")
def get_sandbox(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """Return one sandbox."""
    return Reply(200, sandbox_body(context.sandboxes.get(call.path["id"]), context.sandboxes))


@handles("deleteSandbox")
def delete_sandbox(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """Delete a sandbox."""
    context.sandboxes.drop(call.path["id"])
    return Reply(204)


@handles("forkSandbox")
def fork_sandbox(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """Create an independent copy."""
    source = context.sandboxes.get(call.path["id"])
    with source.transaction():
        state = source.state(f"sandbox:{source.name}")._replace(faults=source.faults.checkpoint())
    fork = context.sandboxes.create((call.body or {}).get("id"), state)
    return Reply(201, sandbox_body(fork, context.sandboxes))


def sandbox_body(sandbox: Sandbox, sandboxes: Sandboxes) -> Record:
    """Sandbox as the control API shows it."""
    idle = sandboxes.idle(sandbox)
    return {
        "id": sandbox.name,
        "origin": sandbox.start.origin,
        "scenario": sandbox.data.name,
        "seed": sandbox.ids.seed,
        "now": as_text(sandbox.clock.now()),
        "frozen": sandbox.clock.is_frozen,
        "idle_seconds": None if idle is None else round(idle, 3),
        "counts": {table: len(getattr(sandbox, table)) for table in COUNTED},
    }


def _start(body: Record, sandboxes: Sandboxes) -> SandboxState:
    """Starting state of a new sandbox: a snapshot, a scenario, or the default."""
    start = sandboxes.start
    if body.get("snapshot") is not None:
        start = sandboxes.snapshots.get(body["snapshot"])
    elif body.get("scenario") is not None:
        start = of_scenario(body["scenario"], start, sandboxes)
    if body.get("seed") is not None:
        start = start._replace(policy=start.policy._replace(seed=int(body["seed"])))
    if body.get("freeze") is not None:
        try:
            start = start._replace(clock_start=ClockStart(instant(body["freeze"]), frozen=True))
        except ValueError as error:
            raise Invalid([FieldError("body", "freeze", str(error))]) from error
    return start
