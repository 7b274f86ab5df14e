"""Kind of records that the control API edits, and what its kinds have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.freddy.access import OVERRIDE
from mockserver.http.calls import Call
from mockserver.http.problems import Invalid, NotFound
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.directory import Caller, Membership
from mockserver.sandbox.sandbox import Record, Sandbox

Fields = Mapping[str, Any]


class Kind(NamedTuple):
    """One kind of records with an id of their own."""

    table: str
    name: str
    """Name of a single one."""
    schema: str
    """Name of the vendor's schema."""
    beside: Fields
    """Fields that an answer has in addition to the record."""
    required: tuple[str, ...]
    """Fields that a new record needs."""
    fixed: tuple[str, ...]
    """Fields that stay as they are."""
    hidden: tuple[str, ...]
    """Fields that a record may have besides those that answers show."""
    make: Callable[[str, Fields, Sandbox], Record]
    put: Callable[[Record | None, Record, Sandbox], None]
    """Stores a record that fits its schema, given the old one, and what it brings about."""
    delete: Callable[[Record, Sandbox], None]


def owner(user_id: str, organization_id: str) -> Caller:
    """Caller of this id who may do everything in the organization."""
    return Caller(user_id, {organization_id: Membership(capabilities=frozenset({OVERRIDE}))})


def call(caller: Caller, **path: str) -> Call[Caller]:
    """Call of one of the vendor's operations."""
    return Call("", path, {}, None, caller)


def refuse(name: str, message: str) -> Invalid:
    """422 for a field of the body."""
    return Invalid([FieldError("body", name, message)])


def found(kind: Kind, id_: str, sandbox: Sandbox) -> Record | None:
    """Record of this kind and id; None if there is none."""
    record: Record | None = getattr(sandbox, kind.table).get(id_)
    return record


def unknown(kind: str, id_: str) -> NotFound:
    """404 of a record."""
    return NotFound("Record not found", reason=f"no record {id_[:80]!r} among {kind}")
