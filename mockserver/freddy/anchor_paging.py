"""Paging by `after` and `before`, with ids as anchors that may have been deleted since (A32)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from mockserver.store.collection import Page, key_after, page
from mockserver.store.sorted_keys import Key, SortedKeys


class Anchor(NamedTuple):
    """Position in a listing: the part, and the key within it."""

    part: int
    position: Key


class Listing(NamedTuple):
    """List of consecutive parts; each part merges several sorted sequences."""

    parts: Sequence[Sequence[SortedKeys]]
    descending: bool

    def window(
        self, limit: int, after: Anchor | None, before: Anchor | None, keep: Callable[[Key], bool]
    ) -> Page:
        """Up to `limit` keys next to the anchor, in list order; with both anchors, between them."""
        if before is None:
            return page(self.forward(after), limit, keep)
        if after is not None:
            between = takewhile(lambda place: self._precedes(place, before), self._places(True, after))
            return page((key for _, key in between), limit, keep)
        found, has_more = page((key for _, key in self._places(False, before)), limit, keep)
        return Page(found[::-1], has_more)

    def forward(self, after: Anchor | None = None) -> Iterator[Key]:
        """Keys after the anchor, or all."""
        return (key for _, key in self._places(True, after))

    def _places(self, forward: bool, anchor: Anchor | None) -> Iterator[tuple[int, Key]]:
        numbers = range(len(self.parts)) if forward else range(len(self.parts) - 1, -1, -1)
        descending = self.descending == forward
        for number in numbers:
            start = None
            if anchor is not None:
                if number == anchor.part:
                    start = anchor.position if descending else key_after(anchor.position)
                elif (number < anchor.part) == forward:
                    continue
            merged = heapq.merge(
                *(keys.before(start) if descending else keys.after(start) for keys in self.parts[number]),
                reverse=descending,
            )
            yield from ((number, key) for key in merged)

    def _precedes(self, place: tuple[int, Key], anchor: Anchor) -> bool:
        part, key = place
        if part != anchor.part:
            return part < anchor.part
        return key > key_after(anchor.position) if self.descending else key < anchor.position
