"""Copies of a document, each damaged at one random place."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

DELETED = object()
DAMAGE: tuple[Any, ...] = (DELETED, None, 5, "x", [], {}, [None], {"x": None}, True)


def mutants(document: Any, count: int, seed: int = 1) -> Iterator[Any]:
    """`count` copies of `document` with one random value deleted or replaced in each."""
    dice = random.Random(seed)
    for _ in range(count):
        mutant = copy.deepcopy(document)
        container, key = dice.choice(list(_places(mutant)))
        value = dice.choice(DAMAGE)
        if value is DELETED:
            del container[key]
        else:
            container[key] = copy.deepcopy(value)
        yield mutant


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from _places(node[key])
