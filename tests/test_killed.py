"""A mock with --persist as a process: killed, stopped, and its folder looked into by commands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockserver.commands.cli import main
from tests.killing import Killing, Served
from tests.killing_known import Client
from tests.running import ROOT

NEW = {"organization_id": "org_abc123", "name": "Kept"}


def persisted(*words: object) -> Result:
    """A command for a folder."""
    return CliRunner().invoke(main, ["persisted", *map(str, words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a mock has kept that was killed after one call."""
    served = Served(tmp_path / "kept")
    Client(served.port, "one")("POST", "/v1/spaces/", NEW)
    served.end(signal.SIGKILL)
    return tmp_path / "kept"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_was_told_is_there_after_any_signal(tmp_path: Path, number: signal.Signals) -> None:
    names = []
    for _ in range(3):
        served = Served(tmp_path / "kept")
        ask = Client(served.port, "default")
        names.append(ask("POST", "/v1/spaces/", NEW)[0]["id"])
        assert {f"spaces:{name}" for name in names} <= ask.view().keys()
        assert served.end(number) == ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_or_invented_whenever_it_is_killed(tmp_path: Path, seed: int) -> None:
    killing = Killing(tmp_path / "kept", seed)
    killing.start()
    for _ in range(8):
        assert killing.round() == []
    assert killing.calls > 100


def test_a_mock_that_is_stopped_still_has_its_folder(folder: Path) -> None:
    served = Served(folder)
    served.process.send_signal(signal.SIGSTOP)
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--persist", str(folder)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    served.process.send_signal(signal.SIGCONT)
    served.end(signal.SIGKILL)
    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert "another process uses it" in second.stderr


def test_the_folder_can_be_listed_and_a_sandbox_exported_and_discarded(folder: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in persisted("list", folder).stdout.splitlines()]
    assert [(row["sandbox"], row["entries_since_snapshot"]) for row in rows] == [("default", 0), ("one", 2)]
    file = tmp_path / "state.json"
    assert persisted("export", folder, file, "--sandbox", "one").exit_code == 0
    document = json.loads(file.read_bytes())
    assert "Kept" in {row["record"]["name"] for row in document["collections"]["spaces"]["records"]}
    assert persisted("discard", folder, "--sandbox", "one").exit_code == 0
    assert "one" not in persisted("list", folder).stdout
    assert persisted("discard", folder).exit_code == 0
    assert persisted("list", folder).stdout == ""


@pytest.mark.parametrize("words", [["list"], ["discard"], ["export", "state.json"]])
def test_a_folder_that_is_none_of_persist_is_refused_in_a_line(tmp_path: Path, words: list[str]) -> None:
    result = persisted(words[0], tmp_path, *words[1:])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "is no folder of --persist" in result.stderr


def test_an_unknown_sandbox_is_refused_in_a_line(folder: Path, tmp_path: Path) -> None:
    for words in (("export", folder, tmp_path / "a.json"), ("discard", folder)):
        result = persisted(*words, "--sandbox", "nobodys")
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_it_can_not_be_combined_with_watch(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--persist", str(tmp_path), "--watch"])
    assert (result.exit_code, "--watch" in result.stderr) == (2, True)
