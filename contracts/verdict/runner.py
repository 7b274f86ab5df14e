"""Runs checks on a target and judges what came of each."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Crashed, Guarded, Unanswered, Unreachable, Untested
from contracts.http.run import Team
from contracts.verdict.failure import WORST, Failure, Outcome, Untried, Verdict, failure_of
from contracts.verdict.minimize import shortened

REPLAYS = 2
"""How often a failure is tried again, on fresh resources, before it counts."""


def judge(check: Check, team: Team, before: Check | None = None) -> Outcome:
    """Try a check; what fails is tried again before it counts. `before` is the check that ran before."""
    started = time.monotonic()
    failures: list[Failure] = []
    untried = None
    try:
        failures = _answered(check, team)
        if failures:
            sure = (_cut_down(failure, team) for failure in _confirmed(failures, team, before))
            failures = sorted(sure, key=lambda failure: WORST.index(failure.verdict))
    except Untested as reason:
        untried = Untried(Verdict.UNTESTED, str(reason))
    except Unanswered as reason:
        untried = Untried(Verdict.UNANSWERED, f"{'failed once, then: ' if failures else ''}{reason}")
    return Outcome(check, tuple(failures), time.monotonic() - started, untried)


def _answered(check: Check, team: Team) -> list[Failure]:
    """The first try that is answered; Unanswered if none is."""
    for left in range(REPLAYS, -1, -1):
        try:
            return tried(check, team)
        except Unanswered:
            if not left or not team.is_there():
                raise
    raise AssertionError("the last try ends it")


def _confirmed(failures: list[Failure], team: Team, before: Check | None) -> Iterator[Failure]:
    """Each failure with what came of trying the check again."""
    check = failures[0].check
    try:
        team.afresh = True
        tries = [tried(check, team) for _ in range(REPLAYS)]
    except Untested:
        yield from failures  # what it takes to try it again is used up: it is told, and does not count
        return
    finally:
        team.afresh = False
    again = [sum(_seen(failure, found, failures) for found in tries) for failure in failures]
    late = _in_order(check, team, before) if REPLAYS and 0 in again else []
    for failure, times in zip(failures, again, strict=True):
        if times == REPLAYS:
            yield failure._replace(confirmed=Verdict.ASSUMPTION if failure.assumed else Verdict.BROKEN)
        elif times == 0 and late and all(_seen(failure, found, failures) for found in late):
            yield failure._replace(confirmed=Verdict.ORDER)
        else:
            yield failure._replace(confirmed=Verdict.FLAKY)


def _cut_down(failure: Failure, team: Team) -> Failure:
    return shortened(failure, team) if failure.confirmed in (Verdict.BROKEN, Verdict.ASSUMPTION) else failure


def _in_order(check: Check, team: Team, before: Check | None) -> list[list[Failure]]:
    """The check again where it was: after the one before it, and with what the run had made until then."""
    tries = []
    try:
        for _ in range(REPLAYS):
            if before is not None:
                tried(before, team)
            tries.append(tried(check, team))
    except Untested:
        return []
    return tries


def _seen(failure: Failure, found: list[Failure], first: list[Failure]) -> bool:
    """Whether a failure is among those of another try, or that one failed in quite another way."""
    prints = {other.fingerprint for other in found}
    if failure is first[0] and prints and prints.isdisjoint({other.fingerprint for other in first}):
        return True
    return failure.fingerprint in prints


def crash(error: BaseException) -> str:
    """What went wrong in the suite itself, and where in its files, on one line."""
    files = traceback.extract_tb(error.__traceback__)
    last = next((each for each in reversed(files) if "contracts" in Path(each.filename).parts), None)
    where = f" ({Path(last.filename).name}:{last.lineno})" if last is not None else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{where}"


def tried(check: Check, team: Team) -> list[Failure]:
    """Try a check once: what broke; nothing if the promise holds."""
    team.chain = []
    try:
        found = _broken(check, team)
    except Untested:
        if not any(answer.fault for answer in team.chain):
            raise
        found = []
    garbled = next((answer for answer in team.chain if answer.fault), None)
    if garbled is not None:
        what = "the answer is not JSON"
        found = [Broken(f"{what}: {garbled.fault}"[:300], got=garbled.text[:300], what=what)]
    return [failure_of(check, broken, team.chain, team) for broken in found]


def _broken(check: Check, team: Team) -> list[Broken]:
    try:
        check.run(team)
    except Broken as broken:
        return [broken, *broken.more]
    except (Guarded, Unanswered, Unreachable):
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        # The check reached into an answer that has not the documented shape.
        return [Broken(f"the answer has not the documented shape: {type(error).__name__}: {error}")]
    return []


def run(
    checks: Iterable[Check],
    team: Team,
    *,
    tell: Callable[[Outcome], Any],
    begin: Callable[[Check], Any] = lambda _: None,
    until: float | None = None,
) -> list[Outcome]:
    """Try every check, in order; `until` (monotonic seconds) ends the run with what was tried by then."""
    outcomes: list[Outcome] = []
    before, gone = None, False
    for check in checks:
        begin(check)
        if gone:
            silent = Untried(Verdict.UNANSWERED, "the target does not answer any more")
            outcomes.append(Outcome(check, (), 0.0, silent))
        elif until is not None and time.monotonic() > until:
            late = Untried(Verdict.UNTESTED, "the time of --max-time was up")
            outcomes.append(Outcome(check, (), 0.0, late))
        else:
            try:
                outcomes.append(judge(check, team, before))
            except Unreachable:
                raise
            except Exception as error:
                raise Crashed(f"{check.id}: {crash(error)}") from error
            before = check
            gone = outcomes[-1].verdict is Verdict.UNANSWERED and not team.is_there()
        tell(outcomes[-1])
    return outcomes
