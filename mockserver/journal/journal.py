"""What was asked and answered, kept for each sandbox alone, and bounded in every way.

An entry holds what is there anyway: whoever reads it makes words of it, without the secrets.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Mapping
from itertools import islice
from time import perf_counter
from typing import Any, NamedTuple

from mockserver.http.event_stream import Lines, Sent
from mockserver.http.log import Exchange
from mockserver.http.request import Answer, Request
from mockserver.journal.entry import Entry

OVERHEAD = 3000
"""Bytes that an entry takes besides its texts; measured by bench/memory.py."""
SLICE = 0.1
"""Seconds after which whoever waits looks whether the mock stops."""
LONGEST_HEADERS = 16_384
"""Characters of headers; if there are more, each value is cut to LONGEST_VALUE."""
LONGEST_VALUE = 256
SHARE = 8
"""When the process holds too much, one part in so many is freed at once."""


class Limits(NamedTuple):
    """How much is kept."""

    entries: int = 1000
    """For each sandbox; 0 keeps nothing."""
    bytes: int = 64 << 20
    """For all of them together."""
    body: int = 16_384
    """Bytes of one body."""


class Journals:
    """Every sandbox's journal, and what they may hold together."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        self.limits = limits
        self.lock = threading.RLock()  # a stream that nobody holds any more may be closed at any point
        self.seen: dict[tuple[str, int, str], int] = {}
        """(operation, status, error code) -> how often, in all sandboxes since the start."""
        self._all: weakref.WeakSet[Journal] = weakref.WeakSet()
        self._added = 0

    def new(self) -> Journal:
        """The journal of a new sandbox; it counts as long as somebody holds it."""
        journal = Journal(self)
        with self.lock:
            self._all.add(journal)
        return journal

    def added(self, size: int) -> None:
        """Hold all of them to the budget; called with the lock held.

        The sum is only taken when as much was added as is kept free, so that it costs next to nothing.
        """
        self._added += size
        if self._added >= self.limits.bytes // SHARE:
            self._added = 0
            journals = list(self._all)
            most = self.limits.bytes - self.limits.bytes // SHARE
            level = _level([journal.bytes for journal in journals], most)
            for journal in journals:
                journal.shrink(level)


def _level(sizes: list[int], most: int) -> int:
    """The highest level to which sizes must be cut for their sum to be `most`: the big ones pay."""
    left, rest = most, len(sizes)
    for size in sorted(sizes):
        if size * rest > left:
            return left // rest
        left, rest = left - size, rest - 1
    return most


def _kept(answer: Answer, most: int) -> tuple[bytes | Sent | Mapping[str, Any], int]:
    """What is kept of the answer, and the bytes that it takes at the most."""
    body, pieces = answer.body, answer.pieces
    if not isinstance(body, bytes):
        return (body.sent if isinstance(body, Lines) else b""), 0
    if most and pieces is not None:
        return pieces, len(body)  # counted whole: if the records change, they are held here alone
    # A copy, though it is the whole: the encoder's own bytes lie in a buffer of up to twice their size.
    reply = memoryview(body)[:most].tobytes()
    return reply, len(reply)


class Journal:
    """The exchanges of one sandbox: a ring of those that have ended, and the streams that are open."""

    def __init__(self, house: Journals) -> None:
        self._house = house
        self.limits = house.limits
        self._changed = threading.Condition(house.lock)
        self._ring: deque[Entry] = deque()
        self._open: dict[Exchange, Entry] = {}
        self.last_event = 0
        """How many have ended since the mock started: an event's id. A reset does not put it back."""
        self._started = 0
        self._waiting = 0
        self.version = 0
        """Another one after each change."""
        # Those of the last request: most clients send the same again, and a thousand entries share them.
        self._headers: tuple[list[tuple[str, str]], int] = [], 0
        self.bytes = 0
        self.dropped = 0
        """Exchanges that were there and had to go."""
        self.broken = 0
        """Answers that the spec forbids."""
        self.seen: dict[tuple[str, int, str], int] = {}
        """(operation, status, error code) -> how often; also of what was dropped."""

    def record(self, exchange: Exchange, request: Request, answer: Answer, trace_id: str) -> None:
        """Keep an exchange, before the first byte of its answer leaves; a stream stays open."""
        most = self.limits.body if self.limits.entries else 0
        whole = answer.body if isinstance(answer.body, bytes) else None
        reply, kept = _kept(answer, most)
        headers, size = self._once_more(request.headers) if most else ([], 0)
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
        )
        key = (exchange.operation, answer.status, exchange.code)
        with self._house.lock:
            self._started += 1
            entry.number = self._started
            self.seen[key] = self.seen.get(key, 0) + 1
            self._house.seen[key] = self._house.seen.get(key, 0) + 1
            if isinstance(reply, Sent):
                self._open[exchange] = entry
                self._tell()
            else:
                self._put(entry, kept)

    def _once_more(self, headers: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], int]:
        """These headers and their size; what is kept already if they are those of the request before."""
        last = self._headers  # once: other threads put theirs there
        if headers == last[0]:
            return last
        size, kept = sum([len(value) for _, value in headers]), headers
        if size > LONGEST_HEADERS:
            size, kept = LONGEST_HEADERS, [(name, value[:LONGEST_VALUE]) for name, value in headers]
        self._headers = kept, size
        return kept, size

    def close(self, exchange: Exchange) -> None:
        """A stream has ended: whole, cut, or because its reader left."""
        with self._house.lock:
            entry = self._open.pop(exchange, None)
            if entry is None:
                return
            sent = entry.reply
            assert isinstance(sent, Sent)
            entry.reply, entry.reply_bytes = sent.begin, sent.bytes
            entry.milliseconds = (perf_counter() - exchange.started) * 1000
            entry.complete = True
            self._put(entry, len(sent.begin))

    def _put(self, entry: Entry, more: int) -> None:
        entry.size += more
        self.broken += bool(entry.exchange.violations)
        self.last_event += 1
        self._ring.append(entry)
        self.bytes += entry.size
        if len(self._ring) > self.limits.entries:
            self._drop()
        self._house.added(entry.size)
        self._tell()

    def _drop(self) -> None:
        self.bytes -= self._ring.popleft().size
        self.dropped += 1

    def _tell(self) -> None:
        self.version += 1
        if self._waiting:
            self._changed.notify_all()

    def shrink(self, most: int) -> None:
        """Drop the oldest until `most` bytes are left; called with the lock held."""
        while self.bytes > most:
            self._drop()

    def reset(self) -> None:
        """Forget everything; streams that are open will not be in it either."""
        with self._house.lock:
            self._ring.clear()
            self._open.clear()
            self._headers = [], 0
            self.bytes = self.dropped = self.broken = self._started = 0
            self.seen = {}
            self._tell()

    def entries(self) -> list[Entry]:
        """All that is kept, in the order in which the answers began."""
        with self._house.lock:
            return sorted([*self._ring, *self._open.values()], key=lambda entry: entry.number)

    def counted(self, *, everywhere: bool = False) -> Mapping[tuple[str, int, str], int]:
        """What was seen here, or since the start in all sandboxes, those that are gone or reset too."""
        with self._house.lock:
            return dict(self._house.seen if everywhere else self.seen)

    def ended_since(self, event: int, most: int) -> tuple[int, list[Entry], int]:
        """Of what ended after this event: how many are lost, the next ones, and the last one's event."""
        with self._house.lock:
            first = self.last_event - len(self._ring)
            event = event if 0 <= event <= self.last_event else first
            lost = max(0, first - event)
            event += lost
            found = list(islice(self._ring, event - first, event - first + most))
        return lost, found, event + len(found)

    def wait(self, version: int, seconds: float, stopping: threading.Event) -> None:
        """Until something changes, the time is up, or the mock stops."""
        until = perf_counter() + seconds
        with self._changed:
            self._waiting += 1
            try:
                while self.version == version and not stopping.is_set():
                    left = until - perf_counter()
                    if left <= 0:
                        return
                    self._changed.wait(min(left, SLICE))
            finally:
                self._waiting -= 1
