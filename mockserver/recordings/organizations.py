"""Organizations of a recording, with their roles and departments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockserver.recordings.sightings import Sightings

Values = dict[str, Any]
ADMIN = "role_recorded_admin"
"""Role of users who reached a space that its record does not open to them."""
_USED: Mapping[str, Sequence[str]] = {
    "role": ("editable_by_roles", "visible_to_roles"),
    "department": ("access_departments",),
}
"""Kind -> fields of a space that name some."""


def organizations_of(seen: Sightings, records: Sequence[Values], users: Sequence[Values]) -> list[Values]:
    """Organizations of these records and users, as a scenario has them."""
    ids = {each["organization_id"] for each in records}
    ids |= {member["organization"] for user in users for member in user["member_of"]}
    known, found = seen.records["organizations"], []
    for id_ in sorted(ids):
        own = [each for each in records if each["organization_id"] == id_]
        rows = {kind: _named(seen, id_, kind, own) for kind in _USED}
        members = [each for user in users for each in user["member_of"] if each["organization"] == id_]
        _empower(rows["role"], [each for each in members if ADMIN in each["roles"]])
        name = known[id_].last["name"] if id_ in known else id_
        found.append({"id": id_, "name": name, "roles": rows["role"], "departments": rows["department"]})
    return found


def _named(seen: Sightings, organization: str, kind: str, records: Sequence[Values]) -> list[Values]:
    """Roles or departments that were listed, and those that only spaces name."""
    told = [
        {"id": each["id"], "name": each["name"]}
        for each in seen.named.values()
        if each.get("organization_id") == organization and ("path" in each) == (kind == "department")
    ]
    used = {id_ for each in records for field in _USED[kind] for id_ in each.get(field) or ()}
    return told + [{"id": id_, "name": id_} for id_ in sorted(used - {each["id"] for each in told})]


def _empower(roles: list[Values], admins: Sequence[Values]) -> None:
    """Give administrators the role that is named so, or else one of their own."""
    if not admins:
        return
    role = next((each for each in roles if "admin" in f"{each['id']} {each['name']}".lower()), None)
    if role is None:
        role = {"id": ADMIN, "name": "Administrator"}
        roles.append(role)
    role["capabilities"] = ["override_all_permissions"]
    for each in admins:
        each["roles"] = [role["id"] if held == ADMIN else held for held in each["roles"]]
