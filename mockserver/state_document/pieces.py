"""A document in pieces, each a line of JSON, so that no other thread waits long for a large one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from mockserver.sandbox.records import Record

ROWS = 500
"""Most records in a line."""


def in_pieces(document: Record) -> Iterator[bytes]:
    """The document as lines."""
    collections = document.get("collections")
    if collections is None:
        yield orjson.dumps(document) + b"\n"
        return
    empty = {name: {**content, "records": []} for name, content in collections.items()}
    yield orjson.dumps({**document, "collections": empty}) + b"\n"
    for name, content in collections.items():
        rows = content["records"]
        for start in range(0, len(rows), ROWS):
            yield orjson.dumps([name, rows[start : start + ROWS]]) + b"\n"


def joined(data: bytes) -> dict[str, Any]:
    """The document of these lines."""
    head, *lines = data.splitlines()
    document: dict[str, Any] = orjson.loads(head)
    for line in lines:
        name, rows = orjson.loads(line)
        document["collections"][name]["records"] += rows
    return document
