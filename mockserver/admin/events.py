"""Event stream of the journal: one event for each finished exchange."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import perf_counter

from mockserver.admin.journal_entries import at_of, exchange_head, mask_of
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Reply, handles
from mockserver.http.event_stream import HEARTBEAT, Step, Stream
from mockserver.http.redaction import Mask
from mockserver.journal.entry import Entry
from mockserver.sandbox.sandbox import Record, Sandbox

AT_ONCE = 100
"""Most exchanges taken from the journal at once."""
QUIET: Record = {"event": "heartbeat"}


@handles("streamEvents")
def stream_events(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Stream events after the last one that the client has seen, or from now on.

    The stream reads the journal itself, so a slow reader blocks nobody: it misses what the journal has
    dropped meanwhile, and receives their number.
    """
    journal = sandbox.journal
    seen: int | None = call.headers["Last-Event-ID"]
    start = journal.last_event if seen is None else seen

    def steps(stopping: threading.Event) -> Iterator[Step]:
        until, event = perf_counter() + call.query["timeout"], start
        yield Step(QUIET)  # confirms the connection at once
        while not stopping.is_set():
            version = journal.version
            lost, found, last = journal.ended_since(event, AT_ONCE)
            if lost:
                first = found[0].event - 1 if found else last
                yield Step({"event": "dropped", "count": lost}, id=str(first))
            mask = mask_of(sandbox)
            for entry in found:
                yield Step(_event(entry, mask), id=str(entry.event))
            event, left = last, until - perf_counter()
            if left <= 0:
                return
            if not found:
                journal.wait(version, min(left, HEARTBEAT), stopping)
                if journal.version == version:
                    yield Step(QUIET)

    return Reply(200, Stream(steps, QUIET, "", lambda problem: {"event": "failed", "detail": problem.reason}))


def _event(entry: Entry, mask: Mask) -> Record:
    return {
        "event": "exchange",
        **exchange_head(entry, mask),
        "at": at_of(entry),
        "milliseconds": round(entry.milliseconds, 3),
        "source": entry.exchange.source,
        "fault": entry.exchange.fault or None,
    }
