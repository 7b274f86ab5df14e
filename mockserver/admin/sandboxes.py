"""Sandboxes: listed, made, copied, dropped. None of these calls is in a sandbox itself."""

from __future__ import annotations

from mockserver.admin.registry import Call, after, rest
from mockserver.admin.state import COUNTED, of_scenario
from mockserver.engine.calls import Handlers, Reply
from mockserver.engine.problems import Flaw, Invalid
from mockserver.sandbox.clock import Dial, as_text, instant
from mockserver.sandbox.sandbox import Moment, Record, Sandbox
from mockserver.sandbox.sandboxes import Sandboxes


def register(handlers: Handlers[None, Sandbox], sandboxes: Sandboxes) -> None:
    """What is done to rooms from outside."""

    @handlers.handles("listSandboxes")
    def list_sandboxes(call: Call, _: Sandbox) -> Reply:
        first, limit = after(call), call.query["limit"]
        found = [sandbox for sandbox in sandboxes.listed() if sandbox.name > first]
        shown = [_shown(sandbox, sandboxes) for sandbox in found[:limit]]
        return Reply(200, {"sandboxes": shown, **rest(call, "id", shown, len(found) > limit)})

    @handlers.handles("createSandbox")
    def create_sandbox(call: Call, _: Sandbox) -> Reply:
        body = call.body or {}
        sandbox = sandboxes.create(body.get("id"), _start(body, sandboxes))
        return Reply(201, _shown(sandbox, sandboxes))

    @handlers.handles("getSandbox")
    def get_sandbox(call: Call, _: Sandbox) -> Reply:
        return Reply(200, _shown(sandboxes.get(call.path["id"]), sandboxes))

    @handlers.handles("deleteSandbox")
    def delete_sandbox(call: Call, _: Sandbox) -> Reply:
        sandboxes.drop(call.path["id"])
        return Reply(204)

    @handlers.handles("forkSandbox")
    def fork_sandbox(call: Call, _: Sandbox) -> Reply:
        source = sandboxes.get(call.path["id"])
        with source.transaction():
            moment, faults = source.moment(f"sandbox:{source.name}"), source.faults.mark()
        fork = sandboxes.create((call.body or {}).get("id"), moment)
        fork.inherit(faults)
        return Reply(201, _shown(fork, sandboxes))


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
