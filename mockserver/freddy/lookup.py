"""Finding what a call names, in the order in which the API refuses: 404 of the space, then 403 (A02)."""

from __future__ import annotations

from mockserver.freddy.access import Access, require
from mockserver.freddy.registry import Call
from mockserver.http.problems import BadCursor, Forbidden, Invalid, NotFound
from mockserver.openapi.flaw import Flaw
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.collection import behind, position_of
from mockserver.store.sorted_keys import Key


def space_for(needed: Access, call: Call, sandbox: Sandbox) -> Record:
    """The space in the path, if the caller has `needed` there."""
    space_id = call.path["space_id"]
    space = sandbox.spaces.get(space_id)
    named = call.query.get("organization_id")
    if space is None or named not in (None, space["organization_id"]):
        raise no_space(space_id, space, named)
    require(needed, space, call.caller)
    return space


def no_space(space_id: str, space: Record | None, organization_id: str | None) -> NotFound:
    """The 404 of a space that is not there, or not in the organization that the call names (A23)."""
    reason = f"no space {space_id!r}" if space is None else f"{space_id} is not in {organization_id}"
    return NotFound("Space not found", reason=reason, space_id=space_id)


def own_thread(call: Call, sandbox: Sandbox) -> Record:
    """The thread in the path, if it is the caller's (A36)."""
    return thread_of_caller(call.path["thread_id"], call.caller, sandbox)


def thread_of_caller(thread_id: str, caller: Caller, sandbox: Sandbox) -> Record:
    """The thread of this id, if it is the caller's (A36)."""
    thread = sandbox.threads.get(thread_id)
    if thread is None:
        raise no_thread(thread_id, sandbox)
    if thread["user_id"] != caller.user_id:
        raise Forbidden(
            "Thread access required",
            reason=f"{thread_id} belongs to {thread['user_id']}, not to {caller.user_id}",
            thread_id=thread_id,
        )
    return thread


def no_thread(thread_id: str, sandbox: Sandbox) -> NotFound:
    """The 404 of a thread that is not there, or not any more."""
    gone = "was deleted" if thread_id in sandbox.deleted_threads else "does not exist"
    return NotFound("Thread not found", reason=f"thread {thread_id!r} {gone}", thread_id=thread_id)


def start_of_page(call: Call, *scope: str) -> Key | None:
    """Where the call's cursor says to go on; None for the first page; 422 for a bad one (A06)."""
    text = call.query["cursor"]
    if text is None:
        return None
    position = position_of(text, *scope)
    if position is None:
        raise BadCursor
    return behind(position)


MOST_METADATA = 16
"""Pairs on one thread or message, after a merge too (A32)."""


def merged_metadata(record: Record, changes: Record) -> Record | None:
    """The record's metadata after the changes: pairs are merged, null clears, absent keeps (A61)."""
    if "metadata" not in changes:
        kept: Record | None = record["metadata"]
        return kept
    if changes["metadata"] is None:
        return None
    merged = {**(record["metadata"] or {}), **changes["metadata"]}
    if len(merged) > MOST_METADATA:
        text = f"would have {len(merged)} pairs, {MOST_METADATA} are the most"
        raise Invalid([Flaw("body", "metadata", text)])
    return merged


def require_known_names(body: Record, organization_id: str, sandbox: Sandbox) -> None:
    """422 for roles and departments that the organization does not have (A32)."""
    organization = sandbox.directory.organizations[organization_id]
    known = {
        "access_departments": organization.departments,
        "editable_by_roles": organization.roles,
        "visible_to_roles": organization.roles,
    }
    flaws = [
        Flaw("body", f"{field}.{index}", f"{name[:80]!r} does not exist in {organization_id}")
        for field, names in known.items()
        for index, name in enumerate(body.get(field) or ())
        if name not in names
    ]
    if flaws:
        raise Invalid(flaws)
