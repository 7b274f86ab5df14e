"""openapi-python-client takes all of openapi.yaml, and what it makes of it reads the documents' answers."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.running import FROZEN, ROOT, mock

DOCUMENTS = ROOT / "tests/documents"
PACKAGE = "made_from_openapi"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the generated package, which can be imported."""
    folder = tmp_path_factory.mktemp("client")
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--meta",
        "none",
        "--fail-on-warning",
    ]
    command += ["--path", str(ROOT / "openapi.yaml"), "--output-path", str(folder / PACKAGE)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls ruff
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "warning" not in done.stdout.lower()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder / PACKAGE


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A mock whose clock stands at the documents' instant."""
    with mock("--freeze", FROZEN) as address:
        yield address


@pytest.fixture
def ask(made: Path, url: str) -> Any:
    """ask(operation, key, ids, **query): the status, and what the generated client makes of the answer."""
    requests.post(f"{url}/__admin/reset", timeout=60).raise_for_status()
    client = importlib.import_module(PACKAGE).AuthenticatedClient

    def ask(operation: str, key: str, *ids: str, **query: Any) -> tuple[int, Any]:
        call = importlib.import_module(f"{PACKAGE}.api.space_threads.{operation}").sync_detailed
        with client(url, token=key, prefix="", auth_header_name="X-API-Key") as caller:
            response = call(*ids, client=caller, **query)
        return int(response.status_code), response.parsed

    return ask


def plain(answer: Any) -> Any:
    """What it says, as JSON would."""
    return without_trace(json.loads(json.dumps(answer.to_dict()).replace("+00:00", "Z")))


def document(name: str) -> Any:
    """An answer of the two documents."""
    return without_trace(json.loads((DOCUMENTS / f"{name}.json").read_bytes()))


def without_trace(said: Any) -> Any:
    """Every request has another trace_id."""
    said.get("error", {}).pop("trace_id", None)
    return said


@pytest.mark.slow
def test_a_function_is_made_for_every_operation(made: Path) -> None:
    paths = yaml.load((ROOT / "openapi.yaml").read_bytes(), yaml.CSafeLoader)["paths"]
    ids = [node["operationId"] for item in paths.values() for node in item.values() if "operationId" in node]
    written = {file.stem.replace("_", "") for file in made.glob("api/*/*.py")} - {"init"}
    assert written == {name.lower() for name in ids}


def test_adding_and_then_listing_is_read_as_the_documents_show(ask: Any) -> None:
    status, added = ask("add_thread_to_space", "ak_demo_owner", "space_abc123", "thrd_def456")
    assert (status, plain(added)) == (201, document("add_thread.201"))
    assert (added.thread_id, added.space_id) == ("thrd_def456", "space_abc123")
    status, listed = ask("list_space_threads", "ak_demo_owner", "space_abc123", limit=20)
    assert (status, plain(listed)) == (200, document("list_threads.200"))
    assert [thread.title for thread in listed.data] == ["Project Discussion", "Quick Question"]


@pytest.mark.parametrize(
    ("operation", "key", "ids", "name"),
    [
        ("add_thread_to_space", "ak_demo_viewer", ("space_abc123", "thrd_def456"), "add_thread.403"),
        ("add_thread_to_space", "ak_demo_owner", ("space_invalid", "thrd_def456"), "add_thread.404"),
        ("list_space_threads", "ak_demo_outsider", ("space_abc123",), "list_threads.403"),
        ("list_space_threads", "ak_demo_owner", ("space_invalid",), "list_threads.404"),
    ],
)
def test_a_refusal_is_read_as_the_documents_show(
    ask: Any, operation: str, key: str, ids: tuple[str, ...], name: str
) -> None:
    status, refused = ask(operation, key, *ids)
    assert (status, plain(refused)) == (int(name.rpartition(".")[2]), document(name))
    assert refused.error.code == document(name)["error"]["code"]


def test_the_pages_of_a_space_are_walked_by_their_cursors(ask: Any) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        _, page = ask("list_space_threads", "ak_demo_owner", "space_team", limit=50, **cursor)
        seen += [thread.id for thread in page.data]
        if not page.has_more:
            break
        cursor = {"cursor": page.next_cursor}
    assert len(seen) == len(set(seen)) == 120
