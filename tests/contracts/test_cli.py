"""The `contracts` command: output, exit codes, clean-up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from contracts.cli import main
from contracts.http.run import KEY_ROLES
from contracts.suite import CHECKS
from tests.contracts.other_server import running as other_server
from tests.running import ROOT, mock

DOCUMENTED = ("addThreadToSpace", "listSpaceThreads")
OWN_KEYS = {
    "CONTRACTS_OWNER_KEY": "key-of-ann",
    "CONTRACTS_VIEWER_KEY": "key-of-bob",
    "CONTRACTS_OUTSIDER_KEY": "key-of-cleo",
    "CONTRACTS_ORGANIZATION_ID": "org_one",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*(f"{role.upper()}_KEY" for role in KEY_ROLES), "ORGANIZATION_ID"):
        monkeypatch.delenv(f"CONTRACTS_{name}", raising=False)
    monkeypatch.delenv("FREDDY_API_KEY", raising=False)


def contracts(*words: str, **environment: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, list(words), env=environment)


def only(*names: str) -> list[str]:
    """--only for each."""
    return [word for name in names for word in ("--only", name)]


@pytest.mark.slow
def test_a_correct_mock_holds_the_contract() -> None:
    result = contracts("run", "--target", "mock", "--only", "behaviour", "--with-model", "100")
    assert result.exit_code == 0, result.output
    holds = r"^the contract holds  \d+ passed, 2 untested, in [\d.]+ s$"  # streams that are over at once
    assert re.search(holds, result.output, re.MULTILINE), result.output


@pytest.mark.slow
def test_requests_that_are_made_up_leave_questions_for_the_checks_that_ask_on_purpose() -> None:
    words = only("operation-createResponse", "a-turn-adds-the-question-and-the-answer")
    result = contracts("run", "--target", "mock", *words, "--profile", "small", "--with-model", "3")
    assert "2 passed, in" in result.output, result.output


@pytest.mark.slow
def test_a_deployment_that_differs_in_assumptions_alone_holds_the_contract() -> None:
    """All promises of the documents' two operations; strictly it does not hold."""
    checks = [check for check in CHECKS if set(check.operations) & set(DOCUMENTED)]
    chosen = only(*(check.id for check in checks if check.layer == "behaviour"))
    with other_server() as (url, state):
        result = contracts("run", "--target", url, "--profile", "small", *chosen, **OWN_KEYS)
        assert result.exit_code == 0, result.output
        for assumption in ("A01", "A04", "A06", "A07"):
            assert f"assumption {assumption} does not hold here" in result.output
        assert (state.spaces, state.threads) == ({}, {})
        assumed = only(*(check.id for check in checks if check.assumption == "A01"))
        strict = contracts("run", "--target", url, *assumed, "--strict-assumptions", **OWN_KEYS)
        assert strict.exit_code == 1


DOCUMENTED_CHECKS = (
    "add-answers-as-documented",
    "an-added-thread-is-listed",
    "a-new-space-has-no-threads",
    "adding-to-an-unknown-space-is-404",
    "listing-an-unknown-space-is-404",
    "a-viewer-may-not-add",
    "an-outsider-may-not-list",
    "a-viewer-may-list",
    "walking-by-any-size-gives-the-same-list",
    "a-page-has-at-most-limit-items",
)


def test_everything_that_a_run_made_is_removed() -> None:
    with other_server() as (url, state):
        result = contracts("run", "--target", url, *only(*DOCUMENTED_CHECKS), **OWN_KEYS)
        assert result.exit_code == 0, result.output
        assert (state.spaces, state.threads) == ({}, {})


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "no key: set CONTRACTS_OWNER_KEY"),
        ({"CONTRACTS_OWNER_KEY": "wrong"}, "the owner's key is refused: 401 INVALID_API_KEY"),
        ({"CONTRACTS_OWNER_KEY": "key-of-ann"}, "no organization: set CONTRACTS_ORGANIZATION_ID"),
    ],
)
def test_without_credentials_nothing_can_be_tested(environment: dict[str, str], reason: str) -> None:
    with other_server() as (url, _):
        result = contracts("run", "--target", url, **environment)
    assert (result.exit_code, result.stderr.count("\n")) == (3, 1)
    assert reason in result.stderr


def test_a_server_that_is_down_can_not_be_tested() -> None:
    result = contracts("run", "--target", "http://127.0.0.1:9", **OWN_KEYS)
    assert (result.exit_code, result.stderr.count("\n")) == (3, 1)
    assert "no answer from http://127.0.0.1:9" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--only", "nonsense"],
        ["--rate-limit", "fast"],
        ["--max-time", "soon"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    result = contracts("run", "--target", "mock", *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr


def test_a_missing_key_is_named_as_untested() -> None:
    with other_server() as (url, _):
        keys = {name: key for name, key in OWN_KEYS.items() if "VIEWER" not in name}
        result = contracts(
            "run", "--target", url, *only("a-viewer-may-list", "a-new-space-has-no-threads"), **keys
        )
    assert result.exit_code == 0
    assert "set CONTRACTS_VIEWER_KEY" in result.output


def test_a_run_that_executes_nothing_can_not_say_that_the_contract_holds() -> None:
    result = contracts("run", "--target", "mock", "--read-only", *only("add-answers-as-documented"))
    assert result.exit_code == 3
    assert "nothing was executed" in result.stderr


def test_a_run_on_a_mock_needs_no_keys_and_writes_its_reports(tmp_path: Path) -> None:
    with mock() as url:
        result = contracts(
            "run", "--target", url, "--report-dir", str(tmp_path), *only("add-answers-as-documented")
        )
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text("utf-8"))
    (outcome,) = report["outcomes"]
    assert (outcome["verdict"], outcome["evidence"]) == ("passed", "documented")
    assert "<testcase" in (tmp_path / "junit.xml").read_text("utf-8")
    files = "".join(file.read_text("utf-8") for file in tmp_path.iterdir())
    assert "ak_demo_" not in files


def test_what_a_killed_run_left_is_cleaned_up_by_its_ledger(tmp_path: Path) -> None:
    """The ledger is read up to its last whole line."""
    ledger = tmp_path / "ledger.jsonl"
    with other_server() as (url, state):
        from contracts.http.credentials import open_target
        from contracts.http.deployment import Http
        from contracts.http.run import Run
        from contracts.safety.ledger import Ledger

        transport = Http(url)
        access = open_target(transport, OWN_KEYS)
        run = Run(transport, access.keys, "org_one", ledger=Ledger(ledger), run_id="killed")
        run.owner.add(run.owner.new_space()["id"], run.owner.new_thread()["id"])
        transport.close()
        with ledger.open("a") as file:
            file.write('{"intent": 99, "ki')
        assert state.spaces
        result = contracts("cleanup", str(ledger), "--target", url, **OWN_KEYS)
        assert result.exit_code == 0, result.output
        assert (state.spaces, state.threads) == ({}, {})


@pytest.mark.slow
def test_doctor_says_who_is_missing_and_touches_nothing() -> None:
    with other_server() as (url, state):
        result = contracts("doctor", "--target", url, **OWN_KEYS)
        assert (state.spaces, state.threads) == ({}, {})
    assert result.exit_code == 0
    assert "set CONTRACTS_EDITOR_KEY" in result.output


def test_list_names_every_check_with_its_evidence() -> None:
    result = contracts("list")
    assert "add-answers-as-documented" in result.output
    assert "assumed (A06)" in result.output


@pytest.mark.slow
@pytest.mark.parametrize("words", [["list"], ["list", "--claims"]])
def test_output_that_nobody_reads_is_no_error_and_no_verdict(words: list[str]) -> None:
    command = [sys.executable, "-m", "contracts", *words]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == ""
    assert run.returncode == 3


@pytest.mark.slow
def test_nothing_is_left_where_it_is_run(tmp_path: Path) -> None:
    words = ["run", "--target", "mock", "--profile", "small", "--only", "operation-listSpaces"]
    command = [sys.executable, "-m", "contracts", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_takes_time_is_untested_where_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.behaviour.memory.PATIENCE", 0.5)
    checks = ("a-patch-moves-updated-at", "an-added-threads-messages-are-found")
    only = [word for check in checks for word in ("--only", check)]
    with mock("--freeze", "2026-02-26T10:30:00Z") as url:
        result = contracts("run", "--target", url, "--with-model", "9", *only)
    assert result.exit_code == 3, result.output
    assert "the target's clock is frozen" in result.output
