"""Pages of lists, kept for as long as nothing that they are made of has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import is_
from typing import Any

from mockserver.store.collection import Collection, Mark

MOST = 64
"""Pages that are kept."""


class Pages:
    """Pages that are made of these collections alone.

    A client asks for the same page again and again. To put together one of 50 threads takes a sixth of the
    time of its request, and more beside other work: each thread lies in another place of the memory.
    """

    def __init__(self, *made_of: Collection[Any, Any]) -> None:
        self._made_of = made_of
        self._marks: Sequence[Mark | None] = [None] * len(made_of)
        self._kept: dict[Hashable, tuple[Any, ...]] = {}

    def get(self, key: Hashable, make: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
        """What `make` gave for this key since the last change; called alone in the sandbox."""
        marks = [collection.mark() for collection in self._made_of]
        # By identity: two worlds of 100,000 threads that are equal would take long to tell so.
        if len(self._kept) >= MOST or not all(map(is_, marks, self._marks)):
            self._marks, self._kept = marks, {}
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
        return found

    def forget(self) -> None:
        """Keep nothing, not even what the pages are made of."""
        self._marks, self._kept = [None] * len(self._made_of), {}
