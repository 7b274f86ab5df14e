"""What records look like when they are new: in the API's own shape, every field in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]
"""One stored thing in the API's own shape; replaced, never edited."""


def thread(id_: str, *, organization_id: str, user_id: str, created_at: str, **given: Any) -> Record:
    """A thread; without `given` an empty one."""
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
        **given,
    }


def message(
    id_: str, *, thread_id: str, role: str, content: str, created_at: str, metadata: Record | None = None
) -> Record:
    """A message."""
    return {
        "id": id_,
        "created_at": created_at,
        "thread_id": thread_id,
        "role": role,
        "content": content,
        "attachments": None,
        "metadata": metadata,
        "tool_calls": None,
        "iterations": None,
        "response_blocks": None,
    }


def vector_store(
    id_: str, *, organization_id: str, created_by: str, created_at: str, name: str, **given: Any
) -> Record:
    """A vector store; `space_id` names the space whose own it is."""
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
        **given,
    }


def dedicated_store(space: Record) -> Record:
    """The vector store that is made with a space and goes with it; its creator's alone (A75)."""
    return vector_store(
        space["vector_store_id"],
        organization_id=space["organization_id"],
        created_by=space["created_by"],
        created_at=space["created_at"],
        name=space["name"],
        access_mode="private",
        space_id=space["id"],
    )
