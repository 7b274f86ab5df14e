"""Depth of JSON values."""

from __future__ import annotations

from typing import Any

DEEPEST = 100
"""Most levels of a JSON value of a client that is compared, or kept."""


def depth(value: Any) -> int:
    """Levels of the value, at most one more than DEEPEST."""
    deep, level = 0, [value]
    while level and deep <= DEEPEST:
        deep += 1
        outer = [node for node in level if isinstance(node, dict | list)]
        level = [inner for node in outer for inner in (node.values() if isinstance(node, dict) else node)]
    return deep
