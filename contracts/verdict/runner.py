"""Runs checks, retries failures and assigns verdicts."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Crashed, TargetUnreachable, Unanswered, Untested, WriteGuardError
from contracts.http.run import Run
from contracts.verdict.failure import WORST, Failure, Outcome, Skipped, Verdict, failure_of
from contracts.verdict.minimize import minimized

RETRIES = 2
"""Retries of a failure on fresh resources, all of which must fail for it to count."""


def judge(check: Check, run: Run, before: Check | None = None) -> Outcome:
    """Run a check and retry its failures; `before` is the check that ran before it."""
    started = time.monotonic()
    failures: list[Failure] = []
    skipped = None
    try:
        failures = _answered(check, run)
        if failures:
            confirmed = (minimized(failure, run) for failure in _confirmed(failures, run, before))
            failures = sorted(confirmed, key=lambda failure: WORST.index(failure.verdict))
    except Untested as reason:
        skipped = Skipped(Verdict.UNTESTED, str(reason))
    except Unanswered as reason:
        skipped = Skipped(Verdict.UNANSWERED, f"{'failed once, then: ' if failures else ''}{reason}")
    return Outcome(check, tuple(failures), time.monotonic() - started, skipped)


def _answered(check: Check, run: Run) -> list[Failure]:
    """Failures of the first attempt that gets responses; Unanswered if none does."""
    for left in range(RETRIES, -1, -1):
        try:
            return try_check(check, run)
        except Unanswered:
            if not left or not run.responds():
                raise
    raise AssertionError("unreachable")


def _confirmed(failures: list[Failure], run: Run, before: Check | None) -> Iterator[Failure]:
    """Failures with their verdicts after the retries."""
    check = failures[0].check
    try:
        run.fresh_resources = True
        tries = [try_check(check, run) for _ in range(RETRIES)]
    except Untested:
        yield from failures  # retrying is impossible: reported, not counted
        return
    finally:
        run.fresh_resources = False
    again = [sum(_seen(failure, found, failures) for found in tries) for failure in failures]
    late = _in_order(check, run, before) if RETRIES and 0 in again else []
    for failure, times in zip(failures, again, strict=True):
        if times == RETRIES:
            yield failure._replace(confirmed=Verdict.ASSUMPTION if failure.is_assumed else Verdict.BROKEN)
        elif times == 0 and late and all(_seen(failure, found, failures) for found in late):
            yield failure._replace(confirmed=Verdict.ORDER)
        else:
            yield failure._replace(confirmed=Verdict.FLAKY)


def _in_order(check: Check, run: Run, before: Check | None) -> list[list[Failure]]:
    """Retries in the original order: after the previous check, with the run's resources."""
    tries = []
    try:
        for _ in range(RETRIES):
            if before is not None:
                try_check(before, run)
            tries.append(try_check(check, run))
    except Untested:
        return []
    return tries


def _seen(failure: Failure, found: list[Failure], first: list[Failure]) -> bool:
    """Whether a retry has the failure, or failed in entirely different ways."""
    prints = {other.fingerprint for other in found}
    if failure is first[0] and prints and prints.isdisjoint({other.fingerprint for other in first}):
        return True
    return failure.fingerprint in prints


def crash(error: BaseException) -> str:
    """One line with the exception and its place in the suite's code."""
    files = traceback.extract_tb(error.__traceback__)
    last = next((each for each in reversed(files) if "contracts" in Path(each.filename).parts), None)
    where = f" ({Path(last.filename).name}:{last.lineno})" if last is not None else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{where}"


def try_check(check: Check, run: Run) -> list[Failure]:
    """Run a check once and return its failures."""
    run.chain = []
    try:
        found = _broken(check, run)
    except Untested:
        if not any(answer.fault for answer in run.chain):
            raise
        found = []
    garbled = next((answer for answer in run.chain if answer.fault), None)
    if garbled is not None:
        what = "the answer is not JSON"
        found = [Broken(f"{what}: {garbled.fault}"[:300], got=garbled.text[:300], what=what)]
    return [failure_of(check, broken, run.chain, run) for broken in found]


def _broken(check: Check, run: Run) -> list[Broken]:
    try:
        check.function(run)
    except Broken as broken:
        return [broken, *broken.more]
    except (WriteGuardError, Unanswered, TargetUnreachable):
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        # The check indexed into a response that lacks the documented shape.
        return [Broken(f"the answer has not the documented shape: {type(error).__name__}: {error}")]
    return []


def run_checks(
    checks: Iterable[Check],
    run: Run,
    *,
    on_outcome: Callable[[Outcome], Any],
    on_start: Callable[[Check], Any] = lambda _: None,
    until: float | None = None,
) -> list[Outcome]:
    """Run the checks in order; after `until` (monotonic seconds) the rest is skipped."""
    outcomes: list[Outcome] = []
    before, gone = None, False
    for check in checks:
        on_start(check)
        if gone:
            silent = Skipped(Verdict.UNANSWERED, "the target does not answer any more")
            outcomes.append(Outcome(check, (), 0.0, silent))
        elif until is not None and time.monotonic() > until:
            late = Skipped(Verdict.UNTESTED, "the time of --max-time was up")
            outcomes.append(Outcome(check, (), 0.0, late))
        else:
            try:
                outcomes.append(judge(check, run, before))
            except TargetUnreachable:
                raise
            except Exception as error:
                raise Crashed(f"{check.id}: {crash(error)}") from error
            before = check
            gone = outcomes[-1].verdict is Verdict.UNANSWERED and not run.responds()
        on_outcome(outcomes[-1])
    return outcomes
