"""Vector stores of the whole server, and the files in them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from tests.contracts.whole_server.access import Me, Now, known, member, store_of
from tests.contracts.whole_server.errors import Refused, wrong
from tests.contracts.whole_server.files import file_of, keep
from tests.contracts.whole_server.shapes import (
    EncodedFiles,
    FileToAdd,
    NewStore,
    Retry,
    StoreChange,
    StoreMode,
)
from tests.contracts.whole_server.spaces import new_store
from tests.contracts.whole_server.state import Record, State, new_id

router = APIRouter(prefix="/v1/organizations/{organization_id}/vector-stores")
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
    known(body.access_departments)
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
    known(body.access_departments)
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


def stored_file(state: State, store: Record, file_id: str) -> Record:
    """File in a store."""
    record = state.stored[store["id"]].get(file_id)
    if record is None:
        raise Refused(404, "File not in vector store", file_id=file_id)
    return record


def put(state: State, me: Me, store: Record, file: Record, request: Request) -> Record:
    """Put a file into a store, once, to be embedded."""
    there = state.stored[store["id"]]
    if file["id"] not in there:
        there[file["id"]] = {
            "id": new_id("vsf"),
            "vector_store_id": store["id"],
            "file_id": file["id"],
            "added_by": me.id,
            "added_at": state.now(),
            "processing_status": "pending",
            "chunk_count": 0,
            "file_name": file["original_filename"],
            "file_size": file["file_size"],
            "mime_type": file["mime_type"],
        }
        text = state.contents[file["id"]].decode("utf-8", "replace")
        request.app.state.embedder.queue.put((store["id"], file["id"], text))
    return there[file["id"]]


FILES = "/{store_id}/files"


@router.get(FILES)
async def list_files(
    organization_id: str,
    store_id: str,
    state: Now,
    me: Me,
    page: Annotated[int, Query(ge=1, le=2**53)] = 1,
    page_size: Size = 20,
    status: str = "",
) -> Record:
    """Files of a store."""
    store = store_of(state, me, organization_id, store_id)
    wanted = {*status.split(",")} - {""}
    if wanted - {"pending", "processing", "completed", "failed"}:
        raise wrong((("query", "status"), "unknown"))
    files = [f for f in state.stored[store["id"]].values() if not wanted or f["processing_status"] in wanted]
    shown = files[(page - 1) * page_size : page * page_size]
    counts = {
        "total": len(files),
        "page": page,
        "page_size": page_size,
        "total_pages": -(-len(files) // page_size),
    }
    return wrapped("Files", {**counts, "files": shown})


@router.post(FILES, status_code=201)
async def add_file(
    organization_id: str, store_id: str, body: FileToAdd, state: Now, me: Me, request: Request
) -> Record:
    """Adds a file."""
    store = store_of(state, me, organization_id, store_id, change=True)
    return wrapped("Added", put(state, me, store, file_of(state, me, organization_id, body.file_id), request))


@router.post(FILES + "/upload-base64", status_code=201)
async def upload(
    organization_id: str, store_id: str, body: EncodedFiles, state: Now, me: Me, request: Request
) -> Record:
    """Keeps files and adds them."""
    store = store_of(state, me, organization_id, store_id, change=True)
    try:
        contents = [base64.b64decode(file.content, validate=True) for file in body.files]
    except (binascii.Error, ValueError) as error:
        raise wrong((("body", "files.content"), "not base64")) from error
    kept = [
        keep(state, me, organization_id, file.filename, file.mime_type, content)
        for file, content in zip(body.files, contents, strict=True)
    ]
    files = [put(state, me, store, file, request) for file in kept]
    return {"success": True, "message": "Uploaded", "files": files, "total_uploaded": len(files)}


@router.get(FILES + "/{file_id}")
async def get_file(organization_id: str, store_id: str, file_id: str, state: Now, me: Me) -> Record:
    """One file of a store."""
    return wrapped("File", stored_file(state, store_of(state, me, organization_id, store_id), file_id))


@router.get(FILES + "/{file_id}/status")
async def get_status(organization_id: str, store_id: str, file_id: str, state: Now, me: Me) -> Record:
    """Its status."""
    record = stored_file(state, store_of(state, me, organization_id, store_id), file_id)
    names = ("file_id", "vector_store_id", "chunk_count", "embedding_model", "error_message", "added_at")
    times = {name: record.get(name) for name in ("processing_started_at", "processing_completed_at")}
    known_of = {name: record.get(name) for name in names}
    status = {"vector_store_file_id": record["id"], "status": record["processing_status"]}
    return wrapped("Status", {**status, **known_of, **times})


@router.delete(FILES + "/{file_id}", status_code=204)
async def remove_file(organization_id: str, store_id: str, file_id: str, state: Now, me: Me) -> None:
    """Takes a file out of a store."""
    store = store_of(state, me, organization_id, store_id, change=True)
    stored_file(state, store, file_id)
    del state.stored[store_id][file_id]


@router.post(FILES + "/{file_id}/retry")
async def retry(
    organization_id: str, store_id: str, file_id: str, state: Now, me: Me, body: Retry | None = None
) -> Record:
    """Nothing fails here."""
    store = store_of(state, me, organization_id, store_id, change=True)
    return wrapped("Retried", stored_file(state, store, file_id))


@router.get(FILES + "/{file_id}/logs")
async def get_logs(organization_id: str, store_id: str, file_id: str, state: Now, me: Me) -> Record:
    """What happened to it."""
    record = stored_file(state, store_of(state, me, organization_id, store_id), file_id)
    entry = {"timestamp": record["added_at"], "level": "info", "message": "added"}
    return {"success": True, "message": "Logs", "data": {"logs": [entry]}}
