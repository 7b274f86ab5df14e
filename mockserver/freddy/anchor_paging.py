"""Paging by `after` and `before`, with ids as anchors that may have been deleted since (A32)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from mockserver.freddy.lookup import Call
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.records import Record
from mockserver.store.collection import Collection, Page, key_after, page
from mockserver.store.sorted_keys import Key, SortedKeys


class Anchor(NamedTuple):
    """Position in a listing: the part, and the key within it."""

    part: int
    position: Key


class Listing(NamedTuple):
    """List of consecutive parts; each part merges several sorted sequences."""

    parts: Sequence[Sequence[SortedKeys]]
    descending: Sequence[bool]
    """Of each part."""

    def window(
        self, limit: int, after: Anchor | None, before: Anchor | None, keep: Callable[[Key], bool]
    ) -> Page:
        """Up to `limit` keys next to the anchor, in list order; with both anchors, between them."""
        if before is None:
            return page(self.forward(after), limit, keep)
        if after is not None:
            between = takewhile(lambda place: self.precedes(place, before), self.places(True, after))
            return page((key for _, key in between), limit, keep)
        found, has_more = page((key for _, key in self.places(False, before)), limit, keep)
        return Page(found[::-1], has_more)

    def forward(self, after: Anchor | None = None) -> Iterator[Key]:
        """Keys after the anchor, or all."""
        return (key for _, key in self.places(True, after))

    def places(self, forward: bool, anchor: Anchor | None) -> Iterator[tuple[int, Key]]:
        """Part and key of each place on the side of the anchor, the nearest first."""
        numbers = range(len(self.parts)) if forward else range(len(self.parts) - 1, -1, -1)
        for number in numbers:
            descending = self.descending[number] == forward
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

    def precedes(self, place: tuple[int, Key], anchor: Anchor) -> bool:
        """Whether a place is before the anchor."""
        part, key = place
        if part != anchor.part:
            return part < anchor.part
        return key > key_after(anchor.position) if self.descending[part] else key < anchor.position


def anchors_of(
    call: Call,
    tables: Sequence[Collection[str, Record]],
    index: str,
    part_of: Callable[[Record], int | None],
    unknown: str,
) -> tuple[Anchor | None, Anchor | None]:
    """Positions of the records that `after` and `before` name, deleted or not; Invalid for others (A32).

    `part_of` returns the part of the listing that has the record; None if it is another list's.
    """
    anchors: dict[str, Anchor] = {}
    errors = []
    for side in ("after", "before"):
        id_ = call.query[side]
        record, position = None, None
        for table in tables if id_ is not None else ():
            record, position = record or table.get(id_), position or table.position(index, id_)
        part = None if record is None else part_of(record)
        if part is not None and position is not None:
            anchors[side] = Anchor(part, position)
        elif id_ is not None:
            errors.append(FieldError("query", side, f"{id_[:80]!r} {unknown}"))
    if errors:
        raise Invalid(errors)
    return anchors.get("after"), anchors.get("before")


def list_body(data: Sequence[Record], has_more: bool) -> dict[str, Any]:
    """One page, with the ids that the next and the previous one are asked for with."""
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }
