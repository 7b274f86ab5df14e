"""Hold: answers that wait until a tester releases them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import perf_counter

SLICE = 0.1
"""Seconds between two checks for shutdown while waiting."""


class Hold:
    """Where the answers of one rule wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Answers that wait now."""
        return self._waiting

    def entered(self) -> threading.Event:
        """Begin to wait: the event that ends it. `left` has to follow."""
        with self._lock:
            self._waiting += 1
            return self._released

    def left(self) -> None:
        """Wait no longer."""
        with self._lock:
            self._waiting -= 1

    def release(self) -> None:
        """Let pass what waits now; what comes later waits again."""
        with self._lock:
            released, self._released = self._released, threading.Event()
        released.set()


def passes(released: threading.Event, stopping: threading.Event, seconds: float | None = None) -> bool:
    """Wait for the release, or shutdown: whether it came within these seconds."""
    until = None if seconds is None else perf_counter() + seconds
    while not stopping.is_set():
        left = SLICE if until is None else min(SLICE, until - perf_counter())
        if left <= 0:
            return False
        if released.wait(left):
            return True
    return True


class HeldStream:
    """One stream that is held."""

    def __init__(self, hold: Hold, stopping: threading.Event, ended: Callable[[float], None]) -> None:
        """`ended` gets the seconds that it was held."""
        self._hold = hold
        self._stopping = stopping
        self._ended = ended
        self._since = 0.0
        self._released: threading.Event | None = None

    def passes(self, seconds: float) -> bool:
        """Wait for the release: whether it came within these seconds."""
        if self._released is None:
            self._released = self._hold.entered()
            self._since = perf_counter()
        return passes(self._released, self._stopping, seconds)

    def left(self) -> None:
        """Wait no longer, if it does."""
        if self._released is not None:
            self._released = None
            self._ended(perf_counter() - self._since)
            self._hold.left()
