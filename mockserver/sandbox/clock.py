"""Clock of a sandbox: real time, shifted, or frozen. The only module that reads the system's time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // _MICROSECOND
LAST = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - EPOCH) // _MICROSECOND
_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?)",
    re.ASCII,
)


def real_time() -> int:
    """Microseconds since 1970; less than before if somebody has set the machine's clock back."""
    return time.time_ns() // 1000


def elapsed() -> float:
    """Monotonic seconds of real time: for limits of the process, nothing else."""
    return time.monotonic()


class TimeSource:
    """Time source of clocks: real time that never goes back, held still during a transaction."""

    def __init__(self, real: Callable[[], int] = real_time) -> None:
        """`real`: returns microseconds."""
        self.real = real
        self._held: int | None = None
        self._last = _FIRST
        self._behind = 0
        """Microseconds by which the machine's clock was set back so far."""
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Microseconds; constant while held."""
        held = self._held  # read once: another thread may release it
        return self._steady() if held is None else held

    def _steady(self) -> int:
        """Real time; if it was set back, it continues from the last instant."""
        with self._lock:
            real = self.real()
            self._behind = max(self._behind, self._last - real)
            self._last = real + self._behind
            return self._last

    def start(self, real: Callable[[], int]) -> None:
        """Start again with another real time."""
        with self._lock:
            self.real, self._last, self._behind = real, _FIRST, 0

    def reach(self, instant: int) -> int:
        """Go on from this instant, if it is later: microseconds by which it is ahead of real time then."""
        with self._lock:
            self._last = max(self._last, instant)
        self._steady()
        return self._behind

    def hold(self) -> None:
        """Hold the current instant."""
        self._held = self._steady()

    def release(self) -> None:
        """Continue with real time."""
        self._held = None


class ClockStart(NamedTuple):
    """Initial state of a clock."""

    instant: int | None = None
    """First instant; real time for None."""
    frozen: bool = False
    """Whether it stands still there."""


REAL_TIME = ClockStart()


class Clock:
    """Clock in whole microseconds since 1970, UTC."""

    def __init__(self, frozen: int | None = None, source: Callable[[], int] = real_time) -> None:
        self._source = source
        self._frozen = frozen
        self._offset = 0
        self.in_microseconds = False
        """Whether texts have a fraction of six digits (A21)."""

    def as_start(self) -> ClockStart:
        """Initial state of a clock that continues this one."""
        return ClockStart(self.now(), self.is_frozen)

    @property
    def is_frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen is not None

    def now(self) -> int:
        """Current instant of the sandbox."""
        if self._frozen is not None:
            return self._frozen
        return min(self._source() + self._offset, LAST)  # capped: datetime has no year 10000

    def text(self, at: int | None = None) -> str:
        """An instant, by default now, as RFC 3339 in UTC with whole seconds (A21)."""
        at = self.now() if at is None else at
        whole = as_text(at // 1_000_000 * 1_000_000)
        return f"{whole[:-1]}.{at % 1_000_000:06d}Z" if self.in_microseconds else whole

    def freeze(self, instant: int) -> None:
        """Stop at `instant`."""
        self._frozen = instant

    def advance(self, microseconds: int) -> None:
        """Move forward by `microseconds`, frozen or not; ValueError past the year 9999."""
        if self.now() + microseconds > LAST:
            raise ValueError("the clock can't go past 9999-12-31T23:59:59Z")
        if self._frozen is not None:
            self._frozen += microseconds
        else:
            self._offset += microseconds

    def resume(self) -> None:
        """Continue from the frozen instant; no effect on a running clock."""
        if self._frozen is not None:
            self._offset = self._frozen - self._source()
            self._frozen = None

    def checkpoint(self) -> tuple[int | None, int]:
        """State to restore later."""
        return self._frozen, self._offset

    def restore(self, checkpoint: tuple[int | None, int]) -> None:
        """Restore a state."""
        self._frozen, self._offset = checkpoint


def as_text(instant: int) -> str:
    """Instant as RFC 3339 in UTC; with a fraction only if it is not zero."""
    return (EPOCH + instant * _MICROSECOND).isoformat().removesuffix("+00:00") + "Z"


def instant(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 text; ValueError if it is invalid or has no zone."""
    try:
        state = datetime.fromisoformat(text.upper())
        if state.tzinfo is None:
            raise ValueError
        found = (state - EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text[:40]!r} is not an instant like 2026-02-26T10:30:00Z, in years 1 to 9999"
        ) from error
    if not _FIRST <= found <= LAST:
        raise ValueError(f"{text[:40]!r} is outside of the years 1 to 9999 in UTC")
    return found


def duration(value: float | str) -> int:
    """Microseconds of a number of seconds, or of an ISO 8601 duration such as `PT1H` or `P2DT30M`."""
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
