"""Cache of list pages, valid until a collection that they depend on changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import is_
from typing import Any

from mockserver.store.collection import Collection, CollectionVersion

MOST = 64
"""Most cached pages."""


class PageCache:
    """Cache of pages that depend on these collections alone.

    Clients request the same page again and again. Building one of 50 threads takes a sixth of the
    time of its request, and more under load: each thread is at another place in memory.
    """

    def __init__(self, *collections: Collection[Any, Any]) -> None:
        self._collections = collections
        self._marks: Sequence[CollectionVersion | None] = [None] * len(collections)
        self._kept: dict[Hashable, tuple[Any, ...]] = {}

    def get(self, key: Hashable, make: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
        """Cached result of `make` for this key; called within a transaction."""
        marks = [collection.content for collection in self._collections]
        # By identity: comparing two equal collections of 100,000 threads would be slow.
        if len(self._kept) >= MOST or not all(map(is_, marks, self._marks)):
            self._marks, self._kept = marks, {}
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
        return found

    def forget(self) -> None:
        """Empty the cache, and release the collections' versions."""
        self._marks, self._kept = [None] * len(self._collections), {}
