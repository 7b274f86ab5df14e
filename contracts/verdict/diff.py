"""Minimal difference between an expected and an actual value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from contracts.http.visible import visible

MISSING = object()
MAX_DIFFERENCES = 12
"""Number of differences after which the comparison stops."""


def same(one: Any, other: Any) -> bool:
    """Equality that tells booleans from numbers."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def at(body: Any, pointer: str) -> Any:
    """Value at a JSON pointer; MISSING if absent."""
    for part in pointer.split("/")[1:]:
        if isinstance(body, list) and part.isdecimal() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict) and part in body:
            body = body[part]
        else:
            return MISSING
    return body


def jsonable(value: Any) -> Any:
    """JSON-compatible copy of a value; sets become sorted lists."""
    if isinstance(value, dict):
        return {str(name): jsonable(inner) for name, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((jsonable(inner) for inner in value), key=repr)
    if isinstance(value, list | tuple):
        return [jsonable(inner) for inner in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return repr(value)


def differences(expected: Any, got: Any, pointer: str = "") -> list[dict[str, Any]]:
    """Differences as objects with `pointer`, and `expected` and `got` where present."""
    found = []
    for where, one, other in _differences(jsonable(expected), jsonable(got), pointer):
        difference = {"pointer": where}
        if one is not MISSING:
            difference["expected"] = one
        if other is not MISSING:
            difference["got"] = other
        found.append(difference)
        if len(found) == MAX_DIFFERENCES:
            break
    return found


def _differences(one: Any, other: Any, pointer: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            here = f"{pointer}/{name}"
            if name in one and name in other:
                yield from _differences(one[name], other[name], here)
            else:
                yield here, one.get(name, MISSING), other.get(name, MISSING)
    elif isinstance(one, list) and isinstance(other, list):
        yield from _in_lists(one, other, pointer)
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield pointer, one, other


def _in_lists(one: list[Any], other: list[Any], pointer: str) -> Iterator[tuple[str, Any, Any]]:
    if one != other and sorted(map(repr, one)) == sorted(map(repr, other)):
        yield pointer, one, other  # only the order differs
        return
    matcher = SequenceMatcher(None, [repr(item) for item in one], [repr(item) for item in other], False)
    for kind, start, end, from_, to in matcher.get_opcodes():
        if kind == "equal":
            continue
        for n in range(max(end - start, to - from_)):
            mine = one[start + n] if start + n < end else MISSING
            its = other[from_ + n] if from_ + n < to else MISSING
            here = f"{pointer}/{(start if its is MISSING else from_) + n}"
            if mine is MISSING or its is MISSING:
                yield here, mine, its
            else:
                yield from _differences(mine, its, here)


def cut(text: str, length: int) -> str:
    """Text on one line, truncated to `length`, with control characters escaped."""
    line = visible(re.sub(r"\s+", " ", re.sub(r"\r\n?", "\n", text)))
    return line if len(line) <= length else f"{line[: length - 1]}…"
