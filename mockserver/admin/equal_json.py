"""Equality of JSON values, with the options of WireMock's equalToJson."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

MOST_COMPARED = 1_000_000
"""Most comparisons of two values for one request; about half a second."""


class OutOfBudget(Exception):
    """The comparison takes too many steps."""


class Budget:
    """Comparisons that are left."""

    def __init__(self, left: int = MOST_COMPARED) -> None:
        self.left = left

    def take(self, count: int = 1) -> None:
        """Use some; OutOfBudget if there are not enough."""
        self.left -= count
        if self.left < 0:
            raise OutOfBudget


def same(
    wanted: Any, got: Any, *, any_order: bool = False, extra: bool = False, budget: Budget | None = None
) -> bool:
    """Whether two JSON values are equal; optionally ignoring array order and extra fields.

    With both options each element of an array is compared with many: OutOfBudget ends that, without a budget
    of the caller's after MOST_COMPARED comparisons.
    """
    if any_order and not extra:
        return sorted_text(wanted) == sorted_text(got)
    return _same(wanted, got, any_order, extra, budget or Budget())


def sorted_text(value: Any) -> bytes:
    """The same text for all values that differ only in the order of arrays and members."""
    if isinstance(value, dict):
        members = [orjson.dumps(name) + b":" + sorted_text(inner) for name, inner in value.items()]
        return b"{" + b",".join(sorted(members)) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(sorted(map(sorted_text, value))) + b"]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 64:
        value = int(value)  # 1.0 equals 1
    return orjson.dumps(value)


def _same(wanted: Any, got: Any, any_order: bool, extra: bool, budget: Budget) -> bool:
    if any_order:
        budget.take()
    if isinstance(wanted, dict) and isinstance(got, dict):
        if not wanted.keys() <= got.keys() or (not extra and len(wanted) < len(got)):
            return False
        return all(_same(value, got[key], any_order, extra, budget) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return False
        if any_order:
            return _paired([[_same(w, g, True, extra, budget) for g in got] for w in wanted], budget)
        return all(_same(w, g, False, extra, budget) for w, g in zip(wanted, got, strict=True))
    return isinstance(wanted, bool) == isinstance(got, bool) and bool(wanted == got)


def _paired(fit: Sequence[Sequence[bool]], budget: Budget) -> bool:
    """Whether every row can be assigned a column of its own (bipartite matching)."""
    owner: dict[int, int] = {}

    def place(row: int, tried: set[int]) -> bool:
        budget.take(len(fit[row]))
        for column, fits in enumerate(fit[row]):
            if fits and column not in tried:
                tried.add(column)
                if column not in owner or place(owner[column], tried):
                    owner[column] = row
                    return True
        return False

    return all(place(row, set()) for row in range(len(fit)))
