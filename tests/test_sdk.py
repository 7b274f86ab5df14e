"""The vendor's own client library takes the mock for the vendor's service."""

import inspect
from collections.abc import Iterator
from itertools import chain
from typing import Any

import httpx
import pytest
from aitronos import Aitronos
from aitronos.core.api_error import ApiError
from aitronos.errors.forbidden_error import ForbiddenError
from aitronos.errors.not_found_error import NotFoundError
from aitronos.errors.unprocessable_entity_error import UnprocessableEntityError
from aitronos.types.base64file_upload import Base64FileUpload
from aitronos.types.input_message import InputMessage

from tests.proxy.target import proxy
from tests.running import FROZEN, mock

ORGANIZATION = "org_abc123"
STATES = ("pending", "processing", "completed", "failed")


@pytest.fixture(params=["direct", "behind a proxy"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh mock."""
    with mock("--freeze", FROZEN) as address:
        if request.param == "direct":
            yield address
            return
        with proxy(address) as through:
            yield through


class Sdk:
    """The client by dotted method names; newer versions of it want the organization everywhere."""

    def __init__(self, client: Aitronos) -> None:
        self._client = client
        self.spaces_calls = {name for name, _ in inspect.getmembers(client.spaces, inspect.ismethod)}
        self.called: set[str] = set()

    def __call__(self, dotted: str, /, *ids: str, **fields: Any) -> Any:
        """What the method returns, as plain values."""
        group, _, name = dotted.partition(".")
        method = getattr(getattr(self._client, group), name)
        if "organization_id" in inspect.signature(method).parameters:
            fields["organization_id"] = ORGANIZATION
        self.called.add(name)
        answer = method(*ids, **fields)
        return answer.model_dump() if hasattr(answer, "model_dump") else answer


@pytest.fixture
def sdk(url: str) -> Iterator[Sdk]:
    """The client of the demo's owner."""
    with httpx.Client(timeout=60) as http:
        yield Sdk(Aitronos(base_url=url, api_key="ak_demo_owner", httpx_client=http))


def test_the_sdk_walks_through_all_eleven_spaces_calls(sdk: Sdk) -> None:
    """Create, read, list, change, fill, empty and delete a space; every answer parses and is right."""
    space = sdk("spaces.create_space", name="Walk", description="A space")
    thread = sdk("threads.create_thread", title="First", metadata={"project": "alpha"})
    assert (space["created_by"], thread["user_id"], thread["title"]) == ("usr_abc123", "usr_abc123", "First")
    assert sdk("spaces.get_space", space["id"])["name"] == "Walk"
    assert [each["id"] for each in sdk("spaces.list_spaces")["spaces"]][-1] == space["id"]

    changed = sdk("spaces.update_space", space["id"], name="Walked", description=None)
    assert (changed["name"], changed["description"]) == ("Walked", None)

    added = sdk("spaces.add_thread_to_space", space["id"], thread["id"])
    assert (added["success"], added["thread_id"]) == (True, thread["id"])
    listed = sdk("spaces.list_space_threads", space["id"], limit=20)
    assert [each["title"] for each in listed["data"]] == ["First"]

    sdk("spaces.add_vector_store_to_space", space["id"], "vs_def456")
    stores = sdk("spaces.list_space_vector_stores", space["id"])["vector_stores"]
    assert [each["vector_store_id"] for each in stores] == ["vs_def456"]

    assert sdk("spaces.remove_vector_store_from_space", space["id"], "vs_def456") is None
    assert sdk("spaces.remove_thread_from_space", space["id"], thread["id"]) is None
    assert sdk("spaces.list_space_threads", space["id"])["data"] == []
    assert sdk("spaces.delete_space", space["id"]) is None
    calls = {name for name in sdk.spaces_calls if not name.startswith("_")}
    assert len(calls) == 11
    assert calls <= sdk.called


def test_the_sdk_pages_by_the_cursor_it_is_given(sdk: Sdk) -> None:
    """Three pages of the default size hold the 120 threads of the demo space."""
    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        page = sdk("spaces.list_space_threads", "space_team", cursor=cursor)
        pages.append([each["id"] for each in page["data"]])
        cursor = page["next_cursor"]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert list(chain.from_iterable(pages)) == [f"thrd_team{number:03}" for number in range(1, 121)]


def test_the_sdk_reads_the_errors(sdk: Sdk) -> None:
    """Each comes as the library's own exception with status and envelope."""
    with pytest.raises(ApiError) as missing:
        sdk("spaces.get_space", "space_invalid")
    assert missing.value.status_code == 404
    assert missing.value.body["error"]["system_message"] == "Space not found"
    with pytest.raises(UnprocessableEntityError) as invalid:
        sdk("spaces.create_space", name="")
    assert invalid.value.status_code == 422


def test_the_sdk_asks_and_reads_what_was_found(sdk: Sdk) -> None:
    """A new thread in a space, by text and by blocks; the library keeps fields that it does not know."""
    asked = [
        InputMessage(role="system", content="Be brief."),
        InputMessage(role="user", content=[{"type": "text", "text": "What is the launch budget?"}]),
    ]
    answer = sdk(
        "responses.create_response",
        inputs=asked,
        stream=False,
        space_id="space_abc123",
        vector_store_ids=["vs_def456"],
        include=["file_search.results"],
        metadata={"ticket": "7"},
        temperature=0.5,
    )
    assert (answer["success"], answer["stop_reason"]) == (True, "end_turn")
    (best, *_) = answer["file_search"]["results"]
    assert best["text"] in answer["response"][0]["text"]

    page = sdk("messages.get_thread_messages", answer["thread_id"])
    assert [each["role"] for each in page["data"]] == ["system", "user", "assistant"]
    assert page["data"][1]["metadata"] == {"ticket": "7"}
    thread = sdk("threads.get_thread", answer["thread_id"])
    assert (thread["message_count"], thread["space_ids"]) == (3, ["space_abc123"])


def test_the_sdk_sends_everything_that_it_can_and_is_answered(sdk: Sdk) -> None:
    """A72: what has no effect here does no harm."""
    fields: dict[str, Any] = {
        "assistant_id": "asst_a",
        "workflow_id": "wf_a",
        "model": "gpt-4o",
        "tools": [],
        "instructions": "Be brief.",
        "top_p": 0.5,
        "max_output_synapses": 100,
        "max_completion_tokens": 100,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
        "max_tool_calls": 3,
        "parallel_tool_calls": True,
        "service_tier": "auto",
        "thread_context_mode": "recent",
        "disable_rules": True,
        "store": False,
        "output_mode": "text",
        "system_tools": {},
    }
    asked = [InputMessage(role="tool", content="42", id="i", tool_call_id="call_a")]
    assert sdk("responses.create_response", inputs=asked, **fields)["success"] is True


def test_the_sdk_lists_changes_and_deletes_messages(sdk: Sdk) -> None:
    """Through pages, newest first, and until the library's own errors."""
    ids: list[str] = []
    more = True
    while more:
        after = {"after": ids[-1]} if ids else {}
        page = sdk("messages.get_thread_messages", "thrd_abc123", limit=5, order="desc", **after)
        ids += [each["id"] for each in page["data"]]
        more = page["has_more"]
    assert len(ids) == len(set(ids)) == 12

    changed = sdk("messages.update_message", "thrd_abc123", ids[0], content="Other", metadata={"a": "b"})
    assert (changed["content"], changed["metadata"]) == ("Other", {"a": "b"})
    assert changed["updated_at"] is not None
    blocks = sdk("messages.get_thread_messages", "thrd_abc123", before=ids[-2], output_mode="structured")
    assert [each["id"] for each in blocks["data"]] == [ids[-1]]
    assert blocks["data"][0]["response_blocks"][0]["type"] == "text"

    gone = sdk("messages.delete_message", "thrd_abc123", ids[0])
    assert gone == {"id": ids[0], "deleted": True, "object": "thread.message.deleted"}
    with pytest.raises(NotFoundError) as missing:
        sdk("messages.delete_message", "thrd_abc123", ids[0])
    assert missing.value.body["error"]["code"] == "MESSAGE_NOT_FOUND"
    with pytest.raises(ForbiddenError):
        sdk("messages.get_thread_messages", "thrd_other1")


def test_the_sdk_makes_finds_changes_and_deletes_vector_stores(sdk: Sdk) -> None:
    """A58."""
    fields = {"access_mode": "department", "access_departments": ["dept_support"]}
    made = sdk("vector_stores.create_vector_store", name="Notes", description="x", **fields)["data"]
    assert (made["created_by"], made["access_departments"]) == ("usr_abc123", ["dept_support"])
    assert sdk("vector_stores.get_vector_store", vector_store_id=made["id"])["data"] == made
    listed = sdk("vector_stores.list_vector_stores", search="note", sort="name", order="asc", skip=0, take=5)
    assert listed["data"] == [made]
    changed = sdk("vector_stores.update_vector_store", vector_store_id=made["id"], name="Kept")["data"]
    assert (changed["name"], changed["description"]) == ("Kept", "x")
    assert sdk("vector_stores.delete_vector_store", vector_store_id=made["id"]) is None
    with pytest.raises(ApiError) as missing:
        sdk("vector_stores.get_vector_store", vector_store_id=made["id"])
    assert missing.value.body["error"]["code"] == "VECTOR_STORE_NOT_FOUND"


def test_the_sdk_uploads_files_and_fills_a_store_with_them(sdk: Sdk) -> None:
    """By form and in base64; from upload to removal."""
    content = b"The warranty lasts for thirty-seven months."
    (file,) = sdk("files.upload_file", files=[("a.txt", content, "text/plain")])["files"]
    assert sdk("files.get_file", file_id=file["id"]) == file
    assert sdk("files.list_files")["files"] == [file]
    link = sdk("files.get_file_content", file_id=file["id"])["download_url"]
    assert httpx.get(link, timeout=60).content == content
    store = {"vector_store_id": sdk("vector_stores.create_vector_store", name="Files")["data"]["id"]}
    place, calls = {**store, "file_id": file["id"]}, "vector_store_files."
    added = sdk(f"{calls}add_file_to_vector_store", **place)["data"]
    assert sdk(f"{calls}get_file_details", **place)["data"]["id"] == added["id"]
    assert sdk(f"{calls}get_processing_status", **place)["data"]["status"] in STATES
    assert sdk(f"{calls}retry_failed_processing", **place, reset_error=True)["success"]
    assert sdk(f"{calls}get_file_processing_logs", **place)["data"]["logs"]
    sent = [Base64FileUpload(filename="b.txt", content="Yg==", mime_type="text/plain")]
    second = sdk(f"{calls}upload_base64files_to_vector_store", **store, files=sent)["files"][0]["file_id"]
    listed = sdk(f"{calls}list_files_in_vector_store", **store, page_size=10)["data"]["files"]
    assert [each["file_id"] for each in listed] == [file["id"], second]
    assert sdk("vector_stores.get_vector_store_usage")["data"]["total_files"] == 2
    sdk(f"{calls}remove_file_from_vector_store", **place)
    sdk("files.delete_file", file_id=second)
    assert sdk(f"{calls}list_files_in_vector_store", **store)["data"]["total"] == 0
