"""New records in the API's own shape, with every field in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.file_contents.content import Content

Record = Mapping[str, Any]
"""Stored object in the API's own shape; replaced, never edited."""
HIDDEN: Mapping[str, tuple[str, ...]] = {
    "message": ("updated_at",),
    "thread": ("workflow_id", "pin_order", "last_read"),
    "vector_store": ("space_id",),
    "file": ("content",),
}
"""Kind of record -> fields that its answers leave out."""


_NO_ATTACHMENTS: list[Any] = []
_NO_METADATA: Record = {}
"""Shared by all messages without any, to save memory."""


def public_fields(record: Record, kind: str) -> Record:
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


def file(
    id_: str,
    *,
    organization_id: str,
    uploaded_by: str,
    uploaded_at: str,
    filename: str,
    mime_type: str,
    content: Content,
) -> Record:
    """File record; `content` has its bytes."""
    return {
        "id": id_,
        "original_filename": filename,
        "file_size": len(content.data),
        "mime_type": mime_type,
        "storage_path": f"organizations/{organization_id}/files/{id_}",
        "organization_id": organization_id,
        "uploaded_by": uploaded_by,
        "uploaded_by_api_key_id": None,
        "uploaded_at": uploaded_at,
        "content": content,
    }


def vector_store_file(
    id_: str, *, vector_store_id: str, file_id: str, added_by: str, added_at: str
) -> Record:
    """File in a vector store; `error_message` is one of an attempt before, kept by a retry."""
    return {
        "id": id_,
        "vector_store_id": vector_store_id,
        "file_id": file_id,
        "added_by": added_by,
        "added_at": added_at,
        "error_message": None,
    }


def file_pieces(attached: Record, content: Content, mime_type: str) -> list[tuple[str, Record]]:
    """Pieces of a file in a store, by id, in the shape in which messages are searched."""
    texts = content.pieces(mime_type).texts
    ids = [f"{attached['id']}.{number}" for number in range(1, len(texts) + 1)]
    return [
        (id_, {"id": id_, "thread_id": attached["id"], "content": text})
        for id_, text in zip(ids, texts, strict=True)
    ]
