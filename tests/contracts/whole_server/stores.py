"""Vector stores of the whole server."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from tests.contracts.whole_server.access import Me, Now, known, member, store_of
from tests.contracts.whole_server.errors import Refused
from tests.contracts.whole_server.shapes import (
    NewStore,
    StoreChange,
    StoreMode,
)
from tests.contracts.whole_server.spaces import new_store
from tests.contracts.whole_server.state import Record, State

PREFIX = "/v1/organizations/{organization_id}/vector-stores"
router = APIRouter(prefix=PREFIX)
Number = Annotated[int, Query(ge=0, le=2**53)]
Size = Annotated[int, Query(ge=1, le=100)]


def as_body(state: State, store: Record) -> Record:
    """Vector store as it is shown."""
    files = state.stored[store["id"]].values()
    return {**store, "file_count": len(files), "data_size": sum(file["file_size"] for file in files)}


def wrapped(text: str, data: object) -> Record:
    """Answer as the vendor's client reads it."""
    return {"success": True, "message": text, "data": data}


def visible(state: State, me: Me, organization_id: str) -> list[Record]:
    """Stores that the caller may view."""
    member(me, organization_id)
    found = []
    for store in state.stores.values():
        if store["organization_id"] == organization_id:
            try:
                found.append(store_of(state, me, organization_id, store["id"]))
            except Refused:
                continue
    return found


@router.post("", status_code=201)
async def create_store(organization_id: str, body: NewStore, state: Now, me: Me) -> Record:
    """A vector store."""
    member(me, organization_id)
    known(body)
    return wrapped("Created", as_body(state, new_store(state, me, organization_id, **body.model_dump())))


@router.get("")
async def list_stores(
    organization_id: str,
    state: Now,
    me: Me,
    search: str = "",
    access_mode: StoreMode | None = None,
    flow_id: str | None = None,
    flowplate_project_id: str | None = None,
    skip: Number = 0,
    take: Size = 20,
    sort: Literal["created_at", "updated_at", "name"] = "created_at",
    order: Literal["asc", "desc"] = "desc",
) -> Record:
    """The stores that the caller may view."""
    wanted = {"access_mode": access_mode, "flow_id": flow_id, "flowplate_project_id": flowplate_project_id}
    found = [
        store
        for store in visible(state, me, organization_id)
        if search.lower() in store["name"].lower()
        and all(value in (None, "", store[name]) for name, value in wanted.items())
    ]
    found.sort(key=lambda store: store[sort], reverse=order == "desc")
    return wrapped("Listed", [as_body(state, store) for store in found[skip : skip + take]])


@router.get("/usage")
async def usage(organization_id: str, state: Now, me: Me) -> Record:
    """Sizes of all stores."""
    stores = [as_body(state, store) for store in visible(state, me, organization_id)]
    total = sum(store["data_size"] for store in stores)
    items = [
        {
            "vector_store_id": store["id"],
            "vector_store_name": store["name"],
            "data_size_bytes": store["data_size"],
            "data_size_mb": round(store["data_size"] / 1e6, 3),
            "file_count": store["file_count"],
            "usage_percentage": round(100 * store["data_size"] / total, 1) if total else 0.0,
            "color": "#336699",
        }
        for store in stores
    ]
    sizes = {"total_size_bytes": total, "total_size_mb": round(total / 1e6, 3)}
    counts = {"total_files": sum(s["file_count"] for s in stores), "vector_store_count": len(stores)}
    return wrapped("Usage", {**sizes, **counts, "vector_stores": items})


@router.get("/{store_id}")
async def get_store(organization_id: str, store_id: str, state: Now, me: Me) -> Record:
    """One store."""
    return wrapped("Found", as_body(state, store_of(state, me, organization_id, store_id)))


@router.patch("/{store_id}")
async def update_store(organization_id: str, store_id: str, body: StoreChange, state: Now, me: Me) -> Record:
    """Changes what is sent."""
    store = store_of(state, me, organization_id, store_id, change=True)
    known(body)
    kept = ("name", "access_mode")
    changes = body.model_dump(exclude_unset=True)
    store.update({n: v for n, v in changes.items() if v is not None or n not in kept}, updated_at=state.now())
    return wrapped("Changed", as_body(state, store))


@router.delete("/{store_id}", status_code=204)
async def delete_store(organization_id: str, store_id: str, state: Now, me: Me) -> None:
    """Deletes a store, but for a space's own."""
    store_of(state, me, organization_id, store_id, change=True)
    if any(space["vector_store_id"] == store_id for space in state.spaces.values()):
        raise Refused(409, "It is a space's own store", vector_store_id=store_id)
    del state.stores[store_id], state.stored[store_id]
    for stores in state.attached.values():
        stores.pop(store_id, None)
