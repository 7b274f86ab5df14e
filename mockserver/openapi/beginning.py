"""Beginning of a JSON value, up to a number of values in it."""

from __future__ import annotations

import sys
from typing import Any

RECORD = 1000
"""Most members of an object that is copied whole: a larger one is cut like an array."""


TUPLE = 16
"""Items of every array that are copied: a schema can require some."""


def count(value: Any, most: int = sys.maxsize) -> int:
    """Number of values in a JSON value, itself included; counted up to `most`."""
    found, ahead = 0, [value]
    while ahead and found < most:
        node = ahead.pop()
        found += 1
        if isinstance(node, dict | list):
            ahead += node.values() if isinstance(node, dict) else node
    return found


def beginning(value: Any, most: int) -> Any:
    """Copy of the value whose arrays end once `most` values are copied.

    Each array keeps its first TUPLE items, and an object all its members: nothing that is required is lost.
    """
    left = most

    def copied(node: Any) -> Any:
        nonlocal left
        left -= 1
        if isinstance(node, list):
            part: list[Any] = []
            for each in node:
                if len(part) >= TUPLE and left <= 0:
                    break
                part.append(copied(each))
            return part
        if isinstance(node, dict):
            members: dict[str, Any] = {}
            for name, each in node.items():
                if left <= 0 and len(members) >= RECORD:
                    break
                members[name] = copied(each)
            return members
        return node

    return copied(value)
