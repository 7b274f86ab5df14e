"""Files of an organization: upload, list, read, download, delete (A90, A91)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from mockserver.file_contents.content import content_of
from mockserver.file_contents.pieces import media_type_of
from mockserver.freddy.access import has_override, require_member
from mockserver.freddy.file_search import detach
from mockserver.freddy.lookup import Call
from mockserver.http.calls import File, Reply, UploadedFile, handles
from mockserver.http.problems import Forbidden, NotFound, PayloadTooLarge
from mockserver.sandbox.records import Record, file, public_fields
from mockserver.sandbox.sandbox import Sandbox

LINK_SECONDS = 3600
"""Seconds for which a download link is valid."""
DOWNLOAD_TYPE = "application/octet-stream"
"""Type of every download, so that no browser runs a file as a page of the mock (A91)."""


@handles("uploadFiles")
def upload_files(call: Call, sandbox: Sandbox) -> Reply:
    """Store the files of a form."""
    organization_id = _organization(call)
    stored = [
        public_fields(each, "file")
        for each in store_files(call.body["files"], organization_id, call, sandbox)
    ]
    return Reply(201, {**uploaded(len(stored)), "files": stored})


@handles("listFiles")
def list_files(call: Call, sandbox: Sandbox) -> Reply:
    """One page of the organization's files, the newest first."""
    ids = list(sandbox.files.ids("organization", _organization(call)))[::-1]
    page, limit = call.query["page"], call.query["limit"]
    found = sandbox.files.records(ids[(page - 1) * limit : page * limit])
    files = [public_fields(each, "file") for each in found]
    more = page * limit < len(ids)
    return Reply(200, {"files": files, "total": len(ids), "page": page, "limit": limit, "has_more": more})


@handles("getFile")
def get_file(call: Call, sandbox: Sandbox) -> Reply:
    """Return what is known of a file."""
    return Reply(200, public_fields(_file(call, sandbox), "file"))


@handles("deleteFile")
def delete_file(call: Call, sandbox: Sandbox) -> Reply:
    """Delete a file, and remove it from all vector stores."""
    found = _file(call, sandbox)
    member = call.caller.memberships.get(found["organization_id"])
    if found["uploaded_by"] != call.caller.user_id and not has_override(member):
        raise Forbidden(
            "File access required",
            reason=f"{found['id']} was uploaded by {found['uploaded_by']}, not by {call.caller.user_id}",
            file_id=found["id"],
        )
    for link in list(sandbox.vector_store_files.ids("file", found["id"])):
        detach(link, sandbox)
    sandbox.files.remove(found["id"])
    return Reply(204)


@handles("getFileContent")
def get_file_content(call: Call, sandbox: Sandbox) -> Reply:
    """Return a link to download a file, valid for an hour."""
    found = _file(call, sandbox)
    expires = sandbox.instant() // 1_000_000 + LINK_SECONDS
    path = f"/v1/organizations/{found['organization_id']}/files/{found['id']}/download"
    link = f"{call.base_url()}{path}?token={_token(found, expires, sandbox)}&expires={expires}"
    return Reply(
        200,
        {
            "file_id": found["id"],
            "filename": found["original_filename"],
            "mime_type": found["mime_type"],
            "file_size": found["file_size"],
            "download_url": link,
        },
    )


@handles("downloadFile")
def download_file(call: Call, sandbox: Sandbox) -> Reply:
    """Send the bytes of a file to whoever has a link that is still valid."""
    found = sandbox.files.get(call.path["file_id"])
    if found is None or found["organization_id"] != call.path["organization_id"]:
        raise _no_file(call)
    expires = call.query["expires"]
    if call.query["token"] != _token(found, expires, sandbox):
        raise _bad_link("the token is not of this file and expiry", found)
    if expires < sandbox.instant() // 1_000_000:
        raise _bad_link("the link has expired by the sandbox's clock", found)
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Reply(200, File(found["content"].data, DOWNLOAD_TYPE), headers)


def store_files(
    files: list[UploadedFile], organization_id: str, call: Call, sandbox: Sandbox
) -> list[Record]:
    """Store uploaded files; PayloadTooLarge if they have too many bytes together."""
    if sum(len(each.data) for each in files) > call.file_limit:
        raise PayloadTooLarge(call.file_limit, "--max-file-bytes")
    records = [
        file(
            sandbox.ids.new("file"),
            organization_id=organization_id,
            uploaded_by=call.caller.user_id,
            uploaded_at=sandbox.now(),
            filename=each.filename,
            mime_type=media_type_of(each.filename, each.media_type),
            content=content_of(each.data),
        )
        for each in files
    ]
    for record in records:
        sandbox.files.put(record["id"], record)
    return records


def uploaded(count: int) -> dict[str, Any]:
    """Outcome of an upload in which nothing failed: others are refused as a whole (A90)."""
    message = f"{count} file(s) uploaded successfully"
    return {"success": True, "message": message, "total_uploaded": count, "total_failed": 0, "errors": None}


def file_in(organization_id: str, file_id: str, sandbox: Sandbox) -> Record | None:
    """File of this id; None if the organization has none."""
    found = sandbox.files.get(file_id)
    return found if found is not None and found["organization_id"] == organization_id else None


def _organization(call: Call) -> str:
    organization_id = call.path["organization_id"]
    require_member(organization_id, call)
    return organization_id


def _file(call: Call, sandbox: Sandbox) -> Record:
    found = file_in(_organization(call), call.path["file_id"], sandbox)
    if found is None:
        raise _no_file(call)
    return found


def _no_file(call: Call) -> NotFound:
    return no_file(call.path["file_id"], call.path["organization_id"])


def no_file(file_id: str, organization_id: str) -> NotFound:
    """404 of a file that does not exist, was deleted, or is another organization's."""
    return NotFound("File not found", reason=f"no file {file_id!r} in {organization_id}", file_id=file_id)


def _token(found: Record, expires: int, sandbox: Sandbox) -> str:
    """Token of a link; not secret, since everything in a mock is known."""
    signed = f"{sandbox.ids.seed}/{found['id']}/{expires}"
    return blake2b(signed.encode(), digest_size=16).hexdigest()


def _bad_link(reason: str, found: Record) -> Forbidden:
    return Forbidden("Download link not valid", reason=reason, file_id=found["id"])
