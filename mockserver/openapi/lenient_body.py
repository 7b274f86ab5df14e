"""A request body without its faulty values, for a client that asks to be handled leniently."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from mockserver.openapi.flaw import Flaw
from mockserver.openapi.schemas import Schema

ROUNDS = 50
"""Each takes out at least one value; no body of ours is nested half as deep."""


def mended(schema: Schema, body: Any, dropped: list[Flaw]) -> tuple[Any, list[Flaw]]:
    """A copy of `body` that the schema allows, and what is still wrong with it: what can't be dropped.

    What is dropped goes into `dropped`: the smallest members of objects that hold what is wrong.
    """
    whole, told = deepcopy(body), {flaw.name: flaw for flaw in schema.flaws(body, "body")}
    gone: dict[str, Flaw] = {}
    for _ in range(ROUNDS):
        members = {member for place in schema.places(whole) if (member := _member(place))}
        if not members:
            break
        for member in sorted(members, key=len, reverse=True):
            name = ".".join(map(str, member))
            _drop(whole, member)
            gone[name] = told.get(name) or Flaw("body", name, "holds what is not valid")
    left = schema.flaws(whole, "body")
    if not left:
        dropped += gone.values()
    # "is required" is no help to a client that sent it: it is told what was wrong with what it sent.
    return whole, [gone.get(flaw.name, flaw) for flaw in left]


def _member(place: Sequence[str | int]) -> tuple[str | int, ...]:
    """The smallest member of an object around the place; empty if there is none."""
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
