"""Prepared states in which a sequence begins."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from contracts.lockstep.api import KINDS, Step
from contracts.lockstep.world import World

_OWN = {"$": "org:own"}
_SPACE: dict[str, Any] = {"organization_id": _OWN, "name": "launch", "description": "of the label"}
_THREAD: dict[str, Any] = {"organization_id": _OWN, "title": "payment tests", "metadata": {"a": "1"}}
_FLOWS = {"flow_id": "flow_a", "flowplate_project_id": "flow_b"}
_BOTH = [{"$": "user:viewer"}, {"$": "user:editor"}]
_USERS = {"access_users": _BOTH, "editable_by_users": [{"$": "user:editor"}]}
_GROUPS = {"visible_to_roles": [{"$": "role:known"}], "access_departments": [{"$": "department:known"}]}
_QUESTION = {
    "thread_id": {"$": "thread:"},
    "inputs": [{"role": "user", "content": "launch date of the label"}],
}
_PAIR = {"space_id": "", "thread_id": ""}
_CALLS: dict[str, tuple[str, dict[str, str], Any]] = {
    "space": ("createSpace", {}, _SPACE),
    "shared": ("createSpace", {}, {**_SPACE, **_USERS}),
    "by role": ("createSpace", {}, {**_SPACE, **_GROUPS}),
    "edited by role": ("createSpace", {}, {**_SPACE, "editable_by_roles": [{"$": "role:known"}]}),
    "open": ("createSpace", {}, {**_SPACE, "access_mode": "organization"}),
    "open to a stranger": ("createSpace", {}, {**_SPACE, "editable_by_users": [{"$": "user:foreign"}]}),
    "thread": ("createThread", {}, _THREAD),
    "hidden": ("createThread", {}, {**_THREAD, "visible_in_ui": False}),
    "helped": ("createThread", {}, {**_THREAD, "assistant_id": "assi_a", "metadata": {"a": "1", "b": "2"}}),
    "add": ("addThreadToSpace", _PAIR, None),
    "remove": ("removeThreadFromSpace", _PAIR, None),
    "pin": ("pinThread", {"thread_id": ""}, None),
    "question": (
        "createResponse",
        {},
        {**_QUESTION, "metadata": {"a": "1"}, "include": ["file_search.results"]},
    ),
    "fact": (
        "createResponse",
        {},
        {**_QUESTION, "inputs": [{"role": "user", "content": "payment in Basel"}]},
    ),
    "stream": ("createResponse", {}, {**_QUESTION, "stream": True}),
    "read": ("markThreadRead", {"thread_id": ""}, None),
    "rename": ("updateThread", {"thread_id": ""}, {"title": "renamed"}),
    "messages": ("listThreadMessages", {"thread_id": ""}, None),
    "store": ("createVectorStore", {"organization_id": "org:own"}, {"name": "launch label"}),
    "private store": (
        "createVectorStore",
        {"organization_id": "org:own"},
        {"name": "Label 100%", "access_mode": "private", "access_users": [{"$": "user:viewer"}], **_FLOWS},
    ),
    "department store": (
        "createVectorStore",
        {"organization_id": "org:own"},
        {"name": "LAUNCH", "access_mode": "department", "access_departments": [{"$": "department:known"}]},
    ),
    "attach": ("addVectorStoreToSpace", {"space_id": "", "vector_store_id": ""}, None),
    "delete": ("deleteThread", {"thread_id": ""}, None),
    "file": (
        "uploadFiles",
        {"organization_id": "org:own"},
        ["a.txt", "launch date\n\npayment", "text/plain"],
    ),
    "file in store": (
        "addFileToVectorStore",
        {"organization_id": "org:own", "vector_store_id": ""},
        {"file_id": {"$": "file:"}},
    ),
}
"""Call -> operation, path (empty: the latest thing), body or form.

Behind `~` is how many things before the latest, behind `^` how many spaces, behind `@` who calls.
"""
STARTS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "one space": ("space", "thread"),
    "shared space": ("shared", "thread", "add", "question", "messages"),
    "by role and department": ("by role", "thread", "add"),
    "open space with pages": ("open", *("thread", "add") * 5),
    "two spaces, one thread": ("shared", "thread", "add", "space", "add"),
    "pinned and hidden": ("thread", "pin", "hidden", "thread", "pin", "thread"),
    "stores": ("space", "store", "attach", "private store", "attach"),
    "two organizations": ("open to a stranger", "thread", "add", "thread@foreign"),
    "removed from the middle": ("open", *("thread", "add") * 4, "remove", *("thread", "add") * 2),
    "in another order": (
        *("open", "thread", "thread", "thread", "add", "add~2", "add~1", "pin~1", "pin", "pin~2"),
        *("store", "store", "attach", "attach~1"),
    ),
    "a deleted thread": ("shared", "thread", "add", "thread", "add", "delete"),
    "a thread in three spaces": (
        *("space", "shared", "open", "thread", "fact", "add", "add^1", "question", "add^2", "fact"),
        *("thread", "question", "add^2", "add", "fact", "thread", "add^1", "question", "messages"),
    ),
    "threads of several callers": (
        *("shared", "thread", "add", "fact", "thread@editor", "add@editor", "question@editor", "space"),
        *(
            "add~1",
            "thread@viewer",
            "question@viewer",
            "hidden",
            "add",
            "fact",
            "thread@outsider",
            "fact@outsider",
        ),
    ),
    "read and unread": (
        *("thread", "question", "read", "fact", "thread", "fact", "messages", "hidden", "question"),
        *("thread", "rename", "pin", "thread", "stream", "messages", "read", "helped", "rename"),
    ),
    "files": ("shared", "store", "file", "file in store", "attach", "thread", "add"),
}
"""Name -> calls."""
RICH = (
    *("open to a stranger", "thread@foreign", "by role", "edited by role", "open"),
    *("thread", "add") * 4,
    *("thread", "delete", "shared", "add", "helped", "thread", "pin", "pin~1", "hidden", "thread", "add"),
    *("question", "stream", "messages"),
    *("store", "private store", "department store", "attach", "file", "file in store"),
)
"""Calls after which there is something of everything."""


def prepared(call: str, bare: Step, world: World) -> Step:
    """Step of a call on the latest things; `bare`: a step without operation."""
    call, _, role = call.partition("@")
    call, _, space = call.partition("^")
    name, _, back = call.partition("~")
    operation, path, body = _CALLS[name]
    latest = {kind: labels[-1] for kind, labels in world.live.items() if labels}
    if back and (things := world.live.get(kind := KINDS[[*path][-1]])):
        latest[kind] = things[max(0, len(things) - 1 - int(back))]
    if space and (spaces := world.live.get("space")):
        latest["space"] = spaces[max(0, len(spaces) - 1 - int(space))]
    step = {**bare, "op": operation, "role": role or "owner", "tick": 1}
    step["path"] = {
        name: {"$": label or latest.get(KINDS.get(name, ""), f"{KINDS.get(name, '')}:none")}
        for name, label in path.items()
    }
    if isinstance(body, list):
        return {**step, "form": body}
    if role == "foreign":
        body = {**body, "organization_id": {"$": "org:other"}}
    return step if body is None else {**step, "body": _with(deepcopy(body), latest)}


def _with(value: Any, latest: dict[str, str]) -> Any:
    """Body with the label of the latest thing where only a kind stands."""
    if isinstance(value, dict):
        label = value.get("$", "")
        if label.endswith(":"):
            return {"$": latest.get(label[:-1], f"{label}none")}
        return {name: _with(inner, latest) for name, inner in value.items()}
    return value
