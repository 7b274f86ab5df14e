"""Vector stores of an organization; bodies as in the vendor's SDK (A58)."""

from __future__ import annotations

from mockserver.freddy.access import may_view_store, require_member
from mockserver.freddy.file_search import empty_store
from mockserver.freddy.lookup import Call, changeable_store, require_known_names, viewed_store, without_nulls
from mockserver.freddy.shared_memory import mark_active
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Forbidden
from mockserver.sandbox.records import Record, public_fields, vector_store
from mockserver.sandbox.sandbox import Sandbox

VECTOR_BYTES = 256
"""Bytes that one embedded message adds to the size of a space's store (A75)."""


COLORS = ("#2563eb", "#16a34a", "#d97706", "#dc2626", "#7c3aed", "#0891b2")
"""Colors of the stores in a chart of their usage, in turn (A96)."""


@handles("createVectorStore")
def create_vector_store(call: Call, sandbox: Sandbox) -> Reply:
    """Create a store of the caller, to be attached to spaces."""
    organization_id = _organization(call)
    require_known_names(call.body, organization_id, sandbox)
    store = vector_store(
        sandbox.ids.new("vs"),
        organization_id=organization_id,
        created_by=call.caller.user_id,
        created_at=sandbox.now(),
        **call.body,
    )
    sandbox.vector_stores.put(store["id"], store)
    return _answer(201, "Vector store created", store_body(store, sandbox))


@handles("listVectorStores")
def list_vector_stores(call: Call, sandbox: Sandbox) -> Reply:
    """Stores of the organization that the caller may view."""
    organization_id, query = _organization(call), call.query
    found = [
        store
        for store in map(
            sandbox.vector_stores.record, sandbox.vector_stores.ids("organization", organization_id)
        )
        if may_view_store(store, call.caller)
        and query["access_mode"] in (None, store["access_mode"])
        and (query["search"] or "").lower() in store["name"].lower()
        and all(query[field] in (None, store[field]) for field in ("flow_id", "flowplate_project_id"))
    ]
    found.sort(key=lambda store: store[query["sort"]])
    if query["order"] == "desc":
        found.reverse()  # reverses equal ones as well
    page = found[query["skip"] : query["skip"] + query["take"]]
    return _answer(200, "Vector stores retrieved", [store_body(store, sandbox) for store in page])


@handles("getVectorStoreUsage")
def get_vector_store_usage(call: Call, sandbox: Sandbox) -> Reply:
    """Return the sizes of the stores that the caller may view, and their shares of the sum (A96)."""
    ids = sandbox.vector_stores.ids("organization", _organization(call))
    stores = [
        store_body(store, sandbox)
        for store in map(sandbox.vector_stores.record, ids)
        if may_view_store(store, call.caller)
    ]
    total = sum(store["data_size"] for store in stores)
    items = [
        {
            "vector_store_id": store["id"],
            "vector_store_name": store["name"],
            "data_size_bytes": store["data_size"],
            "data_size_mb": _megabytes(store["data_size"]),
            "file_count": store["file_count"],
            "usage_percentage": round(100 * store["data_size"] / total, 2) if total else 0.0,
            "color": COLORS[number % len(COLORS)],
        }
        for number, store in enumerate(stores)
    ]
    usage = {
        "total_size_bytes": total,
        "total_size_mb": _megabytes(total),
        "total_files": sum(store["file_count"] for store in stores),
        "vector_store_count": len(stores),
        "vector_stores": items,
    }
    return _answer(200, "Vector store usage retrieved", usage)


@handles("getVectorStore")
def get_vector_store(call: Call, sandbox: Sandbox) -> Reply:
    """Return one store."""
    store = viewed_store(call, sandbox)
    return _answer(200, "Vector store retrieved", store_body(store, sandbox))


@handles("updateVectorStore")
def update_vector_store(call: Call, sandbox: Sandbox) -> Reply:
    """Change the fields sent; null clears, absent keeps."""
    store = changeable_store(call, sandbox)
    changes = without_nulls(call.body, "name", "access_mode", "is_active")
    require_known_names(changes, store["organization_id"], sandbox)
    if changes:
        store = {**store, **changes, "updated_at": sandbox.now()}
        sandbox.vector_stores.put(store["id"], store)
    return _answer(200, "Vector store updated", store_body(store, sandbox))


@handles("deleteVectorStore")
def delete_vector_store(call: Call, sandbox: Sandbox) -> Reply:
    """Delete a store and its links; a space's own store is only deleted with its space (A47)."""
    store = changeable_store(call, sandbox)
    if store["space_id"] is not None:
        raise Forbidden(
            "Vector store belongs to a space",
            code="OPERATION_NOT_ALLOWED",
            message="This operation is not allowed.",
            reason=f"{store['id']} is the own store of {store['space_id']} and goes with it",
            vector_store_id=store["id"],
        )
    for link in list(sandbox.space_vector_stores.ids("vector_store", store["id"])):
        sandbox.space_vector_stores.remove(link)
        mark_active(link[0], sandbox)
    empty_store(store["id"], sandbox)
    sandbox.vector_stores.remove(store["id"])
    return Reply(204)


def store_body(store: Record, sandbox: Sandbox) -> Record:
    """Store as the API returns it, with its files; a space's own store grows with its embedded messages."""
    space_id, embedded = store["space_id"], 0
    if space_id is not None:
        embedded = sandbox.embeddings.counts(sandbox.clock.now(), space_id).completed
    links = list(sandbox.vector_store_files.ids("vector_store", store["id"]))
    size = sum(sandbox.files.record(file_id)["file_size"] for _, file_id in links)
    body = public_fields(store, "vector_store")
    return {**body, "file_count": len(links), "data_size": size + embedded * VECTOR_BYTES}


def _answer(status: int, message: str, data: object) -> Reply:
    return Reply(status, {"success": True, "message": message, "data": data})


def _megabytes(size: int) -> float:
    return round(size / 1_048_576, 2)


def _organization(call: Call) -> str:
    organization_id = call.path["organization_id"]
    require_member(organization_id, call)
    return organization_id
