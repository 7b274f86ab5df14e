"""Permissions: the levels view < edit < owner as one table of rules, and membership of organizations."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from mockserver.http.problems import Forbidden
from mockserver.sandbox.directory import Caller, Membership
from mockserver.sandbox.sandbox import Record

OVERRIDE = "override_all_permissions"
EVERYONE = "*"
OPEN_MODES = ("organization", "public")
"""A44: public means the organization as well."""


class Access(IntEnum):
    """Access level of a caller on a space; each level includes the lower ones."""

    NONE = 0
    VIEW = 1
    EDIT = 2
    OWNER = 3


class AccessRule(NamedTuple):
    """One way to get an access level. `member` is None for a caller of another organization."""

    level: Access
    by: str
    holds: Callable[[Record, Caller, Membership | None], bool]


RULES = (
    AccessRule(Access.OWNER, "created_by", lambda space, caller, _: caller.user_id == space["created_by"]),
    AccessRule(
        Access.OWNER, OVERRIDE, lambda _, __, member: member is not None and OVERRIDE in member.capabilities
    ),
    AccessRule(
        Access.EDIT,
        "editable_by_users",
        lambda space, caller, _: _lists(caller, space["editable_by_users"]),
    ),
    AccessRule(
        Access.EDIT,
        'editable_by_users "*"',  # A45: every member of the organization
        lambda space, _, member: member is not None and EVERYONE in (space["editable_by_users"] or ()),
    ),
    AccessRule(
        Access.EDIT,
        "editable_by_roles",
        lambda space, _, member: (
            member is not None and not member.roles.isdisjoint(space["editable_by_roles"] or ())
        ),
    ),
    AccessRule(
        Access.VIEW,
        "access_mode",
        lambda space, _, member: member is not None and space["access_mode"] in OPEN_MODES,
    ),
    AccessRule(Access.VIEW, "access_users", lambda space, caller, _: _lists(caller, space["access_users"])),
    AccessRule(
        Access.VIEW,
        "visible_to_roles",
        lambda space, _, member: (
            member is not None and not member.roles.isdisjoint(space["visible_to_roles"] or ())
        ),
    ),
    AccessRule(
        Access.VIEW,
        "access_departments",
        lambda space, _, member: (
            member is not None and not member.departments.isdisjoint(space["access_departments"] or ())
        ),
    ),
)
"""Highest level first: the first rule that holds decides."""

NO_RULE = AccessRule(Access.NONE, "no rule", lambda *_: True)


def _lists(caller: Caller, users: list[str] | None) -> bool:
    return users is not None and caller.user_id in users


def rule_for(space: Record, caller: Caller) -> AccessRule:
    """Rule that decides the access of `caller` to `space`."""
    member = caller.memberships.get(space["organization_id"])
    for rule in RULES:
        if rule.holds(space, caller, member):
            return rule
    return NO_RULE


def require(needed: Access, space: Record, caller: Caller) -> None:
    """Forbidden unless `caller` has at least `needed`; the texts are the documents'."""
    rule = rule_for(space, caller)
    if rule.level < needed:
        raise Forbidden(
            f"{needed.name.title()} access required",
            reason=f"{caller.user_id} has {rule.level.name} by {rule.by}, {needed.name} needed",
            space_id=space["id"],
        )


def require_member(organization_id: str, caller: Caller) -> None:
    """Forbidden unless `caller` belongs to the organization (A37)."""
    if organization_id not in caller.memberships:
        belongs = ", ".join(sorted(caller.memberships)) or "none"
        raise Forbidden(
            "Organization access required",
            reason=f"{caller.user_id} is not a member of {organization_id}, only of {belongs}",
            organization_id=organization_id,
        )
