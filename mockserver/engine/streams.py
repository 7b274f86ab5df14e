"""Server-sent events: each held to the spec before it is sent, with heartbeats while nothing happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mockserver.engine.problems import Problem
from mockserver.engine.schemas import Schema

HEARTBEAT = 2.0
"""Seconds without an event after which one is sent: it also tells whether the client is still there."""
MOST = 128
"""Streams and waits at the same time; each holds a thread of the server."""


class Busy(Problem):
    """503: as many streams as there may be are open."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    message = "The service is busy. Please try again later."

    def __init__(self) -> None:
        reason = f"{MOST} streams and waits are open, the most at the same time"
        super().__init__("Too many streams at once", reason=reason, retry_after=1)
        self.headers = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Step:
    """What a stream does next: wait, then send an event; without one it only waits."""

    event: Mapping[str, Any] | None
    wait: float = 0.0
    """Seconds."""
    silent: bool = False
    """No heartbeats while it waits."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A reply's events, in order."""

    steps: Sequence[Step]
    heartbeat: Mapping[str, Any]
    last: str
    """The literal line that ends it, such as [DONE]; empty for none."""
    failed: Callable[[str], Mapping[str, Any]]
    """The event that says that an event was against the spec."""
    schema: Schema | None = None
    """What each event is held to; the engine fills it in from the spec."""


class Lines:
    """A stream as bytes. Closing it, which the server does when the client is gone, ends it."""

    def __init__(
        self,
        stream: Stream,
        *,
        stopping: threading.Event,
        violated: Callable[[str, Mapping[str, Any]], None],
        closed: Callable[[], None],
    ) -> None:
        assert stream.schema is not None
        self._events = self._run(stream, stream.schema)
        self._stopping = stopping
        self._violated = violated
        self._closed: Callable[[], None] | None = closed

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._events)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back what the stream holds; again does nothing."""
        self._events.close()
        if self._closed is not None:
            closed, self._closed = self._closed, None
            closed()

    def _run(self, stream: Stream, schema: Schema) -> Generator[bytes, None, None]:
        for step in stream.steps:
            left = step.wait
            while left > 0:
                pause = left if step.silent else min(left, HEARTBEAT)
                if self._stopping.wait(pause):
                    return
                left -= pause
                if left > 0:
                    yield _line(stream.heartbeat)
            if step.event is None:
                continue
            if not schema.is_valid(step.event):
                pointer, message = schema.first_error(step.event)
                text = f"{pointer or '/'}: {message}"
                self._violated(text, step.event)
                yield _line(stream.failed(text))
                return
            yield _line(step.event)
        if stream.last:
            yield f"data: {stream.last}\n\n".encode()


def _line(event: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(event) + b"\n\n"
