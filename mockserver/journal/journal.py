"""Journal of requests and answers of each sandbox, bounded in memory.

An entry keeps existing objects; they are converted, and secrets masked, only when somebody reads it.
Requests that did not pass the access checks have limits of their own, so that they can't displace others.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, NamedTuple

from mockserver.http.event_stream import Lines, SentBytes
from mockserver.http.log import Exchange
from mockserver.http.request import Answer, Request
from mockserver.journal.entry import Entry
from mockserver.journal.event_log import Event, EventLog, wait_until

OVERHEAD = 3000
"""Bytes of an entry besides its texts, as measured."""
LONGEST_HEADERS = 16_384
"""Characters of headers; if there are more, each value is cut to LONGEST_VALUE."""
LONGEST_VALUE = 256
SHARE = 8
"""Share of the budget (1/8) that is freed at once."""


class JournalLimits(NamedTuple):
    """Limits of the journals."""

    entries: int = 1000
    """Most entries per sandbox, and as many of refused requests; 0 keeps none."""
    bytes: int = 64 << 20
    """Bytes of all journals together; refused requests have an eighth of them."""
    body: int = 16_384
    """Bytes of one body."""


class Journals:
    """Journals of all sandboxes, and their common budget."""

    def __init__(self, limits: JournalLimits = JournalLimits()) -> None:  # noqa: B008 - immutable
        self.limits = limits
        self.lock = threading.RLock()  # reentrant: garbage collection may close a stream at any point
        self.events = EventLog(self.lock)
        self.seen: dict[tuple[str, int, str], int] = {}
        """(operation, status, error code) -> count, in all sandboxes since the start."""
        self._all: weakref.WeakSet[Journal] = weakref.WeakSet()
        refused = limits.bytes // SHARE
        self._budgets = limits.bytes - refused, refused
        """Bytes of accepted and of refused requests."""
        self._added = [0, 0]
        self.watch: Callable[[Entry], None] | None = None
        """Called with each exchange that has ended, with the lock held."""

    def new(self, name: str = "") -> Journal:
        """Journal of a new sandbox; it counts as long as it is referenced."""
        journal = Journal(self, name)
        with self.lock:
            self._all.add(journal)
        return journal

    def happened(self, kind: str, instant: int, text: str) -> None:
        """Tell of something that concerns no single sandbox."""
        self.events.add(Event(kind, "", instant, perf_counter(), text))

    def added(self, size: int, refused: bool) -> None:
        """Enforce the budget; called with the lock held.

        The sum is computed only after an eighth of the budget was added, so that it costs next to nothing.
        """
        budget = self._budgets[refused]
        self._added[refused] += size
        if self._added[refused] >= budget // SHARE:
            self._added[refused] = 0
            rings = [journal.rings[refused] for journal in list(self._all)]
            level = _level([ring.bytes for ring in rings], budget - budget // SHARE)
            for ring in rings:
                ring.shrink(level)


class Ring:
    """Finished exchanges, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.bytes = 0
        self.dropped = 0

    def add(self, entry: Entry, most: int) -> None:
        """Add an entry; the oldest is dropped if there are more than `most`."""
        self.entries.append(entry)
        self.bytes += entry.size
        if len(self.entries) > most:
            self._drop()

    def shrink(self, most: int) -> None:
        """Drop the oldest entries until at most `most` bytes are left."""
        while self.bytes > most:
            self._drop()

    def _drop(self) -> None:
        self.bytes -= self.entries.popleft().size
        self.dropped += 1


def _level(sizes: list[int], most: int) -> int:
    """Level to which the largest sizes must be cut for the sum to be at most `most`."""
    left, rest = most, len(sizes)
    for size in sorted(sizes):
        if size * rest > left:
            return left // rest
        left, rest = left - size, rest - 1
    return most


def _kept_reply(answer: Answer, most: int) -> tuple[bytes | SentBytes | Mapping[str, Any], int]:
    """What to keep of the answer, and its size in bytes at most."""
    body, pieces = answer.body, answer.pieces
    if not isinstance(body, bytes):
        return (body.sent if isinstance(body, Lines) else b""), 0
    if most and pieces is not None:
        return pieces, len(body)  # counted as a whole: once the records change, only the journal keeps them
    # Copied even if it is complete: the encoder's buffer is up to twice as large.
    reply = memoryview(body)[:most].tobytes()
    return reply, len(reply)


class Journal:
    """Exchanges of one sandbox: rings of finished ones, and the open streams."""

    def __init__(self, journals: Journals, name: str) -> None:
        self._journals = journals
        self.name = name
        """Name of the sandbox."""
        self.events = journals.events
        """Events of all sandboxes."""
        self.limits = journals.limits
        self._changed = threading.Condition(journals.lock)
        self.rings = Ring(), Ring()
        """Of accepted and of refused requests."""
        self._open: dict[Exchange, Entry] = {}
        self._started = 0
        self._waiting = 0
        self.version = 0
        """Changes with every change."""
        # Headers of the last request: most clients repeat them, and all entries then share one list.
        self._headers: tuple[list[tuple[str, str]], int] = [], 0
        self.broken = 0
        """Answers that violated the spec."""
        self.seen: dict[tuple[str, int, str], int] = {}
        """(operation, status, error code) -> count, including dropped exchanges."""

    @property
    def bytes(self) -> int:
        """Bytes of the finished exchanges."""
        return sum(ring.bytes for ring in self.rings)

    @property
    def dropped(self) -> int:
        """Exchanges dropped for lack of space."""
        return sum(ring.dropped for ring in self.rings)

    def record(
        self, exchange: Exchange, request: Request, answer: Answer, trace_id: str, *, refused: bool = False
    ) -> None:
        """Record an exchange before the first byte of its answer is sent; a stream stays open."""
        most = self.limits.body if self.limits.entries else 0
        whole = answer.body if isinstance(answer.body, bytes) else None
        reply, kept = _kept_reply(answer, most)
        headers, size = self._shared_headers(request.headers) if most else ([], 0)
        body = request.sent(most)
        entry = Entry(
            0,
            trace_id,
            exchange,
            request.path[: self.limits.body],
            request.query[: self.limits.body],
            headers,
            body,
            request.body_bytes,
            answer.headers,
            reply,
            0 if whole is None else len(whole),
            exchange.milliseconds,
            whole is not None,
            OVERHEAD + size + len(body) + len(request.path) + len(request.query),
            most,
            refused,
        )
        key = (exchange.operation, answer.status, exchange.code)
        with self._journals.lock:
            self._started += 1
            entry.number = self._started
            self.seen[key] = self.seen.get(key, 0) + 1
            self._journals.seen[key] = self._journals.seen.get(key, 0) + 1
            if isinstance(reply, SentBytes):
                self._open[exchange] = entry
                self._notify()
            else:
                exchange.ended = "complete"
                self._put(entry, kept)

    def begun(self, exchange: Exchange, trace_id: str) -> None:
        """Tell that an accepted exchange begins."""
        self.events.add(Event("begun", self.name, exchange.instant, exchange.started, (exchange, trace_id)))

    def asked(self, exchange: Exchange, allowed: bool, **texts: str) -> None:
        """Tell of a preflight: its method, path and origin."""
        if self.events.listened:
            what = texts, allowed
            self.events.add(Event("preflight", self.name, exchange.instant, exchange.started, what))

    def happened(self, kind: str, instant: int, text: str) -> None:
        """Tell of anything else in the sandbox."""
        self.events.add(Event(kind, self.name, instant, perf_counter(), text))

    def _shared_headers(self, headers: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], int]:
        """Headers and their size; those of the previous request if they are equal."""
        last = self._headers  # read once: other threads write it
        if headers == last[0]:
            return last
        size, kept = sum([len(value) for _, value in headers]), headers
        if size > LONGEST_HEADERS:
            size, kept = LONGEST_HEADERS, [(name, value[:LONGEST_VALUE]) for name, value in headers]
        self._headers = kept, size
        return kept, size

    def close(self, exchange: Exchange) -> None:
        """Finish a stream: complete, cut, or abandoned by its client."""
        with self._journals.lock:
            entry = self._open.pop(exchange, None)
            if entry is None:
                return
            sent = entry.reply
            assert isinstance(sent, SentBytes)
            entry.reply, entry.reply_bytes = sent.begin, sent.bytes
            entry.milliseconds = (perf_counter() - exchange.started) * 1000
            exchange.ended = sent.ended
            entry.complete = True
            self._put(entry, len(sent.begin))

    def _put(self, entry: Entry, more: int) -> None:
        entry.size += more
        self.broken += bool(entry.exchange.violations)
        self.events.put(weakref.ref(entry))
        if self._journals.watch is not None:
            self._journals.watch(entry)
        self.rings[entry.refused].add(entry, self.limits.entries)
        self._journals.added(entry.size, entry.refused)
        self._notify()

    def _notify(self) -> None:
        self.version += 1
        if self._waiting:
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget everything, including open streams."""
        with self._journals.lock:
            self.rings = Ring(), Ring()
            self._open.clear()
            self._headers = [], 0
            self.broken = self._started = 0
            self.seen = {}
            self._notify()

    def entries(self) -> list[Entry]:
        """All entries, in the order in which the answers began."""
        with self._journals.lock:
            accepted, refused = self.rings
            found = [*accepted.entries, *refused.entries, *self._open.values()]
            return sorted(found, key=lambda entry: entry.number)

    def counted(self, *, everywhere: bool = False) -> Mapping[tuple[str, int, str], int]:
        """Counts of this sandbox, or of all sandboxes since the start."""
        with self._journals.lock:
            return dict(self._journals.seen if everywhere else self.seen)

    def wait(self, version: int, seconds: float, stopping: threading.Event) -> None:
        """Wait for a change, the timeout, or shutdown."""
        with self._changed:
            self._waiting += 1
            try:
                wait_until(self._changed, lambda: self.version != version, seconds, stopping)
            finally:
                self._waiting -= 1
