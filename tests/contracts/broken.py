"""Runs of the command on a faulty mock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from contracts.cli import main
from tests.contracts.mutants import MUTANTS, damaged
from tests.contracts.strength import fresh_app

DOCUMENTED = ("add-answers-as-documented", "an-added-thread-is-listed", "adding-to-an-unknown-space-is-404")


@contextmanager
def broken(*mutants: str) -> Iterator[None]:
    """Give every mock of this process these faults."""
    with ExitStack() as stack:
        stack.enter_context(damaged(fresh_app(), None))
        for name in mutants:
            found = next(mutant for mutant in MUTANTS if mutant.name == name)
            stack.enter_context(damaged(fresh_app(), found))
        yield


def contracts(*words: object, **environment: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, [str(word) for word in words], env=environment)


def run(folder: Path, *checks: str, words: tuple[object, ...] = (), **environment: Any) -> Result:
    """Run these checks on a fresh mock."""
    only = [word for check in checks for word in ("--only", check)]
    return contracts("run", "--target", "mock", "--report-dir", folder, *only, *words, **environment)


def report(folder: Path) -> dict[str, Any]:
    """Contents of the run's report.json."""
    data: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return data
