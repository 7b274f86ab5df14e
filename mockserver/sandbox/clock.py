"""A sandbox's clock: real time, shifted, or frozen. The only place that asks what time it is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - EPOCH) // _MICROSECOND
_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?)",
    re.ASCII,
)


def real_time() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def elapsed() -> float:
    """Seconds since some moment by the real clock: for limits of the process, not for anything simulated."""
    return time.monotonic()


class Source:
    """What clocks tick by: real time, which stands still while a request holds it."""

    def __init__(self, real: Callable[[], int] = real_time) -> None:
        """`real`: microseconds, one number after another."""
        self.real = real
        self._held: int | None = None

    def __call__(self) -> int:
        """Microseconds; the same at every call while it is held."""
        held = self._held  # once: another thread may release it
        return self.real() if held is None else held

    def hold(self) -> None:
        """Stand still from here on."""
        self._held = self.real()

    def release(self) -> None:
        """Go on, as if it had never stood still."""
        self._held = None


class Dial(NamedTuple):
    """How a clock starts."""

    instant: int | None = None
    """What it shows first; real time for None."""
    frozen: bool = False
    """Whether it stands still there; if not, it ticks on."""


REAL_TIME = Dial()


class Clock:
    """Instants are whole microseconds since 1970, UTC."""

    def __init__(self, frozen: int | None = None, source: Callable[[], int] = real_time) -> None:
        self._source = source
        self._frozen = frozen
        self._offset = 0
        self._told = -1, ""

    @classmethod
    def of(cls, dial: Dial, source: Callable[[], int] = real_time) -> Clock:
        """A clock that starts like this."""
        clock = cls(dial.instant, source)
        if not dial.frozen:
            clock.resume()
        return clock

    def dial(self) -> Dial:
        """How another clock starts that goes on like this one."""
        return Dial(self.now(), self.is_frozen)

    @property
    def is_frozen(self) -> bool:
        """Whether time stands still until it is advanced."""
        return self._frozen is not None

    def now(self) -> int:
        """The instant it is in this sandbox."""
        if self._frozen is not None:
            return self._frozen
        return min(self._source() + self._offset, _LAST)  # there is no year 10000 to tick on to

    def text(self, at: int | None = None) -> str:
        """An instant, else now, as the API writes it: RFC 3339, UTC, whole seconds (A21)."""
        second = (self.now() if at is None else at) // 1_000_000
        told, text = self._told
        if second != told:
            text = as_text(second * 1_000_000)
            self._told = second, text  # together: other threads ask too
        return text

    def freeze(self, instant: int) -> None:
        """Stand still at `instant`."""
        self._frozen = instant

    def advance(self, microseconds: int) -> None:
        """Go forward by `microseconds`, frozen or not; ValueError past the year 9999."""
        if self.now() + microseconds > _LAST:
            raise ValueError("the clock can't go past 9999-12-31T23:59:59Z")
        if self._frozen is not None:
            self._frozen += microseconds
        else:
            self._offset += microseconds

    def resume(self) -> None:
        """Tick on from the instant at which it stands; a clock that ticks is left alone."""
        if self._frozen is not None:
            self._offset = self._frozen - self._source()
            self._frozen = None

    def mark(self) -> tuple[int | None, int]:
        """How it goes, to go back to."""
        return self._frozen, self._offset

    def back_to(self, mark: tuple[int | None, int]) -> None:
        """Go as it went."""
        self._frozen, self._offset = mark


def as_text(instant: int) -> str:
    """RFC 3339 in UTC; a fraction only if there is one."""
    return (EPOCH + instant * _MICROSECOND).isoformat().removesuffix("+00:00") + "Z"


def instant(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 text; ValueError if it is none or has no zone."""
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            raise ValueError
        found = (moment - EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text[:40]!r} is not an instant like 2026-02-26T10:30:00Z, in years 1 to 9999"
        ) from error
    if not _FIRST <= found <= _LAST:
        raise ValueError(f"{text[:40]!r} is outside of the years 1 to 9999 in UTC")
    return found


def duration(value: float | str) -> int:
    """Microseconds of a number of seconds, or of an ISO 8601 duration like `PT1H` or `P2DT30M`."""
    if not isinstance(value, str):
        return round(value * 1_000_000)
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(f"{value[:40]!r} is not a duration like PT1H or P2DT30M")
    try:
        span = timedelta(**{unit: float(number) for unit, number in match.groupdict("0").items()})
    except OverflowError as error:
        raise ValueError(f"{value[:40]!r} is longer than any clock can go") from error
    return span // _MICROSECOND
