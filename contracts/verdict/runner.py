"""Runs checks, retries failures and assigns verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from contracts.checks.check import Check
from contracts.checks.errors import (
    Broken,
    Crashed,
    Excluded,
    Firewalled,
    Intercepted,
    OutOfQuestions,
    TargetUnreachable,
    Unanswered,
    Untested,
    WriteGuardError,
)
from contracts.checks.missing import MissingOperation, met
from contracts.http.exchange import ClientResponse
from contracts.http.keys import refused_key
from contracts.http.run import Run
from contracts.verdict.additions import additions_of
from contracts.verdict.by_profile import by_profile
from contracts.verdict.crash import crash
from contracts.verdict.eventual import with_patient_lists
from contracts.verdict.failure import FAILED_ONCE, WORST, Failure, Outcome, Skipped, Verdict, failure_of
from contracts.verdict.minimize import minimized

LOST = "reason for not trying the other checks"
"""Name of that reason in what the checks of a run share."""
RETRIES = 2
"""Retries of a failure on fresh resources, all of which must fail for it to count."""


def judge(check: Check, run: Run, before: Check | None = None) -> Outcome:
    """Run a check and retry its failures; `before` is the check that ran before it."""
    started = time.monotonic()
    failures: list[Failure] = []
    skipped = None
    additions = additions_of(run)
    try:
        failures = _with_valid_keys(check, run)
        if failures and (missing := _missing(check, run, failures)):
            failures, skipped = _without(missing, failures, check, run)
        elif failures:
            failures = with_patient_lists(failures, run, lambda: try_check(check, run))
        certain = [failure for failure in failures if failure.confirmed is Verdict.BROKEN]
        if unconfirmed := failures[len(certain) :]:
            confirmed = [minimized(failure, run) for failure in _confirmed(unconfirmed, run, before)]
            failures = sorted([*certain, *confirmed], key=lambda failure: WORST.index(failure.verdict))
    except Untested as reason:
        missing = met(check, run, run.chain)
        failures, skipped = _without(missing, [], check, run) if missing else ([], _untested(reason))
    except Unanswered as reason:
        text = f"{FAILED_ONCE if failures else ''}{reason}"
        skipped = Skipped(Verdict.UNANSWERED, text, firewalled=isinstance(reason, Firewalled))
    if run.settings.closed and (added := [*additions.failures(check, run)]):
        failures, skipped = [*added, *failures], None
    failures = by_profile(failures, run.settings.learned)
    return Outcome(check, tuple(failures), time.monotonic() - started, skipped)


def _untested(reason: Untested) -> Skipped:
    excluded, asked = isinstance(reason, Excluded), isinstance(reason, OutOfQuestions)
    return Skipped(Verdict.UNTESTED, str(reason), excluded, asked)


def _missing(check: Check, run: Run, failures: Sequence[Failure]) -> list[MissingOperation]:
    """Missing operations that a failed check ran into."""
    generated = [
        answer for failure in failures if failure.broken.chain for answer in failure.broken.chain[-1:]
    ]
    return met(check, run, generated or run.chain)


def _without(
    missing: Sequence[MissingOperation], failures: list[Failure], check: Check, run: Run
) -> tuple[list[Failure], Skipped | None]:
    """Failures with each missing operation named once; without any the check can't run."""
    ids = {each.operation.id for each in missing}
    generated = all(failure.broken.chain is not None for failure in failures)
    others = [failure for failure in failures if generated and failure.fingerprint.operation not in ids]
    named: set[str] = run.shared.setdefault("missing operations named", set())
    new = [each for each in missing if each.operation.id not in named]
    named.update(ids)
    found = [failure_of(check, each.broken(), (), run)._replace(confirmed=Verdict.BROKEN) for each in new]
    if found or others:
        return [*found, *others], None
    labels = " and ".join(each.operation.id for each in missing)
    return [], Skipped(Verdict.UNTESTED, f"it needs {labels}, which the target does not have", excluded=True)


def _with_valid_keys(check: Check, run: Run) -> list[Failure]:
    """Failures of a check; Unanswered if a key that the check uses is refused by now."""
    try:
        failures = _answered(check, run)
        exchanges = [answer for failure in failures for answer in failure.chain] + run.chain
        _require_valid_keys(run, exchanges if failures else ())
    except Untested:
        _require_valid_keys(run, run.chain)
        raise
    return failures


def _require_valid_keys(run: Run, exchanges: Sequence[ClientResponse]) -> None:
    for role in {answer.request.role for answer in exchanges if answer.status == 401} - {None}:
        if refused := refused_key(run, str(role)):
            run.shared[LOST] = refused
            raise Unanswered(refused)


def _answered(check: Check, run: Run) -> list[Failure]:
    """Failures of the first attempt that gets responses; Unanswered if none does."""
    for left in range(RETRIES, -1, -1):
        try:
            return try_check(check, run)
        except Intercepted:
            raise
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
    signals: Sequence[int] = (),
) -> list[Outcome]:
    """Run the checks in order; after `until` (monotonic seconds) the rest is skipped.

    `signals`: signals that asked the run to stop. A library that a signal interrupts may swallow the
    KeyboardInterrupt or fail with an error of its own, so the outcome of that check counts for nothing.
    """
    outcomes: list[Outcome] = []
    before = None
    for check in checks:
        on_start(check)
        if LOST in run.shared:
            outcomes.append(Outcome(check, (), 0.0, Skipped(Verdict.UNANSWERED, run.shared[LOST])))
        elif until is not None and time.monotonic() > until:
            late = Skipped(Verdict.UNTESTED, "the time of --max-time was up")
            outcomes.append(Outcome(check, (), 0.0, late))
        else:
            try:
                outcome = judge(check, run, before)
            except Exception as error:
                if signals:
                    raise KeyboardInterrupt from error
                if isinstance(error, TargetUnreachable):
                    raise
                raise Crashed(f"{check.id}: {crash(error)}") from error
            if signals:
                raise KeyboardInterrupt
            outcomes.append(outcome)
            before = check
            if outcomes[-1].verdict is Verdict.UNANSWERED and not run.responds():
                run.shared[LOST] = "the target does not answer any more"
        on_outcome(outcomes[-1])
    return outcomes
