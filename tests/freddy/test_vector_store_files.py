"""Files in vector stores: their pieces in the embedding queue, and found from the threads of spaces."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.sandbox.sandbox import Sandbox
from tests.conftest import Ask
from tests.freddy.conftest import fields, said
from tests.freddy.steps import Steps
from tests.freddy.test_uploads import FILES, STORE, form, upload
from tests.running import FROZEN

IN_STORE = f"{STORE}/files"
SPACE = "/v1/spaces/space_abc123"
WARRANTY = "The warranty of the spectrometer lasts for thirty-seven months."
TEXT = f"# Lumen\n\n{WARRANTY}\n\nSpare batteries cost CHF 48.".encode()
QUESTION = "How long does the spectrometer's warranty last?"


def add(steps: Steps, content: bytes = TEXT, kind: str = "text/markdown", store: str = STORE) -> str:
    """The id of a new file in a store."""
    (file,) = upload(steps, content, kind=kind)
    steps("POST", f"{store}/files", json={"file_id": file["id"]})
    return str(file["id"])


def read(steps: Steps, file_id: str) -> Any:
    return steps("GET", f"{IN_STORE}/{file_id}")["data"]


def pieces(steps: Steps, thread: Any = "thrd_abc123", **asked: Any) -> list[str] | None:
    """The texts of files that a question finds, best first; None without a search."""
    output = steps.answer(QUESTION, thread_id=thread, **asked).get("output")
    return None if output is None else [result["text"] for result in output[0]["results"]]


def test_a_file_is_embedded_piece_by_piece_as_the_queue_says(ask: Ask, steps: Steps) -> None:
    """A93: its paragraphs are jobs of the store's queue, which the clock and the control API move."""
    steps("PUT", "/__admin/embeddings/policy", json={"mode": "manual"})
    file_id = add(steps)
    states = [read(steps, file_id)]
    for _ in range(3):
        steps("POST", "/__admin/embeddings/step?space_id=vs_def456")
        states.append(read(steps, file_id))
    shown = [(each["processing_status"], each["chunk_count"]) for each in states]
    assert shown == [("pending", 0), ("processing", 1), ("processing", 2), ("completed", 3)]
    assert [each["processing_completed_at"] for each in states] == [None, None, None, FROZEN]
    jobs = steps.queue(space_id="vs_def456", thread_id=states[0]["id"])["jobs"]
    assert [job["message_id"] for job in jobs] == [f"{states[0]['id']}.{number}" for number in (1, 2, 3)]


def test_a_files_text_is_found_while_the_file_is_in_a_store_of_the_space(steps: Steps) -> None:
    """A94: not before it is embedded, not after it was removed, or the store detached."""
    steps("POST", f"{SPACE}/vector-stores/vs_def456")
    assert pieces(steps) is None
    file_id = add(steps)
    assert pieces(steps) == []
    steps.drain()
    answer = steps.answer(QUESTION, thread_id="thrd_abc123")
    call, message = answer["output"]
    best = {"file_id": file_id, "filename": "1.txt", "score": call["results"][0]["score"], "text": WARRANTY}
    assert call == {
        "type": "file_search_call",
        "id": call["id"],
        "status": "completed",
        "results": [best, *call["results"][1:]],
    }
    text = f'From "1.txt": {WARRANTY}'
    assert answer["response"] == [{"type": "text", "text": text}]
    assert message["content"] == [{"type": "output_text", "text": text}]
    steps("DELETE", f"{IN_STORE}/{file_id}")
    assert pieces(steps) is None
    steps("POST", IN_STORE, json={"file_id": file_id})
    steps.drain()
    assert WARRANTY in (pieces(steps) or [])
    steps("DELETE", f"{SPACE}/vector-stores/vs_def456")
    assert pieces(steps) is None


def test_a_spaces_own_store_is_searched_too_and_goes_with_its_files_places(
    steps: Steps, sandbox: Sandbox
) -> None:
    """A92."""
    space = steps.space()
    own = steps("GET", f"/v1/spaces/{space}")["vector_store_id"]
    thread = steps.thread()
    steps.add(space, thread)
    file_id = add(steps, store=f"/v1/organizations/org_abc123/vector-stores/{own}")
    steps.drain()
    assert (pieces(steps, thread) or [])[0] == WARRANTY
    steps("DELETE", f"/v1/spaces/{space}")
    assert [len(table) for table in (sandbox.vector_store_files, sandbox.file_pieces)] == [0, 0]
    assert own not in sandbox.embeddings.queues
    steps("GET", f"{FILES}/{file_id}")


def test_a_named_store_is_searched_for_who_may_view_it(steps: Steps) -> None:
    """A94."""
    add(steps)
    steps.drain()
    named = {"vector_store_ids": ["vs_def456"]}
    assert (pieces(steps, **named) or [])[0] == WARRANTY
    steps("PATCH", STORE, json={"access_mode": "private"})
    theirs = steps.thread(key="ak_demo_viewer")
    answer = steps.answer(QUESTION, "ak_demo_viewer", thread_id=theirs, **named)
    assert "output" not in answer


def test_a_stream_ends_with_what_was_found(ask: Ask, steps: Steps) -> None:
    add(steps)
    steps.drain()
    body = {
        "stream": True,
        "thread_id": "thrd_abc123",
        "inputs": [{"role": "user", "content": QUESTION}],
        "vector_store_ids": ["vs_def456"],
    }
    text = ask("POST", "/v1/model/response", json=body).get_data(as_text=True)
    assert '"file_search_call"' in text.split("response.completed")[1]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"\0", "image/png", "image/png is stored, but not embedded: the mock reads text, HTML and PDF"),
        (b" \n", "text/plain", "The file has no text"),
        (b"a\xff", "text/plain", "The text is not UTF-8: byte 1 is wrong"),
        (b"a\n\n" * 20_001, "text/plain", "The text has 20001 pieces, 20000 are the most"),
    ],
)
def test_what_is_not_embedded_is_stored_and_says_why(
    steps: Steps, content: bytes, kind: str, message: str
) -> None:
    """A93."""
    file_id = add(steps, content, kind)
    shown = read(steps, file_id)
    assert (shown["processing_status"], shown["error_message"], shown["chunk_count"]) == (
        "failed",
        message,
        0,
    )
    assert steps("POST", f"{IN_STORE}/{file_id}/retry", json={})["data"]["status"] == "failed"


def test_a_failed_file_can_be_retried(steps: Steps) -> None:
    """A95: the old message goes unless it is asked to stay."""
    file_id = add(steps)
    vsf = read(steps, file_id)["id"]
    for job in steps.queue(thread_id=vsf)["jobs"]:
        steps("POST", f"/__admin/embeddings/{job['id']}/fail")
    failed = steps("GET", f"{IN_STORE}/{file_id}/status")["data"]
    assert (failed["status"], failed["error_message"]) == ("failed", "3 of 3 chunks could not be embedded")
    steps("PUT", "/__admin/embeddings/policy", json={"mode": "manual"})
    kept = steps("POST", f"{IN_STORE}/{file_id}/retry", json={"reset_error": False})["data"]
    assert (kept["status"], kept["error_message"]) == ("pending", failed["error_message"])
    again = steps("POST", f"{IN_STORE}/{file_id}/retry")["data"]
    assert again == kept, "it did not fail, so nothing changes"
    steps.drain()
    assert read(steps, file_id)["processing_status"] == "completed"


def test_the_logs_tell_what_happened(steps: Steps) -> None:
    """A95."""
    file_id = add(steps, b"One piece")
    steps.drain()
    logs = steps("GET", f"{IN_STORE}/{file_id}/logs")["data"]["logs"]
    assert [entry["message"] for entry in logs] == [
        "The file was added to the vector store",
        "The text was split into 1 chunks",
        "Chunk 1 embedded",
    ]


def test_the_list_is_in_order_of_addition_and_filtered_by_state(ask: Ask, steps: Steps) -> None:
    """A92."""
    first, second = add(steps), add(steps, b"\x89PNG", "image/png")
    steps.drain()

    def listed(query: str) -> tuple[list[str], int]:
        data = steps("GET", f"{IN_STORE}?{query}")["data"]
        return [file["file_id"] for file in data["files"]], data["total_pages"]

    assert listed("") == ([first, second], 1)
    assert listed("page_size=1&page=2") == ([second], 2)
    assert listed("status=completed") == ([first], 1)
    assert listed("status=pending,failed") == ([second], 1)
    assert fields(ask("GET", f"{IN_STORE}?status=done")) == [("query", "status")]


def test_adding_a_file_again_changes_nothing(steps: Steps) -> None:
    """A92."""
    file_id = add(steps)
    steps.drain()
    first = read(steps, file_id)
    assert steps("POST", IN_STORE, json={"file_id": file_id})["data"] == first


def test_a_file_in_base64_is_stored_and_added_in_one_step(ask: Ask, steps: Steps) -> None:
    file = {"filename": "a.txt", "content": "T25lIHBpZWNl", "mime_type": "text/plain"}
    answer = steps("POST", f"{IN_STORE}/upload-base64", json={"files": [file, file]})
    assert (answer["total_uploaded"], [each["file_size"] for each in answer["files"]]) == (2, [9, 9])
    bad = {"files": [file, file | {"content": "T25lIHBpZWNl="}]}
    assert fields(ask("POST", f"{IN_STORE}/upload-base64", json=bad)) == [("body", "files.1.content")]
    assert steps("GET", FILES)["total"] == 2


def test_a_stores_size_is_that_of_its_files(steps: Steps) -> None:
    """A96."""
    add(steps)
    store = steps("GET", STORE)["data"]
    assert (store["file_count"], store["data_size"]) == (1, len(TEXT))
    usage = steps("GET", "/v1/organizations/org_abc123/vector-stores/usage")["data"]
    (mine,) = (each for each in usage["vector_stores"] if each["vector_store_id"] == "vs_def456")
    assert (mine["file_count"], mine["data_size_bytes"]) == (1, len(TEXT))
    assert usage["total_size_bytes"] == sum(each["data_size_bytes"] for each in usage["vector_stores"])
    shares = [each["usage_percentage"] for each in usage["vector_stores"]]
    assert sum(shares) == pytest.approx(100, abs=0.1)


def test_deleting_a_file_or_a_store_leaves_nothing_of_it_in_a_store(
    ask: Ask, steps: Steps, sandbox: Sandbox
) -> None:
    """A92."""
    first, second = add(steps), add(steps)
    steps("DELETE", f"{FILES}/{first}")
    assert [link["file_id"] for link in sandbox.vector_store_files] == [second]
    gone = said(ask("GET", f"{IN_STORE}/{first}"))
    details = {"vector_store_id": "vs_def456", "file_id": first}
    assert gone == (404, "FILE_NOT_IN_STORE", "File not in vector store", details)
    steps("DELETE", STORE)
    assert [len(table) for table in (sandbox.vector_store_files, sandbox.file_pieces)] == [0, 0]
    steps("GET", f"{FILES}/{second}")


def test_a_file_of_another_organization_is_not_found(ask: Ask, steps: Steps) -> None:
    sent = form(("a.txt", b"1", ""))
    theirs = steps("POST", "/v1/organizations/org_other/files/upload", "ak_demo_foreign", **sent)
    file_id = theirs["files"][0]["id"]
    assert said(ask("POST", IN_STORE, json={"file_id": file_id})).system_message == "File not found"
    assert said(ask("GET", f"{FILES}/{file_id}")).system_message == "File not found"
