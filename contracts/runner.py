"""Runs checks on a target and judges what came of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from contracts.check import Broken, Check, Untested
from contracts.evidence import Evidence
from contracts.exchange import Answer
from contracts.pace import Unanswered, Unreachable
from contracts.team import Guarded, Team

REPLAYS = 2
"""How often a failure is tried again, on fresh resources, before it counts."""


class Verdict(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    BROKEN = "broken"
    ASSUMPTION = "assumption does not hold here"
    FLAKY = "flaky"
    UNTESTED = "untested"
    UNANSWERED = "no answer"
    """None came, or that the target is busy, each time that it was tried: no word about the contract."""


class Outcome(NamedTuple):
    """One check on one target."""

    check: Check
    verdict: Verdict
    message: str
    """What broke, or why it was not tested."""
    chain: tuple[Answer, ...]
    """The exchanges of the first failure."""
    failure: Broken | None
    seconds: float

    @property
    def evidence(self) -> Evidence:
        """How well what broke is founded."""
        own = self.failure.evidence if self.failure is not None else None
        return self.check.evidence if own is None else own

    @property
    def assumption(self) -> str | None:
        """The assumption that what broke rests on."""
        own = self.failure.assumption if self.failure is not None else None
        return own or self.check.assumption


def judge(check: Check, team: Team) -> Outcome:
    """Try a check; a failure counts if it repeats."""
    started = time.monotonic()

    def outcome(
        verdict: Verdict, message: str = "", chain: Iterable[Answer] = (), failure: Broken | None = None
    ) -> Outcome:
        return Outcome(check, verdict, message, tuple(chain), failure, time.monotonic() - started)

    try:
        failure = _answered(check, team)
    except Untested as reason:
        return outcome(Verdict.UNTESTED, str(reason))
    except Unanswered as reason:
        return outcome(Verdict.UNANSWERED, str(reason), team.chain)
    if failure is None:
        return outcome(Verdict.PASSED)
    chain = tuple(team.chain)
    for _ in range(REPLAYS):
        team.chain = []
        try:
            again = _tried(check, team)
        except Untested as reason:
            return outcome(Verdict.UNTESTED, f"failed once, then: {reason}", chain)
        except Unanswered as reason:
            return outcome(Verdict.UNANSWERED, f"failed once, then: {reason}", chain)
        if again is None:
            return outcome(Verdict.FLAKY, failure.message, chain, failure)
    known = failure.evidence is not None or failure.assumption is not None
    assumed = failure.assumption is not None or failure.evidence is Evidence.ASSUMED
    verdict = Verdict.ASSUMPTION if (assumed if known else not check.gates) else Verdict.BROKEN
    return outcome(verdict, failure.message, chain, failure)


def _answered(check: Check, team: Team) -> Broken | None:
    """The first try that is answered; Unanswered if none is."""
    for left in range(REPLAYS, -1, -1):
        team.chain = []
        try:
            return _tried(check, team)
        except Unanswered:
            if not left or not team.is_there():
                raise
    raise AssertionError("the last try ends it")


def _tried(check: Check, team: Team) -> Broken | None:
    try:
        check.run(team)
    except (Untested, Guarded, Unanswered, Unreachable):
        raise
    except Broken as failure:
        return failure
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        # The check reached into an answer that has not the documented shape.
        return Broken(f"the answer has not the documented shape: {type(error).__name__}: {error}")
    return None


def run(
    checks: Iterable[Check], team: Team, *, tell: Callable[[Outcome], Any], until: float | None = None
) -> list[Outcome]:
    """Try every check, in order; `until` (monotonic seconds) ends the run with what was tried by then."""
    outcomes: list[Outcome] = []
    gone = False
    for check in checks:
        if gone:
            silent = "the target does not answer any more"
            outcomes.append(Outcome(check, Verdict.UNANSWERED, silent, (), None, 0.0))
        elif until is not None and time.monotonic() > until:
            late = "the time of --max-time was up"
            outcomes.append(Outcome(check, Verdict.UNTESTED, late, (), None, 0.0))
        else:
            outcomes.append(judge(check, team))
            gone = outcomes[-1].verdict is Verdict.UNANSWERED and not team.is_there()
        tell(outcomes[-1])
    return outcomes
