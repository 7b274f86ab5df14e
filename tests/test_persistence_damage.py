"""--persist: what can't be written or read is said, and everything else goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mockserver.openapi.yaml_document import DocumentError
from mockserver.persistence import kept_sandbox
from mockserver.persistence.directory_store import DirectoryStore
from mockserver.persistence.frames import DamagedError, frame, read_frames
from tests.freddy.steps import Steps
from tests.running import ROOT
from tests.test_persistence import NEW, SPACES, STATE, Kept, Start, start

__all__ = ["start"]


def test_a_second_process_is_refused(start: Start, tmp_path: Path) -> None:
    start()
    with pytest.raises(DocumentError, match="another process uses it"):
        Kept(tmp_path / "kept")


def test_another_mock_says_where_it_differs_and_what_to_type(start: Start) -> None:
    kept = start()
    kept("POST", SPACES, json=NEW)
    kept.app.keeper.close()
    with pytest.raises(DocumentError, match=r"seed was 0, is 7.*--persist-on-mismatch snapshot"):
        start(seed=7)
    again = start(seed=7, persist_on_mismatch="snapshot")
    assert "New" in str(again("GET", SPACES + "?organization_id=org_abc123").get_json())
    again.app.keeper.close()
    fresh = start(seed=8, persist_on_mismatch="discard")
    assert "New" not in str(fresh("GET", SPACES + "?organization_id=org_abc123").get_json())


def test_a_full_disk_is_a_503_and_the_log_stays_whole(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = start()
    kept("POST", SPACES, json=NEW)
    before = kept.state()
    monkeypatch.setattr(kept.app.keeper.store, "_most", 0)
    for method, path, body in (
        ("POST", SPACES, NEW),
        ("POST", "/__admin/faults", {"operation": "getSpace", "error": {"status": 500}}),
        ("PUT", STATE, kept("GET", STATE).get_json()),
        ("POST", "/__admin/sandboxes", {"id": "more"}),
        ("PUT", "/__admin/snapshots/more", None),
    ):
        refused = kept(method, path, json=body)
        assert (refused.status_code, "make room" in refused.headers["X-Mock-Reason"]) == (503, True), path
    assert kept("GET", SPACES + "space_abc123").status_code == 200
    assert kept.state() == before
    again = start(kept.crash(tmp_path / "crashed"))
    assert (again.state(), again.said) == (before, [])
    monkeypatch.undo()
    assert kept("POST", SPACES, json=NEW).status_code == 201


@pytest.mark.parametrize("kind", ["log", "state", "start"])
def test_a_sandbox_with_a_flipped_byte_is_set_aside_and_the_others_serve(
    start: Start, tmp_path: Path, kind: str
) -> None:
    kept = start()
    for name in ("good", "bad"):
        kept("POST", "/__admin/sandboxes", json={"id": name, "seed": len(name)})
        kept("POST", SPACES, sandbox=name, json=NEW)
    before = kept.state("good")
    starts = {each.sandbox.name: each.start[1] for each in kept.app.keeper.kept()}
    copy = kept.crash(tmp_path / "crashed")
    file = copy / "states" / starts["bad"] if kind == "start" else copy / "sandboxes" / f"bad.0.{kind}"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    again = start(copy)
    assert len(again.said) == 1
    assert "sandbox 'bad' can't be recovered; it is set aside in" in again.said[0]
    assert again.state("good") == before
    assert again("GET", "/__admin/sandboxes/bad").status_code == 404


def test_a_torn_tail_is_cut_and_said(start: Start, tmp_path: Path) -> None:
    kept = start()
    kept("POST", SPACES, json=NEW)
    before = kept.state()
    kept("POST", SPACES, json=NEW)
    copy = kept.crash(tmp_path / "crashed")
    file = copy / "sandboxes" / "default.0.log"
    file.write_bytes(file.read_bytes()[:-1])
    again = start(copy)
    assert len(again.said) == 1
    assert "were not whole, and are cut" in again.said[0]
    assert again.state() == before
    assert again("POST", SPACES, json=NEW).status_code == 201


def test_each_byte_that_is_flipped_or_missing_is_noticed() -> None:
    entries = [b"one", b"", b'["call", 2]']
    data = b"".join(map(frame, entries))
    assert read_frames(data) == (entries, len(data))
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0x41
        with pytest.raises(DamagedError):
            read_frames(bytes(flipped))
        cut = read_frames(data[:at])
        assert cut.entries == entries[: len(cut.entries)]
        zeros = read_frames(data[: cut.whole] + bytes(at - cut.whole))
        assert zeros.entries[: len(cut.entries)] == cut.entries


def test_a_store_without_space_begins_no_sandbox(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, most_bytes=0)
    with pytest.raises(OSError, match="--persist-mb"):
        store.begin("a", [b"{}"])
    assert store.names() == []
    store.close()


def test_damaged_names_of_snapshots_are_set_aside_and_the_rest_serves(start: Start, tmp_path: Path) -> None:
    kept = start()
    Steps(kept)("POST", SPACES, json=NEW)
    kept("PUT", "/__admin/snapshots/named")
    copy = kept.crash(tmp_path / "crashed")
    file = copy / "sandboxes" / "-.0.log"
    file.write_bytes(b"x" + file.read_bytes()[1:])
    (copy / "sandboxes" / "something-else").write_text("of nobody")
    again = start(copy)
    assert len(again.said) == 1
    assert "the names of snapshots can't be recovered; it is set aside in" in again.said[0]
    assert again.state()["collections"] == kept.state()["collections"]


@pytest.mark.parametrize("damage", [b"{", b"1", b"[]", b"{}", None])
def test_a_folder_without_a_readable_owner_is_refused_in_a_line(
    start: Start, tmp_path: Path, damage: bytes | None
) -> None:
    copy = start().crash(tmp_path / "crashed")
    (copy / "mock.json").unlink()
    if damage is not None:
        (copy / "mock.json").write_bytes(damage)
    with pytest.raises(DocumentError, match=r"mock\.json is damaged or missing; .*--persist-on-mismatch"):
        Kept(copy)
    assert start(copy, persist_on_mismatch="snapshot")("GET", SPACES + "space_abc123").status_code == 200


def test_a_file_in_place_of_the_folder_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    with pytest.raises(DocumentError, match="is a file, and no folder"):
        Kept(tmp_path / "kept")


def test_a_relative_path_and_an_absolute_one_are_the_same_mock(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shutil.copy(ROOT / "mockserver" / "scenarios" / "demo.yaml", tmp_path / "world.yaml")
    monkeypatch.chdir(tmp_path)
    start(scenario="world.yaml").app.keeper.close()
    monkeypatch.chdir("/")
    again = start(scenario=str(file))
    assert again.said == []


def test_a_damaged_snapshot_by_name_is_said_and_the_rest_serves(start: Start, tmp_path: Path) -> None:
    kept = start()
    Steps(kept)("POST", SPACES, json=NEW)
    kept("PUT", "/__admin/snapshots/damaged")
    digest, _ = kept.app.keeper.named["damaged"]
    copy = kept.crash(tmp_path / "crashed")
    (copy / "states" / digest).write_bytes(b"no state")
    again = start(copy)
    assert (
        again.said == [said for said in again.said if "snapshot 'damaged' can't be recovered" in said] != []
    )
    assert again.state()["collections"] == kept.state()["collections"]


def test_a_log_that_can_not_go_on_in_a_new_file_goes_on_in_its_own_and_tries_again(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kept_sandbox, "SMALLEST", 2000)
    kept = start()
    blocked = tmp_path / "kept" / "sandboxes" / "default.1.log"
    blocked.mkdir()
    answers = [kept("POST", SPACES, json=NEW).status_code for _ in range(30)]
    assert answers == [201] * 30
    assert 0 < len(kept.said) < 10
    assert {"no snapshot of sandbox 'default' now, but later: Is a directory"} == {*kept.said}
    before = kept.state()
    unread = start(kept.crash(tmp_path / "unread"))
    assert ["default.1.log: Is a directory" in said for said in unread.said] == [True]
    blocked.rmdir()
    again = start(kept.crash(tmp_path / "crashed"))
    assert (again.state(), again.said) == (before, [])
    for _ in range(10):
        kept("POST", SPACES, json=NEW)
    kept.app.keeper.write_moments()
    assert (tmp_path / "kept" / "sandboxes" / "default.1.state").is_file()


def test_a_snapshot_that_can_not_be_written_is_said_and_tried_again(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kept_sandbox, "SMALLEST", 2000)
    kept = start()
    blocked = tmp_path / "kept" / "sandboxes" / "default.1.state"
    blocked.mkdir()
    for _ in range(10):
        assert kept("POST", SPACES, json=NEW).status_code == 201
    kept.app.keeper.write_moments()
    assert kept.said == ["no snapshot of sandbox 'default' now, but later: Is a directory"]
    for _ in range(10):
        assert kept("POST", SPACES, json=NEW).status_code == 201
    kept.app.keeper.write_moments()
    assert (tmp_path / "kept" / "sandboxes" / "default.2.state").is_file()


def test_a_folder_of_another_revision_goes_on_with_its_snapshots_at_each_start(start: Start) -> None:
    start().app.keeper.close()
    first = start(revision="2026-05", persist_on_mismatch="snapshot")
    first("POST", SPACES, json=NEW)
    before = first.state()
    first.app.keeper.close()
    again = start(revision="2026-05")
    assert (again.state(), again.said) == (before, [])
    assert again("POST", "/__admin/reset").status_code == 200
