"""--persist: what was told is there after a restart, and what can't be recovered is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.http.log import RequestLog
from mockserver.persistence import kept_sandbox
from mockserver.settings import Settings
from tests.freddy.steps import Steps
from tests.freddy.test_session import lived_in as lived_in_faults
from tests.freddy.test_state import lived_in
from tests.freddy.test_uploads import BYTES, form
from tests.freddy.test_uploads import FILES as UPLOADS
from tests.running import FROZEN, ROOT

SPACES, STATE = "/v1/spaces/", "/__admin/state"
NEW = {"organization_id": "org_abc123", "name": "New"}


class Kept:
    """A mock over a directory, asked by the owner."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.said: list[str] = []
        log = RequestLog(quiet=True)
        log.notice = self.said.append  # type: ignore[assignment, method-assign]
        settings = {"freeze": FROZEN, "persist": folder, "quiet": True, **settings}
        self.app: MockServer = create_app(Settings(**settings), log=log)
        self.app.testing = True
        self._client = self.app.test_client()

    def __call__(
        self, method: str, path: str, key: str = "ak_demo_owner", sandbox: str | None = None, **sent: Any
    ) -> TestResponse:
        """An answer."""
        named = {} if sandbox is None else {"X-Mock-Sandbox": sandbox}
        headers = {"X-API-Key": key, **named, **sent.pop("headers", {})}
        return self._client.open(path, method=method, headers=headers, **sent)

    def state(self, sandbox: str | None = None) -> Any:
        """The whole state, but for the number of request ids, of which some are skipped after a crash."""
        state = self("GET", STATE, sandbox=sandbox).get_json()
        del state["ids"]["requests"]
        return state

    def crash(self, folder: Path) -> Path:
        """A copy of the directory as it is at this moment."""
        shutil.copytree(self.app.keeper.store.folder, folder)
        return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    """Starts a mock; all are ended."""
    started: list[Kept] = []

    def start(folder: Path = tmp_path / "kept", **settings: Any) -> Kept:
        started.append(Kept(folder, **settings))
        return started[-1]

    yield start
    for each in started:
        if not each.app.keeper.store.is_closed:
            each.app.keeper.close()


Start = Callable[..., Kept]


def recovered(kept: Kept, start: Start, tmp_path: Path) -> list[Kept]:
    """The same mock after a crash, and after an orderly end."""
    copy = kept.crash(tmp_path / "crashed")
    kept.app.keeper.close()
    return [start(copy), start()]


@pytest.mark.parametrize(("live", "sync"), [(lived_in, False), (lived_in_faults, True)])
def test_everything_is_there_after_a_crash_and_after_an_end(
    start: Start, tmp_path: Path, live: Callable[[Any], None], sync: bool
) -> None:
    kept = start(persist_sync=sync)
    live(kept)
    before = kept.state()
    for again in recovered(kept, start, tmp_path):
        assert (again.state(), again.said) == (before, [])
        assert again("POST", "/__admin/reset").status_code == 200
        assert again.state()["scenario"] == "demo"


def test_a_running_clock_runs_on(start: Start) -> None:
    kept = start(freeze=None)
    Steps(kept)("PUT", "/__admin/clock", json={"advance": 3600})
    before = kept("GET", "/__admin/clock").get_json()["now"]
    kept.app.keeper.close()
    after = start(freeze=None)("GET", "/__admin/clock").get_json()
    assert (after["frozen"], before < after["now"]) == (False, True)


def test_sandboxes_forks_and_snapshots_are_there_and_dropped_ones_leave_nothing(
    start: Start, tmp_path: Path
) -> None:
    kept = start()
    for name in ("one", "two"):
        assert kept("POST", SPACES, sandbox=name, json=NEW).status_code == 201
    kept("PUT", "/__admin/snapshots/mine", sandbox="one")
    kept("PUT", "/__admin/snapshots/gone", sandbox="one")
    kept("DELETE", "/__admin/snapshots/gone")
    fork = kept("POST", "/__admin/sandboxes/one/fork", json={}).get_json()["id"]
    kept("DELETE", "/__admin/sandboxes/two")
    before = kept.state(fork)
    for again in recovered(kept, start, tmp_path):
        assert again.state(fork) == before
        assert again("GET", "/__admin/snapshots/mine").status_code == 200
        assert again("GET", "/__admin/snapshots/gone").status_code == 404
        assert again("GET", "/__admin/sandboxes/two").status_code == 404
        assert again("POST", "/__admin/sandboxes/one/fork", json={}).get_json()["id"] != fork
        assert not list((tmp_path / "kept" / "sandboxes").glob("two.*"))


def test_calls_that_are_no_entries_are_there_too(start: Start, tmp_path: Path) -> None:
    """An import, a restored snapshot, a reset to another scenario."""
    kept = start()
    steps = Steps(kept)
    document = kept("GET", STATE).get_json()
    steps("POST", SPACES, json=NEW)
    steps("PUT", "/__admin/snapshots/made")
    for path, method, body in (
        ("/__admin/reset?to=empty", "POST", None),
        (STATE, "PUT", document),
        ("/__admin/snapshots/made/restore", "POST", None),
    ):
        steps(method, path, json=body)
        steps("POST", SPACES, json=NEW)
        before = kept.state()
        again = start(kept.crash(tmp_path / f"after-{method}{path.count('/')}"))
        assert (again.state(), again.said) == (before, [])


@pytest.mark.parametrize("snapshots", [False, True])
def test_no_request_id_is_given_twice_after_a_crash(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshots: bool
) -> None:
    kept, ids = start(), list[str]()
    monkeypatch.setattr(kept_sandbox, "SMALLEST", 1000 if snapshots else 1 << 20)
    for number in range(3):
        again = kept if number == 0 else start(kept.crash(tmp_path / f"crashed-{number}"))
        for _ in range(5):
            ids.append(again("POST", SPACES, json=NEW).headers["x-request-id"])
            ids.append(again("GET", SPACES + "?organization_id=org_abc123").headers["x-request-id"])
            ids.append(again("GET", "/v1/threads", "ak_of_nobody").headers["x-request-id"])
        again.app.keeper.write_moments()
        ids += [again("GET", "/v1/threads").headers["x-request-id"] for _ in range(5)]
        kept = again
    assert len({*ids}) == len(ids) == 60


def test_a_large_log_becomes_a_snapshot(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kept_sandbox, "SMALLEST", 2000)
    kept = start()
    for _ in range(30):
        assert kept("POST", SPACES, json=NEW).status_code == 201
    before = kept.state()
    for again in recovered(kept, start, tmp_path):
        assert (again.state(), again.said) == (before, [])
    assert {file.suffix for file in (tmp_path / "kept" / "sandboxes").glob("default.*")} == {".state", ".log"}


def test_files_are_for_their_user_alone_and_have_no_key(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREDDY_API_KEY", "ak_of_the_environment")
    kept = start()
    assert kept("POST", SPACES, "ak_of_the_environment", json=NEW).status_code == 201
    kept.app.keeper.close()
    files = [file for file in (tmp_path / "kept").rglob("*") if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    for file in files:
        assert b"ak_of_the_environment" not in file.read_bytes()
    again = start()
    assert again("GET", SPACES + "?organization_id=org_abc123", "ak_of_the_environment").status_code == 200


def test_an_upload_and_a_lenient_call_are_made_again(start: Start, tmp_path: Path) -> None:
    kept = start()
    uploaded = kept("POST", f"{UPLOADS}/upload", **form(("a.bin", BYTES, "image/x-icon")))
    lenient = kept("POST", SPACES, json={**NEW, "description": 5}, headers={"Prefer": "handling=lenient"})
    assert (uploaded.status_code < 300, lenient.status_code) == (True, 201)
    before = kept.state()
    for again in recovered(kept, start, tmp_path):
        assert (again.state(), again.said) == (before, [])


def test_a_start_from_a_scenario_is_kept(start: Start, tmp_path: Path) -> None:
    kept = start()
    found = kept("GET", "/__admin/state/scenario").json
    assert found is not None
    scenario = found["scenario"]
    assert (
        kept("PUT", "/__admin/state/scenario", json={**scenario, "threads": [], "spaces": []}).status_code
        == 200
    )
    before = kept.state()
    for again in recovered(kept, start, tmp_path):
        assert (again.state(), again.said) == (before, [])


def test_each_operation_of_the_control_api_is_read_entry_or_snapshot() -> None:
    paths = yaml.safe_load((ROOT / "mockserver" / "admin" / "admin.yaml").read_text("utf-8"))["paths"]
    marks = {
        node["operationId"]: (method, node.get("x-kept"))
        for item in paths.values()
        for method, node in item.items()
        if method != "parameters"
    }
    assert {kind for _, kind in marks.values()} == {"read", "entry", "snapshot"}
    assert {name for name, (method, kind) in marks.items() if method == "get" and kind != "read"} == set()


def test_the_identity_of_the_mock_is_readable(start: Start, tmp_path: Path) -> None:
    start()
    known = json.loads((tmp_path / "kept" / "mock.json").read_bytes())
    assert {"version", "document", "revision", "seed", "faults", "settings"} <= known.keys()
