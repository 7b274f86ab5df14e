"""A recording becomes a scenario: of its start, on which a replay finds no difference, or of its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from mockserver.commands.cli import main
from tests.contracts import other_server
from tests.proxy.target import ask
from tests.proxy.test_recording import recorded, recorded_walk
from tests.proxy.test_replay import ORGANIZATION, replayed
from tests.running import mock

SPACE = "space_abc123"
VIEWER = {"X-API-Key": "ak_demo_viewer"}


def walk(url: str) -> None:
    """What a client does: it looks around, makes a thread, adds, changes and removes."""
    ask("GET", f"{url}/v1/organizations")
    ask("GET", f"{url}/v1/spaces/{SPACE}")
    ask("GET", f"{url}/v1/spaces/{SPACE}", headers=VIEWER)
    for thread in ask("GET", f"{url}/v1/spaces/{SPACE}/threads").json()["data"]:
        ask("GET", f"{url}/v1/threads/{thread['id']}")
        ask("GET", f"{url}/v1/threads/{thread['id']}/messages?limit=100")
    ask("GET", f"{url}/v1/threads/thrd_def456")
    made = ask("POST", f"{url}/v1/threads", json={"title": "New", **ORGANIZATION}).json()["id"]
    for thread in (made, "thrd_def456"):
        ask("POST", f"{url}/v1/spaces/{SPACE}/threads/{thread}")
    ask("PATCH", f"{url}/v1/threads/{made}", json={"title": "Renamed"})
    ask("DELETE", f"{url}/v1/spaces/{SPACE}/threads/thrd_abc123")
    ask("GET", f"{url}/v1/spaces/{SPACE}/threads")
    ask("GET", f"{url}/v1/threads/{made}")
    ask("DELETE", f"{url}/v1/spaces/{SPACE}/threads/{made}", headers=VIEWER)
    ask("PATCH", f"{url}/v1/spaces/{SPACE}", json={"name": "Beta"})
    ask("DELETE", f"{url}/v1/threads/thrd_def456")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_walk(walk, tmp_path_factory)


def made_of(recording: Path, at: str, to: Path) -> tuple[dict[str, Any], str]:
    """Content of the scenario, and what the command says."""
    result = CliRunner().invoke(main, ["record", "to-scenario", str(recording), "--at", at, "-o", str(to)])
    assert result.exit_code == 0, result.output
    checked = CliRunner().invoke(main, ["check", "--scenario", str(to)])
    assert checked.exit_code == 0, checked.output
    return dict(yaml.safe_load(to.read_bytes())), result.output


def test_a_replay_on_the_state_of_the_start_finds_no_difference(recording: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "start.yaml"
    content, said = made_of(recording, "start", scenario)
    assert {each["id"] for each in content["threads"]} == {"thrd_abc123", "thrd_def456"}
    assert "thrd_def456: 4 of its messages were not read" in said
    with mock("--scenario", str(scenario)) as other:
        result = replayed(recording, other)
    assert (result.exit_code, result.output) == (0, "17 compared, 0 different, 0 not sent\n")


def test_a_comparison_needs_the_recording_alone(recording: Path) -> None:
    result = CliRunner().invoke(main, ["record", "compare", str(recording), "--settle", "0"])
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "17 compared, 0 different, 0 not sent")


def test_a_server_that_is_not_like_the_mock_is_told(recording: Path, tmp_path: Path) -> None:
    archive = json.loads(recording.read_bytes())
    for entry in archive["log"]["entries"]:
        content = entry["response"]["content"]
        content["text"] = content["text"].replace("Renamed", "Renamed by the server")
    other = tmp_path / "other.har"
    other.write_text(json.dumps(archive), "utf-8")
    result = CliRunner().invoke(main, ["record", "compare", str(other), "--settle", "0"])
    assert result.exit_code == 1
    assert "value /title: Renamed by the server -> Renamed" in result.output


def test_every_difference_of_another_server_is_a_real_one(tmp_path: Path) -> None:
    file, ann = tmp_path / "other.har", {"X-API-Key": "key-of-ann"}

    def walk(url: str) -> None:
        space = ask("POST", f"{url}/v1/spaces/", headers=ann, json={"name": "One", **ORGANIZATION}).json()[
            "id"
        ]
        threads = [
            ask("POST", f"{url}/v1/threads", headers=ann, json=ORGANIZATION).json()["id"] for _ in range(3)
        ]
        for thread in (*threads, threads[0]):
            ask("POST", f"{url}/v1/spaces/{space}/threads/{thread}", headers=ann)
        for query in ("limit=2", "cursor=bad"):
            ask("GET", f"{url}/v1/spaces/{space}/threads?{query}", headers=ann)

    with other_server.running() as (url, _):
        recorded(url, file, walk)
    result = CliRunner().invoke(main, ["record", "compare", str(file), "--settle", "0"])
    lines = [line.partition(": ")[2] for line in result.output.splitlines() if ": " in line]
    kinds = {" ".join(line.split()[:2]).rstrip(":") for line in lines if "header x-request-id" not in line}
    assert kinds == {"type /vector_store_id", "fields /", "type /metadata", "status /", "items /data"}
    assert [line for line in lines if line.startswith("status")] == [
        "status /: 409 -> 201",
        "status /: 400 -> 422",
    ]


def test_what_is_no_state_comes_at_its_place(tmp_path: Path) -> None:
    file, scenario = tmp_path / "walk.har", tmp_path / "start.yaml"
    question = {"inputs": [{"role": "user", "content": "Where?"}], "thread_id": "thrd_def456"}

    def walk(url: str) -> None:
        for number in range(3):
            ask("GET", f"{url}/v1/threads/thrd_def456")
            ask("POST", f"{url}/v1/model/response", json={**question, "stream": number == 1})

    with mock("--seed", "7") as behind:
        ask("POST", f"{behind}/__admin/replies", json={"text": "In hall 3"})
        ask("POST", f"{behind}/__admin/replies", json={"text": "In hall 4"})
        for skip, status in ((1, 429), (1, 503)):
            rule = {"operation": "getThread", "skip": skip, "times": 1, "error": {"status": status}}
            assert ask("POST", f"{behind}/__admin/faults", json=rule).status_code == 201
        recorded(behind, file, walk)
    content, _ = made_of(file, "start", scenario)
    assert [each["text"] for each in content["replies"]][:2] == ["In hall 3", "In hall 4"]
    faults = [(each["operation"], each["skip"], each["error"]["status"]) for each in content["faults"]]
    assert faults == [("getThread", 1, 429), ("getThread", 1, 503)]
    with mock("--scenario", str(scenario)) as other:
        assert replayed(file, other).output == "6 compared, 0 different, 0 not sent\n"
        ask("POST", f"{other}/__admin/reset")
        assert len(ask("GET", f"{other}/__admin/replies").json()["replies"]) == 3
        assert [each["matched"] for each in ask("GET", f"{other}/__admin/faults").json()["faults"]] == [0, 0]


def test_files_are_recorded_and_stand_in_the_scenario(tmp_path: Path) -> None:
    file, scenario, image = tmp_path / "walk.har", tmp_path / "start.yaml", b"\x89PNG\xff\0 pixels"
    upload = {"files": ("a.png", image, "image/png")}

    def walk(url: str) -> None:
        files = f"{url}/v1/organizations/org_abc123/files"
        (old,) = ask("GET", files).json()["files"]
        ask("GET", f"{files}/{old['id']}")
        made = ask("POST", f"{files}/upload", files=upload).json()["files"][0]["id"]
        ask("GET", f"{files}/{made}")
        ask("GET", files)

    with mock("--seed", "7") as behind:
        ask(
            "POST",
            f"{behind}/v1/organizations/org_abc123/files/upload",
            files={"files": ("b.txt", b"before")},
        )
        ask("POST", f"{behind}/__admin/clock", json={"advance": 60})
        recorded(behind, file, walk)
    content, said = made_of(file, "start", scenario)
    assert [each["filename"] for each in content["files"]] == ["b.txt"]
    assert "its content was not read; 6 blanks stand for it" in said
    with mock("--scenario", str(scenario)) as other:
        assert replayed(file, other).output == "5 compared, 0 different, 0 not sent\n"


def test_the_state_of_the_end_has_what_was_made_and_changed(recording: Path, tmp_path: Path) -> None:
    content, _ = made_of(recording, "end", tmp_path / "end.yaml")
    titles = {each["title"] for each in content["threads"]}
    assert "Renamed" in titles
    assert "thrd_def456" not in {each["id"] for each in content["threads"]}
    (space,) = content["spaces"]
    assert space["name"] == "Beta"
    assert len(space["threads"]) == 1


def test_a_file_that_can_not_be_written_is_told(recording: Path, tmp_path: Path) -> None:
    arguments = [
        "record",
        "to-scenario",
        str(recording),
        "--at",
        "end",
        "-o",
        str(tmp_path / "no" / "a.yaml"),
    ]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
