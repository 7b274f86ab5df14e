"""Who may do what on the whole server, and the look-up of what a call names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel

from tests.contracts.whole_server.errors import Refused, wrong
from tests.contracts.whole_server.state import DEPARTMENTS, ROLES, Record, State, User


def _state(request: Request) -> State:
    found: State = request.app.state.all
    return found


def _user(request: Request) -> User:
    user: User = request.scope["caller"]
    return user


Now = Annotated[State, Depends(_state)]
Me = Annotated[User, Depends(_user)]


def levels(space: Record, me: User) -> str:
    """Levels of access that a user has to a space, as initials: v(iew), e(dit), o(wner)."""
    if space["organization_id"] == me.organization and (space["created_by"] == me.id or me.overrides):
        return "veo"
    editors = space["editable_by_users"] or []
    if me.id in editors or ("*" in editors and me.organization == space["organization_id"]):
        return "ve"
    is_open = space["access_mode"] != "private" and me.organization == space["organization_id"]
    return "v" if is_open or me.id in (space["access_users"] or []) else ""


def space_of(state: State, me: User, space_id: str, level: str, organization_id: str | None = None) -> Record:
    """Space that a call names; 404, or 403 without the level."""
    space = state.spaces.get(space_id)
    if space is None or organization_id not in (None, "", space["organization_id"]):
        raise Refused(404, "Space not found", space_id=space_id)
    if level not in levels(space, me):
        text = {"v": "View", "e": "Edit", "o": "Owner"}[level]
        raise Refused(403, f"{text} access required", space_id=space_id)
    return space


def thread_of(state: State, me: User, thread_id: str) -> Record:
    """Thread of the caller; another's is as if it did not exist (A36)."""
    thread = state.threads.get(thread_id)
    if thread is None or thread["user_id"] != me.id:
        raise Refused(404, "Thread not found", thread_id=thread_id)
    return thread


def member(me: User, organization_id: str) -> None:
    """403 for strangers to an organization."""
    if organization_id != me.organization:
        raise Refused(403, "Not a member of the organization", organization_id=organization_id)


def known(body: BaseModel) -> None:
    """422 for a department or role that is not there."""
    fields = {"access_departments": DEPARTMENTS, "editable_by_roles": ROLES, "visible_to_roles": ROLES}
    strange = [
        (("body", field), f"unknown: {name}")
        for field, names in fields.items()
        for name in getattr(body, field, None) or ()
        if name not in names
    ]
    if strange:
        raise wrong(*strange)


def store_of(state: State, me: User, organization_id: str, store_id: str, *, change: bool = False) -> Record:
    """Vector store that a call names."""
    member(me, organization_id)
    store = state.stores.get(store_id)
    if store is None or store["organization_id"] != organization_id:
        raise Refused(404, "Vector store not found", "VECTOR_STORE_NOT_FOUND", vector_store_id=store_id)
    is_mine = store["created_by"] == me.id or me.overrides
    may_view = store["access_mode"] in ("organization", "public") or me.id in (store["access_users"] or [])
    if not is_mine and (change or not may_view):
        raise Refused(403, "Not your vector store", vector_store_id=store_id)
    return store
