"""Rows of other documents as records: `NAME:things~ID`, for the row ID of NAME:/things."""

from __future__ import annotations

from mockserver.admin.record_kind import Fields, refuse
from mockserver.sandbox.sandbox import Link, Record, Sandbox


def row_name(key: Link) -> str:
    """Id of a row as a record: the path of its collection has colons for slashes."""
    collection, id_ = key
    return f"{collection.replace(':/', ':', 1).replace('/', ':')}~{id_}"


def rows(sandbox: Sandbox) -> dict[str, Record]:
    """All rows by their ids."""
    return {row_name((each["collection"], each["id"])): each["value"] for each in sandbox.foreign_rows}


def _key(name: str) -> Link:
    collection, _, id_ = name.partition("~")
    document, _, path = collection.partition(":")
    if not (document and path and id_):
        raise refuse(
            "", f"{name[:80]!r} is no id of a row, such as todo:todos~1 for the row 1 of todo:/todos"
        )
    return f"{document}:/{path.replace(':', '/')}", id_


def put_row(name: str, fields: Fields, sandbox: Sandbox) -> None:
    """Store a row as it is given; no document is asked."""
    collection, id_ = _key(name)
    sandbox.foreign_rows.put((collection, id_), {"collection": collection, "id": id_, "value": dict(fields)})


def delete_row(name: str, sandbox: Sandbox) -> None:
    """Delete a row."""
    sandbox.foreign_rows.remove(_key(name))
