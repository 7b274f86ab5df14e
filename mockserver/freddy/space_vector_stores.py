"""External vector stores attached to a space: list, attach, detach."""

from __future__ import annotations

from mockserver.freddy.access import Access
from mockserver.freddy.lookup import space_for
from mockserver.freddy.registry import Call, Reply, handles
from mockserver.freddy.shared_memory import mark_active
from mockserver.http.problems import Invalid, NotFound
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.sandbox import Record, Sandbox

MOST_STORES = 20
"""Most stores attached to one space (A17)."""
LINK_FIELDS = ("id", "vector_store_id", "added_by", "added_at")


class VectorStoreNotFound(NotFound, code="VECTOR_STORE_NOT_FOUND"):
    """404 of a store; the code is the documents'."""


@handles("listSpaceVectorStores")
def list_space_vector_stores(call: Call, sandbox: Sandbox) -> Reply:
    """Attached stores in the order of attachment, without the space's own (A47)."""
    space = space_for(Access.VIEW, call, sandbox)
    return Reply(200, {"vector_stores": [_link_body(link) for link in _attached(space["id"], sandbox)]})


@handles("addVectorStoreToSpace")
def add_vector_store_to_space(call: Call, sandbox: Sandbox) -> Reply:
    """Attach a store of the same organization; repeating it gives the same reply (A17)."""
    space = space_for(Access.EDIT, call, sandbox)
    store_id = call.path["vector_store_id"]
    store = sandbox.vector_stores.get(store_id)
    if store is None or store["organization_id"] != space["organization_id"]:
        reason = f"no vector store {store_id!r} in {space['organization_id']}"
        raise VectorStoreNotFound("Vector store not found", reason=reason, vector_store_id=store_id)
    link = sandbox.space_vector_stores.get((space["id"], store_id))
    if link is None:
        _require_attachable(store, space, sandbox)
        link = {
            "id": sandbox.ids.new("svs"),
            "space_id": space["id"],
            "vector_store_id": store_id,
            "added_by": call.caller.user_id,
            "added_at": sandbox.now(),
        }
        sandbox.space_vector_stores.put((space["id"], store_id), link)
        mark_active(space["id"], sandbox)
    return Reply(
        201,
        {
            "success": True,
            "message": "Vector store added to space",
            "space_id": space["id"],
            "vector_store_id": store_id,
            "added_at": link["added_at"],
        },
    )


@handles("removeVectorStoreFromSpace")
def remove_vector_store_from_space(call: Call, sandbox: Sandbox) -> Reply:
    """Detach a store; the store itself stays (A31)."""
    space = space_for(Access.EDIT, call, sandbox)
    store_id = call.path["vector_store_id"]
    if sandbox.space_vector_stores.remove((space["id"], store_id)) is None:
        raise NotFound(
            "Vector store not attached to space",
            reason=f"vector store {store_id!r} is not attached to {space['id']}",
            space_id=space["id"],
            vector_store_id=store_id,
        )
    mark_active(space["id"], sandbox)
    return Reply(204)


def _require_attachable(store: Record, space: Record, sandbox: Sandbox) -> None:
    if store["space_id"] is not None:
        owner = "this space's own" if store["space_id"] == space["id"] else "another space's own"
        raise Invalid([FieldError("path", "vector_store_id", f"is {owner} store and can't be attached")])
    if len(sandbox.space_vector_stores.keys("space", space["id"])) >= MOST_STORES:
        raise Invalid(
            [FieldError("path", "vector_store_id", f"the space has {MOST_STORES} stores, the most it can")]
        )


def _attached(space_id: str, sandbox: Sandbox) -> list[Record]:
    links = (
        sandbox.space_vector_stores.get(id_) for id_ in sandbox.space_vector_stores.ids("space", space_id)
    )
    return [link for link in links if link is not None]


def _link_body(link: Record) -> Record:
    return {field: link[field] for field in LINK_FIELDS}
