"""Files of an organization, and files in vector stores."""

from __future__ import annotations

import base64
import time
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from contracts.behaviour import memory
from contracts.behaviour.vendor_documents import refused
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken, Excluded
from contracts.http.run import Run

TEXT = "The warranty of the spectrometer lasts for thirty-seven months."


def stored(run: Run, text: str = TEXT) -> tuple[str, str]:
    """Path of the files of a new store, and the id of a new file in it."""
    listing = f"{run.owner.stores}/{run.owner.new_vector_store()['id']}/files"
    file_id: str = run.owner.new_file(text)["id"]
    equal(run.owner.ask("POST", listing, {"file_id": file_id}).status, 201, "adding the file")
    return listing, file_id


def listed(run: Run, listing: str, **query: Any) -> list[str]:
    """Ids of the files in a store."""
    answer = run.owner.get(listing, **query)
    equal(answer.status, 200, "listing the files")
    return [file["file_id"] for file in answer.body["data"]["files"]]


def every_file(run: Run) -> list[str]:
    """Ids of the organization's files, of all pages."""
    ids: list[str] = []
    for page in count(1):
        answer = run.owner.get(run.owner.files, limit=100, page=page)
        equal(answer.status, 200, "listing the files")
        ids += [file["id"] for file in answer.items]
        if not answer.items or not answer.body["has_more"]:
            break
    return ids


@check("uploadFiles", "getFile", "listFiles")
def an_uploaded_file_is_read_and_listed(run: Run) -> None:
    """An uploaded file has its name, size and owner, and is among the organization's files."""
    file = run.owner.new_file(TEXT)
    equal(file["file_size"], len(TEXT), "file_size", "/files/0/file_size")
    equal(file["uploaded_by"], run.owner.user_id, "uploaded_by", "/files/0/uploaded_by")
    equal(run.owner.get(f"{run.owner.files}/{file['id']}").body, file, "the file, read")
    equal(file["id"] in every_file(run), True, "whether it is listed", "/files")


@check("deleteFile", "getFile", "listVectorStoreFiles")
def a_deleted_file_is_gone_from_the_stores_too(run: Run) -> None:
    """A deleted file is not found any more, and is in no vector store."""
    listing, file_id = stored(run)
    path = f"{run.owner.files}/{file_id}"
    equal(run.owner.ask("DELETE", path).status, 204, "deleting")
    equal(run.owner.get(path).status, 404, "the file after it")
    equal(listed(run, listing), [], "the files of the store after it", "/data/files")


@check("getFileContent", "downloadFile")
def the_link_leads_to_the_bytes(run: Run) -> None:
    """download_url sends the uploaded bytes, without a credential."""
    file = run.owner.new_file(TEXT)
    answer = run.owner.get(f"{run.owner.files}/{file['id']}/content")
    equal(answer.status, 200, "asking for the link")
    link = urlsplit(answer.body["download_url"])
    path = f"{run.owner.files}/{file['id']}/download"
    if not link.path.endswith(path):
        raise Excluded(f"the link leads to {link.netloc}, outside of the API")
    download = run.owner.ask("GET", f"{path}?{link.query}")
    equal((download.status, download.text), (200, TEXT), "the download")


@check("addFileToVectorStore", "listVectorStoreFiles", "getVectorStoreFile")
def an_added_file_is_in_the_store(run: Run) -> None:
    """An added file is listed with its name, size and state, and can be read by its id."""
    listing, file_id = stored(run)
    equal(listed(run, listing), [file_id], "the files of the store", "/data/files")
    body = run.owner.get(f"{listing}/{file_id}").body["data"]
    equal((body["file_id"], body["file_size"]), (file_id, len(TEXT)), "the file in the store", "/data")


@check("addFileToVectorStore")
def adding_is_once_and_of_what_there_is(run: Run) -> None:
    """Adding a file again lists it once; an unknown file is 404, in the store and for it."""
    listing, file_id = stored(run)
    equal(run.owner.ask("POST", listing, {"file_id": file_id}).status, 201, "adding again")
    equal(listed(run, listing), [file_id], "the files of the store", "/data/files")
    unknown = run.unknown_id("file")
    refused(
        run.owner.ask("POST", listing, {"file_id": unknown}),
        404,
        "RESOURCE_NOT_FOUND",
        "File not found",
        file_id=unknown,
    )
    equal(run.owner.get(f"{listing}/{unknown}").error.get("code"), "FILE_NOT_IN_STORE", "the code", "/code")


@check("removeFileFromVectorStore", "getFile", "deleteVectorStore")
def a_removed_file_stays(run: Run) -> None:
    """Removing a file from a store, or deleting the store, leaves the file itself."""
    listing, file_id = stored(run)
    equal(run.owner.ask("DELETE", f"{listing}/{file_id}").status, 204, "removing")
    equal(run.owner.get(f"{listing}/{file_id}").status, 404, "the file in the store after it")
    equal(run.owner.ask("POST", listing, {"file_id": file_id}).status, 201, "adding it again")
    equal(run.owner.ask("DELETE", listing.removesuffix("/files")).status, 204, "deleting the store")
    equal(run.owner.get(f"{run.owner.files}/{file_id}").status, 200, "the file after it")


@check("uploadBase64Files", "getFile", "getVectorStore")
def a_file_in_base64_is_stored_and_added(run: Run) -> None:
    """A file uploaded in base64 is a file of the organization, in the store, and counted there."""
    store_path = f"{run.owner.stores}/{run.owner.new_vector_store()['id']}"
    content = base64.b64encode(TEXT.encode()).decode()
    file = {"filename": f"{run.name('file')}.txt", "content": content, "mime_type": "text/plain"}
    answer = run.owner.ask("POST", f"{store_path}/files/upload-base64", {"files": [file]})
    equal((answer.status, answer.body["total_uploaded"]), (201, 1), "uploading")
    file_id = answer.body["files"][0]["file_id"]
    equal(listed(run, f"{store_path}/files"), [file_id], "the files of the store", "/data/files")
    equal(
        run.owner.get(f"{run.owner.files}/{file_id}").body["file_size"], len(TEXT), "its size", "/file_size"
    )
    store = run.owner.get(store_path).body["data"]
    equal((store["file_count"], store["data_size"]), (1, len(TEXT)), "file_count and data_size", "/data")


@check("getVectorStoreFileStatus", "getVectorStoreFile")
def a_text_file_is_processed(run: Run) -> None:
    """The processing of a text file ends as completed, with at least one chunk, and without an error."""
    listing, file_id = stored(run)
    end = time.monotonic() + memory.PATIENCE
    while True:
        state = run.owner.get(f"{listing}/{file_id}/status").body["data"]
        if state["status"] in ("completed", "failed") or time.monotonic() > end:
            break
        time.sleep(0.1)
    if state["status"] in ("pending", "processing"):
        memory.require_running_clock(run)
        waited = f"{memory.PATIENCE:.0f} s after it was added"
        raise Broken(f"the file is {state['status']} {waited}", pointer="/data")
    equal((state["status"], state["error_message"]), ("completed", None), "the outcome", "/data")
    equal(state["chunk_count"] >= 1, True, "whether there are chunks", "/data/chunk_count")
    equal(listed(run, listing, status="pending,failed"), [], "the files that are not done", "/data/files")


@check("createResponse", "addFileToVectorStore", "removeFileFromVectorStore")
def a_file_is_found_from_a_thread_of_the_space(run: Run) -> None:
    """Text of a file in an attached store is found from the space's threads, and not after its removal."""
    listing, file_id = stored(run)
    thread_id = run.owner.new_thread()["id"]
    space_id = run.owner.space_with(thread_id)
    store_id = listing.split("/")[-2]
    attached = run.owner.ask("POST", f"/v1/spaces/{space_id}/vector-stores/{store_id}")
    equal(attached.status, 201, "attaching the store")
    end = time.monotonic() + memory.PATIENCE
    while TEXT not in _found(run, thread_id):
        if time.monotonic() > end:
            memory.require_running_clock(run)
            raise Broken(f"the text of the file is not found {memory.PATIENCE:.0f} s after it was added")
        time.sleep(0.3)
    equal(run.owner.ask("DELETE", f"{listing}/{file_id}").status, 204, "removing the file")
    equal(TEXT in _found(run, thread_id), False, "whether it is found after its removal", "/output")


def _found(run: Run, thread_id: str) -> list[str]:
    """Texts of files that a question in the thread finds."""
    answer = run.owner.ask_model("How long does the spectrometer's warranty last?", thread_id=thread_id)
    equal(answer.status, 200, "asking")
    calls = [step for step in answer.body.get("output") or () if step.get("type") == "file_search_call"]
    return [result["text"] for call in calls for result in call["results"]]
