"""Server-sent events, each checked against the spec before it is sent, with heartbeats in between."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mockserver.http.problems import MockOwnError, Problem, fault

HEARTBEAT = 2.0
"""Seconds without an event before a heartbeat, which also detects a client that has gone."""
SLICE = 0.1
"""Seconds of a wait after which a stream that can be woken looks again."""
MOST = 128
"""Most streams and waits at the same time; each occupies a thread of the server."""
STREAM_HEADERS = (("Cache-Control", "no-cache, no-transform"), ("X-Accel-Buffering", "no"))
"""Proxies that compress or buffer would keep a stream until its end."""


class TooManyWaiting(
    MockOwnError,
    status=503,
    code="SERVICE_UNAVAILABLE",
    message="The service is busy. Please try again later.",
    rule="limits",
):
    """503: the limit of simultaneous streams, waits or delayed answers is reached."""

    def __init__(self, reason: str) -> None:
        super().__init__("Too many answers wait", reason=reason, retry_after=1)
        self.headers = {"retry-after": "1"}


class WaitingSlots:
    """Limited number of answers that may wait at the same time; faster than a semaphore."""

    def __init__(self, most: int, full: str) -> None:
        """`full` completes the error message, after the number."""
        self._free = [None] * most
        self._reason = f"{most} {full}, the limit"

    @property
    def free(self) -> int:
        """Number of slots that are not taken."""
        return len(self._free)

    def acquire(self) -> bool:
        """Take a slot, if one is free. The caller releases it."""
        try:
            self._free.pop()  # atomic, as is append
        except IndexError:
            return False
        return True

    def take(self) -> None:
        """Take a slot; TooManyWaiting if none is free. The caller releases it."""
        if not self.acquire():
            raise TooManyWaiting(self._reason)

    def release(self) -> None:
        """Free a slot that was taken."""
        self._free.append(None)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a stream: wait, then send the event, if there is one."""

    event: Mapping[str, Any] | None
    wait: float = 0.0
    """Seconds."""
    silent: bool = False
    """Whether heartbeats are suppressed during the wait."""
    id: str = ""
    """Event id, for a client that reconnects with Last-Event-ID."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Events of a reply, in order."""

    steps: Sequence[Step] | Callable[[threading.Event], Iterable[Step]]
    """A function gets the shutdown event, and yields steps as they occur."""
    heartbeat: Mapping[str, Any]
    last: str
    """Literal last line, such as [DONE]; empty for none."""
    failed: Callable[[Problem], Mapping[str, Any]]
    """Final event of a stream that fails."""
    check: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Event as it is sent; raises SpecViolation for an event that the spec forbids; set by the corridor."""
    woken: Callable[[], bool] | None = None
    """Whether to end a wait early; asked every SLICE seconds."""


class CutOff(Exception):
    """Raised by the steps of a stream that ends without its last line."""


class SentBytes:
    """What a stream has sent so far: its beginning, and the total number of bytes."""

    __slots__ = ("_most", "begin", "bytes", "ended")

    def __init__(self, most: int) -> None:
        self._most = most
        self.begin = b""
        self.bytes = 0
        self.ended = "client"
        """Why it ends: its client went away, unless the stream itself says otherwise."""

    def add(self, line: bytes) -> None:
        """Count one line, before it is sent."""
        self.begin += line[: self._most - len(self.begin)]
        self.bytes += len(line)


class ClosesOnce:
    """Body in pieces that calls `closed` once: at its end, on close(), or when it is garbage-collected."""

    def __init__(self, pieces: Iterator[bytes], closed: Callable[[], None]) -> None:
        """`pieces` must not reference this object, which would delay its garbage collection."""
        self._pieces = pieces
        self._closed: Callable[[], None] | None = closed
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = b"" if self._closed is None else next(self._pieces)
            if self._closed is None:
                raise StopIteration
        except BaseException:
            self.close()
            raise
        return piece

    def close(self) -> None:
        """End it. Any thread may call this, even while another waits for the next event."""
        with self._lock:
            closed, self._closed = self._closed, None
        if closed is not None:
            closed()

    __del__ = close


class Gate(Protocol):
    """What holds a stream up."""

    def passes(self, seconds: float) -> bool:
        """Wait until it may go on: whether it may within these seconds."""

    def left(self) -> None:
        """The stream waits no longer."""


class Lines(ClosesOnce):
    """Body of a stream, as bytes."""

    _gate: Gate | None = None
    _after = 0
    """Events that are sent before the gate."""
    _quiet = b""
    """Heartbeat that is sent while it waits."""

    def __init__(
        self,
        stream: Stream,
        *,
        stopping: threading.Event,
        report: Callable[[Exception], None],
        closed: Callable[[], None],
        keep: int = 0,
    ) -> None:
        """`report` receives the error of a failing stream; `keep`: bytes to store for the journal."""
        self.sent = SentBytes(keep)
        super().__init__(_lines(stream, stopping, report, self.sent), closed)
        self._stream = stream
        self._last = _literal(stream.last) if stream.last else None

    def hold(self, after: int, gate: Gate) -> None:
        """Send nothing but heartbeats after so many events, until the gate lets it pass."""
        stream = getattr(self, "_stream", None)  # none of a user's view
        if stream is not None:
            self._gate, self._after, self._quiet = gate, after, _line(stream, stream.heartbeat)

    def __next__(self) -> bytes:
        line = self._quiet if self._is_held() else super().__next__()
        self._after -= line != self._quiet
        self.sent.add(line)
        if line == self._last:
            self.close()  # before the last line leaves, so that its reader finds the journal complete
        return line

    def _is_held(self) -> bool:
        if self._gate is None or self._after > 0 or self._closed is None:
            return False
        if not self._gate.passes(HEARTBEAT):
            return True
        self._open_gate()
        return False

    def _open_gate(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.left()

    def close(self) -> None:
        """End it, and wait no longer."""
        self._open_gate()
        super().close()

    __del__ = close


def _lines(
    stream: Stream, stopping: threading.Event, report: Callable[[Exception], None], sent: SentBytes
) -> Iterator[bytes]:
    try:
        for step in stream.steps(stopping) if callable(stream.steps) else stream.steps:
            if step.wait > 0:
                yield from _heartbeats(stream, step, stopping)
                if stopping.is_set():
                    sent.ended = "stopped"
                    return
            if step.event is not None:
                yield (f"id: {step.id}\n".encode() if step.id else b"") + _line(stream, step.event)
    except CutOff:
        sent.ended = "cut"
        return
    except Exception as error:
        sent.ended = "failed"
        report(error)
        try:
            yield _line(stream, stream.failed(fault(error)))
        except Exception as another:
            report(another)
            return
    else:
        sent.ended = "complete"
    if stream.last:
        yield _literal(stream.last)


def _heartbeats(stream: Stream, step: Step, stopping: threading.Event) -> Iterator[bytes]:
    """Wait before the step's event; ends early when the stream is woken, or the mock stops."""
    left, quiet = step.wait, 0.0
    while left > 0 and not (stream.woken is not None and stream.woken()):
        pause = min(left, math.inf if step.silent else HEARTBEAT - quiet)
        pause = pause if stream.woken is None else min(pause, SLICE)
        if stopping.wait(pause):
            return
        left, quiet = left - pause, quiet + pause
        if left > 0 and quiet >= HEARTBEAT and not step.silent:
            yield _line(stream, stream.heartbeat)
            quiet = 0.0


def _literal(text: str) -> bytes:
    return f"data: {text}\n\n".encode()


def _line(stream: Stream, event: Mapping[str, Any]) -> bytes:
    assert stream.check is not None
    return b"data: " + _encoded(stream.check(event)).encode() + b"\n\n"


_encoded = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
"""ASCII only: many clients decode a stream as Latin-1, or break lines at U+2028."""
