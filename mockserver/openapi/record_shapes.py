"""Shapes of stored records: the schemas of the served document, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from mockserver.openapi.schemas import Schema

Record = Mapping[str, Any]


class Fitted(NamedTuple):
    """Record made to fit a schema as far as possible."""

    record: Record
    completed: list[str]
    """Fields that were missing."""
    dropped: list[str]
    """Fields that the schema does not have."""
    wrong: str
    """Error that remains; empty if the record is valid."""


class RecordShapes:
    """Checks records, and completes those that lack a required field."""

    def __init__(self, component: Callable[[str], Schema], *, completes_replies: bool = False) -> None:
        """`component`: the schema of a name; `completes_replies`: stored records need not be complete."""
        self._component = cache(component)
        self.completes_replies = completes_replies

    def wrong(self, schema: str, value: Any) -> str:
        """Error of a record or an id; empty if it is valid."""
        shape = self._component(schema)
        return "" if shape.is_valid(value) else ": ".join(filter(None, shape.first_error(value)))

    def fitted(self, schema: str, record: Record, *, drops: bool) -> Fitted:
        """The record if it is valid, else one that is completed.

        `drops`: whether fields that the schema does not have are left out.
        """
        shape = self._component(schema)
        if shape.is_valid(record):
            return Fitted(record, [], [], "")
        dropped = [name for name in record if shape.forbids(name)] if drops else []
        kept = {name: value for name, value in record.items() if name not in dropped} if dropped else record
        new, completed = shape.completed(kept)
        return Fitted(new, completed, dropped, self.wrong(schema, new))
