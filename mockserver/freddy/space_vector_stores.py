"""External vector stores attached to a space: list, attach, detach."""

from __future__ import annotations

from mockserver.freddy.access import Access
from mockserver.freddy.lookup import Call, space_for, store_in
from mockserver.freddy.shared_memory import mark_active
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Invalid, NotFound
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.sandbox import Record, Sandbox

MOST_STORES = 20
"""Most stores attached to one space (A17)."""
LINK_FIELDS = ("id", "vector_store_id", "added_by", "added_at")


@handles("listSpaceVectorStores")
def list_space_vector_stores(call: Call, sandbox: Sandbox) -> Reply:
    """Attached stores in the order of attachment, without the space's own (A47)."""
    space = space_for(Access.VIEW, call, sandbox)
    table = sandbox.space_vector_stores
    links = table.records(table.ids("space", space["id"]))
    listed = [{field: link[field] for field in LINK_FIELDS} for link in links]
    return Reply(200, {"vector_stores": listed})


@handles("addVectorStoreToSpace")
def add_vector_store_to_space(call: Call, sandbox: Sandbox) -> Reply:
    """Attach a store of the same organization; repeating it gives the same reply (A17)."""
    space = space_for(Access.EDIT, call, sandbox)
    store_id = call.path["vector_store_id"]
    link = attach(store_id, space, call.caller.user_id, sandbox)
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


def attach(store_id: str, space: Record, user_id: str, sandbox: Sandbox) -> Record:
    """Link of the store to the space, created unless it exists; NotFound or Invalid if it can't be."""
    store = store_in(space["organization_id"], store_id, sandbox)
    link = sandbox.space_vector_stores.get((space["id"], store_id))
    if link is None:
        require_attachable(store, space, sandbox)
        link = {
            "id": sandbox.ids.new("svs"),
            "space_id": space["id"],
            "vector_store_id": store_id,
            "added_by": user_id,
            "added_at": sandbox.now(),
        }
        sandbox.space_vector_stores.put((space["id"], store_id), link)
        mark_active(space["id"], sandbox)
    return link


def require_attachable(store: Record, space: Record, sandbox: Sandbox) -> None:
    """Invalid for a space's own store, and for a space with too many stores (A17, A47)."""
    if store["space_id"] is not None:
        owner = "this space's own" if store["space_id"] == space["id"] else "another space's own"
        raise Invalid([FieldError("path", "vector_store_id", f"is {owner} store and can't be attached")])
    if len(sandbox.space_vector_stores.keys("space", space["id"])) >= MOST_STORES:
        raise Invalid(
            [FieldError("path", "vector_store_id", f"the space has {MOST_STORES} stores, the most it can")]
        )
