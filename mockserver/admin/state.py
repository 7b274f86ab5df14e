"""From one state of a sandbox to another: resets and snapshots."""

from __future__ import annotations

from mockserver.admin.registry import Call, after, rest
from mockserver.engine.calls import Handlers, Reply
from mockserver.engine.problems import Invalid
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.ids import Counters
from mockserver.sandbox.sandbox import Moment, Record, Sandbox
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.sandbox.state_file import States
from mockserver.sandbox.state_reading import Refused

COUNTED = ("spaces", "threads", "messages", "vector_stores")
"""The collections whose sizes are told."""


def register_documents(handlers: Handlers[None, Sandbox], states: States) -> None:
    """A room as a document, and back."""

    @handlers.handles("exportState")
    def export_state(call: Call, sandbox: Sandbox) -> Reply:
        return Reply(200, states.document(sandbox.moment("")))

    @handlers.handles("importState")
    def import_state(call: Call, sandbox: Sandbox) -> Reply:
        try:
            moment = states.moment(call.body, "state")
        except Refused as refused:
            raise Invalid(refused.flaws) from refused
        sandbox.go_to(moment)
        return Reply(200, _done(sandbox))


def register(handlers: Handlers[None, Sandbox], sandboxes: Sandboxes) -> None:
    """What puts a room into another state, and what remembers one."""

    @handlers.handles("reset")
    def reset(call: Call, sandbox: Sandbox) -> Reply:
        to, keep = call.query["to"], call.query["keep"]
        moment = None if to is None else _destination(to, sandbox, sandboxes)
        sandbox.reset(moment, keep.split(",") if keep else ())
        return Reply(200, _done(sandbox))

    @handlers.handles("listSnapshots")
    def list_snapshots(call: Call, _: Sandbox) -> Reply:
        first, limit = after(call), call.query["limit"]
        found = [entry for entry in sandboxes.snapshots.listed() if entry[0] > first]
        shown = [_shown(name, moment) for name, moment in found[:limit]]
        return Reply(200, {"snapshots": shown, **rest(call, "name", shown, len(found) > limit)})

    @handlers.handles("getSnapshot")
    def get_snapshot(call: Call, _: Sandbox) -> Reply:
        return Reply(200, _shown(call.path["name"], sandboxes.snapshots.get(call.path["name"])))

    @handlers.handles("deleteSnapshot")
    def delete_snapshot(call: Call, _: Sandbox) -> Reply:
        sandboxes.snapshots.delete(call.path["name"])
        return Reply(204)

    @handlers.handles("saveSnapshot")
    def save_snapshot(call: Call, sandbox: Sandbox) -> Reply:
        name = call.path["name"]
        moment = sandbox.moment(f"snapshot:{name}")
        is_new = sandboxes.snapshots.save(name, moment)
        return Reply(201 if is_new else 200, _shown(name, moment))

    @handlers.handles("restoreSnapshot")
    def restore_snapshot(call: Call, sandbox: Sandbox) -> Reply:
        sandbox.go_to(sandboxes.snapshots.get(call.path["name"]))
        return Reply(200, _done(sandbox))


def of_scenario(name: str, like: Moment, sandboxes: Sandboxes) -> Moment:
    """A moment with the world of a scenario, and everything else as in another moment."""
    world = sandboxes.catalogue.world(name)
    return like._replace(world=world, counters=Counters(), origin=f"scenario:{name}")


def _destination(to: str, sandbox: Sandbox, sandboxes: Sandboxes) -> Moment:
    """Where a reset that is told so goes: the spec lets through `empty`, `scenario:…` and `snapshot:…`."""
    kind, _, name = to.partition(":")
    if kind == "snapshot":
        return sandboxes.snapshots.get(name)
    if kind == "scenario":
        return of_scenario(name, sandbox.start, sandboxes)
    return sandbox.start._replace(world=sandbox.world.emptied(), counters=Counters(), origin=to)


def _done(sandbox: Sandbox) -> Record:
    """A sandbox after it was put somewhere."""
    return {"sandbox": sandbox.name, "scenario": sandbox.world.name, "now": sandbox.now()}


def _shown(name: str, moment: Moment) -> Record:
    """A snapshot, without what is in it."""
    assert moment.dial.instant is not None
    return {
        "name": name,
        "scenario": moment.world.name,
        "seed": moment.policy.seed,
        "now": as_text(moment.dial.instant),
        "frozen": moment.dial.frozen,
        "counts": {table: len(moment.world.marks[table].rows) for table in COUNTED},
    }
