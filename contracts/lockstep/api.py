"""Names and rules of this API; all else is read from openapi.yaml."""

from __future__ import annotations

from typing import Any

from contracts.checks.spec import DocumentedOperation
from contracts.http.exchange import MODEL_OPERATIONS

Step = dict[str, Any]
"""One call as data: op, uid, role, path, query, body, and how it is sent. `{"$": label}` is an id.

`link`: the link of an earlier answer, instead of path and query; `reply`: what a mock says to a question."""


PRODUCES = {
    ("createSpace", "/id"): "space",
    ("createThread", "/id"): "thread",
    ("createVectorStore", "/data/id"): "store",
    ("uploadFiles", "/files/*/id"): "file",
    ("uploadBase64Files", "/data/id"): "store_file",
    ("addFileToVectorStore", "/data/id"): "store_file",
    ("listThreadMessages", "/data/*/id"): "message",
}
"""Operation and place of an id -> kind of the thing that it names."""
KINDS = {
    "organization_id": "org",
    "org_id": "org",
    "space_id": "space",
    "space_ids": "space",
    "thread_id": "thread",
    "vector_store_id": "store",
    "vector_store_ids": "store",
    "message_id": "message",
    "user_message_id": "message",
    "edit_message_id": "message",
    "previous_message_id": "message",
    "file_id": "file",
    "access_users": "user",
    "editable_by_users": "user",
    "access_departments": "department",
    "editable_by_roles": "role",
    "visible_to_roles": "role",
    "cursor": "cursor",
    "next_cursor": "cursor",
}
"""Parameter or field -> kind of the thing that it names."""
PREFIXES = {
    "space": "space",
    "thread": "thrd",
    "store": "vs",
    "message": "msg",
    "user": "usr",
    "role": "role",
}
"""Kind -> prefix of an id that nothing has."""
DELETES = {
    "deleteSpace": "space_id",
    "deleteThread": "thread_id",
    "deleteVectorStore": "vector_store_id",
    "deleteThreadMessage": "message_id",
    "deleteFile": "file_id",
}
"""Operation -> parameter that names what is gone afterwards."""
SHARED = {"listSpaces": "spaces", "listThreads": "data", "listVectorStores": "data", "listFiles": "files"}
"""Lists that others write to as well -> field with the items."""
LINKED = ("downloadFile",)
"""Operations that answers link to, with parameters of the server's own making."""
REFUSED = {
    "wrong": "ak_wrong",
    **{state: f"ak_demo_{state}" for state in ("expired", "deactivated", "paused")},
}
"""Caller whose key is refused -> key; all but the first are known to a mock alone."""
READS = {
    "space": ("getSpace", "listSpaceThreads", "listSpaceVectorStores"),
    "thread": ("getThread", "listThreadMessages"),
    "store": ("getVectorStore", "listVectorStoreFiles"),
    "file": ("getFile",),
}
"""Kind -> operations that read it back."""
LISTS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "space": (("listSpaces", {}),),
    "thread": (
        ("listThreads", {}),
        ("listThreads", {"visible_in_ui": False, "order": "asc", "limit": 2}),
        ("listThreads", {"is_pinned": True}),
        ("getUnreadThreads", {}),
        ("getThreadChanges", {"since": {"$": "time:before"}}),
    ),
    "store": (("listVectorStores", {}), ("getVectorStoreUsage", {})),
    "file": (("listFiles", {}),),
}
"""Kind -> lists that show things of this kind, with parameters."""
RARE = {
    "createResponse": 3.0,
    "createSpace": 1.2,
    "addThreadToSpace": 3.0,
    "updateSpace": 2.0,
    "listSpaceThreads": 2.0,
}
RARE |= dict.fromkeys(("deleteSpace", "deleteThread", "deleteFile"), 0.6)
RARE |= dict.fromkeys(("deleteVectorStore", "cancelStream", "generateThreadName", "downloadFile"), 0.4)
"""Weight of an operation, if not 1."""


def waits_for_queue(operation: str, *, on_mock: bool) -> bool:
    """Whether the queue has to be empty before a call; reads of a deployment are repeated instead."""
    return operation in MODEL_OPERATIONS or (on_mock and "VectorStore" in operation)


def kind_of(operation: str, pointer: str) -> str:
    """Kind of the thing whose id is at this place of an answer."""
    if pointer.startswith("/error/"):
        return "text"
    name = pointer.removesuffix("/*").rpartition("/")[2]
    return PRODUCES.get((operation, pointer)) or KINDS.get(name, name)


def is_shared(operation: DocumentedOperation) -> bool:
    """Whether an answer shows what others wrote: a read that names no thing."""
    return not operation.writes and "{" not in operation.path.replace("{organization_id}", "")


def key_of(role: str | None) -> str | None:
    """Key of a caller on a mock; None without one."""
    return None if role is None or role in REFUSED else f"ak_demo_{role}"
