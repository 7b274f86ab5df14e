"""How fast and how often the suite asks, and what it makes of no answer."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from contracts.checks.errors import Spent

BUSY = (502, 503, 504)
"""Statuses of what stands before a deployment, or of one that is not well: no word about the contract."""
LONGEST = 60.0
"""Seconds that a Retry-After may ask for at most."""


class Limit:
    """A request budget and a pace, shared by every thread of a run."""

    def __init__(self, per_second: float | None = None, most: int | None = None) -> None:
        self._pause = 1 / per_second if per_second else 0.0
        self._left = most
        self._next = 0.0
        self._lock = threading.Lock()

    @property
    def bounded(self) -> bool:
        """Whether requests are few or slow: then none is spent on comfort."""
        return self._left is not None or self._pause > 0

    def wait(self) -> None:
        """Return when the next request may go out; Spent once the budget is used up."""
        with self._lock:
            if self._left is not None:
                if self._left <= 0:
                    raise Spent("the requests of --max-requests are used up")
                self._left -= 1
            now = time.monotonic()
            due = max(self._next, now)
            self._next = due + self._pause
        if due > now:
            time.sleep(due - now)

    def lift(self) -> None:
        """Let out as many requests as it takes: what was made is removed, whatever the budget."""
        with self._lock:
            self._left = None


def asked_to_wait(retry_after: str) -> float | None:
    """The seconds of a Retry-After, a number or a date; None if there is none, or it is too long."""
    if retry_after.isdecimal():
        seconds = float(retry_after)
    else:
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        now = datetime.now(UTC)  # a date is the wall's
        seconds = max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())
    return seconds if seconds <= LONGEST else None
