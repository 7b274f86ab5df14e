"""Spaces of the whole server, with their threads and vector stores."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from tests.contracts.whole_server.access import Me, Now, known, levels, member, space_of
from tests.contracts.whole_server.errors import Refused
from tests.contracts.whole_server.shapes import NewSpace, SpaceChange
from tests.contracts.whole_server.state import Record, State, new_id

router = APIRouter(prefix="/v1/spaces")
Limit = Annotated[int, Query(ge=1, le=100)]
ACCESS = {"access_mode", "access_users", "access_departments", "editable_by_users", "editable_by_roles"}
THREAD = (
    *("id", "object", "created_at", "updated_at", "last_message_at", "metadata", "assistant_id"),
    *("organization_id", "user_id", "title", "status", "message_count", "visible_in_ui"),
    *("last_model_used", "is_pinned", "pinned_at"),
)
"""Fields of a thread in the document of listSpaceThreads."""


def page(ids: list[str], limit: int, cursor: str | None, scope: str) -> tuple[list[str], str | None]:
    """Ids behind the cursor, which holds the number of those that were read; 400 for any other text."""
    start = 0
    if cursor:
        try:
            of, _, number = urlsafe_b64decode(cursor.encode() + b"==").decode().partition(" ")
            start = int(number)
        except ValueError as error:
            raise Refused(400, "Bad cursor") from error
        if of != scope:
            raise Refused(400, "Cursor of another list")
    end = start + limit
    more = urlsafe_b64encode(f"{scope} {end}".encode()).decode().rstrip("=") if end < len(ids) else None
    return ids[start:end], more


def new_store(state: State, me: Me, organization_id: str, **fields: Any) -> Record:
    """New vector store."""
    now = state.now()
    nothing = dict.fromkeys(("description", "access_departments", "access_users"))
    more = dict.fromkeys(("flowplate_project_id", "flow_id"))
    store = {
        "id": new_id("vs"),
        "organization_id": organization_id,
        "created_by": me.id,
        "created_at": now,
        "updated_at": now,
        "is_active": True,
        "access_mode": "organization",
        **nothing,
        **more,
        **fields,
    }
    state.stored[store["id"]] = {}
    state.stores[store["id"]] = store
    return store


def as_body(state: State, space: Record) -> Record:
    """Space as it is shown."""
    return {**space, "additional_vector_store_ids": list(state.attached[space["id"]])}


@router.post("/", status_code=201)
async def create_space(body: NewSpace, state: Now, me: Me) -> Record:
    """A space with a store of its own."""
    member(me, body.organization_id)
    known(body)
    now, name = state.now(), f"Memory of {body.name}"[:255]
    store = new_store(state, me, body.organization_id, name=name, access_mode="private")
    own = {"id": new_id("space"), "created_by": me.id, "vector_store_id": store["id"]}
    times = {"last_activity_at": None, "created_at": now, "updated_at": now}
    space = {**body.model_dump(), **own, **times}
    state.spaces[space["id"]], state.links[space["id"]], state.attached[space["id"]] = space, {}, {}
    return as_body(state, space)


@router.get("/")
async def list_spaces(
    organization_id: str, state: Now, me: Me, limit: Limit = 50, cursor: str | None = None
) -> Record:
    """The newest first."""
    member(me, organization_id)
    mine = [
        space["id"]
        for space in reversed(state.spaces.values())
        if space["organization_id"] == organization_id and levels(space, me)
    ]
    ids, more = page(mine, limit, cursor, organization_id)
    shown = [as_body(state, state.spaces[id_]) for id_ in ids]
    return {"spaces": shown, "has_more": more is not None, "next_cursor": more}


@router.get("/{space_id}")
async def get_space(space_id: str, state: Now, me: Me, organization_id: str | None = None) -> Record:
    """One space."""
    return as_body(state, space_of(state, me, space_id, "v", organization_id))


@router.patch("/{space_id}")
async def update_space(
    space_id: str, body: SpaceChange, state: Now, me: Me, organization_id: str | None = None
) -> Record:
    """Changes what is sent; also a change of nothing moves updated_at."""
    space = space_of(state, me, space_id, "e", organization_id)
    changes = body.model_dump(exclude_unset=True)
    if changes.keys() & {*ACCESS, "visible_to_roles"}:
        space_of(state, me, space_id, "o")
    known(body)
    space.update(changes, updated_at=state.now())
    return as_body(state, space)


@router.delete("/{space_id}", status_code=204)
async def delete_space(space_id: str, state: Now, me: Me, organization_id: str | None = None) -> None:
    """Deletes the space with its own store."""
    space = space_of(state, me, space_id, "e", organization_id)
    state.stores.pop(space["vector_store_id"], None)
    for records in (state.spaces, state.links, state.attached):
        del records[space_id]


@router.post("/{space_id}/threads/{thread_id}", status_code=201)
async def add_thread(
    space_id: str, thread_id: str, state: Now, me: Me, request: Request, organization_id: str | None = None
) -> Record:
    """Adds once; a second time is a conflict."""
    space = space_of(state, me, space_id, "e", organization_id)
    thread = state.threads.get(thread_id)
    if thread is None or thread["organization_id"] != space["organization_id"]:
        raise Refused(404, "Thread not found", thread_id=thread_id)
    if thread_id in state.links[space_id]:
        raise Refused(409, "The thread is in the space", thread_id=thread_id)
    state.links[space_id][thread_id] = space["last_activity_at"] = added = state.now()
    request.app.state.embedder.embed(space_id, state.messages[thread_id])
    names = {"space_id": space_id, "thread_id": thread_id, "added_at": added}
    return {"success": True, "message": "Thread added to space", **names}


@router.get("/{space_id}/threads")
async def list_threads(
    space_id: str,
    state: Now,
    me: Me,
    limit: Limit = 50,
    cursor: str | None = None,
    organization_id: str | None = None,
) -> Record:
    """The last added first."""
    space_of(state, me, space_id, "v", organization_id)
    ids, more = page([*reversed(state.links[space_id])], limit, cursor, space_id)
    data = [{name: state.threads[id_][name] for name in THREAD} for id_ in ids]
    return {"object": "list", "data": data, "has_more": more is not None, "next_cursor": more}


@router.delete("/{space_id}/threads/{thread_id}", status_code=204)
async def remove_thread(
    space_id: str, thread_id: str, state: Now, me: Me, organization_id: str | None = None
) -> None:
    """Removes; also what is not there."""
    space = space_of(state, me, space_id, "e", organization_id)
    if state.links[space_id].pop(thread_id, None) is not None:
        space["last_activity_at"] = state.now()
        for message in state.messages[thread_id]:
            state.vectors.pop((space["vector_store_id"], message["id"]), None)


@router.post("/{space_id}/vector-stores/{vector_store_id}", status_code=201)
async def attach(
    space_id: str, vector_store_id: str, state: Now, me: Me, organization_id: str | None = None
) -> Record:
    """Attaches once; a second time is a conflict, and a space has twenty at most."""
    space = space_of(state, me, space_id, "e", organization_id)
    store, there = state.stores.get(vector_store_id), state.attached[space_id]
    if store is None or store["organization_id"] != space["organization_id"]:
        raise Refused(
            404, "Vector store not found", "VECTOR_STORE_NOT_FOUND", vector_store_id=vector_store_id
        )
    own = {each["vector_store_id"] for each in state.spaces.values()}
    if vector_store_id in own or vector_store_id in there or len(there) == 20:
        raise Refused(409, "The vector store can't be attached", vector_store_id=vector_store_id)
    now = space["last_activity_at"] = state.now()
    link = {"id": new_id("svs"), "vector_store_id": vector_store_id, "added_by": me.id, "added_at": now}
    there[vector_store_id] = link
    names = {"space_id": space_id, "vector_store_id": vector_store_id, "added_at": now}
    return {"success": True, "message": "Vector store added to space", **names}


@router.get("/{space_id}/vector-stores")
async def list_attached(space_id: str, state: Now, me: Me, organization_id: str | None = None) -> Record:
    """The attached stores."""
    space_of(state, me, space_id, "v", organization_id)
    return {"vector_stores": [*state.attached[space_id].values()]}


@router.delete("/{space_id}/vector-stores/{vector_store_id}", status_code=204)
async def detach(
    space_id: str, vector_store_id: str, state: Now, me: Me, organization_id: str | None = None
) -> Response:
    """Detaches; what is not attached is a 404."""
    space = space_of(state, me, space_id, "e", organization_id)
    if state.attached[space_id].pop(vector_store_id, None) is None:
        names = {"space_id": space_id, "vector_store_id": vector_store_id}
        raise Refused(404, "Vector store not attached to space", **names)
    space["last_activity_at"] = state.now()
    return Response(status_code=204)
