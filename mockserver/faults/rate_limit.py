"""Rate limits per caller: token buckets on the sandbox's clock."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple

from mockserver.http.problems import Problem

_MINUTE, _DAY = 60_000_000, 86_400_000_000
_SECOND = 1_000_000
_TEXT = re.compile(r"([1-9][0-9]{0,6})/min(?:,burst ?([1-9][0-9]{0,6}))?", re.ASCII)


class RateLimited(
    Problem, status=429, code="RATE_LIMIT_EXCEEDED", message="Too many requests. Please try again later."
):
    """429: the bucket is empty."""

    def __init__(self, seconds: int, reason: str) -> None:
        super().__init__("Rate limit exceeded", reason=reason, retry_after=seconds)
        self.headers = {"Retry-After": str(seconds)}


class Plan(NamedTuple):
    """Limits per minute, at once (burst) and per day."""

    name: str
    per_minute: int
    burst: int
    per_day: int | None = None


PLANS: Mapping[str, Plan] = {
    "standard": Plan("standard", 100, 120, 10_000),
    "premium": Plan("premium", 1_000, 1_200, 100_000),
}
"""The vendor's published plans."""


def plan(text: str) -> Plan:
    """Plan by name, or from a text like `30/min` or `30/min,burst 5`; ValueError for anything else."""
    if text in PLANS:
        return PLANS[text]
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"is one of {', '.join(PLANS)}, or like 30/min, or like 30/min,burst 5")
    return Plan("custom", int(match[1]), int(match[2] or match[1]))


class _Bucket:
    """Token bucket: `burst` tokens at most, `limit` tokens refilled per `length` microseconds.

    Its level is kept as `limit` times the instant at which it is full, in integers.
    """

    def __init__(self, limit: int, length: int, burst: int, now: int) -> None:
        self._limit, self._length, self._burst = limit, length, burst
        self._now = now
        self._full = now * limit

    def at(self, now: int) -> None:
        """Refill up to this instant. A clock that was set back changes no level."""
        if now < self._now:
            self._full -= (self._now - now) * self._limit
        self._now = now
        self._full = max(self._full, now * self._limit)

    @property
    def left(self) -> int:
        """Whole tokens left."""
        missing = self._full - self._now * self._limit
        return (self._burst * self._length - missing) // self._length

    @property
    def wait(self) -> int:
        """Seconds until the next token, rounded up."""
        enough = self._full - (self._burst - 1) * self._length
        return max(0, -(-(enough - self._now * self._limit) // (self._limit * _SECOND)))

    def take(self) -> None:
        """Remove one token."""
        self._full += self._length

    @property
    def level(self) -> tuple[int, int]:
        """Instant of the last request, and what was missing then, in `limit` times microseconds."""
        return self._now, self._full - self._now * self._limit

    def set_level(self, missing: int) -> None:
        """Set what is missing."""
        self._full = self._now * self._limit + missing

    def headers(self) -> dict[str, str]:
        """Rate-limit headers; the reset is the second at which the bucket is full again, 0 before 1970."""
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(max(0, min(self.left, self._limit))),
            "X-RateLimit-Reset": str(max(0, -(-self._full // (self._limit * _SECOND)))),
        }


class RateLimiter:
    """Token buckets of all callers under one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._windows = [(plan.per_minute, _MINUTE, plan.burst)]
        if plan.per_day is not None:
            self._windows.append((plan.per_day, _DAY, plan.per_day))
        self._buckets: dict[str, list[_Bucket]] = {}
        self._lock = threading.Lock()

    def take(self, caller: str, now: int) -> dict[str, str]:
        """Take a token of the caller and return the headers; RateLimited if none is left."""
        with self._lock:
            buckets = self._buckets.get(caller)
            if buckets is None:
                buckets = self._buckets[caller] = [_Bucket(*window, now) for window in self._windows]
            for bucket in buckets:
                bucket.at(now)
            tightest = min(buckets, key=lambda bucket: bucket.left)
            if tightest.left > 0:
                for bucket in buckets:
                    bucket.take()
                return tightest.headers()
            day = "" if self.plan.per_day is None else f" and {self.plan.per_day} a day"
            reason = f"{caller} may send {self.plan.per_minute} a minute, {self.plan.burst} at once{day}"
            problem = RateLimited(max(1, max(b.wait for b in buckets)), reason)
            problem.headers |= tightest.headers()
            raise problem

    def levels(self) -> dict[str, list[tuple[int, int]]]:
        """Levels of the buckets of each caller: instant, and what is missing."""
        with self._lock:
            return {caller: [each.level for each in buckets] for caller, buckets in self._buckets.items()}

    def set_levels(self, levels: Mapping[str, Sequence[Sequence[int]]]) -> None:
        """Set the levels of buckets; ValueError if a caller has not one for each."""
        for caller, each in levels.items():
            buckets = [_Bucket(*window, now) for window, (now, _) in zip(self._windows, each, strict=True)]
            for bucket, (_, missing) in zip(buckets, each, strict=True):
                bucket.set_level(missing)
            self._buckets[caller] = buckets

    def copy(self) -> RateLimiter:
        """Independent copy."""
        other = RateLimiter(self.plan)
        with self._lock:
            other._buckets = deepcopy(self._buckets)
        return other
