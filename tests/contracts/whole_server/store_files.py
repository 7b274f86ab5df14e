"""Files in the vector stores of the whole server."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from tests.contracts.whole_server.access import Me, Now, store_of
from tests.contracts.whole_server.errors import Refused, wrong
from tests.contracts.whole_server.files import file_of, keep
from tests.contracts.whole_server.state import Record, State, new_id
from tests.contracts.whole_server.stores import PREFIX, Size, wrapped

router = APIRouter(prefix=PREFIX)


class FileToAdd(BaseModel):
    """Body of addFileToVectorStore."""

    file_id: str


class EncodedFile(BaseModel):
    """File in base64."""

    filename: Annotated[str, Field(min_length=1)]
    content: str
    mime_type: str


class EncodedFiles(BaseModel):
    """Body of uploadBase64Files."""

    files: Annotated[list[EncodedFile], Field(min_length=1, max_length=10)]


class Retry(BaseModel):
    """Body of retryVectorStoreFile."""

    reset_error: bool = False


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
    return wrapped("Files retrieved successfully", {**counts, "files": shown})


@router.post(FILES, status_code=201)
async def add_file(
    organization_id: str, store_id: str, body: FileToAdd, state: Now, me: Me, request: Request
) -> Record:
    """Adds a file."""
    store = store_of(state, me, organization_id, store_id, change=True)
    file = file_of(state, me, organization_id, body.file_id)
    return wrapped("File added to vector store successfully", put(state, me, store, file, request))


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
    return wrapped(
        "Status", status(stored_file(state, store_of(state, me, organization_id, store_id), file_id))
    )


def status(record: Record) -> Record:
    """Status of the processing of a file."""
    names = ("file_id", "vector_store_id", "chunk_count", "embedding_model", "error_message", "added_at")
    times = {name: record.get(name) for name in ("processing_started_at", "processing_completed_at")}
    known_of = {name: record.get(name) for name in names}
    now = {"vector_store_file_id": record["id"], "status": record["processing_status"]}
    return {**now, **known_of, **times}


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
    return wrapped("Retried", status(stored_file(state, store, file_id)))


@router.get(FILES + "/{file_id}/logs")
async def get_logs(organization_id: str, store_id: str, file_id: str, state: Now, me: Me) -> Record:
    """What happened to it."""
    record = stored_file(state, store_of(state, me, organization_id, store_id), file_id)
    entry = {"timestamp": record["added_at"], "level": "info", "message": "added"}
    return {"success": True, "message": "Logs", "data": {"logs": [entry]}}
