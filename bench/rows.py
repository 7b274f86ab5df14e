"""A row of the table: one promise, and the function that measures it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class NotAvailable(Exception):
    """What the row asks for can't be measured here; str() says why."""


class Effort(NamedTuple):
    """How much load a row may make."""

    rounds: int
    seconds: int
    connections: int
    threads: int
    """Blocking threads of the servers that run on granian."""


class Result(NamedTuple):
    """What came out: in words, whether that is enough (None: it is only told), and the numbers behind it."""

    measured: str
    met: bool | None
    numbers: dict[str, Any]


class Row(NamedTuple):
    """One line of the table."""

    group: str
    key: str
    what: str
    target: str
    measure: Callable[[Effort], Result]


ROWS: list[Row] = []
"""In each group in the order of the table."""


def row(
    key: str, what: str, target: str
) -> Callable[[Callable[[Effort], Result]], Callable[[Effort], Result]]:
    """Register the decorated function; its group is the file that it stands in."""

    def register(measure: Callable[[Effort], Result]) -> Callable[[Effort], Result]:
        ROWS.append(Row(measure.__module__.rpartition(".")[2], key, what, target, measure))
        return measure

    return register


class Spread(NamedTuple):
    """The median of some numbers, and the smallest and largest of them."""

    median: float
    low: float
    high: float


def spread(numbers: Sequence[float]) -> Spread:
    """The median and the ends."""
    return Spread(statistics.median(numbers), min(numbers), max(numbers))


def at(share: float, numbers: Sequence[float]) -> float:
    """The smallest number that at least this share of them does not exceed."""
    return sorted(numbers)[max(0, math.ceil(share * len(numbers)) - 1)]
