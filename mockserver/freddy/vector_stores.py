"""Vector stores of an organization; bodies as in the vendor's SDK (A58)."""

from __future__ import annotations

from mockserver.freddy.access import OPEN_MODES, has_override, require_member
from mockserver.freddy.lookup import Call, given, require_known_names, store_in
from mockserver.freddy.shared_memory import mark_active
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Forbidden
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.records import Record, shown, vector_store
from mockserver.sandbox.sandbox import Sandbox

VECTOR_BYTES = 256
"""Bytes that one embedded message adds to the size of a space's store (A75)."""


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
        if may_view(store, call.caller)
        and query["access_mode"] in (None, store["access_mode"])
        and (query["search"] or "").lower() in store["name"].lower()
        and all(query[field] in (None, store[field]) for field in ("flow_id", "flowplate_project_id"))
    ]
    found.sort(key=lambda store: store[query["sort"]])
    if query["order"] == "desc":
        found.reverse()  # reverses equal ones as well
    page = found[query["skip"] : query["skip"] + query["take"]]
    return _answer(200, "Vector stores retrieved", [store_body(store, sandbox) for store in page])


@handles("getVectorStore")
def get_vector_store(call: Call, sandbox: Sandbox) -> Reply:
    """Return one store."""
    store = _store(call, sandbox)
    if not may_view(store, call.caller):
        raise _no_access(store, call.caller)
    return _answer(200, "Vector store retrieved", store_body(store, sandbox))


@handles("updateVectorStore")
def update_vector_store(call: Call, sandbox: Sandbox) -> Reply:
    """Change the fields sent; null clears, absent keeps."""
    store = _changeable(call, sandbox)
    changes = given(call.body, "name", "access_mode")
    require_known_names(changes, store["organization_id"], sandbox)
    if changes:
        store = {**store, **changes, "updated_at": sandbox.now()}
        sandbox.vector_stores.put(store["id"], store)
    return _answer(200, "Vector store updated", store_body(store, sandbox))


@handles("deleteVectorStore")
def delete_vector_store(call: Call, sandbox: Sandbox) -> Reply:
    """Delete a store and its links; a space's own store is only deleted with its space (A47)."""
    store = _changeable(call, sandbox)
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
    sandbox.vector_stores.remove(store["id"])
    return Reply(204)


def may_view(store: Record, caller: Caller) -> bool:
    """Whether the caller may view the store: as its creator, by override, or by its access mode."""
    member = caller.memberships.get(store["organization_id"])
    if member is None:
        return False
    if _may_change(store, caller) or store["access_mode"] in OPEN_MODES:
        return True
    if store["access_mode"] == "department":
        return not member.departments.isdisjoint(store["access_departments"] or ())
    return caller.user_id in (store["access_users"] or ())


def store_body(store: Record, sandbox: Sandbox) -> Record:
    """Store as the API returns it; a space's own store grows with its embedded messages."""
    space_id = store["space_id"]
    embedded = 0
    if space_id is not None:
        embedded = sandbox.embeddings.counts(sandbox.clock.now(), space_id).completed
    return {**shown(store, "vector_store"), "file_count": 0, "data_size": embedded * VECTOR_BYTES}


def _answer(status: int, message: str, data: object) -> Reply:
    return Reply(status, {"success": True, "message": message, "data": data})


def _organization(call: Call) -> str:
    organization_id = call.path["organization_id"]
    require_member(organization_id, call.caller)
    return organization_id


def _store(call: Call, sandbox: Sandbox) -> Record:
    return store_in(_organization(call), call.path["vector_store_id"], sandbox)


def _changeable(call: Call, sandbox: Sandbox) -> Record:
    store = _store(call, sandbox)
    if not _may_change(store, call.caller):
        raise _no_access(store, call.caller)
    return store


def _may_change(store: Record, caller: Caller) -> bool:
    member = caller.memberships.get(store["organization_id"])
    return caller.user_id == store["created_by"] or has_override(member)


def _no_access(store: Record, caller: Caller) -> Forbidden:
    return Forbidden(
        "Vector store access required",
        reason=f"{store['id']} was created by {store['created_by']}, not by {caller.user_id}",
        vector_store_id=store["id"],
    )
