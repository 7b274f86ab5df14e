"""The target's answers are compared with those of a mock that knows what was asked of the target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from contracts.cli import main as contracts
from mockserver.client.child import Child
from tests.contracts import other_server
from tests.contracts.front import KEYS
from tests.proxy.target import Asked, answer, ask, ended, proxy, saying, scripted
from tests.proxy.test_replay import ORGANIZATION
from tests.proxy.test_to_scenario import walk
from tests.running import ROOT, mock
from tests.sdk_generations import operations
from tests.sdk_walk import walked
from tests.test_profile import profile

COMPARE = ("--mode", "compare")
ANN = {"X-API-Key": "key-of-ann"}


@contextmanager
def compared(*flags: str) -> Iterator[tuple[str, str]]:
    """URL of a proxy that compares, and of the mock of another seed and time behind it."""
    with (
        mock("--seed", "7", "--freeze", "2027-05-01T00:00:00Z") as behind,
        proxy(behind, *COMPARE, *flags) as url,
    ):
        yield url, behind


def counts(url: str) -> dict[str, Any]:
    """What the proxy has compared."""
    return dict(ask("GET", f"{url}/__admin/health").json()["comparison"])


def differences(url: str) -> list[tuple[str, str]]:
    """Operation, and pointer and message, of each difference."""
    found = ask("GET", f"{url}/__admin/violations").json()["violations"]
    return [
        (each["operation"], f"{wrong['pointer']} {wrong['message']}")
        for each in found
        for wrong in each["violations"]
        if wrong["in"] == "difference"
    ]


def mostly(found: dict[str, Any]) -> bool:
    """Whether four fifths of the answers were compared."""
    return bool(found["compared"] >= 4 * sum(found["not_compared"].values()))


def test_a_walk_with_the_sdk_finds_no_difference_on_our_own_mock() -> None:
    with mock("--seed", "7") as behind, proxy(behind, *COMPARE) as url:
        assert walked(url, operations(), behind)["failed"] == {}
        found = counts(url)
        assert (differences(url), found["different"]) == ([], 0)
    assert mostly(found), found


def test_a_run_of_the_suite_has_the_same_verdicts_and_finds_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)

    def verdicts(target: str) -> dict[str, str]:
        flags = ["--target", target, "--profile", "small", "--report-dir", str(tmp_path)]
        assert CliRunner().invoke(contracts, ["run", *flags]).exit_code == 0
        report = json.loads((tmp_path / "report.json").read_bytes())
        return {each["id"]: each["verdict"] for each in report["outcomes"]}

    with mock("--seed", "7") as behind:
        direct = verdicts(behind)
    with mock("--seed", "7") as behind, proxy(behind, *COMPARE, "--journal-entries", "5000") as url:
        assert verdicts(url) == direct
        found = counts(url)
        assert (differences(url), found["different"]) == ([], 0)
    assert mostly(found), found


def test_records_of_the_target_are_fetched_once_and_writes_reach_it_once() -> None:
    with compared() as (url, behind):
        walk(url)
        assert (differences(url), counts(url)["not_compared"]) == ([], {})
        asked = ask("GET", f"{behind}/__admin/requests?limit=100").json()["requests"]
        fetched = ask("GET", f"{url}/__admin/requests?limit=100").json()["requests"]
    writes = [each for each in asked if each["method"] != "GET"]
    assert len(writes) == 8
    own = [each for each in fetched if any("fetched" in line for line in each["why"])]
    assert len({(each["url"], each["caller"]) for each in own}) == len(own) == len(asked) - 17
    assert {each["method"] for each in own} == {"GET"}


def test_a_difference_is_told_everywhere() -> None:
    with compared() as (url, behind):
        rule = {"operation": "getThread", "error": {"status": 404}}
        assert ask("POST", f"{behind}/__admin/faults", json=rule).status_code == 201
        made = ask("POST", f"{url}/v1/threads", json=ORGANIZATION)
        got = ask("GET", f"{url}/v1/threads/{made.json()['id']}")
        assert (made.headers["X-Mock-Compared"], got.headers["X-Mock-Compared"]) == ("yes", "different")
        assert got.headers["X-Mock-Violations"] == "difference /: status: the target 404, the mock 200"
        assert differences(url) == [("getThread", " status: the target 404, the mock 200")]
        assert counts(url)["different"] == 1


def test_every_difference_of_another_server_is_a_real_one() -> None:
    with other_server.running() as (to, _), proxy(to, *COMPARE) as url:
        made = ask("POST", f"{url}/v1/spaces/", headers=ANN, json={"name": "One", **ORGANIZATION}).json()
        thread = ask("POST", f"{url}/v1/threads", headers=ANN, json=ORGANIZATION).json()["id"]
        for _ in range(2):
            ask("POST", f"{url}/v1/spaces/{made['id']}/threads/{thread}", headers=ANN)
        ask("GET", f"{url}/v1/spaces/{made['id']}/threads?cursor=bad", headers=ANN)
        told = {f"{operation} {text.partition(':')[0]}" for operation, text in differences(url)}
    assert told == {
        *(f"{each} x-request-id header" for each in ("createSpace", "createThread", "addThreadToSpace")),
        "createSpace /vector_store_id type",
        *("createThread  fields", "createThread /metadata type"),
        *("addThreadToSpace  status", "listSpaceThreads  status"),
    }


def test_differences_become_answers_of_a_profile(tmp_path: Path) -> None:
    drift, log = tmp_path / "drift.yaml", tmp_path / "log"
    with mock("--profile", profile(tmp_path, A36={"status": 404})) as behind, log.open("wb") as sink:
        flags = ("--target", behind, *COMPARE, "--drift", str(drift), "--fail-on", "difference", "--quiet")
        child = Child(*flags, command="proxy", cwd=ROOT, stderr=sink)
        assert child.ready is not None
        for key in ("owner", "viewer"):
            thread = f"{child.ready['url']}/v1/threads/thrd_def456"
            ask("GET", thread, headers={"X-API-Key": f"ak_demo_{key}"})
        assert ended(child.process) == 1
        child.end()
    told = [json.loads(line)["notice"] for line in log.read_text("utf-8").splitlines()]
    assert told == ["2 compared, 1 different, 2 fetched", f"1 new differences, 0 known: {drift}"]
    (entry,) = yaml.safe_load(drift.read_text("utf-8"))
    assert (entry["operation"], entry["claim"], entry["part"]) == ("getThread", "A36", "status")
    file = profile(tmp_path)
    result = CliRunner().invoke(contracts, ["calibrate", "--from-drift", str(drift), "-o", file])
    assert result.output == "A36 status: 404\n"


def test_without_a_budget_nothing_is_fetched_and_the_reason_is_told() -> None:
    with scripted(saying(body={}), *COMPARE, "--compare-budget", "0") as (url, behind):
        got = ask("GET", f"{url}/v1/threads/thrd_abc123")
        assert got.headers["X-Mock-Compared"] == "no: the budget of fetches is used up"
        assert counts(url)["not_compared"] == {"the budget of fetches is used up": 1}
    assert len(behind.asked) == 1


def test_a_target_that_answers_nonsense_is_passed_on_and_not_compared() -> None:
    def script(connection: Any, asked: Asked) -> None:
        body: Any = (
            {"id": "usr_x"}
            if "/user/me" in asked.line
            else {"id": "thrd_abc123", "user_id": 1, "thread_id": 2}
        )
        connection.sendall(answer(body=body))

    with scripted(script, *COMPARE) as (url, _):
        got = ask("GET", f"{url}/v1/threads/thrd_abc123", headers={"X-API-Key": "another"})
        assert (got.status_code, got.headers["X-Mock-Source"]) == (200, "target")
        assert got.headers["X-Mock-Compared"] == "no: a record of another form"
