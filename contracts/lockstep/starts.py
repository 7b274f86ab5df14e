"""Prepared states in which a sequence begins."""

from __future__ import annotations

from typing import Any

_SPACE: dict[str, Any] = {"organization_id": {"$": "org:own"}, "name": "launch"}
_THREAD: dict[str, Any] = {"organization_id": {"$": "org:own"}, "title": "payment tests"}
START_CALLS: dict[str, tuple[str, dict[str, str], Any]] = {
    "space": ("createSpace", {}, _SPACE),
    "shared": (
        "createSpace",
        {},
        {**_SPACE, "access_users": [{"$": "user:viewer"}], "editable_by_users": [{"$": "user:editor"}]},
    ),
    "by role": (
        "createSpace",
        {},
        {
            **_SPACE,
            "visible_to_roles": [{"$": "role:known"}],
            "access_departments": [{"$": "department:known"}],
        },
    ),
    "open": ("createSpace", {}, {**_SPACE, "access_mode": "organization"}),
    "thread": ("createThread", {}, _THREAD),
    "hidden": ("createThread", {}, {**_THREAD, "visible_in_ui": False}),
    "add": ("addThreadToSpace", {"space_id": "", "thread_id": ""}, None),
    "pin": ("pinThread", {"thread_id": ""}, None),
    "store": ("createVectorStore", {"organization_id": "org:own"}, {"name": "launch label"}),
    "attach": ("addVectorStoreToSpace", {"space_id": "", "vector_store_id": ""}, None),
    "delete": ("deleteThread", {"thread_id": ""}, None),
}
"""Call -> operation, path (empty: the latest thing of that kind), body."""
STARTS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "one space": ("space", "thread"),
    "shared space": ("shared", "thread", "add"),
    "by role and department": ("by role", "thread", "add"),
    "open space with pages": ("open", *("thread", "add") * 5),
    "two spaces, one thread": ("shared", "thread", "add", "space", "add"),
    "pinned and hidden": ("thread", "pin", "hidden", "thread", "pin", "thread"),
    "stores": ("space", "store", "attach", "store", "attach"),
    "a deleted thread": ("shared", "thread", "add", "thread", "add", "delete"),
}
"""Name -> calls of the owner."""
