"""Failures and outcomes: verdicts, evidence, fingerprints, and the requests that reproduce them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Fingerprint
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.verdict.diff import at, differences, same
from contracts.verdict.reproduction import minimal

_VALUES = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "*"),
    (re.compile(r"\bcontracts [0-9a-f]{6,}[\w ]*"), "*"),
    (re.compile(r"\b(?=\w*_)(?=\w*\d)[A-Za-z0-9_]{6,}"), "*"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "*"),
)
"""Values that differ between runs: times, names, ids."""


class Verdict(StrEnum):
    """Result of a check or failure."""

    PASSED = "passed"
    BROKEN = "broken"
    ASSUMPTION = "assumption does not hold here"
    KNOWN = "known"
    ORDER = "order-dependent"
    FLAKY = "flaky"
    UNCONFIRMED = "unconfirmed"
    UNTESTED = "untested"
    UNANSWERED = "no answer"
    """Every attempt ended without a response, or with one that says the target is busy."""


WORST = [*Verdict][1:7]
"""Verdicts of a failure, worst first."""


class Failure(NamedTuple):
    """One failure of a check."""

    check: Check
    broken: Broken
    fingerprint: Fingerprint
    chain: tuple[ClientResponse, ...]
    """Exchanges that reproduce it, ending with the one that shows it."""
    confirmed: Verdict = Verdict.UNCONFIRMED
    """Verdict after the retries."""
    known: bool = False
    """Whether the baseline contains it."""
    wide: tuple[ClientResponse, ...] = ()
    """Longer chain, used if the short one does not reproduce it."""
    alone: bool | None = None
    """Whether the chain reproduced it when sent again; None if no single response shows it."""

    @property
    def verdict(self) -> Verdict:
        """Verdict that counts for the run."""
        counts = self.confirmed in (Verdict.BROKEN, Verdict.ASSUMPTION)
        return Verdict.KNOWN if self.known and counts else self.confirmed

    @property
    def evidence(self) -> Evidence:
        """Evidence of the claim that failed."""
        own = self.broken.evidence
        return self.check.evidence if own is None else own

    @property
    def assumption(self) -> str | None:
        """Assumption behind the claim that failed."""
        return self.broken.assumption or self.check.assumption

    @property
    def is_assumed(self) -> bool:
        """Whether the failed claim is only assumed."""
        own = self.broken
        if own.evidence is None and own.assumption is None:
            return not self.check.gates
        return own.assumption is not None or own.evidence is Evidence.ASSUMED


class Skipped(NamedTuple):
    """Reason why a check has no result."""

    verdict: Verdict
    reason: str


class Outcome(NamedTuple):
    """Result of one check."""

    check: Check
    failures: tuple[Failure, ...]
    """Worst first."""
    seconds: float
    skipped: Skipped | None = None

    @property
    def verdict(self) -> Verdict:
        """Verdict of the worst failure."""
        if self.skipped is not None:
            return self.skipped.verdict
        return self.worst.verdict if self.worst else Verdict.PASSED

    @property
    def worst(self) -> Failure | None:
        """Worst failure; None without any."""
        return next(iter(self.failures), None)

    @property
    def message(self) -> str:
        """Message of the worst failure, or the reason for skipping."""
        if self.skipped is not None:
            return self.skipped.reason
        return self.worst.broken.message if self.worst else ""


def failure_of(check: Check, broken: Broken, exchanges: Sequence[ClientResponse], run: Run) -> Failure:
    """Failure with its fingerprint and the exchanges that it needs."""
    chain = exchanges if broken.chain is None else broken.chain
    decisive = chain[-1] if broken.chain is not None and chain else decisive_exchange(broken, chain)
    named = re.findall(r"[A-Za-z0-9_\-]{6,}", f"{broken.expected} {broken.got} {broken.message}")
    wide = minimal(chain, decisive, named, run.id_sources)
    alone = check.layer == "operations" and wide
    short = minimal(chain[-1:], decisive, named, run.id_sources) if alone else wide
    decisive = decisive or (short[-1] if short else None)
    fingerprint = broken.fingerprint or _fingerprint(check, broken, decisive)
    return Failure(check, broken, fingerprint, short, wide=wide)


def decisive_exchange(broken: Broken, chain: Sequence[ClientResponse]) -> ClientResponse | None:
    """Last exchange that contains the actual value; None if no single one does."""
    return next((answer for answer in reversed(chain) if _contains(broken, answer)), None)


def _contains(broken: Broken, answer: ClientResponse) -> bool:
    got = broken.got
    if got is None:
        return False
    if broken.pointer:
        return same(at(answer.body, broken.pointer), got)
    if is_status(broken):
        return bool(answer.status == got)
    return same(answer.body, got) or answer.text[:300] == got


def is_status(broken: Broken) -> bool:
    """Whether the failure is an unexpected status."""
    pair = (broken.expected, broken.got)
    return not broken.pointer and all(type(value) is int and 100 <= value < 600 for value in pair)


def template(pointer: str) -> str:
    """JSON pointer with list indexes replaced by stars."""
    return "/".join("*" if part.isdecimal() else part for part in pointer.split("/"))


def normalized(text: str) -> str:
    """Message with run-specific values replaced by stars."""
    for pattern, instead in _VALUES:
        text = pattern.sub(instead, text)
    return " ".join(text.split())[:120]


def _fingerprint(check: Check, broken: Broken, decisive: ClientResponse | None) -> Fingerprint:
    found = document().at(decisive.request.method, decisive.request.path) if decisive is not None else None
    operation = found.id if found is not None else check.operations[0]
    status = decisive.status if decisive is not None else None
    what = normalized(broken.what or broken.message)
    places = [broken.pointer]
    if isinstance(broken.expected, dict | list | tuple) and isinstance(broken.got, dict | list | tuple):
        places = [each["pointer"] for each in differences(broken.expected, broken.got, broken.pointer)]
    pointer, *more = dict.fromkeys(map(template, places)) or [""]
    return Fingerprint(operation, status, pointer, check.id, " and ".join((what, *more)))
