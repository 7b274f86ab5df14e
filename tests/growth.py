"""Growth of work with the size of an input: a ratio of processor times, so that a busy machine does not matter."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import TypeVar

T = TypeVar("T")
MOST = 3.0
"""Growth at which doubled input is refused: linear work takes twice as long."""
NOTICEABLE = 0.004
"""Seconds below which a time is noise; quadratic work on the largest input takes a thousand times as long."""
TRIES = 5


def seconds(work: Callable[[T], object], value: T) -> float:
    """Processor time of the work."""
    begin = process_time()
    work(value)
    return process_time() - begin


def grows_too_fast(
    work: Callable[[T], object], of_size: Callable[[int], T], first: int, last: int
) -> str | None:
    """The first doubling from `first` to `last` that takes three times as long, best of five; or None."""
    size = first
    while size < last:
        small, large = of_size(size), of_size(size * 2)
        if seconds(work, large) > NOTICEABLE:
            before = min(seconds(work, small) for _ in range(TRIES))
            after = min(seconds(work, large) for _ in range(TRIES))
            if after > NOTICEABLE and after > MOST * before:
                return f"{size} -> {size * 2}: {before * 1000:.1f} -> {after * 1000:.1f} ms"
        size *= 2
    return None
