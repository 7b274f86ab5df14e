"""Cache of validated records: each is checked once, and sent as the same bytes from then on.

Validating a page of 50 threads takes half of the time of its request, and most pages are read again.
The bytes sent are those that were checked: an edit in place, which the store forbids, has no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import Any

import orjson

from mockserver.openapi.schemas import Schema

MOST = 5000
"""Most records cached per list, including obsolete ones; beyond it the cache is emptied."""
_PER_RECORD_KEYWORDS = {"type", "items", "maxItems", "description", "examples"}
"""Keywords of a list's schema that need no check across records, except for their number."""


class RecordCache:
    """Cache of validated and encoded records of one list; records are replaced in the store, never edited."""

    def __init__(self, field: str, schema: Schema, most: int | None) -> None:
        self._field = field
        self._schema = schema
        self._most = most
        self._last: tuple[list[Any], list[orjson.Fragment]] = [], []
        """Records of the last page, and their bytes."""
        # By id(): no other object has this id while the record is kept here.
        self._kept: dict[int, tuple[Any, orjson.Fragment]] = {}

    def sent(self, body: Any) -> Mapping[str, Any] | None:
        """`body` with its records replaced by their cached bytes; None if it is invalid."""
        records = body.get(self._field) if isinstance(body, dict) else None
        if not isinstance(records, list) or (self._most is not None and len(records) > self._most):
            return None
        last, pieces = self._last
        if len(last) == len(records) and all(map(is_, last, records)):  # the same page again
            return {**body, self._field: pieces} if self._schema.is_valid({**body, self._field: []}) else None
        kept = self._kept
        if len(kept) + len(records) > MOST:
            kept = self._kept = {}  # a new one: other threads may be reading the old
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


def lists_of(schema: Schema, node: Mapping[str, Any]) -> dict[str, RecordCache]:
    """Record caches for `schema` by field; `node` is that schema as written, resolved."""
    return {
        field: RecordCache(field, schema, part.get("maxItems"))
        for field, part in node.get("properties", {}).items()
        if part.get("type") == "array"
        and all(word in _PER_RECORD_KEYWORDS or word.startswith("x-") for word in part)
        and node.keys().isdisjoint(_MORE)
    }


_MORE = {"allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "$ref"}
"""Keywords that could check a list in other ways."""
