"""mockserver persisted: what can't be read is refused in a line, and reading leaves a folder as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mockserver.commands.cli import main
from tests.test_persistence import NEW, SPACES, Kept, Start, start

__all__ = ["start"]
PROFILE = """\
profile: 1
document: d
revision: "2026-02"
date: "2026-11-30"
assumptions:
  A01: {status: 409}
  A21: microseconds
"""


def persisted(*words: object, **environment: str) -> Result:
    """A command for a folder."""
    return CliRunner().invoke(main, ["persisted", *map(str, words)], env=environment)


def refused(result: Result) -> str:
    """The one line of a refusal."""
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
    return result.stderr


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {str(each): each.read_bytes() if each.is_file() else b"" for each in sorted(folder.rglob("*"))}


@pytest.fixture
def crashed(start: Start, tmp_path: Path) -> Callable[..., Path]:
    """Makes the folder of a mock that was killed after a call, with a snapshot by name."""

    def crashed(**settings: Any) -> Path:
        kept = start(**settings)
        kept("POST", SPACES, json=NEW)
        kept("PUT", "/__admin/snapshots/named")
        kept("POST", SPACES, json=NEW)
        return kept.crash(tmp_path / "crashed")

    return crashed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to export to."""
    return tmp_path / "state.json"


def names(file: Path) -> list[str]:
    """Names of the exported spaces."""
    rows = json.loads(file.read_bytes())["collections"]["spaces"]["records"]
    return [row["record"]["name"] for row in rows]


def test_an_export_has_everything_and_leaves_the_folder_as_it_is(
    crashed: Callable[..., Path], file: Path
) -> None:
    folder = crashed()
    before = files(folder)
    assert persisted("export", folder, file).exit_code == 0
    assert names(file).count("New") == 2
    assert [*json.loads(file.read_bytes())["snapshots"]] == ["named"]
    assert files(folder) == before


def test_an_export_reads_no_setting_of_the_environment(crashed: Callable[..., Path], file: Path) -> None:
    folder = crashed()
    before = files(folder)
    wrong = {"MOCK_SEED": "7", "MOCK_PERSIST_ON_MISMATCH": "discard", "MOCK_PORT": "none"}
    assert persisted("export", folder, file, **wrong).exit_code == 0
    assert (names(file).count("New"), files(folder)) == (2, before)


@pytest.mark.parametrize("profile", ["fastapi", "profile.yaml"])
def test_an_export_follows_the_profile_of_the_mock(
    crashed: Callable[..., Path], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    (tmp_path / "profile.yaml").write_text(PROFILE)
    monkeypatch.chdir(tmp_path)
    folder = crashed(profile=profile)
    monkeypatch.chdir("/")
    assert persisted("export", folder, file).exit_code == 0
    assert names(file).count("New") == 2


def test_a_folder_of_another_version_can_be_exported(crashed: Callable[..., Path], file: Path) -> None:
    folder = crashed()
    known = json.loads((folder / "mock.json").read_bytes())
    (folder / "mock.json").write_text(json.dumps({**known, "version": "0.0.1"}))
    assert persisted("export", folder, file).exit_code == 0
    assert names(file).count("New") == 2


@pytest.mark.parametrize("damaged", ["default.0.log", "default.0.state", "-.0.log"])
def test_a_damaged_sandbox_is_not_exported_and_stays_where_it_is(
    crashed: Callable[..., Path], file: Path, damaged: str
) -> None:
    folder = crashed()
    data = bytearray((folder / "sandboxes" / damaged).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "sandboxes" / damaged).write_bytes(data)
    before = files(folder)
    assert "can't be recovered" in refused(persisted("export", folder, file))
    assert (files(folder), file.exists()) == (before, False)


@pytest.mark.parametrize(
    ("setting", "why"), [({"revision": "2026-05"}, "has another answer"), ({"profile": "gone.yaml"}, "gone")]
)
def test_calls_that_have_other_answers_in_the_recorded_mock_are_not_exported(
    crashed: Callable[..., Path], file: Path, setting: dict[str, str], why: str
) -> None:
    folder = crashed()
    known = json.loads((folder / "mock.json").read_bytes())
    (folder / "mock.json").write_text(json.dumps({**known, "settings": setting}))
    before = files(folder)
    assert why in refused(persisted("export", folder, file))
    assert (files(folder), file.exists()) == (before, False)


@pytest.mark.parametrize("damage", ["[]", "{}", "{", None])
def test_a_folder_without_a_readable_owner_is_not_exported(
    crashed: Callable[..., Path], file: Path, damage: str | None
) -> None:
    folder = crashed()
    (folder / "mock.json").unlink()
    if damage is not None:
        (folder / "mock.json").write_text(damage)
    assert "mock.json is damaged or missing; restore it" in refused(persisted("export", folder, file))
    assert not file.exists()


@pytest.mark.parametrize("more", [{"persist": "elsewhere"}, {"nothing": 1}, {"seed": "x"}, {"faults": []}])
def test_a_recorded_setting_that_no_mock_wrote_is_named(
    crashed: Callable[..., Path], file: Path, more: dict[str, Any]
) -> None:
    folder = crashed()
    known = json.loads((folder / "mock.json").read_bytes())
    known["settings"] |= more
    (folder / "mock.json").write_text(json.dumps(known))
    said = refused(persisted("export", folder, file))
    assert f"{folder}/mock.json is damaged: " in said
    assert next(iter(more)) in said


@pytest.mark.parametrize("name", ["-", "nobodys", "../x"])
def test_what_is_no_sandbox_is_neither_exported_nor_discarded(
    crashed: Callable[..., Path], file: Path, name: str
) -> None:
    folder = crashed()
    before = files(folder)
    for words in (("export", folder, file), ("discard", folder)):
        assert f"keeps no sandbox '{name}'" in refused(persisted(*words, "--sandbox", name))
    assert (files(folder), file.exists()) == (before, False)


def test_a_list_cuts_no_torn_tail(crashed: Callable[..., Path]) -> None:
    folder = crashed()
    log = folder / "sandboxes" / "default.0.log"
    log.write_bytes(log.read_bytes()[:-1])
    before = files(folder)
    assert '"sandbox": "default"' in persisted("list", folder).stdout
    assert files(folder) == before


@pytest.mark.parametrize("words", [["list"], ["discard"], ["export", "state.json"]])
def test_a_folder_that_only_has_a_lock_is_none_of_persist(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "lock").write_text("")
    said = refused(persisted(words[0], folder, *words[1:]))
    assert "is no folder of --persist" in said
    assert [*files(folder)] == [str(folder / "lock")]


def test_a_mock_that_runs_keeps_its_folder_to_itself(start: Start, file: Path) -> None:
    kept: Kept = start()
    said = refused(persisted("export", kept.app.keeper.store.folder, file))
    assert "another process uses it" in said
