"""Permissions: the levels view < edit < owner as one table of rules, and membership of organizations."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from mockserver.http import calls
from mockserver.http.problems import Forbidden
from mockserver.sandbox.directory import Caller, Membership
from mockserver.sandbox.sandbox import Record

OVERRIDE = "override_all_permissions"
EVERYONE = "*"
OPEN_MODES = ("organization", "public")
"""A44: public means the organization as well."""
NOTHING: frozenset[str] = frozenset()


class Access(IntEnum):
    """Access level of a caller on a space; each level includes the lower ones."""

    NONE = 0
    VIEW = 1
    EDIT = 2
    OWNER = 3


_NAMES = tuple(Access.__members__)  # `name` of a member is a property, and takes longer than all else here
Holds: TypeAlias = Callable[[Record, Caller, Membership | None], bool]
"""Whether a rule holds for a space and a caller; None for a caller of another organization."""


class AccessRule(NamedTuple):
    """One way to get an access level."""

    level: Access
    by: str
    holds: Holds


def _names_caller(field: str) -> Holds:
    return lambda space, caller, _: caller.user_id in (space[field] or ())


def _names_any(field: str, of: str) -> Holds:
    """The field names one of the caller's roles or departments."""
    return lambda space, _, member: not getattr(member, of, NOTHING).isdisjoint(space[field] or ())


RULES = (
    AccessRule(Access.OWNER, "created_by", lambda space, caller, _: caller.user_id == space["created_by"]),
    AccessRule(Access.OWNER, OVERRIDE, lambda _, __, member: has_override(member)),
    AccessRule(Access.EDIT, "editable_by_users", _names_caller("editable_by_users")),
    AccessRule(
        Access.EDIT,
        'editable_by_users "*"',  # A45: every member of the organization
        lambda space, _, member: member is not None and EVERYONE in (space["editable_by_users"] or ()),
    ),
    AccessRule(Access.EDIT, "editable_by_roles", _names_any("editable_by_roles", "roles")),
    AccessRule(
        Access.VIEW,
        "access_mode",
        lambda space, _, member: member is not None and space["access_mode"] in OPEN_MODES,
    ),
    AccessRule(Access.VIEW, "access_users", _names_caller("access_users")),
    AccessRule(Access.VIEW, "visible_to_roles", _names_any("visible_to_roles", "roles")),
    AccessRule(Access.VIEW, "access_departments", _names_any("access_departments", "departments")),
)
"""Highest level first: the first rule that holds decides."""

NO_RULE = AccessRule(Access.NONE, "", lambda *_: True)


def has_override(member: Membership | None) -> bool:
    """Whether the member of the organization has an owner's permissions on everything in it."""
    return member is not None and OVERRIDE in member.capabilities


def rule_for(space: Record, caller: Caller) -> AccessRule:
    """Rule that decides the access of `caller` to `space`."""
    member = caller.memberships.get(space["organization_id"])
    for rule in RULES:
        if rule.holds(space, caller, member):
            return rule
    return NO_RULE


def require(needed: Access, space: Record, call: calls.Call[Caller]) -> None:
    """Forbidden unless the caller has at least `needed`; the texts are the documents'."""
    caller = call.caller
    rule = rule_for(space, caller)
    call.grants.append((space["id"], rule.by, _NAMES[rule.level], _NAMES[needed]))
    if rule.level < needed:
        held = f"{rule.level.name} by {rule.by}" if rule.level else f"no access by any rule of {space['id']}"
        problem = Forbidden(
            f"{needed.name.title()} access required",
            reason=f"{caller.user_id} has {held}, {needed.name} needed",
            space_id=space["id"],
        )
        if space["organization_id"] not in caller.memberships:
            problem.assumption = "A46"
        raise problem


def may_view_store(store: Record, caller: Caller) -> bool:
    """Whether the caller may view a vector store: as its creator, by override, or by its access mode."""
    member = caller.memberships.get(store["organization_id"])
    if member is None:
        return False
    if may_change_store(store, caller) or store["access_mode"] in OPEN_MODES:
        return True
    if store["access_mode"] == "department":
        return not member.departments.isdisjoint(store["access_departments"] or ())
    return caller.user_id in (store["access_users"] or ())


def may_change_store(store: Record, caller: Caller) -> bool:
    """Whether the caller may change a vector store: as its creator, or by override (A58)."""
    member = caller.memberships.get(store["organization_id"])
    return caller.user_id == store["created_by"] or has_override(member)


def require_member(organization_id: str, call: calls.Call[Caller]) -> None:
    """Forbidden unless the caller belongs to the organization (A37)."""
    caller = call.caller
    is_member = organization_id in caller.memberships
    call.grants.append((organization_id, "membership", "MEMBER" if is_member else "NONE", "MEMBER"))
    if not is_member:
        belongs = ", ".join(sorted(caller.memberships)) or "none"
        raise Forbidden(
            "Organization access required",
            reason=f"{caller.user_id} is not a member of {organization_id}, only of {belongs}",
            organization_id=organization_id,
        )
