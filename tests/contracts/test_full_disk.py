"""Files that can't be written: one line, exit code 3, and nothing is left behind on the target."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.habits_table import CHECKS, KEYS
from tests.contracts.other_server import running
from tests.running import ROOT

pytestmark = pytest.mark.slow

LOCKSTEP = ("the-target-answers-like-the-mock",)


def run(url: str, folder: Path, checks: tuple[str, ...], most: int) -> subprocess.CompletedProcess[str]:
    """A run that can write files of at most so many bytes."""
    only = [word for check in checks for word in ("--only", check)]
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("CONTRACTS_", "FREDDY_"))}
    return subprocess.run(
        [sys.executable, "-m", "contracts", "run", "--target", url, "--report-dir", str(folder), *only],
        cwd=ROOT,
        # A file of compiled code that the limit cuts off would be loaded by every later process.
        env={**clean, **KEYS, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("checks", "most"), [(CHECKS, 1500), (CHECKS, 4000), (LOCKSTEP, 1500)])
def test_when_the_ledger_can_not_be_written_the_run_ends_and_deletes_what_it_created(
    tmp_path: Path, checks: tuple[str, ...], most: int
) -> None:
    with running() as (url, state):
        done = run(url, tmp_path, checks, most)
        assert (state.spaces, state.threads) == ({}, {})
    assert done.returncode == 3, done.stdout
    assert done.stderr.count("\n") == 1
    assert f"contracts: the ledger {tmp_path}/ledger-" in done.stderr
    assert "can't be written: File too large" in done.stderr


def test_when_a_report_can_not_be_written_the_result_is_printed(tmp_path: Path) -> None:
    with running() as (url, state):
        done = run(url, tmp_path, CHECKS[:1], 2500)
        assert (state.spaces, state.threads) == ({}, {})
    assert "the contract holds" in done.stdout
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert f"{tmp_path}/report.json can't be written" in done.stderr
    assert not (tmp_path / "report.json").exists()


def test_a_folder_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running() as (url, state):
        done = run(url, tmp_path / "file" / "folder", CHECKS[:1], 10**9)
        assert (state.spaces, state.threads) == ({}, {})
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "pass another --report-dir" in done.stderr
