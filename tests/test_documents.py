"""The two documents' requests, with nothing but the host changed, get the documents' answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.running import FROZEN, mock

DOCUMENTS = Path(__file__).parent / "documents"
HOST = "https://api.aitronos.com"
ADD = """
import os
import requests

api_key = os.environ["FREDDY_API_KEY"]
response = requests.post(
    "https://api.aitronos.com/v1/spaces/space_abc123/threads/thrd_def456",
    headers={"X-API-Key": api_key},
)
"""
LIST = """
import os
import requests

api_key = os.environ["FREDDY_API_KEY"]
response = requests.get(
    "https://api.aitronos.com/v1/spaces/space_abc123/threads",
    headers={"X-API-Key": api_key},
    params={"limit": 20},
)
"""


@pytest.fixture
def url() -> Iterator[str]:
    """A fresh mock whose clock stands at the documents' instant."""
    with mock("--freeze", FROZEN) as address:
        yield address


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run one of the documents' programs with a key; its `response`."""

    def go(program: str, key: str) -> requests.Response:
        monkeypatch.setenv("FREDDY_API_KEY", key)
        names: dict[str, Any] = {}
        exec(program.replace(HOST, url), names)
        response: requests.Response = names["response"]
        return response

    return go


def same(response: requests.Response, document: str) -> None:
    """The answer is the document's, in the document's order too; only the trace id is its own."""
    shown, got = json.loads((DOCUMENTS / f"{document}.json").read_bytes()), response.json()
    if "error" in shown:
        assert got["error"].pop("trace_id") == response.headers["x-request-id"]
        del shown["error"]["trace_id"]
    assert json.dumps(got, indent=1) == json.dumps(shown, indent=1)
    assert response.status_code == int(document.rpartition(".")[2])
    assert response.headers["Content-Type"] == "application/json"


def test_adding_and_then_listing_answers_as_shown(run: Any) -> None:
    """First the POST of one document, then the GET of the other: both threads are there."""
    same(run(ADD, "ak_demo_owner"), "add_thread.201")
    same(run(LIST, "ak_demo_owner"), "list_threads.200")


@pytest.mark.parametrize(
    ("program", "key", "document"),
    [(ADD, "ak_demo_viewer", "add_thread.403"), (LIST, "ak_demo_outsider", "list_threads.403")],
)
def test_who_may_not_is_told_so_as_shown(run: Any, program: str, key: str, document: str) -> None:
    """A viewer can't add, an outsider can't list."""
    same(run(program, key), document)


@pytest.mark.parametrize(("program", "document"), [(ADD, "add_thread.404"), (LIST, "list_threads.404")])
def test_an_unknown_space_is_told_as_shown(run: Any, program: str, document: str) -> None:
    """space_invalid is nowhere."""
    same(run(program.replace("space_abc123", "space_invalid"), "ak_demo_owner"), document)
