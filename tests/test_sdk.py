"""The vendor's own client library takes the mock for the vendor's service."""

import inspect
from collections.abc import Iterator
from itertools import chain
from typing import Any

import httpx
import pytest
from aitronos import Aitronos
from aitronos.core.api_error import ApiError
from aitronos.errors.unprocessable_entity_error import UnprocessableEntityError

from tests.running import FROZEN, mock

ORGANIZATION = "org_abc123"


@pytest.fixture
def url() -> Iterator[str]:
    """A fresh mock."""
    with mock("--freeze", FROZEN) as address:
        yield address


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
    with httpx.Client(timeout=10) as http:
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
