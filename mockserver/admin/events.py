"""Event stream: exchanges that begin and end, and every change of a sandbox, by one order."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from time import perf_counter

import orjson

from mockserver.admin.journal_entries import exchange_head, mask_of, why
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Reply, handles
from mockserver.http.event_stream import HEARTBEAT, Step, Stream
from mockserver.http.redaction import Mask
from mockserver.http.wall_time import wall_time
from mockserver.journal.entry import Entry
from mockserver.journal.event_log import Event
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.sandbox.sandboxes import Sandboxes

AT_ONCE = 100
"""Most events taken from the log at once."""
QUIET: Record = {"event": "heartbeat"}
CHANGES: Mapping[str, str] = {
    **dict.fromkeys(("reset", "importState", "importScenario", "restoreSnapshot"), "reset"),
    "setClock": "clock",
    **dict.fromkeys(("addFault", "changeFault", "removeFault", "releaseFault", "clearFaults"), "faults"),
    "setRateLimit": "faults",
    **dict.fromkeys(("drainEmbeddings", "putEmbeddingPolicy", "stepEmbeddings"), "queue"),
    **dict.fromkeys(("failEmbedding", "completeEmbedding", "retryEmbedding"), "queue"),
    **dict.fromkeys(("queueReply", "clearReplies"), "replies"),
    **dict.fromkeys(("seed", "addThreadMessage", "putRecord", "patchRecord", "deleteRecord"), "records"),
    "saveSnapshot": "snapshot",
    "clearRequests": "journal",
}
"""Operation of the control API -> kind of its event."""
_WHOLE = ("importState", "importScenario")
"""Operations whose body is too large to be told."""
_LONGEST = 200
"""Characters of a body in an event."""


@handles("streamEvents")
def stream_events(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """Stream events after the last one that the client has seen, or from now on.

    The stream reads the log itself, so a slow reader blocks nobody: it misses what was dropped meanwhile, and
    receives the number.
    """
    log = context.sandboxes.default.journal.events  # of all sandboxes
    only = None if call.query["sandbox"] == "*" else sandbox.name
    seen: int | None = call.headers["Last-Event-ID"]
    start = log.last if seen is None else seen
    log.listened = True

    def steps(stopping: threading.Event) -> Iterator[Step]:
        until, event = perf_counter() + call.query["timeout"], start
        yield Step(QUIET)  # confirms the connection at once
        while not stopping.is_set():
            lost, found, last = log.since(event, AT_ONCE, only)
            masks = _Masks(context.sandboxes)
            if lost:
                first = found[0].id - 1 if found else last
                yield Step({"event": "dropped", "count": lost}, id=str(first))
            for each in found:
                yield Step(_body(each, masks.of(each.sandbox)), id=str(each.id))
            event, left = last, until - perf_counter()
            if left <= 0:
                return
            if not found:
                log.wait(event, min(left, HEARTBEAT), stopping)
                if log.last == event:
                    yield Step(QUIET)

    return Reply(200, Stream(steps, QUIET, "", lambda problem: {"event": "failed", "detail": problem.reason}))


def change_text(call: Call) -> str:
    """Call that changed something, as its event tells it."""
    given = [f"{name}={value}" for name, value in {**call.path, **call.query}.items() if value is not None]
    fields = call.body
    if isinstance(fields, dict):
        fields = {name: value for name, value in fields.items() if value is not None}
    body = "" if fields is None or call.operation in _WHOLE else orjson.dumps(fields).decode()
    return " ".join([call.operation, *given, body[:_LONGEST]]).rstrip()


class _Masks:
    """Masks of the keys of each sandbox; a dropped one has those of the default one."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = {sandbox.name: sandbox for sandbox in sandboxes.listed()}
        self._default = sandboxes.default
        self._known: dict[str, Mask] = {}

    def of(self, name: str) -> Mask:
        """Mask for what concerns a sandbox."""
        if name not in self._known:
            self._known[name] = mask_of(self._sandboxes.get(name, self._default))
        return self._known[name]


def _body(event: Event, mask: Mask) -> Record:
    """Event as it is sent."""
    head = {
        "event": event.kind,
        "sandbox": event.sandbox or None,
        "at": as_text(event.instant // 1_000_000 * 1_000_000),
        "wall": wall_time(event.seconds),
    }
    if event.kind == "exchange":
        return {**head, **_ended(event.what, mask)}
    if event.kind == "begun":
        exchange, trace_id = event.what
        return {
            **head,
            "id": trace_id,
            "operation": None if exchange.operation == "-" else exchange.operation,
            "caller": None if exchange.caller == "-" else exchange.caller,
            "method": exchange.method,
            "path": mask.text(exchange.path),
        }
    if event.kind == "preflight":
        return {
            **head,
            **{name: mask.text(text) for name, text in event.what[0].items()},
            "allowed": event.what[1],
        }
    return {**head, "detail": mask.text(event.what)}


def _ended(entry: Entry, mask: Mask) -> Record:
    exchange = entry.exchange
    return {
        **exchange_head(entry, mask),
        "started": wall_time(exchange.started),
        "milliseconds": round(entry.milliseconds, 3),
        "source": exchange.source,
        "fault": exchange.fault or None,
        "ended": exchange.ended,
        "reason": mask.text(why(entry)[-1]),
    }
