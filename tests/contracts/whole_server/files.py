"""Files of an organization on the whole server."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, UploadFile

from tests.contracts.whole_server.access import Me, Now, member
from tests.contracts.whole_server.errors import Refused, wrong
from tests.contracts.whole_server.state import Record, State, new_id

router = APIRouter(prefix="/v1/organizations/{organization_id}/files")
TOKEN = secrets.token_hex(8)
"""Token of every link."""
EXPIRES = 4_000_000_000
"""Expiry of every link, in seconds since 1970."""


def keep(state: State, me: Me, organization_id: str, filename: str, mime_type: str, content: bytes) -> Record:
    """Keep a file."""
    id_ = new_id("file")
    state.contents[id_] = content
    state.files[id_] = {
        "id": id_,
        "original_filename": filename,
        "file_size": len(content),
        "mime_type": mime_type or "application/octet-stream",
        "storage_path": f"{organization_id}/{id_}",
        "organization_id": organization_id,
        "uploaded_by": me.id,
        "uploaded_by_api_key_id": None,
        "uploaded_at": state.now(),
    }
    return state.files[id_]


def file_of(state: State, me: Me, organization_id: str, file_id: str) -> Record:
    """File of an organization."""
    member(me, organization_id)
    file = state.files.get(file_id)
    if file is None or file["organization_id"] != organization_id:
        raise Refused(404, "File not found", file_id=file_id)
    return file


@router.post("/upload", status_code=201)
async def upload(organization_id: str, files: list[UploadFile], state: Now, me: Me) -> Record:
    """Keeps the files of a form."""
    member(me, organization_id)
    if len(files) > 10:
        raise wrong((("body", "files"), "more than ten"))
    kept = [
        keep(state, me, organization_id, f.filename or "", f.content_type or "", await f.read())
        for f in files
    ]
    return {"success": True, "message": "Uploaded", "files": kept, "total_uploaded": len(kept)}


@router.get("")
async def list_files(
    organization_id: str,
    state: Now,
    me: Me,
    page: Annotated[int, Query(ge=1, le=2**53)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Record:
    """Files of the organization."""
    member(me, organization_id)
    files = [file for file in state.files.values() if file["organization_id"] == organization_id]
    shown = files[(page - 1) * limit : page * limit]
    counts = {"total": len(files), "page": page, "limit": limit}
    return {"files": shown, **counts, "has_more": page * limit < len(files)}


@router.get("/{file_id}")
async def get_file(organization_id: str, file_id: str, state: Now, me: Me) -> Record:
    """One file."""
    return file_of(state, me, organization_id, file_id)


@router.delete("/{file_id}", status_code=204)
async def delete_file(organization_id: str, file_id: str, state: Now, me: Me) -> None:
    """Deletes a file, out of all stores."""
    file = file_of(state, me, organization_id, file_id)
    if file["uploaded_by"] != me.id and not me.overrides:
        raise Refused(403, "Not your file", file_id=file_id)
    del state.files[file_id], state.contents[file_id]
    for files in state.stored.values():
        files.pop(file_id, None)


@router.get("/{file_id}/content")
async def get_content(organization_id: str, file_id: str, state: Now, me: Me, request: Request) -> Record:
    """A link to the bytes."""
    file = file_of(state, me, organization_id, file_id)
    link = f"{str(request.url).partition('/content')[0]}/download?token={TOKEN}&expires={EXPIRES}"
    names = {"file_id": file_id, "filename": file["original_filename"], "mime_type": file["mime_type"]}
    return {**names, "file_size": file["file_size"], "download_url": link}


@router.get("/{file_id}/download")
async def download(organization_id: str, file_id: str, token: str, expires: int, state: Now) -> Response:
    """The bytes, for whoever has the link."""
    if (token, expires) != (TOKEN, EXPIRES) or file_id not in state.files:
        raise Refused(403, "The link is not valid", file_id=file_id)
    return Response(state.contents[file_id], media_type="application/octet-stream")
