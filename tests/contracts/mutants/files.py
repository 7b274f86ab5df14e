"""Files, and files in vector stores, wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mockserver.freddy import model_responses
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant


@mutant()
def newest_file_is_not_listed(bench: Bench) -> None:
    """The organization's files lack the newest one."""
    bench.body("listFiles", lambda body: body["files"].pop(0) if body["files"] else None)


@mutant()
def deleted_file_stays(bench: Bench) -> None:
    """Deleting a file answers 204 and changes nothing."""
    bench.around("deleteFile", lambda *_: Reply(204))


@mutant()
def download_lacks_its_end(bench: Bench) -> None:
    """The last byte of a download is missing."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        return replace(reply, body=replace(reply.body, data=reply.body.data[:-1]))

    bench.around("downloadFile", wrap)


@mutant()
def added_file_is_not_stored(bench: Bench) -> None:
    """Adding a file to a store answers 201 and stores nothing."""
    bench.without_effect("addFileToVectorStore")


@mutant(assumed=True)
def file_beside_the_store_has_another_code(bench: Bench) -> None:
    """A file that is not in the store is RESOURCE_NOT_FOUND."""

    def change(body: dict[str, Any], _: object) -> None:
        if body["error"]["code"] == "FILE_NOT_IN_STORE":
            body["error"]["code"] = "RESOURCE_NOT_FOUND"

    bench.errors(change)


@mutant()
def removing_deletes_the_file(bench: Bench) -> None:
    """Removing a file from a store deletes the file."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        sandbox.files.remove(call.path["file_id"])
        return reply

    bench.around("removeFileFromVectorStore", wrap)


@mutant()
def files_in_base64_are_not_counted(bench: Bench) -> None:
    """A store says that it has no files."""
    bench.body("getVectorStore", lambda body: body["data"].update(file_count=0))


@mutant()
def embedded_file_has_no_chunks(bench: Bench) -> None:
    """The status of an embedded file has no chunks."""
    bench.body("getVectorStoreFileStatus", lambda body: body["data"].update(chunk_count=0))


@mutant()
def files_are_never_found(bench: Bench) -> None:
    """No answer finds what is in files."""
    bench.replace([model_responses], "search_files", lambda *_: [])
