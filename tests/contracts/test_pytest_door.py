"""`pytest contracts` as an alternative to `contracts run`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.contracts.other_server import running as other_server
from tests.contracts.test_cli import OWN_KEYS, only
from tests.contracts.test_outputs import repeating
from tests.running import ROOT

pytestmark = pytest.mark.slow


def door(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """pytest in a process of its own."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("CONTRACTS_", "FREDDY_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "contracts", "-p", "no:cacheprovider", "-rsx", *words],
        cwd=ROOT,
        env={**clean, **environment, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_correct_mock_passes_and_what_is_untested_is_skipped_with_its_reason() -> None:
    run = door("--target", "mock", *only("add-answers-as-documented", "nothing-comes-from-another-space"))
    assert run.returncode == 0, run.stdout
    assert "1 passed, 1 skipped" in run.stdout
    assert "allow some questions with --with-model N" in run.stdout


def test_an_assumption_that_does_not_hold_fails_only_if_it_is_asked_to() -> None:
    checks = only("adding-twice-is-adding-once", "a-new-space-has-no-threads")
    with other_server() as (url, state):
        run = door("--target", url, *checks, **OWN_KEYS)
        assert run.returncode == 0, run.stdout
        assert "1 passed, 1 xfailed" in run.stdout
        assert "assumption A01 does not hold here" in run.stdout
        strict = door("--target", url, *checks, "--strict-assumptions", **OWN_KEYS)
        assert strict.returncode == 1
        assert (state.spaces, state.threads) == ({}, {})


def test_a_key_that_the_target_repeats_is_masked() -> None:
    key = OWN_KEYS["CONTRACTS_OWNER_KEY"]
    with other_server(repeating(f"{key}\x1b[31m")) as (url, _):
        run = door("--target", url, *only("add-answers-as-documented"), **OWN_KEYS)
    assert run.returncode == 1
    assert "$CONTRACTS_OWNER_KEY\\x1b[31m" in run.stdout
    assert key not in run.stdout


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ([], 4, "pass a target"),
        (["--target", "mock", "--only", "nonsense"], 4, "no such check, operation or layer"),
        (["--target", "http://127.0.0.1:9"], 3, "no answer from http://127.0.0.1:9"),
        (["--target", "mock", "--read-only", "--only", "a-viewer-may-list"], 3, "the run is read-only"),
    ],
)
def test_what_can_not_be_tested_ends_with_a_code_of_its_own(words: list[str], code: int, reason: str) -> None:
    run = door(*words)
    assert run.returncode == code
    assert reason in run.stdout + run.stderr
