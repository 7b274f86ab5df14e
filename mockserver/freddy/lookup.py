"""Lookup of what a call names, in the API's order of refusals: 404 of the space, then 403 (A02)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from mockserver.freddy.access import Access, may_change_store, may_view_store, require, require_member
from mockserver.http import calls
from mockserver.http.problems import BadCursor, Forbidden, Invalid, NotFound
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.collection import decode_cursor, key_after
from mockserver.store.sorted_keys import Key, SortedKeys

Call: TypeAlias = calls.Call[Caller]


def space_for(needed: Access, call: Call, sandbox: Sandbox) -> Record:
    """Space in the path; Forbidden unless the caller has `needed`."""
    space_id = call.path["space_id"]
    space = sandbox.spaces.get(space_id)
    named = call.query.get("organization_id")
    if space is None or (named not in (None, space["organization_id"]) and not sandbox.follows("A23")):
        raise no_space(space_id, space, named)
    require(needed, space, call)
    return space


def no_space(space_id: str, space: Record | None, organization_id: str | None) -> NotFound:
    """404 of a space that does not exist, or not in the organization that the call names (A23)."""
    reason = f"no space {space_id!r}" if space is None else f"{space_id} is not in {organization_id}"
    return NotFound("Space not found", reason=reason, space_id=space_id)


def own_thread(call: Call, sandbox: Sandbox) -> Record:
    """Thread in the path; Forbidden unless it is the caller's (A36)."""
    return thread_of_caller(call.path["thread_id"], call, sandbox)


def thread_of_caller(thread_id: str, call: Call, sandbox: Sandbox) -> Record:
    """Thread of this id; Forbidden unless it is the caller's (A36)."""
    thread = sandbox.threads.get(thread_id)
    if thread is None:
        raise no_thread(thread_id, sandbox)
    owner, user = thread["user_id"], call.caller.user_id
    call.grants.append((thread_id, "user_id", "OWNER" if owner == user else "NONE", "OWNER"))
    if owner != user:
        raise Forbidden(
            "Thread access required",
            reason=f"{thread_id} belongs to {owner}, not to {user}",
            thread_id=thread_id,
        )
    return thread


def no_thread(thread_id: str, sandbox: Sandbox) -> NotFound:
    """404 of a thread that does not exist or was deleted."""
    gone = "was deleted" if thread_id in sandbox.deleted_threads else "does not exist"
    return NotFound("Thread not found", reason=f"thread {thread_id!r} {gone}", thread_id=thread_id)


def store_in(organization_id: str, store_id: str, sandbox: Sandbox) -> Record:
    """Vector store of this id; NotFound if the organization has none."""
    store = sandbox.vector_stores.get(store_id)
    if store is None or store["organization_id"] != organization_id:
        reason = f"no vector store {store_id!r} in {organization_id}"
        raise NotFound(
            "Vector store not found", code="VECTOR_STORE_NOT_FOUND", reason=reason, vector_store_id=store_id
        )
    return store


def viewed_store(call: Call, sandbox: Sandbox) -> Record:
    """Vector store in the path; Forbidden unless the caller may view it."""
    return _store(may_view_store, "VIEW", call, sandbox)


def changeable_store(call: Call, sandbox: Sandbox) -> Record:
    """Vector store in the path; Forbidden unless the caller may change it."""
    return _store(may_change_store, "OWNER", call, sandbox)


def _store(may: Callable[[Record, Caller], bool], needed: str, call: Call, sandbox: Sandbox) -> Record:
    organization_id = call.path["organization_id"]
    require_member(organization_id, call)
    store = store_in(organization_id, call.path["vector_store_id"], sandbox)
    allowed = may(store, call.caller)
    call.grants.append((store["id"], "", needed if allowed else "NONE", needed))
    if not allowed:
        raise Forbidden(
            "Vector store access required",
            reason=f"{store['id']} was created by {store['created_by']}, not by {call.caller.user_id}",
            vector_store_id=store["id"],
        )
    return store


def without_nulls(body: Record, *keeping: str) -> dict[str, Any]:
    """Fields of a change; null in one of `keeping` keeps the old value."""
    return {name: value for name, value in body.items() if value is not None or name not in keeping}


def message_of(thread: Record, message_id: str, sandbox: Sandbox) -> Record:
    """Message of this thread; NotFound for any other id (A38)."""
    message = sandbox.messages.get(message_id)
    if message is None or message["thread_id"] != thread["id"]:
        raise NotFound(
            "Message not found",
            code="MESSAGE_NOT_FOUND",
            reason=f"no message {message_id!r} in {thread['id']}",
            message_id=message_id,
            thread_id=thread["id"],
        )
    return message


def start_of_page(call: Call, *scope: str) -> Key | None:
    """Key to continue from, by the call's cursor; None for the first page; 422 for a bad cursor (A06)."""
    text = call.query["cursor"]
    if text is None:
        return None
    position = decode_cursor(text, *scope)
    if position is None:
        raise BadCursor
    return key_after(position)


def backward(keys: SortedKeys, start: Key | None) -> Iterator[Key]:
    """Keys in descending order, from where `start_of_page` continues."""
    return keys.before(None if start is None else (*start[:-1], start[-1] - 1))


MOST_METADATA = 16
"""Most metadata entries on a thread or message, also after a merge (A32)."""


def merged_metadata(record: Record, changes: Record, cleared: Record | None) -> Record | None:
    """Metadata after the changes: entries are merged, null gives `cleared`, absent keeps (A61)."""
    if "metadata" not in changes:
        kept: Record | None = record["metadata"]
        return kept
    if changes["metadata"] is None:
        return cleared
    merged = {**(record["metadata"] or {}), **changes["metadata"]}
    if len(merged) > MOST_METADATA:
        text = f"would have {len(merged)} entries, {MOST_METADATA} are the most"
        raise Invalid([FieldError("body", "metadata", text)])
    return merged


def require_known_names(body: Record, organization_id: str, sandbox: Sandbox) -> None:
    """422 for roles and departments unknown to the organization (A32)."""
    organization = sandbox.directory.organizations[organization_id]
    known = {
        "access_departments": organization.departments,
        "editable_by_roles": organization.roles,
        "visible_to_roles": organization.roles,
    }
    errors = [
        FieldError("body", f"{field}.{index}", f"{name[:80]!r} does not exist in {organization_id}")
        for field, names in known.items()
        for index, name in enumerate(body.get(field) or ())
        if name not in names
    ]
    if errors:
        raise Invalid(errors)
