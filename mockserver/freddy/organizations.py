"""The caller, organizations, and their roles, departments and assistants, as the scenario defines them."""

from __future__ import annotations

from typing import Any

from mockserver.freddy.access import require_member
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.clock import instant
from mockserver.sandbox.sandbox import Record, Sandbox

SINCE = "2026-01-01T00:00:00Z"
"""When every user and organization was created (A111)."""
GIGABYTE = 2**30


@handles("getCurrentUser")
def get_current_user(call: Call, sandbox: Sandbox) -> Reply:
    """Profile of the caller (A111)."""
    caller = call.caller
    first, _, last = caller.name.partition(" ")
    body = {
        "id": caller.user_id,
        "email": f"{caller.user_id}@example.com",
        "username": caller.user_id,
        "full_name": caller.name or None,
        "first_name": first or None,
        "last_name": last or None,
        "is_active": True,
        "created_at": SINCE,
        "updated_at": SINCE,
        "current_organization_id": next(iter(sorted(caller.memberships)), None),
    }
    return Reply(200, body)


@handles("listOrganizations")
def list_organizations(call: Call, sandbox: Sandbox) -> Reply:
    """Organizations of the caller, by id; all are active (A112)."""
    skip, limit = call.query["skip"], call.query["limit"]
    ids = sorted(call.caller.memberships)
    found = [_organization(id_, sandbox) for id_ in ids[skip : skip + limit]]
    return Reply(200, {"organizations": found, "total": len(ids), "skip": skip, "limit": limit})


@handles("getOrganization")
def get_organization(call: Call, sandbox: Sandbox) -> Reply:
    """An organization of the caller."""
    organization_id = call.path["organization_id"]
    require_member(organization_id, call)
    return Reply(200, _organization(organization_id, sandbox))


def _organization(organization_id: str, sandbox: Sandbox) -> Record:
    organization = sandbox.directory.organizations[organization_id]
    return {
        "id": organization_id,
        "name": organization.name or organization_id,
        "type": "business",
        "description": None,
        "is_active": True,
        "owner_id": None,
        "api_usage_limit": 1000.0,
        "total_usage_limit": 1000.0,
        "storage_free_bytes_allowance": 5 * GIGABYTE,
        "created_at": SINCE,
        "updated_at": SINCE,
    }


@handles("listOrganizationRoles")
def list_organization_roles(call: Call, sandbox: Sandbox) -> Reply:
    """Roles that access lists of the organization may name (A113)."""
    organization_id = call.path["organization_id"]
    require_member(organization_id, call)
    return Reply(
        200,
        [
            {
                "id": id_,
                "name": name or id_,
                "description": None,
                "is_base_role": False,
                "is_custom": True,
                "organization_id": organization_id,
            }
            for id_, name in sandbox.directory.organizations[organization_id].roles.items()
        ],
    )


@handles("listDepartments")
def list_departments(call: Call, sandbox: Sandbox) -> Reply:
    """Departments that access lists of the organization may name, all at the top level (A113)."""
    organization_id = call.path["organization_id"]
    require_member(organization_id, call)
    users = sandbox.directory.users.values()
    memberships = [user.memberships[organization_id] for user in users if organization_id in user.memberships]
    return Reply(
        200,
        [
            {
                "id": id_,
                "name": name or id_,
                "description": None,
                "parent_id": None,
                "path": id_,
                "depth": 0,
                "organization_id": organization_id,
                "member_count": sum(id_ in each.departments for each in memberships),
                "is_active": True,
            }
            for id_, name in sandbox.directory.organizations[organization_id].departments.items()
        ],
    )


@handles("listAssistants")
def list_assistants(call: Call, sandbox: Sandbox) -> Reply:
    """Assistants of the organization that the caller's search names (A117)."""
    query, caller = call.query, call.caller
    require_member(query["organization_id"], call)
    word = (query["search"] or "").casefold()
    found = [
        assistant
        for assistant in sandbox.directory.reference["assistants"]
        if assistant["organization_id"] == query["organization_id"]
        and (query["include_inactive"] or assistant.get("is_active", True))
        and word in f"{assistant['name']}\n{assistant.get('description') or ''}".casefold()
    ]
    found.sort(key=lambda each: (each[query["sort_by"]], each["id"]), reverse=query["sort_order"] == "desc")
    offset, limit = query["offset"], query["limit"]
    page = {"total": len(found), "limit": limit, "offset": offset, "has_more": offset + limit < len(found)}
    filters = ("search", "include_inactive", "sort_by", "sort_order")
    body = {
        "assistants": [_assistant(each, caller.user_id) for each in found[offset : offset + limit]],
        "total": len(found),
        "organization_id": query["organization_id"],
        "pagination": page,
        "filters_applied": {name: query[name] for name in filters},
        "user_context": {"user_id": caller.user_id, "organization_count": len(caller.memberships)},
    }
    return Reply(200, body)


def _assistant(assistant: Record, user_id: str) -> dict[str, Any]:
    """Assistant in the short form of lists."""
    created = instant(assistant["created_at"]) // 1_000_000
    return {
        "id": assistant["id"],
        "name": assistant["name"],
        "description": assistant.get("description"),
        "is_default": False,
        "created_at": created,
        "updated_at": created,
        "access_mode": "organization",
        "api_enabled": True,
        "is_active": assistant.get("is_active", True),
        "temperature": 1.0,
        "user_access_level": "owner" if assistant["created_by"] == user_id else "view",
    }
