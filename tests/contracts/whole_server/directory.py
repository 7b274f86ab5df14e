"""The caller, organizations, models and assistants of the whole server."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from tests.contracts.whole_server.access import Me, member
from tests.contracts.whole_server.state import DEPARTMENTS, ELSEWHERE, ORGANIZATION, ROLES, Record

router = APIRouter(prefix="/v1")
BEGIN = "2025-03-04T05:06:07.000008Z"
MODELS = [
    {"id": "mdl_2", "key": "ftg-3.0", "name": "FTG", "is_deprecated": False, "is_visible_in_ui": True},
    {"id": "mdl_1", "key": "gpt-4o", "name": "Omni", "is_deprecated": False, "is_visible_in_ui": False},
    {"id": "mdl_0", "key": "davinci", "name": "Old", "is_deprecated": True, "is_visible_in_ui": False},
]
ASSISTANTS = [("asst_b", "Writer", 1_750_000_000, True), ("asst_a", "Reader", 1_760_000_000, False)]


@router.get("/user/me")
async def current_user(me: Me) -> Record:
    """Profile of the caller."""
    name = me.id.removeprefix("usr_")
    profile = {"id": me.id, "email": f"{name}@deployment.example", "username": name, "is_active": True}
    return {**profile, "created_at": BEGIN, "updated_at": BEGIN, "current_organization_id": me.organization}


def organization(organization_id: str) -> Record:
    """Organization as it is shown."""
    return {
        "id": organization_id,
        "name": {ORGANIZATION: "Main", ELSEWHERE: "Elsewhere"}[organization_id],
        "type": "company",
        "description": "An organization",
        "is_active": True,
        "owner_id": "usr_anna",
        **dict.fromkeys(("api_usage_limit", "total_usage_limit"), 12.5),
        "storage_free_bytes_allowance": 1_000_000,
        "created_at": BEGIN,
        "updated_at": BEGIN,
    }


@router.get("/organizations")
async def list_organizations(
    me: Me,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    active_only: bool = False,
) -> Record:
    """Organizations of the caller."""
    found = [organization(me.organization)][skip : skip + limit]
    return {"organizations": found, "total": 1, "skip": skip, "limit": limit}


@router.get("/organizations/{organization_id}")
async def get_organization(organization_id: str, me: Me) -> Record:
    """One organization."""
    member(me, organization_id)
    return organization(organization_id)


@router.get("/organizations/{organization_id}/roles")
async def list_roles(organization_id: str, me: Me) -> list[Record]:
    """Roles that access lists may name."""
    member(me, organization_id)
    return [
        {"id": role, "name": role, "is_base_role": True, "is_custom": False, "organization_id": None}
        for role in sorted(ROLES)
    ]


@router.get("/organizations/{organization_id}/departments")
async def list_departments(organization_id: str, me: Me) -> list[Record]:
    """Departments that access lists may name, below another."""
    member(me, organization_id)
    return [
        {"id": id_, "name": id_, "path": f"top/{id_}", "depth": 1, "organization_id": organization_id}
        for id_ in sorted(DEPARTMENTS)
    ]


@router.get("/models")
async def list_models(
    me: Me,
    ui_models_only: bool = False,
    include_pricing: bool = False,
    include_details: bool = False,
    include_capabilities: bool = True,
    include_deprecated: bool = False,
    include_recent_usage: bool = False,
) -> Record:
    """Models, with what is asked for."""
    further: Record = {"availability_status": "general_availability"}
    if include_pricing:
        further["pricing"] = {"message": "Free"}
    if include_capabilities:
        further["capabilities"] = ["text"]
    if include_details:
        further["description"] = "A model"
    if include_recent_usage:
        further["last_used_at"] = None
    found = [
        {**model, **further}
        for model in MODELS
        if (include_deprecated or not model["is_deprecated"])
        and (model["is_visible_in_ui"] or not ui_models_only)
    ]
    return {"models": found, "total_count": len(found)}


@router.get("/model/response/output-modes")
async def output_modes(me: Me) -> Record:
    """Output modes of a question."""
    modes = ("text", "plain", "structured", "json")
    return {"output_modes": [{"mode": m, "description": m.title(), "is_default": m == "text"} for m in modes]}


@router.get("/model/response/reasoning-levels")
async def reasoning_levels(me: Me) -> Record:
    """Levels of reasoning."""
    levels = ("off", "low", "medium", "high", "maximum")
    shown = [{"level": each, "description": each.title(), "is_default": each == "off"} for each in levels]
    return {"success": True, "reasoning_levels": shown}


@router.get("/assistants")
async def list_assistants(
    organization_id: str,
    me: Me,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    offset: Annotated[int, Query(ge=0)] = 0,
    search: str | None = None,
    include_inactive: bool = False,
    sort_by: Literal["name", "created_at"] = "created_at",
    sort_order: Literal["asc", "desc"] = "desc",
) -> Record:
    """A page of assistants, the newest first."""
    member(me, organization_id)
    found = [
        (id_, name, created, is_active)
        for id_, name, created, is_active in ASSISTANTS
        if organization_id == ORGANIZATION
        and (is_active or include_inactive)
        and (search or "").lower() in name.lower()
    ]
    found.sort(key=lambda each: each[1 if sort_by == "name" else 2], reverse=sort_order == "desc")
    filters = {"search": search, "include_inactive": include_inactive}
    filters |= {"sort_by": sort_by, "sort_order": sort_order}
    is_more = offset + limit < len(found)
    return {
        "assistants": [
            {
                "id": id_,
                "name": name,
                "is_default": False,
                **dict.fromkeys(("created_at", "updated_at"), created),
                "access_mode": "private",
                "api_enabled": False,
                "is_active": is_active,
                "temperature": 0.5,
            }
            for id_, name, created, is_active in found[offset : offset + limit]
        ],
        "total": len(found),
        "organization_id": organization_id,
        "pagination": {"total": len(found), "limit": limit, "offset": offset, "has_more": is_more},
        "filters_applied": filters,
        "user_context": {"user_id": me.id, "organization_count": 1},
    }
