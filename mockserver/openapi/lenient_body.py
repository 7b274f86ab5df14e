"""Lenient handling: a request body without its invalid values."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from mockserver.openapi.field_error import FieldError
from mockserver.openapi.schemas import Schema

ROUNDS = 50
"""Most rounds; each drops at least one value, and no body is nested half as deep."""
MOST_DROPPED = 1000
"""Values dropped of one body, after which no further round begins."""


def drop_invalid(schema: Schema, body: Any, dropped: list[FieldError]) -> tuple[Any, list[FieldError]]:
    """A valid copy of `body`, and the errors that remain: those of values that can't be dropped.

    The smallest object members that contain an error are dropped, and added to `dropped`.
    """
    whole, reported = deepcopy(body), {each.name: each for each in schema.errors(body, "body")}
    gone: dict[str, FieldError] = {}
    for _ in range(ROUNDS):
        members = {member for place in schema.places(whole) if (member := _member(place))}
        if not members or len(gone) >= MOST_DROPPED:
            break
        for member in sorted(members, key=len, reverse=True):
            name = ".".join(map(str, member))
            _drop(whole, member)
            gone[name] = reported.get(name) or FieldError("body", name, "holds what is not valid")
    left = schema.errors(whole, "body")
    if not left:
        dropped += gone.values()
    # "is required" is misleading for a value that was sent and dropped: report its own error instead.
    return whole, [gone.get(each.name, each) for each in left]


def _member(place: Sequence[str | int]) -> tuple[str | int, ...]:
    """Smallest object member that contains the place; empty if there is none."""
    steps = list(place)
    while steps and not isinstance(steps[-1], str):
        steps.pop()
    return tuple(steps)


def _drop(whole: Any, member: Sequence[str | int]) -> None:
    *parents, name = member
    node = whole
    for step in parents:
        node = node[step]
    if isinstance(node, dict):
        node.pop(name, None)
