"""One thing that broke: where, how well it is founded, and what it takes to see it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Fingerprint
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import Answer
from contracts.http.run import Team
from contracts.verdict.diff import at, same, smallest
from contracts.verdict.reproduction import minimal

_VALUES = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "*"),
    (re.compile(r"\bcontracts [0-9a-f]{6,}[\w ]*"), "*"),
    (re.compile(r"\b(?=\w*_)(?=\w*\d)[A-Za-z0-9_]{6,}"), "*"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "*"),
)
"""What is another in each run: times, names, ids."""


class Verdict(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    BROKEN = "broken"
    ASSUMPTION = "assumption does not hold here"
    KNOWN = "known"
    ORDER = "order-dependent"
    FLAKY = "flaky"
    UNCONFIRMED = "unconfirmed"
    UNTESTED = "untested"
    UNANSWERED = "no answer"
    """None came, or that the target is busy, each time that it was tried: no word about the contract."""


WORST = [*Verdict][1:7]
"""What a failure can be, in the order of Verdict."""


class Failure(NamedTuple):
    """A failure of one check."""

    check: Check
    broken: Broken
    fingerprint: Fingerprint
    chain: tuple[Answer, ...]
    """The requests that it takes, the one that shows it last."""
    confirmed: Verdict = Verdict.UNCONFIRMED
    """What came of trying it again."""
    known: bool = False
    """Whether the baseline has it."""
    wide: tuple[Answer, ...] = ()
    """More requests than it should take."""
    alone: bool | None = None
    """Whether the chain, sent again by itself, showed it; None where no single answer shows it."""

    @property
    def verdict(self) -> Verdict:
        """How it counts."""
        counts = self.confirmed in (Verdict.BROKEN, Verdict.ASSUMPTION)
        return Verdict.KNOWN if self.known and counts else self.confirmed

    @property
    def evidence(self) -> Evidence:
        """How well what broke is founded."""
        own = self.broken.evidence
        return self.check.evidence if own is None else own

    @property
    def assumption(self) -> str | None:
        """The assumption that what broke rests on."""
        return self.broken.assumption or self.check.assumption

    @property
    def assumed(self) -> bool:
        """Whether no contract is broken by it."""
        own = self.broken
        if own.evidence is None and own.assumption is None:
            return not self.check.gates
        return own.assumption is not None or own.evidence is Evidence.ASSUMED


class Untried(NamedTuple):
    """Why a check says nothing."""

    verdict: Verdict
    reason: str


class Outcome(NamedTuple):
    """One check on one target."""

    check: Check
    failures: tuple[Failure, ...]
    """The worst first."""
    seconds: float
    untried: Untried | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its failures."""
        if self.untried is not None:
            return self.untried.verdict
        return min((f.verdict for f in self.failures), key=WORST.index, default=Verdict.PASSED)

    @property
    def message(self) -> str:
        """What broke, or why it was not tested."""
        if self.untried is not None:
            return self.untried.reason
        return next((failure.broken.message for failure in self.failures), "")

    @property
    def chain(self) -> tuple[Answer, ...]:
        """The requests of the worst failure."""
        return next((f.chain for f in self.failures), ())

    @property
    def evidence(self) -> Evidence:
        """How well what broke is founded."""
        return next((f.evidence for f in self.failures), self.check.evidence)

    @property
    def assumption(self) -> str | None:
        """The assumption that what broke rests on."""
        return next((f.assumption for f in self.failures), self.check.assumption)


def failure_of(check: Check, broken: Broken, exchanges: Sequence[Answer], team: Team) -> Failure:
    """A failure with its fingerprint and no more requests than it takes."""
    chain = exchanges if broken.chain is None else broken.chain
    telling = chain[-1] if broken.chain is not None and chain else telling_of(broken, chain)
    named = re.findall(r"[A-Za-z0-9_\-]{6,}", f"{broken.expected} {broken.got} {broken.message}")
    wide = minimal(chain, telling, named, team.origins)
    alone = check.layer == "operations" and wide
    short = minimal(chain[-1:], telling, named, team.origins) if alone else wide
    shown = telling or (short[-1] if short else None)
    fingerprint = broken.fingerprint or _fingerprint(check, broken, shown)
    return Failure(check, broken, fingerprint, short, wide=wide)


def telling_of(broken: Broken, chain: Sequence[Answer]) -> Answer | None:
    """The last answer in which what was got is to be seen; None if it is in no single one."""
    return next((answer for answer in reversed(chain) if _shows(broken, answer)), None)


def _shows(broken: Broken, answer: Answer) -> bool:
    got = broken.got
    if got is None:
        return False
    if broken.pointer:
        return same(at(answer.body, broken.pointer), got)
    if is_status(broken):
        return bool(answer.status == got)
    return same(answer.body, got) or answer.text[:300] == got


def is_status(broken: Broken) -> bool:
    """Whether a status was expected and another one came."""
    pair = (broken.expected, broken.got)
    return not broken.pointer and all(type(value) is int and 100 <= value < 600 for value in pair)


def template(pointer: str) -> str:
    """A pointer with a star for every index."""
    return "/".join("*" if part.isdecimal() else part for part in pointer.split("/"))


def plain(text: str) -> str:
    """Words without what is another in each run."""
    for pattern, instead in _VALUES:
        text = pattern.sub(instead, text)
    return " ".join(text.split())[:120]


def _fingerprint(check: Check, broken: Broken, shown: Answer | None) -> Fingerprint:
    found = document().at(shown.request.method, shown.request.path) if shown is not None else None
    operation = found.id if found is not None else check.operations[0]
    status = shown.status if shown is not None else None
    what = plain(broken.what or broken.message)
    places = [broken.pointer]
    if isinstance(broken.expected, dict | list | tuple) and isinstance(broken.got, dict | list | tuple):
        places = [each["pointer"] for each in smallest(broken.expected, broken.got, broken.pointer)]
    pointer, *more = dict.fromkeys(map(template, places)) or [""]
    return Fingerprint(operation, status, pointer, check.id, " and ".join((what, *more)))
