"""End of sending: once a clean-up begins, no other thread sends anything any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, get_ident

from contracts.checks.errors import Spent

GRACE = 10.0
"""Seconds that a request may still be under way when the sending ends."""


class Sending:
    """Requests under way, of all threads of a run."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._under_way = 0
        self._last_thread: int | None = None
        """The one thread that may still send; None while all may."""

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request; Spent if the sending has ended."""
        with self._changed:
            if self._last_thread not in (None, get_ident()):
                raise Spent("the run has ended")
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def end(self) -> None:
        """Let this thread alone go on; wait for the requests of others, at most GRACE seconds."""
        with self._changed:
            self._last_thread = get_ident()
            self._changed.wait_for(lambda: self._under_way == 0, GRACE)
