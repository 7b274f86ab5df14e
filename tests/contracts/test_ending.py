"""Clean-up: however a run ends, the deployment is as before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.front import KEYS, deployment, everything, faithful
from tests.running import ROOT

pytestmark = pytest.mark.slow


def started(url: str, folder: Path, *words: str) -> subprocess.Popen[str]:
    """A run in a process of its own."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("CONTRACTS_", "FREDDY_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "contracts", "run", "--target", url, "--report-dir", str(folder), *words],
        cwd=ROOT,
        env={**clean, **KEYS, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell lets what it starts in the background ignore SIGINT, and that is inherited down to here.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def cleaned(folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Result of `contracts cleanup` for the folder's ledger."""
    (ledger,) = folder.glob("ledger-*.jsonl")
    command = [sys.executable, "-m", "contracts", "cleanup", str(ledger), "--target", url]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **KEYS}, capture_output=True, text=True, check=False
    )


def entries(folder: Path) -> list[dict[str, object]]:
    """The ledger so far."""
    lines = [line for file in folder.glob("ledger-*.jsonl") for line in file.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.endswith("}")]


def wait_for(happened: Callable[[], bool], run: subprocess.Popen[str]) -> None:
    """Until it has happened; the run must not be over before."""
    end = time.monotonic() + 120
    while not happened():
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


class KillsOnce:
    """Lets the run be killed while a certain create is under way, before or after the mock has done it."""

    def __init__(self, number: int, path: str, *, done: bool) -> None:
        self.run: subprocess.Popen[str] | None = None
        self.killed = False
        self._left, self._path, self._done = number, path, done

    def __call__(self, method: str, path: str, pass_on: Callable[[], None]) -> str:
        if self.run is None or self.killed or (method, path) != ("POST", self._path):
            return ""
        self._left -= 1
        if self._left:
            return ""
        self.killed = True
        if self._done:
            pass_on()
        self.run.send_signal(signal.SIGKILL)
        self.run.wait()
        return "drop"


@pytest.mark.parametrize(
    ("number", "path", "done"),
    [(3, "/v1/spaces/", True), (4, "/v1/threads", False)],
    ids=["made", "not made"],
)
def test_what_a_killed_run_made_is_removed_answered_or_not(
    tmp_path: Path, number: int, path: str, done: bool
) -> None:
    """SIGKILL between a request and its answer: the ledger has an intent alone."""
    whim = KillsOnce(number, path, done=done)
    with deployment(whim) as url:
        before = everything(url)
        with started(url, tmp_path, "--only", "behaviour") as run:
            whim.run = run
            run.wait()
        assert whim.killed
        assert everything(url) != before
        result = cleaned(tmp_path, url)
        assert result.returncode == 0, result.stdout + result.stderr
        assert everything(url) == before
        assert cleaned(tmp_path, url).stdout.split() == ["removed", "0"]


def test_a_run_that_is_killed_among_generated_requests_leaves_nothing_either(tmp_path: Path) -> None:
    with deployment() as url:
        before = everything(url)
        with started(url, tmp_path, "--only", "operations", "--only", "lockstep") as run:
            wait_for(lambda: sum("made" in entry for entry in entries(tmp_path)) > 25, run)
            run.kill()
        result = cleaned(tmp_path, url)
        if result.returncode:  # a create without a name was under way: it says so, and does not guess
            assert "without a name" in result.stdout, result.stdout + result.stderr
        else:
            assert everything(url) == before


@pytest.mark.parametrize(
    ("layer", "number", "code"),
    [
        ("behaviour", signal.SIGINT, 130),
        ("operations", signal.SIGTERM, 143),
        ("lockstep", signal.SIGINT, 130),
    ],
)
def test_a_run_that_is_stopped_removes_what_it_made(
    tmp_path: Path, layer: str, number: signal.Signals, code: int
) -> None:
    with deployment() as url:
        before = everything(url)
        with started(url, tmp_path, "--only", layer) as run:
            wait_for(lambda: sum("made" in entry for entry in entries(tmp_path)) > 6, run)
            run.send_signal(number)
            said = run.communicate()[0]
        assert run.returncode == code, said
        assert "stopped" in said
        assert everything(url) == before


def test_a_whole_run_leaves_what_was_there_as_it_was(tmp_path: Path) -> None:
    """A plain run of Schemathesis deletes and renames what it finds."""
    with deployment(faithful) as url:
        before = everything(url)
        with started(url, tmp_path, "--profile", "small", "--with-model", "100") as run:
            said = run.communicate()[0]
        assert run.returncode == 0, said
        assert everything(url) == before


def test_a_second_signal_ends_the_clean_up_and_names_the_ledger(tmp_path: Path) -> None:
    """The target answers no DELETE; the run would wait for each."""
    deleting, over = threading.Event(), threading.Event()

    def whim(method: str, path: str, pass_on: Callable[[], None]) -> str:
        if method == "DELETE":
            deleting.set()
            over.wait(60)
        return ""

    with deployment(whim) as url, started(url, tmp_path, "--only", "lockstep") as run:
        wait_for(lambda: deleting.is_set() or sum("made" in entry for entry in entries(tmp_path)) > 6, run)
        run.send_signal(signal.SIGINT)
        wait_for(deleting.is_set, run)
        time.sleep(0.5)  # a DELETE of a check may be under way; the clean-up's begins when the signal is seen
        run.send_signal(signal.SIGINT)
        said = run.communicate()[0]
        over.set()
    assert run.returncode == 130, said
    assert "contracts cleanup" in said
    assert f"--target {url}" in said
