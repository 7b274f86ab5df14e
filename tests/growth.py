"""Growth of work with the size of an input, as a ratio of processor times: also on a busy machine."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import process_time
from typing import TypeVar

T = TypeVar("T")
MOST = 3.0
"""Growth at which doubled input is refused: linear work takes twice as long."""
NOTICEABLE = 0.02
"""Seconds below which a time is noise; quadratic work on the largest input takes many times as long."""
TRIES = 5
ROUNDS = 4
"""Rounds of TRIES, since other processes on the machine slow one size down more than the other at times."""


def seconds(work: Callable[[T], object], value: T) -> float:
    """Processor time of the work, without garbage collection, which depends on the whole process."""
    gc.disable()
    try:
        begin = process_time()
        work(value)
        return process_time() - begin
    finally:
        gc.enable()


def grows_too_fast(
    work: Callable[[T], object], of_size: Callable[[int], T], first: int, last: int
) -> str | None:
    """The first doubling from `first` to `last` that takes three times as long, best of five; or None."""
    size = first
    while size < last:
        small, large = of_size(size), of_size(size * 2)
        if seconds(work, large) > NOTICEABLE and (found := _slow(work, small, large)):
            return f"{size} -> {size * 2}: {found}"
        size *= 2
    return None


def _slow(work: Callable[[T], object], small: T, large: T) -> str | None:
    """Both times, if the large one is too long in every round."""
    before = after = float("inf")
    for _ in range(ROUNDS):
        for _ in range(TRIES):
            before = min(before, seconds(work, small))
            after = min(after, seconds(work, large))
        if after <= max(NOTICEABLE, MOST * before):
            return None
    return f"{before * 1000:.1f} -> {after * 1000:.1f} ms"
