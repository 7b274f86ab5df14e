"""Base of the transports: request rate and budget, and the delay that Retry-After requests."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from contracts.checks.errors import Spent, WriteGuardError
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.safety.write_guard import deletes_collection

_EPOCH = 1e9
"""Smallest X-RateLimit-Reset that is a Unix time."""
BUSY = (502, 503, 504)
"""Statuses of an unavailable deployment or of its proxy; not part of the contract."""
MAX_RETRY_AFTER = 60.0
"""Longest delay that a target may ask for, in seconds, in a run without --max-time."""


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

    @property
    def per_minute(self) -> float | None:
        """Maximum request rate; None without one."""
        return 60 / self._pause if self._pause else None

    def bound(self, most: int | None) -> None:
        """Lower the budget to `most` requests from now on; None for no change."""
        with self._lock:
            if most is not None:
                self._left = most if self._left is None else min(most, self._left)

    def require(self) -> None:
        """Raise Spent if the budget is exhausted or the time is over."""
        if self._end is not None and time.monotonic() >= self._end:
            raise Spent("the time of the run is over")
        if self._left is not None and self._left <= 0:
            raise Spent("the requests of --max-requests are used up")

    def wait(self, timeout: float) -> float:
        """Block until the next request may be sent, and return the seconds that it may take.

        Spent once the budget is exhausted or the time is over.
        """
        with self._lock:
            self.require()
            left = timeout if self._end is None else min(timeout, self._end - time.monotonic())
            if self._left is not None:
                self._left -= 1
            now = time.monotonic()
            due = max(self._next, now)
            if self._end is not None and due > self._end:
                raise Spent("the time of the run is over")
            self._next = due + self._pause
        if due > now:
            time.sleep(due - now)
        return left

    def hold(self, delay: float) -> None:
        """Send nothing for `delay` seconds, as a rate-limited target asks."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + delay)

    @property
    def longest_delay(self) -> float:
        """Longest delay that fits the run, in seconds."""
        return MAX_RETRY_AFTER if self._end is None else self._end - time.monotonic()

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
        self.fresh = False
        """Whether the suite started the target, so that nobody else uses it."""
        self.always: dict[str, str] = {}
        """Headers of every request, which replace those of a request."""
        self.limit = limit or RequestLimit()

    def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        """Response, redirects not followed; Unanswered if none comes from the API.

        WriteGuardError for the request that is never sent, whoever asks for it.
        """
        if deletes_collection(request.method, request.path):
            raise WriteGuardError(f"DELETE {request.path} deletes a whole collection, which is never sent")
        return self._answer(request, key)

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        raise NotImplementedError

    def close(self) -> None:
        """Release connections and processes."""


def retry_delay(headers: Mapping[str, str]) -> float | None:
    """Seconds until a refused request may be sent again; None if the response does not say.

    It says so by Retry-After or X-RateLimit-Reset. Times are compared with the response's Date, since the
    target's clock may differ.
    """
    now = _instant(headers.get("date", "")) or datetime.now(UTC)
    after = headers.get("retry-after", "").strip()
    if after.isdecimal():
        return float(after[:9])
    if until := _instant(after):
        return max(0.0, (until - now).total_seconds())
    reset = headers.get("x-ratelimit-reset", "").strip()
    if not re.fullmatch(r"\d{1,10}(\.\d{1,9})?", reset):
        return None
    until_reset = float(reset)  # a number of seconds, or a Unix time
    return max(0.0, until_reset - now.timestamp() if until_reset > _EPOCH else until_reset)


def _instant(date: str) -> datetime | None:
    """Time of an HTTP date; None for other text."""
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC)
