"""Kinds of records that the control API edits: what makes one, what a change brings about, what deletes it.

A deletion, and the making of a link, is the vendor's own operation, called by a user who may do everything;
so it leaves behind what the operation leaves behind.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.admin.record_kind import Fields, Kind, call, owner, refuse
from mockserver.file_contents.content import content_of
from mockserver.file_contents.pieces import media_type_of
from mockserver.freddy import files, messages, spaces, threads, vector_stores
from mockserver.freddy.shared_memory import mark_active, message_key, replace_message, spaces_of
from mockserver.freddy.threads import MOST_PINNED
from mockserver.http.calls import Reply
from mockserver.http.problems import Conflict
from mockserver.sandbox import records
from mockserver.sandbox.clock import instant
from mockserver.sandbox.sandbox import Record, Sandbox


def _space(id_: str, fields: Fields, sandbox: Sandbox) -> Record:
    given = {"vector_store_id": f"vs_{id_}", "created_at": sandbox.now(), **fields}
    return records.space(id_, **given)


def _put_space(old: Record | None, new: Record, sandbox: Sandbox) -> None:
    sandbox.spaces.put(new["id"], new)
    if old is None:
        if new["vector_store_id"] in sandbox.vector_stores:
            raise Conflict("Store exists", reason=f"vector store {new['vector_store_id']!r} exists already")
        sandbox.vector_stores.put(new["vector_store_id"], records.dedicated_store(new))


def _thread(id_: str, fields: Fields, sandbox: Sandbox) -> Record:
    count = len(sandbox.messages.keys("thread", id_))
    made = records.thread(id_, **{"created_at": sandbox.now(), "message_count": count, **fields})
    return {**made, "updated_at": fields.get("updated_at", made["created_at"])}


def _put_thread(old: Record | None, new: Record, sandbox: Sandbox) -> None:
    if new["id"] in sandbox.deleted_threads:
        raise Conflict("Thread deleted", reason=f"thread {new['id']!r} was deleted; choose another id")
    was_pinned = old is not None and old["is_pinned"]
    if new["is_pinned"] and not was_pinned:
        pinned = sandbox.threads.records(sandbox.threads.ids("user", (new["user_id"], True)))
        if sum(each["organization_id"] == new["organization_id"] for each in pinned) >= MOST_PINNED:
            reason = f"{MOST_PINNED} threads of {new['user_id']} are pinned, the most there may be"
            raise Conflict("Too many pinned", reason=reason)
        last = max((each.get("pin_order", 0) for each in pinned), default=0)
        new = {"pin_order": last + 1, **new, "pinned_at": new["pinned_at"] or sandbox.now()}
        if old is not None:
            new["pin_order"] = last + 1
    elif was_pinned and not new["is_pinned"]:
        new = {**new, "pinned_at": None, "pin_order": 0}
    sandbox.threads.put(new["id"], new)


def _message(id_: str, fields: Fields, sandbox: Sandbox) -> Record:
    first = {name: fields[name] for name in ("thread_id", "role", "content")}
    return {**records.message(id_, created_at=sandbox.now(), **first), **fields}


def _put_message(old: Record | None, new: Record, sandbox: Sandbox) -> None:
    thread = sandbox.threads.get(new["thread_id"])
    if thread is None:
        raise Conflict("No thread", reason=f"thread {new['thread_id']!r} does not exist")
    if new["id"] in sandbox.deleted_messages:
        raise Conflict("Message deleted", reason=f"message {new['id']!r} was deleted; choose another id")
    if old is not None:
        replace_message(new, sandbox)
    else:
        sandbox.messages.put(new["id"], new)
        at = new["created_at"]
        changed = {"message_count": thread["message_count"] + 1, "last_message_at": at, "updated_at": at}
        sandbox.threads.put(thread["id"], {**thread, **changed})
        for space_id in spaces_of(thread["id"], sandbox):
            key = message_key(new["id"], sandbox)
            sandbox.embeddings.add_messages(space_id, thread["id"], [key], sandbox.clock.now())
            mark_active(space_id, sandbox)
    _require_order(thread["id"], new, sandbox)


def _require_order(thread_id: str, new: Record, sandbox: Sandbox) -> None:
    found = sandbox.messages.records(sandbox.messages.ids("thread", thread_id))
    try:
        times = [instant(each["created_at"]) for each in found]
    except (ValueError, AttributeError) as error:
        raise refuse("created_at", str(error)) from error
    if times != sorted(times):
        reason = f"{new['id']!r} of {new['created_at']} would not be in the order of time in {thread_id}"
        raise Conflict("Wrong order", reason=f"{reason}; the messages of a thread are, the oldest first")


def _store(id_: str, fields: Fields, sandbox: Sandbox) -> Record:
    return records.vector_store(id_, **{"created_at": sandbox.now(), **fields})


def _put_store(old: Record | None, new: Record, sandbox: Sandbox) -> None:
    if old is None and new["space_id"] is not None:
        raise refuse("space_id", "is of a store that comes with its space: put the space")
    sandbox.vector_stores.put(new["id"], new)


def _file(id_: str, fields: Fields, sandbox: Sandbox) -> Record:
    try:
        data = b64decode(fields["base64"], validate=True) if "base64" in fields else fields["text"].encode()
    except (KeyError, ValueError, TypeError, AttributeError):
        raise refuse("text", "give the content as text, or in base64 as base64") from None
    made = records.file(
        id_,
        organization_id=fields["organization_id"],
        uploaded_by=fields["uploaded_by"],
        uploaded_at=fields.get("uploaded_at", sandbox.now()),
        filename=fields["original_filename"],
        mime_type=fields.get("mime_type") or media_type_of(str(fields["original_filename"]), ""),
        content=content_of(data),
    )
    return {**made, **{name: value for name, value in fields.items() if name not in CONTENT}}


def _put_file(_: Record | None, new: Record, sandbox: Sandbox) -> None:
    sandbox.files.put(new["id"], new)


def _deleted_by(operation: Callable[[Any, Sandbox], Reply], owner_field: str, **path: str) -> Any:
    """Deletion by the vendor's operation; `path`: parameter -> field of the record."""

    def delete(record: Record, sandbox: Sandbox) -> None:
        who = owner(record[owner_field], record["organization_id"])
        operation(call(who, **{name: record[field] for name, field in path.items()}), sandbox)

    return delete


def _delete_message(record: Record, sandbox: Sandbox) -> None:
    thread = sandbox.threads.record(record["thread_id"])
    who = owner(thread["user_id"], thread["organization_id"])
    path = {"thread_id": thread["id"], "message_id": record["id"]}
    messages.delete_thread_message(call(who, **path), sandbox)


CONTENT = ("text", "base64")
"""Fields of a new file from which its content is made."""
_IN_ORGANIZATION = {"organization_id": "organization_id"}
KINDS: Mapping[str, Kind] = {
    "spaces": Kind(
        "spaces",
        "space",
        "Space",
        {"additional_vector_store_ids": []},
        ("organization_id", "created_by", "name"),
        ("organization_id", "vector_store_id"),
        (),
        _space,
        _put_space,
        _deleted_by(spaces.delete_space, "created_by", space_id="id"),
    ),
    "threads": Kind(
        "threads",
        "thread",
        "ListedThread",
        {},
        ("organization_id", "user_id"),
        ("message_count", "pin_order", "last_read"),
        ("workflow_id",),
        _thread,
        _put_thread,
        _deleted_by(threads.delete_thread, "user_id", thread_id="id"),
    ),
    "messages": Kind(
        "messages",
        "message",
        "Message",
        {},
        ("thread_id", "role", "content"),
        ("thread_id",),
        records.HIDDEN["message"],
        _message,
        _put_message,
        _delete_message,
    ),
    "stores": Kind(
        "vector_stores",
        "vector_store",
        "VectorStore",
        {"file_count": 0, "data_size": 0},
        ("organization_id", "created_by", "name"),
        ("organization_id", "space_id"),
        (),
        _store,
        _put_store,
        _deleted_by(
            vector_stores.delete_vector_store, "created_by", vector_store_id="id", **_IN_ORGANIZATION
        ),
    ),
    "files": Kind(
        "files",
        "file",
        "StoredFile",
        {},
        ("organization_id", "uploaded_by", "original_filename"),
        ("organization_id", "file_size", "content"),
        (),
        _file,
        _put_file,
        _deleted_by(files.delete_file, "uploaded_by", file_id="id", **_IN_ORGANIZATION),
    ),
}
