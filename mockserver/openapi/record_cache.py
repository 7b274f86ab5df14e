"""Lists of stored records: each is held to its schema once, and from then on sent as the bytes that were.

To hold a page of 50 threads to its schema takes half of the time of its request, and most pages are read
again.
What is sent has been held to the spec to the byte: an edit in place, which the store forbids, is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import Any

import orjson

from mockserver.openapi.schemas import Schema

MOST = 5000
"""Records that are kept of one list, dead ones too; then it starts anew."""
_TOLD_BY_THE_RECORDS = {"type", "items", "maxItems", "description", "examples"}
"""What a list's schema may say here: nothing that takes all records together to check, but how many."""


class Stored:
    """One list in the answers of one schema, whose records are replaced in the store, never edited."""

    def __init__(self, field: str, schema: Schema, most: int | None) -> None:
        self._field = field
        self._schema = schema
        self._most = most
        self._last: tuple[list[Any], list[orjson.Fragment]] = [], []
        """The records of the last page, and their bytes."""
        # By id(): while the record is held here, no other object has that id.
        self._kept: dict[int, tuple[Any, orjson.Fragment]] = {}

    def sent(self, body: Any) -> Mapping[str, Any] | None:
        """`body` with the bytes of its records in their place; None if it is not allowed."""
        records = body.get(self._field) if isinstance(body, dict) else None
        if not isinstance(records, list) or (self._most is not None and len(records) > self._most):
            return None
        last, pieces = self._last
        if len(last) == len(records) and all(map(is_, last, records)):  # the same page again
            return {**body, self._field: pieces} if self._schema.is_valid({**body, self._field: []}) else None
        kept = self._kept
        if len(kept) + len(records) > MOST:
            kept = self._kept = {}  # another one, for other threads may be reading the old
        try:
            new, pieces = [], [kept[id(record)][1] for record in records]
        except KeyError:
            new, pieces = [record for record in records if id(record) not in kept], []
        if not self._schema.is_valid({**body, self._field: new}):
            return None
        if new:
            for record in new:
                kept[id(record)] = record, orjson.Fragment(orjson.dumps(record))
            pieces = [kept[id(record)][1] for record in records]
        self._last = list(records), pieces
        return {**body, self._field: pieces}


def lists_of(schema: Schema, node: Mapping[str, Any]) -> dict[str, Stored]:
    """What can be sent so in answers of `schema`, by field; `node` is that schema, resolved, as written."""
    return {
        field: Stored(field, schema, part.get("maxItems"))
        for field, part in node.get("properties", {}).items()
        if part.get("type") == "array"
        and all(word in _TOLD_BY_THE_RECORDS or word.startswith("x-") for word in part)
        and node.keys().isdisjoint(_MORE)
    }


_MORE = {"allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "$ref"}
"""A schema with one of these may look at a list in other ways, too."""
