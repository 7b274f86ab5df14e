"""Handler of what changed since the start: the records that a reset would bring back or take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.admin.paging import Call, ControlContext, named_page
from mockserver.admin.record_kinds import KINDS
from mockserver.admin.record_links import BETWEEN, LINKS, keys_of, users_of
from mockserver.admin.record_rows import row_name
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.records import public_fields
from mockserver.sandbox.sandbox import Data, Record, Sandbox

TABLES = (
    {kind.table: name for name, kind in KINDS.items()}
    | dict.fromkeys(LINKS, "links")
    | {"foreign_rows": "rows"}
)
"""Collection -> kind of its records."""


@handles("listChanges")
def list_changes(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """One page of the records that differ from those of the start, by kind and id."""
    found = sorted(_changes(sandbox.start.data, sandbox.state("").data), key=_name)
    page = named_page(call, "changes", [(_name(each), each) for each in found], lambda each: each)
    return Reply(200, {**page, "total": len(found)})


def _name(change: Record) -> str:
    return f"{change['kind']} {change['id']}"


def _changes(start: Data, now: Data) -> Iterator[Record]:
    for table, kind in TABLES.items():
        before, after = start.versions[table].rows, now.versions[table].rows
        if before is not after:
            for id_ in {*before, *after}:
                was, is_ = (rows[id_][1] if id_ in rows else None for rows in (before, after))
                if was is not is_ and was != is_:
                    yield _change(kind, _id(kind, id_), was, is_)
    for kind, of in (("users", users_of), ("keys", keys_of)):
        old, new = of(start.directory), of(now.directory)
        for id_ in {*old, *new}:
            if old.get(id_) != new.get(id_):
                yield _change(kind, id_, old.get(id_), new.get(id_))


def _id(kind: str, key: Any) -> str:
    if kind == "rows":
        return row_name(key)
    return key if isinstance(key, str) else BETWEEN.join(key)


def _change(kind: str, id_: str, before: Record | None, after: Record | None) -> Record:
    """Change of a record; of a changed one, the fields that differ."""
    if kind == "files":
        before, after = (each and public_fields(each, "file") for each in (before, after))
    if kind == "rows":
        before, after = (each and each["value"] for each in (before, after))
    change = "changed"
    if before is None or after is None:
        change = "added" if before is None else "deleted"
    else:
        names = [name for name in {**before, **after} if _differs(name, before, after)]
        before, after = ({name: each[name] for name in names if name in each} for each in (before, after))
    return {"kind": kind, "id": id_, "change": change, "before": before, "after": after}


def _differs(name: str, before: Any, after: Any) -> bool:
    return name not in before or name not in after or before[name] != after[name]
