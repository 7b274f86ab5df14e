"""A recording is replayed on another server: the same requests with its ids, and answers compared by kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mockserver.commands.cli import main
from tests.proxy.target import ask
from tests.proxy.test_recording import recorded_walk
from tests.running import mock

ORGANIZATION = {"organization_id": "org_abc123"}
FILE = ("notes.txt", b"Pieces of a walk.", "text/plain")


def walk(url: str) -> None:
    """Calls that make, change, read and delete, with two callers and a refused one."""
    space = ask("POST", f"{url}/v1/spaces/", json={"name": "Replayed", **ORGANIZATION}).json()
    thread = ask("POST", f"{url}/v1/threads", json=ORGANIZATION).json()["id"]
    space_id = space.get("space_id") or space.get("id") or space["data"]["id"]
    ask("POST", f"{url}/v1/spaces/{space_id}/threads/{thread}")
    ask("PATCH", f"{url}/v1/threads/{thread}", json={"title": f"About {thread}"})
    ask("GET", f"{url}/v1/threads?limit=1")
    ask("GET", f"{url}/v1/threads/{thread}", headers={"X-API-Key": "ak_demo_viewer"})
    ask("GET", f"{url}/v1/threads", headers={"X-API-Key": "no such key"})
    ask("POST", f"{url}/v1/organizations/org_abc123/files", files={"files": FILE})
    ask("DELETE", f"{url}/v1/threads/{thread}")
    ask("GET", f"{url}/v1/threads/{thread}")


def replayed(file: Path, to: str) -> Result:
    """What `record replay` says."""
    return CliRunner().invoke(main, ["record", "replay", str(file), "--target", to, "--settle", "0"])


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_walk(walk, tmp_path_factory)


def test_a_server_that_does_the_same_answers_alike(recording: Path) -> None:
    with mock("--seed", "8") as other:
        result = replayed(recording, other)
    assert (result.exit_code, result.output) == (0, "10 compared, 0 different, 0 not sent\n")


def test_every_difference_is_told(recording: Path) -> None:
    with mock("--seed", "8") as other:
        rule = {"operation": "updateThread", "error": {"status": 503}}
        assert ask("POST", f"{other}/__admin/faults", json=rule).status_code == 201
        result = replayed(recording, other)
    assert result.exit_code == 1
    assert "PATCH /v1/threads/" in result.output
    assert "status /: 200 -> 503" in result.output


def test_lines_of_a_proxy_that_was_killed_are_a_recording(recording: Path, tmp_path: Path) -> None:
    entries = json.loads(recording.read_bytes())["log"]["entries"]
    part = tmp_path / "walk.har.part"
    part.write_text("".join(json.dumps(each) + "\n" for each in entries[:3]) + '{"startedDate', "utf-8")
    with mock("--seed", "8") as other:
        assert replayed(part, other).output == "3 compared, 0 different, 0 not sent\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{}", "it is no recording of `mockserver proxy --record`"),
        ("no JSON", "it is no recording of `mockserver proxy --record`"),
        (None, "No such file"),
    ],
)
def test_what_is_no_recording_is_told_in_one_line(tmp_path: Path, content: Any, told: str) -> None:
    file = tmp_path / "walk.har"
    if content is not None:
        file.write_text(content, "utf-8")
    result = replayed(file, "http://127.0.0.1:1")
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert told in result.output


def test_a_target_that_does_not_answer_and_one_elsewhere_are_told(recording: Path) -> None:
    result = replayed(recording, "http://127.0.0.1:1")
    assert (
        result.exit_code,
        "the target does not answer: no connection to 127.0.0.1:1" in result.output,
    ) == (2, True)
    result = replayed(recording, "https://api.example.com")
    assert (result.exit_code, "add --allow-writes" in result.output) == (2, True)
