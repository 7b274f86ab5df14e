"""Result of a run, from the verdicts of its checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from contracts.verdict.failure import Outcome, Verdict

MIN_COVERAGE = 90
"""Percentage of the checks which a run must try to have a result, unless --min-coverage says otherwise."""


class Result(StrEnum):
    """What a run says about the contract."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNJUDGED = "not judged"
    STOPPED = "stopped"
    CRASHED = "crashed"


class Tried(NamedTuple):
    """Checks tried, of those that the keys and options of the run allow."""

    tried: int
    allowed: int

    @property
    def percent(self) -> int:
        """Whole percentage, rounded down; 0 without any check."""
        return 100 * self.tried // self.allowed if self.allowed else 0


class Judgement(NamedTuple):
    """Result of a run, with the reason if it is neither holds nor broken."""

    result: Result
    reason: str
    tried: Tried

    def as_data(self) -> dict[str, Any]:
        """Part of the JSON object of the run."""
        return {
            "result": self.result.value,
            "reason": self.reason or None,
            "holds": self.result is Result.HOLDS,
            "tried": {**self.tried._asdict(), "percent": self.tried.percent},
        }


def tried(outcomes: Sequence[Outcome]) -> Tried:
    """Count the checks that were tried."""
    allowed = [outcome for outcome in outcomes if outcome.skipped is None or not outcome.skipped.excluded]
    return Tried(sum(outcome.skipped is None for outcome in allowed), len(allowed))


def judgement(
    outcomes: Sequence[Outcome], *, strict: bool, min_coverage: int, stopped: bool = False, crash: str = ""
) -> Judgement:
    """Result of a run; green only if enough was tried."""
    found = tried(outcomes)
    if crash:
        return Judgement(Result.CRASHED, crash, found)
    if stopped:
        return Judgement(Result.STOPPED, f"stopped after {len(outcomes)} checks", found)
    if is_broken(outcomes, strict=strict):
        return Judgement(Result.BROKEN, "", found)
    reason = _unjudged(outcomes, found, min_coverage)
    return Judgement(Result.UNJUDGED if reason else Result.HOLDS, reason, found)


def is_broken(outcomes: Sequence[Outcome], *, strict: bool) -> bool:
    """Whether a failure breaks the contract."""
    fatal = {Verdict.BROKEN, *([Verdict.ASSUMPTION] if strict else [])}
    return any(failure.verdict in fatal for outcome in outcomes for failure in outcome.failures)


def _unjudged(outcomes: Sequence[Outcome], found: Tried, min_coverage: int) -> str:
    """Reason why the run has no result; empty if it has one."""
    unanswered = [outcome for outcome in outcomes if outcome.verdict is Verdict.UNANSWERED]
    silent = [outcome for outcome in unanswered if outcome.skipped and not outcome.skipped.firewalled]
    if silent:
        return f"{_checks(len(silent))} got no answer: {causes(silent)}"
    if not found.tried:
        return f"nothing was executed{f': {causes(outcomes)}' if outcomes else ''}"
    asking = [outcome for outcome in outcomes if outcome.skipped and outcome.skipped.out_of_questions]
    if asking:
        return f"{_checks(len(asking))} ran out of questions to the model: allow more with --with-model N"
    unsure = [outcome for outcome in outcomes if outcome.verdict is Verdict.UNCONFIRMED]
    if unsure:
        return (
            f"{_checks(len(unsure))} failed and could not be repeated: allow more requests, time or questions"
        )
    if found.percent < min_coverage:
        left = [outcome for outcome in outcomes if outcome.skipped and not outcome.skipped.excluded]
        share = f"{found.tried} of {found.allowed} checks were tried, less than {min_coverage}%"
        return f"{share} (--min-coverage): {causes(left)}"
    return ""


def causes(outcomes: Sequence[Outcome], most: int = 3) -> str:
    """Reasons of the skipped checks, each cause once with its number, the most frequent first."""
    skipped = [outcome.skipped for outcome in outcomes if outcome.skipped is not None]
    counts, first = (
        Counter(each.cause for each in skipped),
        {each.cause: each.reason for each in skipped[::-1]},
    )
    several = len(counts) > 1
    named = [first[cause] + f" ({count})" * several for cause, count in counts.most_common(most)]
    more = len(counts) - len(named)
    return "; ".join(named) + (f"; {more} other causes" if more else "")


def _checks(count: int) -> str:
    return f"{count} check{'s' if count != 1 else ''}"
