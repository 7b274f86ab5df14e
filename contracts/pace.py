"""Expected duration of a run, from the answers of a target so far."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from contracts.http.exchange import ClientResponse

QUICK_SECONDS = 600.0
"""Longest run of the profile quick without --max-time; the profile small is used instead of a longer one."""


class Pace(NamedTuple):
    """Speed of a target."""

    milliseconds: float
    """Median duration of an answer; 0 if nothing was asked."""
    per_minute: float | None
    """Requests that the target or --rate-limit allows; None if neither says so."""

    @classmethod
    def of(cls, answers: Sequence[ClientResponse], per_minute: float | None) -> Pace:
        """Pace of these answers; `per_minute` as --rate-limit has it."""
        limits = [answer.headers.get("x-ratelimit-limit", "") for answer in answers]
        allowed = [float(text[:9]) for text in limits if text.isdecimal() and int(text)]
        if per_minute is not None:
            allowed.append(per_minute)
        times = [answer.milliseconds for answer in answers]
        return cls(median(times) if times else 0.0, min(allowed, default=None))

    def seconds(self, requests: int) -> float:
        """Expected duration of sequential requests."""
        limited = 60 * requests / self.per_minute if self.per_minute else 0.0
        return max(requests * self.milliseconds / 1000, limited)

    def words(self, requests: int) -> str:
        """Number of requests and minutes to expect, and why."""
        minutes = round(self.seconds(requests) / 60)
        time = f"{minutes} min" if minutes else "under 1 min"
        why = f"{self.milliseconds:.0f} ms an answer"
        if self.per_minute and 60 / self.per_minute > self.milliseconds / 1000:
            why = f"{self.per_minute:,.0f} requests a minute"
        return f"about {requests:,} requests, {time} at {why}"
