"""Equality of JSON values, with the options of WireMock's equalToJson."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

DEEPEST = 100
"""Most levels of a JSON value that is compared."""


def depth(value: Any) -> int:
    """Levels of the value, at most one more than DEEPEST."""
    deep, level = 0, [value]
    while level and deep <= DEEPEST:
        deep += 1
        outer = [node for node in level if isinstance(node, dict | list)]
        level = [inner for node in outer for inner in (node.values() if isinstance(node, dict) else node)]
    return deep


def same(wanted: Any, got: Any, *, any_order: bool = False, extra: bool = False) -> bool:
    """Whether two JSON values are equal; optionally ignoring array order and extra fields."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        if not wanted.keys() <= got.keys() or (not extra and len(wanted) < len(got)):
            return False
        return all(same(value, got[key], any_order=any_order, extra=extra) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return False
        if any_order:
            return _paired([[same(w, g, any_order=True, extra=extra) for g in got] for w in wanted])
        return all(same(w, g, any_order=False, extra=extra) for w, g in zip(wanted, got, strict=True))
    return isinstance(wanted, bool) == isinstance(got, bool) and bool(wanted == got)


def _paired(fit: Sequence[Sequence[bool]]) -> bool:
    """Whether every row can be assigned a column of its own (bipartite matching)."""
    owner: dict[int, int] = {}

    def place(row: int, tried: set[int]) -> bool:
        for column, fits in enumerate(fit[row]):
            if fits and column not in tried:
                tried.add(column)
                if column not in owner or place(owner[column], tried):
                    owner[column] = row
                    return True
        return False

    return all(place(row, set()) for row in range(len(fit)))
