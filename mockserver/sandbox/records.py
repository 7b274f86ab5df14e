"""New records in the API's own shape, with every field in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]
"""Stored object in the API's own shape; replaced, never edited."""
HIDDEN: Mapping[str, tuple[str, ...]] = {
    "message": ("updated_at",),
    "thread": ("workflow_id", "pin_order"),
    "vector_store": ("space_id",),
}
"""Kind of record -> fields that its answers leave out."""


_NO_ATTACHMENTS: list[Any] = []
_NO_METADATA: Record = {}
"""Shared by all messages without any, to save memory."""


def shown(record: Record, kind: str) -> Record:
    """Record without its hidden fields; the same object if it has none."""
    hidden = HIDDEN[kind]
    if not any(name in record for name in hidden):
        return record
    return {name: value for name, value in record.items() if name not in hidden}


def space(
    id_: str,
    *,
    organization_id: str,
    created_by: str,
    name: str,
    vector_store_id: str,
    created_at: str,
    **fields: Any,
) -> Record:
    """Space record; private except for `fields`."""
    return {
        "id": id_,
        "organization_id": organization_id,
        "created_by": created_by,
        "name": name,
        "description": None,
        "vector_store_id": vector_store_id,
        "access_mode": "private",
        "access_users": None,
        "access_departments": None,
        "editable_by_users": None,
        "editable_by_roles": None,
        "visible_to_roles": None,
        "last_activity_at": None,
        "created_at": created_at,
        "updated_at": created_at,
        **fields,
    }


def thread(id_: str, *, organization_id: str, user_id: str, created_at: str, **fields: Any) -> Record:
    """Thread record; empty except for `fields`."""
    return {
        "id": id_,
        "object": "thread",
        "created_at": created_at,
        "updated_at": created_at,
        "last_message_at": created_at,
        "metadata": {},
        "assistant_id": None,
        "organization_id": organization_id,
        "user_id": user_id,
        "title": None,
        "status": "inactive",
        "message_count": 0,
        "visible_in_ui": True,
        "last_model_used": None,
        "is_pinned": False,
        "pinned_at": None,
        **fields,
    }


def message(
    id_: str, *, thread_id: str, role: str, content: str, created_at: str, metadata: Record | None = None
) -> Record:
    """Message record."""
    return {
        "id": id_,
        "created_at": created_at,
        "thread_id": thread_id,
        "role": role,
        "content": content,
        "attachments": _NO_ATTACHMENTS,
        "metadata": metadata or _NO_METADATA,
        "tool_calls": None,
        "iterations": None,
        "response_blocks": None,
    }


def vector_store(
    id_: str, *, organization_id: str, created_by: str, created_at: str, name: str, **fields: Any
) -> Record:
    """Vector store record; `space_id` is the space that it belongs to."""
    return {
        "id": id_,
        "name": name,
        "description": None,
        "organization_id": organization_id,
        "created_by": created_by,
        "created_at": created_at,
        "updated_at": created_at,
        "is_active": True,
        "access_mode": "organization",
        "access_departments": None,
        "access_users": None,
        "flowplate_project_id": None,
        "flow_id": None,
        "space_id": None,
        **fields,
    }


def dedicated_store(space: Record) -> Record:
    """Vector store created and deleted with a space; private to its creator (A75)."""
    return vector_store(
        space["vector_store_id"],
        organization_id=space["organization_id"],
        created_by=space["created_by"],
        created_at=space["created_at"],
        name=space["name"],
        access_mode="private",
        space_id=space["id"],
    )
