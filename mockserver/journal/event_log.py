"""Events of all sandboxes in one order, bounded in memory; readers read it themselves and delay nobody.

Every request adds to it, so what it keeps is as little as possible, and becomes an `Event` when it is read.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from itertools import islice
from time import perf_counter
from typing import Any, NamedTuple

from mockserver.journal.entry import Entry

MOST = 20_000
"""Most events that are kept."""
SLICE = 0.1
"""Seconds between two checks for shutdown while waiting."""


class Event(NamedTuple):
    """Something that happened in a sandbox, or in the mock as a whole."""

    kind: str
    sandbox: str
    """Name of the sandbox; empty for an event of the mock."""
    instant: int
    """Microseconds since 1970 by the sandbox's clock."""
    seconds: float
    """By `perf_counter`."""
    what: Any
    """`begun`: Exchange and x-request-id; `exchange`: its entry; `preflight`: texts, answer; else a text."""
    id: int = 0
    """In the order of events since the start, from 1."""


class EventLog:
    """Last events of all sandboxes."""

    def __init__(self, lock: threading.RLock) -> None:
        self._changed = threading.Condition(lock)
        self._kept: deque[Event | weakref.ref[Entry]] = deque(maxlen=MOST)
        self._waiting = 0
        self.last = 0
        """Id of the last event."""
        self.listened = False
        """Whether anybody has asked for events: before that, no beginning of an exchange is kept."""

    def add(self, event: Event) -> None:
        """Add an event, and wake those who wait for one."""
        with self._changed:
            self.put(event)

    def put(self, event: Event | weakref.ref[Entry]) -> None:
        """Add an event, or an exchange that has ended; called with the lock held."""
        self.last += 1
        self._kept.append(event)
        if self._waiting:
            self._changed.notify_all()

    def since(self, event: int, most: int, sandbox: str | None) -> tuple[int, list[Event], int]:
        """Events after one, of a sandbox (and the mock) or of all: number lost, next events, id of the last.

        What is no longer kept counts as lost, whichever sandbox it was of.
        """
        with self._changed:
            last, first = self.last, self.last - len(self._kept) + 1
            if event > last:  # of another mock: begin with what is kept
                event = first - 1
            newer = list(islice(self._kept, max(0, event + 1 - first), None))
        lost, found = max(0, first - 1 - event), list[Event]()
        for id_, kept in enumerate(newer, last - len(newer) + 1):
            each = kept if isinstance(kept, Event) else _ended(kept())
            if each is None:
                lost += 1
            elif sandbox in (None, each.sandbox) or not each.sandbox:
                if len(found) == most:
                    return lost, found, id_ - 1
                found.append(each._replace(id=id_))
        return lost, found, last

    def wait(self, event: int, seconds: float, stopping: threading.Event) -> None:
        """Wait for an event after this one, the timeout, or shutdown."""
        with self._changed:
            self._waiting += 1
            try:
                wait_until(self._changed, lambda: self.last > event, seconds, stopping)
            finally:
                self._waiting -= 1


def wait_until(
    changed: threading.Condition, is_met: Callable[[], bool], seconds: float, stopping: threading.Event
) -> None:
    """Wait until a change meets a condition, the timeout, or shutdown; called with the lock held."""
    until, left = perf_counter() + seconds, seconds
    while left > 0 and not is_met() and not stopping.is_set():
        changed.wait(min(left, SLICE))
        left = until - perf_counter()


def _ended(entry: Entry | None) -> Event | None:
    if entry is None:
        return None
    exchange, ended = entry.exchange, entry.exchange.started + entry.milliseconds / 1000
    return Event("exchange", exchange.sandbox, exchange.instant, ended, entry)
