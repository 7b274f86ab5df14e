"""Files in vector stores: their pieces in the embedding queue, and the search in them (A92, A94)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mockserver.embeddings.search import Hit, nearest
from mockserver.freddy.access import may_view_store
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.records import Record, file_pieces, vector_store_file
from mockserver.sandbox.sandbox import Link, Sandbox

MOST_RESULTS = 10
"""Most pieces that a search finds."""


class FoundPiece(NamedTuple):
    """Piece of a file found by a search."""

    file: Record
    text: str
    score: float


def attach(store_id: str, file: Record, caller: Caller, sandbox: Sandbox) -> Record:
    """Add a file to a store and queue the pieces of its text; the same record if it is there already."""
    attached = sandbox.vector_store_files.get((store_id, file["id"]))
    if attached is not None:
        return attached
    attached = vector_store_file(
        sandbox.ids.new("vsf"),
        vector_store_id=store_id,
        file_id=file["id"],
        added_by=caller.user_id,
        added_at=sandbox.now(),
    )
    sandbox.vector_store_files.put((store_id, file["id"]), attached)
    pieces = file_pieces(attached, file["content"], file["mime_type"])
    if pieces:
        sandbox.file_pieces.load_new(pieces)
        keys = sandbox.file_pieces.keys("thread", attached["id"])
        sandbox.embeddings.add_thread(store_id, attached["id"], keys, sandbox.clock.now())
    return attached


def detach(link: Link, sandbox: Sandbox) -> None:
    """Remove a file from a store, with its jobs and embeddings; the file itself stays."""
    attached = sandbox.vector_store_files.remove(link)
    assert attached is not None
    sandbox.embeddings.remove_thread(link[0], attached["id"], sandbox.clock.now())
    for piece_id in list(sandbox.file_pieces.ids("thread", attached["id"])):
        sandbox.file_pieces.remove(piece_id)


def empty_store(store_id: str, sandbox: Sandbox) -> None:
    """Remove everything from a store that is being deleted; the files stay."""
    for link in list(sandbox.vector_store_files.ids("vector_store", store_id)):
        detach(link, sandbox)
    sandbox.embeddings.drop_space(store_id)


def stores_to_search(
    spaces: Iterable[str], named: Iterable[str], caller: Caller, sandbox: Sandbox
) -> list[str]:
    """Stores with files to search for a question: the spaces' own and attached ones, and those named.

    A space's stores are searched for whoever may search the space, a named one if the caller may view it.
    """
    found: dict[str, None] = {}
    for space_id in spaces:
        found[sandbox.spaces.record(space_id)["vector_store_id"]] = None
        found |= dict.fromkeys(store for _, store in sandbox.space_vector_stores.ids("space", space_id))
    for store_id in named:
        if may_view_store(sandbox.vector_stores.record(store_id), caller):
            found[store_id] = None
    return [store_id for store_id in found if sandbox.vector_store_files.keys("vector_store", store_id)]


def search_files(question: str, stores: Iterable[str], sandbox: Sandbox) -> list[FoundPiece]:
    """Embedded pieces of the stores' files nearest to the question, best first."""
    now = sandbox.clock.now()
    files = {
        attached["id"]: attached
        for store_id in stores
        for attached in sandbox.vector_store_files.records(
            sandbox.vector_store_files.ids("vector_store", store_id)
        )
    }

    def is_found(hit: Hit) -> bool:
        attached = files[hit.message["thread_id"]]
        return sandbox.embeddings.is_embedded(attached["vector_store_id"], attached["id"], hit.key, now)

    hits = nearest(question, [*files], sandbox.file_pieces, is_found, MOST_RESULTS)
    return [
        FoundPiece(
            sandbox.files.record(files[hit.message["thread_id"]]["file_id"]),
            hit.message["content"],
            hit.score,
        )
        for hit in hits
    ]


def search_output(answer: str, found: Iterable[FoundPiece], sandbox: Sandbox) -> Record:
    """`output` in the vendor's published form: what was found in files, and the answer (A94)."""
    results = [
        {
            "file_id": hit.file["id"],
            "filename": hit.file["original_filename"],
            "score": hit.score,
            "text": hit.text,
        }
        for hit in found
    ]
    call = {
        "type": "file_search_call",
        "id": sandbox.ids.new("fs"),
        "status": "completed",
        "results": results,
    }
    message = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": answer}],
    }
    return {"output": [call, message]}
