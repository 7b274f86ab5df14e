"""The suite on each habit of `habits.py`, as a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.contracts.habits import HABITS, Habit, own_certificate
from tests.contracts.other_server import running
from tests.contracts.other_state import State
from tests.running import ROOT

KEYS = {
    "CONTRACTS_OWNER_KEY": "key-of-ann",
    "CONTRACTS_EDITOR_KEY": "key-of-dan",
    "CONTRACTS_VIEWER_KEY": "key-of-bob",
    "CONTRACTS_OUTSIDER_KEY": "key-of-cleo",
    "CONTRACTS_ORGANIZATION_ID": "org_one",
}
CHECKS = (
    "add-answers-as-documented",
    "an-added-thread-is-listed",
    "a-new-space-has-no-threads",
    "adding-to-an-unknown-space-is-404",
    "listing-an-unknown-space-is-404",
    "a-viewer-may-not-add",
    "nobody-sees-the-threads-of-others",
    "an-outsider-may-not-list",
    "a-viewer-may-list",
    "a-deleted-thread-is-gone",
    "any-text-is-an-id",
    "walking-by-any-size-gives-the-same-list",
    "parallel-adds-lose-nothing",
)
"""Checks that the usual server passes."""


class Row(NamedTuple):
    """Result of a run on a habit."""

    exit: int
    seconds: float
    requests: int
    verdicts: dict[str, int]
    """Number of checks by verdict; empty without a report."""
    left: list[str]
    """Resources that the run left behind."""
    lost: list[str]
    """Resources from before the run that are gone."""
    output: str
    last: str
    """Last line of stderr."""


@contextmanager
def serving(habit: Habit, folder: Path) -> Iterator[tuple[str, State, tuple[str, ...]]]:
    """URL, state, and the flags that the habit needs."""
    state = State()
    habit.prepare(state)
    context, words = None, habit.words
    if habit.tls:
        context, file = own_certificate(folder)
        words = (*words, "--ca", str(file))
    with running(habit.wrap, state, context) as (url, _):
        if habit.meanwhile is not None:
            threading.Thread(target=habit.meanwhile, args=(state,), daemon=True).start()
        yield url + habit.path, state, words


def run(habit: Habit, *words: str, checks: tuple[str, ...] = CHECKS) -> Row:
    """Row of one habit; `words` are more flags of the command."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with serving(habit, folder) as (url, state, own):
            before, only = _ids(state), [word for check in checks for word in ("--only", check)]
            command = [sys.executable, "-m", "contracts", "run", "--target", url, "--report-dir", name]
            clean = {n: v for n, v in os.environ.items() if not n.startswith(("CONTRACTS_", "FREDDY_"))}
            started = time.monotonic()
            done = subprocess.run(
                [*command, *only, *own, *words],
                cwd=ROOT,
                env={**clean, **KEYS, "COLUMNS": "200"},
                capture_output=True,
                text=True,
                check=False,
            )
            seconds = time.monotonic() - started
            requests = state.counts.total()
            left = {id_ for id_ in _ids(state) - before if not _kept(state, id_)}
            lost = before - _ids(state)
        report = folder / "report.json"
        summary = json.loads(report.read_text("utf-8"))["summary"] if report.exists() else {}
    last = (done.stderr.strip().splitlines() or [""])[-1]
    output = done.stdout + done.stderr
    return Row(done.returncode, seconds, requests, summary, sorted(left), sorted(lost), output, last)


def _ids(state: State) -> set[str]:
    with state.lock:
        return {*state.spaces, *state.threads}


def _kept(state: State, id_: str) -> bool:
    """Whether a colleague created it."""
    return str(state.threads.get(id_, {}).get("title", "")).startswith("a colleague's")


GENERATED = (*CHECKS, "operation-addThreadToSpace", "operation-listSpaceThreads", "lockstep")
"""The same with generated requests, which depend on the seed, and in which the usual server fails, too."""


def steady(names: list[str], seeds: range = range(1, 6)) -> int:
    """Print the exit codes of five seeds on each habit, with a baseline made by the first; 1 if one is 1."""
    bad = False
    for name in names or HABITS:
        with TemporaryDirectory() as folder:
            words = ("--profile", "small", "--baseline", str(Path(folder) / "known.json"))
            first = run(HABITS[name], *words, "--update-baseline", "--seed", str(seeds[0]), checks=GENERATED)
            rows = [run(HABITS[name], *words, "--seed", str(seed), checks=GENERATED) for seed in seeds]
        exits = [row.exit for row in rows]
        print(f"{name:33} {first.verdicts.get('known', 0):3} known, exit codes {exits}", flush=True)
        bad = bad or 1 in exits
    return int(bad)


def table(names: list[str]) -> int:
    """Print a row for each habit; 1 if a run left something behind or deleted what is not its own."""
    print(f"{'habit':33} exit seconds requests  left lost  verdicts")
    bad = False
    for name in names or HABITS:
        row = run(HABITS[name])
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in row.verdicts.items())
        counts = f"{len(row.left):5} {len(row.lost):4}"
        print(f"{name:33} {row.exit:4} {row.seconds:7.1f} {row.requests:8} {counts}  {verdicts}")
        if row.last:
            print(f"{'':33} {row.last[:180]}", flush=True)
        bad = bad or bool(row.left or row.lost)
    return int(bad)
