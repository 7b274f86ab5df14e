"""Fields and types of responses: true is not 1, and a time is an RFC 3339 string."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.http.run import Run

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
KINDS = {"text": str, "time": str, "flag": bool, "count": int, "object": dict, "list": list}
"""Python type of each kind; a kind with a question mark may be null."""
THREAD = {
    **dict.fromkeys(("id", "object", "organization_id", "user_id", "status"), "text"),
    **dict.fromkeys(("assistant_id", "title", "last_model_used"), "text?"),
    **dict.fromkeys(("created_at", "updated_at"), "time"),
    **dict.fromkeys(("last_message_at", "pinned_at"), "time?"),
    **dict.fromkeys(("visible_in_ui", "is_pinned"), "flag"),
    "metadata": "object?",
    "message_count": "count",
}
"""Fields of a listed thread, with their kinds."""
SPACE = {
    **dict.fromkeys(("id", "organization_id", "created_by", "name", "access_mode"), "text"),
    **dict.fromkeys(("description", "vector_store_id"), "text?"),
    **dict.fromkeys(("created_at", "updated_at"), "time"),
    "last_activity_at": "time?",
    **dict.fromkeys(("access_users", "access_departments", "editable_by_users"), "list?"),
    **dict.fromkeys(("editable_by_roles", "visible_to_roles"), "list?"),
    "additional_vector_store_ids": "list",
}


def typed(resource: dict[str, Any], fields: Mapping[str, str], pointer: str) -> None:
    """Raise Broken unless each field exists and has its kind."""
    for name, kind in fields.items():
        where = f"{pointer}/{name}"
        if name not in resource:
            raise Broken(f"{name} is missing", pointer=where)
        value = resource[name]
        matches = isinstance(value, KINDS[kind.rstrip("?")]) and (kind == "flag") == isinstance(value, bool)
        if not matches and not (value is None and kind.endswith("?")):
            raise Broken(f"{name} is not a {kind}", expected=kind, got=value, pointer=where)
        if kind.startswith("time") and isinstance(value, str) and not _TIME.fullmatch(value):
            raise Broken(f"{name} is not RFC 3339", got=value, pointer=where)


@check("listSpaceThreads", "addThreadToSpace", claim="a-list-of-threads")
def listed_threads_have_the_documented_types(run: Run) -> None:
    """added_at, the list and each of a listed thread's sixteen fields have the documented types."""
    space_id = run.owner.new_space()["id"]
    path = f"/v1/spaces/{space_id}/threads"
    for _ in range(2):
        typed(run.owner.add(space_id, run.owner.new_thread()["id"]).body, {"added_at": "time"}, "")
    for limit in (1, 2):
        body = run.owner.get(path, limit=limit).body
        typed(body, {"has_more": "flag", "next_cursor": "text?", "data": "list", "object": "text"}, "")
        for number, thread in enumerate(body["data"]):
            typed(thread, THREAD, f"/data/{number}")


@check("listThreadMessages", "createThread")
def a_new_thread_has_no_messages(run: Run) -> None:
    """The messages of a new thread are an empty list, without a next page."""
    answer = run.owner.get(f"/v1/threads/{run.owner.new_thread()['id']}/messages")
    equal(answer.status, 200, "status")
    equal(answer.body.get("object"), "list", "object", "/object")
    equal((answer.body["data"], answer.body["has_more"]), ([], False), "the messages", "/data")


@check("createSpace", "getSpace", "listSpaces")
def a_space_has_its_published_fields(run: Run) -> None:
    """A space has every published field with its type, and names its creator and organization."""
    for fields in ({}, {"description": "text", "access_users": [run.owner.user_id]}):
        created = run.owner.new_space(**fields)
        for space in (created, run.owner.get(f"/v1/spaces/{created['id']}").body):
            typed(space, SPACE, "")
            equal(space["created_by"], run.owner.user_id, "created_by", "/created_by")
            equal(space["organization_id"], run.organization_id, "organization_id", "/organization_id")


@check("createSpace")
def every_space_has_a_store_of_its_own(run: Run) -> None:
    """No two spaces have the same vector store."""
    stores = [run.owner.new_space()["vector_store_id"] for _ in range(2)]
    equal(len(set(stores)), 2, "different stores", "/vector_store_id")


@check("getSpace", "listSpaceThreads", "addThreadToSpace")
def answers_say_that_they_are_json(run: Run) -> None:
    """Successes and errors are application/json."""
    space_id = run.owner.new_space()["id"]
    for answer in (
        run.owner.get(f"/v1/spaces/{space_id}"),
        run.owner.get(f"/v1/spaces/{space_id}/threads"),
        run.owner.add(space_id, run.owner.new_thread()["id"]),
        run.owner.get(f"/v1/spaces/{run.unknown_id('space')}"),
    ):
        kind = answer.headers.get("content-type", "nothing").partition(";")[0].strip().lower()
        equal(kind, "application/json", f"the content type of a {answer.status}")


@check("createSpace")
def a_create_answers_201(run: Run) -> None:
    """Creating a space is 201."""
    body = {"organization_id": run.organization_id, "name": run.name()}
    equal(run.owner.ask("POST", "/v1/spaces/", body).status, 201, "status")


@check("createThread")
def creating_a_thread_answers_201(run: Run) -> None:
    """Creating a thread is 201."""
    body = {"organization_id": run.organization_id, "title": run.name("thread")}
    equal(run.owner.ask("POST", "/v1/threads", body).status, 201, "status")
