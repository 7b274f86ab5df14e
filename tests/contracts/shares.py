"""Measures what each layer notices alone: `python -m tests.contracts.shares [MUTANTS] [SEED]`, of a sample.

Each layer runs as in profile ci, without questions to a model, and stops at the first claim that breaks. What
came of it is kept in shares.json, which docs/contract-strength.md shows.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from contracts.checks.check import Check
from contracts.checks.errors import Untested
from contracts.http.run import Run
from contracts.lockstep.attribution import failures
from contracts.lockstep.found import Found
from contracts.lockstep.layer import DifferenceSearch
from contracts.verdict.runner import try_check
from tests.contracts.corpus import OutOfTime, limited
from tests.contracts.mutants import MUTANTS, damaged
from tests.contracts.strength import CHEAPEST_FIRST, LAYERS, SHARES, fresh_app, keep, rows, run_on

COUNT, SEED, WORKERS = 60, 1, 2
LIMIT = 600
"""Seconds of a layer with one mutant."""
BROKEN, ASSUMPTION = "broken", "assumption"


def of_checks(run: Run, checks: list[Check]) -> str:
    """Worst that these checks find, up to the first claim that breaks."""
    worst = ""
    for check in checks:
        try:
            found = try_check(check, run)
        except Untested:
            continue
        if any(not failure.is_assumed for failure in found):
            return BROKEN
        worst = ASSUMPTION if found else worst
    return worst


def of_lockstep(run: Run) -> str:
    """Worst difference, up to the first claim that breaks."""

    def is_enough(found: list[Found]) -> bool:
        return any(broken.assumption is None for each in found[-1:] for broken in failures(each))

    search = DifferenceSearch(run, failures, is_enough, shrinking=0.0)
    search.search()
    if is_enough(search.found):
        return BROKEN
    return ASSUMPTION if search.found else ""


def tried(name: str) -> dict[str, Any]:
    """What each layer notices of a mutant, and its seconds."""
    gc.set_threshold(100_000, 20, 20)
    [mutant] = [each for each in MUTANTS if each.name == name]
    row: dict[str, Any] = {}
    for layer in LAYERS:
        app, before, found = fresh_app(), time.process_time(), ""
        try:
            with damaged(app, mutant), limited(LIMIT):
                run = run_on(app, model_calls=0)
                checks = [each for each in CHEAPEST_FIRST if each.layer == layer]
                found = of_lockstep(run) if layer == "lockstep" else of_checks(run, checks)
        except OutOfTime:
            row["error"] = f"{layer}: no result in {LIMIT} s"
        except Exception as error:  # a mutant may break anything
            row["error"] = f"{layer}: {error!r}"[:200]
        row[layer] = found
        row[f"seconds of {layer}"] = round(time.process_time() - before, 1)
    return row


def sampled(count: int, seed: int) -> list[str]:
    """Names of a sample of the known mutants; a larger sample begins with a smaller one."""
    names = sorted(mutant.name for mutant in MUTANTS)
    random.Random(seed).shuffle(names)
    return names[:count]


def main() -> int:
    """Measure what is missing of a sample, and keep each result unless the time ran out."""
    numbers = [int(word) for word in sys.argv[1:]]
    count, seed = (*numbers, *(COUNT, SEED)[len(numbers) :])
    found = rows(SHARES)
    missing = [name for name in sampled(count, seed) if name not in found]
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), max_tasks_per_child=20) as pool:
        for name, row in zip(missing, pool.map(tried, missing), strict=True):
            if "error" not in row:
                found[name] = row
                keep(SHARES, found)
            print(name, row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
