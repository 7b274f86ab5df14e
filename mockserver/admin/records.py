"""Handlers of single records: each change is held to the schemas and to everything else that is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.admin import record_links, record_rows
from mockserver.admin.paging import Call, ControlContext, named_page
from mockserver.admin.record_kind import Fields, Kind, found, refuse, unknown
from mockserver.admin.record_kinds import CONTENT, KINDS
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Conflict, Forbidden, Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.records import HIDDEN, public_fields
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.state_document.state_file import InvalidState

_LISTED = 5
"""Most reasons of a 409."""
_PINS = {"is_pinned", "pinned_at", "pin_order"}
"""Fields that change without `updated_at`."""


class _Others(NamedTuple):
    """Kind of records that are not collections of their own."""

    all: Callable[[Sandbox], dict[str, Record]]
    put: Callable[[str, Fields, Sandbox], None]
    delete: Callable[[str, Sandbox], None]


_OTHERS: Mapping[str, _Others] = {
    "links": _Others(record_links.links, record_links.put_link, record_links.delete_link),
    "users": _Others(record_links.users, record_links.put_user, record_links.delete_user),
    "keys": _Others(record_links.keys, record_links.put_key, record_links.delete_key),
    "rows": _Others(record_rows.rows, record_rows.put_row, record_rows.delete_row),
}


@handles("listRecords")
def list_records(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """One page of the records of a kind, by id."""
    name = call.path["kind"]
    rows = sorted(_all(name, sandbox).items())
    page = named_page(
        call, "records", [(id_, (id_, record)) for id_, record in rows], lambda row: _body(name, *row)
    )
    return Reply(200, {**page, "total": len(rows)})


@handles("getRecord")
def get_record(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """One record."""
    return Reply(200, _body(call.path["kind"], call.path["id"], _one(call, sandbox)))


@handles("putRecord")
def put_record(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """Create a record, or replace it."""
    name, id_ = call.path["kind"], call.path["id"]
    old = _all(name, sandbox).get(id_)
    if name in _OTHERS:
        _OTHERS[name].put(id_, call.body, sandbox)
    else:
        _put(name, old, _changed(name, id_, old, call, sandbox), sandbox, context)
    _check(sandbox, context)
    return Reply(201 if old is None else 200, _body(name, id_, _one(call, sandbox)))


@handles("patchRecord")
def patch_record(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """Change fields of a record."""
    name, id_, old = call.path["kind"], call.path["id"], _one(call, sandbox)
    if name in _OTHERS:
        _OTHERS[name].put(id_, {**old, **call.body}, sandbox)
    else:
        _put(name, old, _changed(name, id_, old, call, sandbox), sandbox, context)
    _check(sandbox, context)
    return Reply(200, _body(name, id_, _one(call, sandbox)))


@handles("deleteRecord")
def delete_record(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """Delete a record, as the vendor's operation does where there is one."""
    name, id_, old = call.path["kind"], call.path["id"], _one(call, sandbox)
    if name in _OTHERS:
        _OTHERS[name].delete(id_, sandbox)
    else:
        try:
            KINDS[name].delete(old, sandbox)
        except Forbidden as refused:
            raise Conflict("Not on its own", reason=refused.reason) from refused
    _check(sandbox, context)
    return Reply(204)


def _all(name: str, sandbox: Sandbox) -> dict[str, Record]:
    if name in _OTHERS:
        return _OTHERS[name].all(sandbox)
    return {record["id"]: record for record in getattr(sandbox, KINDS[name].table)}


def _one(call: Call, sandbox: Sandbox) -> Record:
    name, id_ = call.path["kind"], call.path["id"]
    record = _OTHERS[name].all(sandbox).get(id_) if name in _OTHERS else found(KINDS[name], id_, sandbox)
    if record is None:
        raise unknown(name, id_)
    return record


def _body(name: str, id_: str, record: Record) -> Record:
    return {"kind": name, "id": id_, "record": public_fields(record, "file") if name == "files" else record}


def _allowed(kind: Kind, sandbox: Sandbox) -> set[str]:
    """Names of the fields that a record of this kind can have."""
    blank = dict.fromkeys(kind.required, "")
    content = CONTENT if kind.table == "files" else ()
    sample = kind.make("-", {**blank, **dict.fromkeys(content[:1], "")}, sandbox)
    return {*sample, *kind.hidden, *kind.fixed, *content}


def _changed(name: str, id_: str, old: Record | None, call: Call, sandbox: Sandbox) -> Record:
    """Whole record after a PUT or PATCH; 422 for fields that it can't have, or that are missing."""
    kind, given = KINDS[name], call.body
    if strange := sorted(given.keys() - _allowed(kind, sandbox)):
        raise refuse(strange[0], f"is no field of {name}")
    if given.get("id", id_) != id_:
        raise refuse("id", "must be as in the path")
    if call.operation == "patchRecord":
        assert old is not None
        touched = given.keys() - _PINS and ("updated_at" in old or name == "messages")
        return {**old, **({"updated_at": sandbox.now()} if touched else {}), **given}
    kept = {} if old is None else {each: old[each] for each in (*kind.fixed, "created_at") if each in old}
    fields = {each: value for each, value in {**kept, **given}.items() if each != "id"}
    if missing := [each for each in kind.required if each not in fields]:
        raise Invalid([FieldError("body", each, "is required") for each in missing])
    if old is not None and kind.table == "files":
        return {**old, **fields}
    return kind.make(id_, fields, sandbox)


def _put(name: str, old: Record | None, new: Record, sandbox: Sandbox, context: ControlContext) -> None:
    """Store a record that fits its schema, with the fixed fields as they were."""
    kind = KINDS[name]
    for field in kind.fixed:
        if old is not None and new.get(field) != old.get(field):
            raise Conflict("Field is fixed", reason=f"{field} can't be changed; it is {old.get(field)!r}")
    shown = public_fields(new, kind.name) if kind.name in HIDDEN else new
    if wrong := context.states.misfit(kind.schema, {**shown, **kind.beside}):
        raise refuse("", f"not a valid {kind.schema}: {wrong}")
    kind.put(old, new, sandbox)


def _check(sandbox: Sandbox, context: ControlContext) -> None:
    """Hold the whole state to the checks of a state document; what is in the way is a 409."""
    document = context.states.document(sandbox.state(""))
    try:
        context.states.state(document, "state")
    except InvalidState as invalid:
        errors = invalid.errors
    else:
        return
    if wrong := [each for each in errors if each.message.startswith("not a valid")]:
        raise Invalid([FieldError("body", "", each.message) for each in wrong[:_LISTED]])
    reasons = [f"{_place(each.name, document)}: {each.message}" for each in errors[:_LISTED]]
    raise Conflict("In the way", reason="; ".join(reasons))


def _place(name: str, document: Any) -> str:
    """Record at an address of the document, such as `thread thrd_abc123`."""
    parts = name.split(".")
    if parts[0] == "collections" and len(parts) > 2:
        record = document["collections"][parts[1]]["records"][int(parts[2])]["record"]
        return f"{parts[1]} {record.get('id') or '~'.join(map(str, list(record.values())[:2]))}"
    if parts[0] == "users" and len(parts) > 1:
        return f"user {document['users'][int(parts[1])]['id']}"
    return name
