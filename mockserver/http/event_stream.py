"""Server-sent events: each held to the spec before it is sent, with heartbeats while nothing happens."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.http.problems import OfTheMock, Problem, fault

HEARTBEAT = 2.0
"""Seconds without an event after which one is sent: it also tells whether the client is still there."""
MOST = 128
"""Streams and waits at the same time; each holds a thread of the server."""


class TooManyWaiting(
    OfTheMock,
    status=503,
    code="SERVICE_UNAVAILABLE",
    message="The service is busy. Please try again later.",
    rule="limits",
):
    """503: as many answers are open, or held up, as there may be."""

    def __init__(self, reason: str) -> None:
        super().__init__("Too many answers wait", reason=reason, retry_after=1)
        self.headers = {"retry-after": "1"}


class Places(threading.BoundedSemaphore):
    """How many answers may wait at the same time."""

    def __init__(self, most: int, full: str) -> None:
        """`full` follows the number in what is said when there is no place left."""
        super().__init__(most)
        self._reason = f"{most} {full}, the most at the same time"

    def take(self) -> None:
        """One place less; TooManyWaiting if there is none. The taker releases it."""
        if not self.acquire(blocking=False):
            raise TooManyWaiting(self._reason)


@dataclass(frozen=True, slots=True)
class Step:
    """What a stream does next: wait, then send an event; without one it only waits."""

    event: Mapping[str, Any] | None
    wait: float = 0.0
    """Seconds."""
    silent: bool = False
    """No heartbeats while it waits."""
    id: str = ""
    """What a client that comes back names as the last that it has seen."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A reply's events, in order."""

    steps: Sequence[Step] | Callable[[threading.Event], Iterable[Step]]
    """What makes them as it goes is told how to know that the mock stops."""
    heartbeat: Mapping[str, Any]
    last: str
    """The literal line that ends it, such as [DONE]; empty for none."""
    failed: Callable[[Problem], Mapping[str, Any]]
    """The event that tells a failure of our own, which is the last one then."""
    check: Callable[[Mapping[str, Any]], None] | None = None
    """Raises SpecViolation for an event that the spec forbids; the engine fills it in."""


class Sent:
    """What a stream has sent so far: its beginning, and how much there was in all."""

    __slots__ = ("_most", "begin", "bytes")

    def __init__(self, most: int) -> None:
        self._most = most
        self.begin = b""
        self.bytes = 0

    def add(self, line: bytes) -> None:
        """One more line is about to be sent."""
        self.begin += line[: self._most - len(self.begin)]
        self.bytes += len(line)


class ClosesOnce:
    """Calls `closed` once, whatever ends it: its end, close(), or that nobody holds it any more."""

    def __init__(self, closed: Callable[[], None]) -> None:
        self._closed: Callable[[], None] | None = closed
        self._lock = threading.Lock()

    def close(self) -> None:
        """Nothing more is sent. Any thread may call it, even while another waits for the next event."""
        with self._lock:
            closed, self._closed = self._closed, None
        if closed is not None:
            closed()

    __del__ = close


class Lines(ClosesOnce):
    """A stream as bytes."""

    def __init__(
        self,
        stream: Stream,
        *,
        stopping: threading.Event,
        report: Callable[[Exception], None],
        closed: Callable[[], None],
        keep: int = 0,
    ) -> None:
        """`report` is told why the stream has to fail; `keep`: how many bytes of it are remembered."""
        self._lines = _lines(stream, stopping, report)  # must not know self: __del__ would come late
        self._last = _literal(stream.last) if stream.last else None
        self.sent = Sent(keep)
        super().__init__(closed)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            line = b"" if self._closed is None else next(self._lines)
            if self._closed is None:
                raise StopIteration
        except BaseException:
            self.close()
            raise
        self.sent.add(line)
        if line == self._last:
            self.close()  # before it leaves: who has read it finds everything done
        return line


def _lines(stream: Stream, stopping: threading.Event, report: Callable[[Exception], None]) -> Iterator[bytes]:
    try:
        for step in stream.steps(stopping) if callable(stream.steps) else stream.steps:
            left = step.wait
            while left > 0:
                pause = left if step.silent else min(left, HEARTBEAT)
                if stopping.wait(pause):
                    return
                left -= pause
                if left > 0:
                    yield _line(stream, stream.heartbeat)
            if step.event is not None:
                yield (f"id: {step.id}\n".encode() if step.id else b"") + _line(stream, step.event)
    except Exception as error:
        yield from _failure(stream, error, report)
        return
    if stream.last:
        yield _literal(stream.last)


def _literal(text: str) -> bytes:
    return f"data: {text}\n\n".encode()


def _failure(stream: Stream, error: Exception, report: Callable[[Exception], None]) -> Iterator[bytes]:
    report(error)
    try:
        yield _line(stream, stream.failed(fault(error)))
    except Exception as another:
        report(another)


def _line(stream: Stream, event: Mapping[str, Any]) -> bytes:
    assert stream.check is not None
    stream.check(event)
    return b"data: " + _encoded(event).encode() + b"\n\n"


_encoded = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
"""ASCII alone: many clients take a stream for Latin-1, or end its lines at U+2028 too."""
