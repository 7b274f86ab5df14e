"""Base of the transports: request rate and budget, and the delay that Retry-After requests."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from contracts.checks.errors import Spent
from contracts.http.exchange import ClientRequest, ClientResponse

BUSY = (502, 503, 504)
"""Statuses of an unavailable deployment or of its proxy; not part of the contract."""
MAX_RETRY_AFTER = 60.0
"""Longest accepted Retry-After, in seconds."""


class RequestLimit:
    """Request budget and rate, shared by all threads of a run."""

    def __init__(self, per_second: float | None = None, most: int | None = None) -> None:
        self._pause = 1 / per_second if per_second else 0.0
        self._left = most
        self._end: float | None = None
        self._next = 0.0
        self._lock = threading.Lock()

    @property
    def bounded(self) -> bool:
        """Whether requests are limited; optional requests are then not sent."""
        return self._left is not None or self._pause > 0

    def wait(self, timeout: float) -> float:
        """Block until the next request may be sent, and return the seconds that it may take.

        Spent once the budget is exhausted or the time is over.
        """
        with self._lock:
            left = timeout if self._end is None else min(timeout, self._end - time.monotonic())
            if left <= 0:
                raise Spent("the time of the run is over")
            if self._left is not None:
                if self._left <= 0:
                    raise Spent("the requests of --max-requests are used up")
                self._left -= 1
            now = time.monotonic()
            due = max(self._next, now)
            self._next = due + self._pause
        if due > now:
            time.sleep(due - now)
        return left

    def end_at(self, instant: float | None) -> None:
        """Send nothing after this monotonic time; None for no end."""
        self._end = instant

    def lift(self, grace: float) -> None:
        """Remove the budget, and allow `grace` seconds from now, so that clean-up can finish."""
        with self._lock:
            self._left, self._end = None, time.monotonic() + grace


class Transport:
    """Sends requests to one target."""

    def __init__(self, url: str, limit: RequestLimit | None) -> None:
        self.url = url
        self.always: dict[str, str] = {}
        """Headers added to every request."""
        self.limit = limit or RequestLimit()

    def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        """Response, redirects not followed; Unanswered if none comes from the API."""
        raise NotImplementedError

    def close(self) -> None:
        """Release connections and processes."""


def retry_delay(retry_after: str) -> float | None:
    """Seconds of a Retry-After header (number or date); None if absent or too long."""
    if retry_after.isdecimal():
        seconds = float(retry_after)
    else:
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        now = datetime.now(UTC)  # Retry-After dates are wall-clock times
        seconds = max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())
    return seconds if seconds <= MAX_RETRY_AFTER else None
