"""Files in a vector store: add, list, status, retry, logs, remove (A92 to A95)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import NamedTuple

from mockserver.embeddings.batch import EndedAttempt
from mockserver.file_contents.pieces import Pieces
from mockserver.freddy.file_search import attach, detach
from mockserver.freddy.files import file_in, no_file, store_files, uploaded
from mockserver.freddy.lookup import Call, changeable_store, viewed_store
from mockserver.http.calls import Reply, UploadedFile, handles
from mockserver.http.problems import NotFound
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Sandbox

MOST_LOGS = 1000
"""Most attempts in the log of a file."""
_ENDS = {
    "completed": ("info", "embedded"),
    "failed": ("error", "could not be embedded"),
    "retried": ("warning", "could not be embedded and is queued again"),
}
"""Kind of an ended attempt -> level and text of its log entry."""


class Processing(NamedTuple):
    """How far the embedding of a file is."""

    status: str
    """pending, processing, completed or failed."""
    chunk_count: int
    """Pieces that are embedded."""
    error: str | None


@handles("addFileToVectorStore")
def add_file(call: Call, sandbox: Sandbox) -> Reply:
    """Add a file of the organization; repeating it gives the same record (A92)."""
    store = changeable_store(call, sandbox)
    found = file_in(store["organization_id"], call.body["file_id"], sandbox)
    if found is None:
        raise no_file(call.body["file_id"], store["organization_id"])
    attached = attach(store["id"], found, call.caller, sandbox)
    return _answer(201, "File added to vector store successfully", _body(attached, sandbox))


@handles("uploadBase64Files")
def upload_base64_files(call: Call, sandbox: Sandbox) -> Reply:
    """Store files and add them to the store in one step."""
    store = changeable_store(call, sandbox)
    files = [
        UploadedFile(each["filename"], each["mime_type"], b64decode(each["content"]))
        for each in call.body["files"]
    ]
    records = store_files(files, store["organization_id"], call, sandbox)
    attached = [attach(store["id"], record, call.caller, sandbox) for record in records]
    return Reply(201, {**uploaded(len(records)), "files": [_body(each, sandbox) for each in attached]})


@handles("listVectorStoreFiles")
def list_files(call: Call, sandbox: Sandbox) -> Reply:
    """One page of the store's files, in the order in which they were added."""
    store, query = viewed_store(call, sandbox), call.query
    links = sandbox.vector_store_files.ids("vector_store", store["id"])
    found = sandbox.vector_store_files.records(links)
    if query["status"] is not None:
        wanted = query["status"].split(",")
        found = [each for each in found if processing(each, sandbox).status in wanted]
    page, size = query["page"], query["page_size"]
    attempts = _attempts(sandbox)
    listed = [_body(each, sandbox, attempts) for each in found[(page - 1) * size : page * size]]
    data = {
        "total": len(found),
        "page": page,
        "page_size": size,
        "total_pages": -(-len(found) // size),
        "files": listed,
    }
    return _answer(200, "Files retrieved successfully", data)


@handles("getVectorStoreFile")
def get_file(call: Call, sandbox: Sandbox) -> Reply:
    """Return a file with what is known of its processing."""
    attached = _attached(call, viewed_store(call, sandbox), sandbox)
    return _answer(200, "File retrieved successfully", _body(attached, sandbox))


@handles("getVectorStoreFileStatus")
def get_status(call: Call, sandbox: Sandbox) -> Reply:
    """Return how far the processing of a file is."""
    attached = _attached(call, viewed_store(call, sandbox), sandbox)
    return _answer(200, "Processing status retrieved successfully", _status(attached, sandbox))


@handles("retryVectorStoreFile")
def retry_file(call: Call, sandbox: Sandbox) -> Reply:
    """Queue the failed pieces of a file again, if any (A95)."""
    store = changeable_store(call, sandbox)
    attached = _attached(call, store, sandbox)
    state = processing(attached, sandbox)
    now, queue = sandbox.clock.now(), sandbox.embeddings
    failed = queue.jobs(now, space_id=store["id"], thread_id=attached["id"], state="failed")
    for _, job in list(failed):
        queue.retry_job(job, now)
    reset = (call.body or {}).get("reset_error", True)
    if state.status == "failed":
        attached = {**attached, "error_message": None if reset else state.error}
        sandbox.vector_store_files.put((store["id"], attached["file_id"]), attached)
    return _answer(200, "File queued for processing", _status(attached, sandbox))


@handles("removeFileFromVectorStore")
def remove_file(call: Call, sandbox: Sandbox) -> Reply:
    """Remove a file from the store; the file itself stays."""
    store = changeable_store(call, sandbox)
    attached = _attached(call, store, sandbox)
    detach((store["id"], attached["file_id"]), sandbox)
    return Reply(204)


@handles("getVectorStoreFileLogs")
def get_logs(call: Call, sandbox: Sandbox) -> Reply:
    """Return what happened to a file in the store, oldest first."""
    attached = _attached(call, viewed_store(call, sandbox), sandbox)
    begin = attached["added_at"]
    pieces = _pieces(attached, sandbox)
    entries = [(begin, "info", "The file was added to the vector store")]
    if pieces.error is not None:
        entries.append((begin, "error", pieces.error))
    else:
        entries.append((begin, "info", f"The text was split into {len(pieces.texts)} chunks"))
    for attempt in _attempts(sandbox).get(attached["id"], ())[:MOST_LOGS]:
        level, text = _ENDS[attempt.kind]
        chunk = attempt.message_id.rpartition(".")[2]
        entries.append((sandbox.text(attempt.at), level, f"Chunk {chunk} {text}"))
    logs = [dict(zip(("timestamp", "level", "message"), entry, strict=True)) for entry in entries]
    data = {"vector_store_file_id": attached["id"], "file_id": attached["file_id"], "logs": logs}
    return _answer(200, "Processing logs retrieved successfully", data)


def processing(attached: Record, sandbox: Sandbox) -> Processing:
    """How far the embedding of a file is, by its pieces in the queue."""
    error = _pieces(attached, sandbox).error
    if error is not None:
        return Processing("failed", 0, error)
    now = sandbox.clock.now()
    jobs = sandbox.embeddings.counts(now, attached["vector_store_id"], attached["id"])
    if jobs.processing or (jobs.pending and (jobs.completed or jobs.failed)):
        status = "processing"
    elif jobs.pending:
        status = "pending"
    elif jobs.failed:
        text = f"{jobs.failed} of {jobs.failed + jobs.completed} chunks could not be embedded"
        return Processing("failed", jobs.completed, text)
    else:
        status = "completed"
    return Processing(status, jobs.completed, attached["error_message"])


def _pieces(attached: Record, sandbox: Sandbox) -> Pieces:
    file = sandbox.files.record(attached["file_id"])
    return file["content"].pieces(file["mime_type"])  # type: ignore[no-any-return]  # what `file` got


def _attempts(sandbox: Sandbox) -> Mapping[str, list[EndedAttempt]]:
    """Ended attempts of all files by `vsf_` id, oldest first."""
    _, ended = sandbox.embeddings.ended(0, sandbox.clock.now(), _ALL)
    attempts: dict[str, list[EndedAttempt]] = {}
    for attempt in ended:
        attempts.setdefault(attempt.thread_id, []).append(attempt)
    return attempts


_ALL = 1 << 60


def _completed_at(
    attached: Record, status: str, sandbox: Sandbox, attempts: Mapping[str, list[EndedAttempt]] | None
) -> str | None:
    """When the processing ended; None while it goes on."""
    if status not in ("completed", "failed"):
        return None
    ended = (attempts if attempts is not None else _attempts(sandbox)).get(attached["id"])
    return sandbox.text(ended[-1].at) if ended else str(attached["added_at"])


def _body(
    attached: Record, sandbox: Sandbox, attempts: Mapping[str, list[EndedAttempt]] | None = None
) -> Record:
    """File in a store as the API returns it."""
    state, file = processing(attached, sandbox), sandbox.files.record(attached["file_id"])
    return {
        **attached,
        "added_by_api_key_id": None,
        "processing_status": state.status,
        "processing_completed_at": _completed_at(attached, state.status, sandbox, attempts),
        "error_message": state.error,
        "chunk_count": state.chunk_count,
        "embedding_model": None,
        "file_name": file["original_filename"],
        "file_size": file["file_size"],
        "mime_type": file["mime_type"],
    }


def _status(attached: Record, sandbox: Sandbox) -> Record:
    state = processing(attached, sandbox)
    return {
        "vector_store_file_id": attached["id"],
        "file_id": attached["file_id"],
        "vector_store_id": attached["vector_store_id"],
        "status": state.status,
        "chunk_count": state.chunk_count,
        "embedding_model": None,
        "error_message": state.error,
        "processing_completed_at": _completed_at(attached, state.status, sandbox, None),
        "added_at": attached["added_at"],
    }


def _attached(call: Call, store: Record, sandbox: Sandbox) -> Record:
    file_id = call.path["file_id"]
    attached = sandbox.vector_store_files.get((store["id"], file_id))
    if attached is None:
        raise NotFound(
            "File not in vector store",
            code="FILE_NOT_IN_STORE",
            reason=f"file {file_id!r} is not in {store['id']}",
            vector_store_id=store["id"],
            file_id=file_id,
        )
    return attached


def _answer(status: int, message: str, data: object) -> Reply:
    return Reply(status, {"success": True, "message": message, "data": data})
