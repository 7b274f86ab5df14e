"""Failures and outcomes: verdicts, evidence, fingerprints, and the requests that reproduce them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from contracts.checks.check import Check
from contracts.checks.claims import basis
from contracts.checks.errors import Broken, Fingerprint
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.verdict.diff import at, cut, differences, jsonable, same
from contracts.verdict.fingerprint import fingerprint_of, is_status
from contracts.verdict.reproduction import WORD, minimal


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
MAX_BRIEF = 160
"""Characters of a failure's brief."""


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
    redact: Callable[[Any], Any] = jsonable
    """Masks secrets in what the brief shows a part of."""

    @property
    def verdict(self) -> Verdict:
        """Verdict that counts for the run."""
        counts = self.confirmed in (Verdict.BROKEN, Verdict.ASSUMPTION)
        return Verdict.KNOWN if self.known and counts else self.confirmed

    @property
    def brief(self) -> str:
        """The difference in one line: what a list of failures shows."""
        broken = self.broken
        message = self.redact(broken.brief or broken.message)
        if broken.brief or not broken.what or len(message) <= MAX_BRIEF:
            return cut(message, MAX_BRIEF)
        first = next(iter(differences(broken.expected, broken.got, broken.pointer)), None)
        if first is None:
            return cut(message, MAX_BRIEF)
        sides = [
            f"{side} {cut(repr(self.redact(jsonable(first[side]))), 40)}"
            for side in ("expected", "got")
            if side in first
        ]
        where = f" at {first['pointer']}" if first["pointer"] else ""
        return cut(f"{broken.what}{where}: {', '.join(sides)}", MAX_BRIEF)

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
        """Whether the failed claim is only assumed; no assumption explains an error of the server."""
        own = self.broken
        if is_error_of_server(own):
            return False
        if own.evidence is None and own.assumption is None:
            return not self.check.gates
        return own.assumption is not None or own.evidence is Evidence.ASSUMED


def is_error_of_server(broken: Broken) -> bool:
    """Whether the failure is a status that no assumption explains."""
    return is_status(broken) and broken.got >= 500


FAILED_ONCE = "failed once, then: "
_REQUEST = re.compile(r" to [A-Z]+ /.*")


class Skipped(NamedTuple):
    """Reason why a check has no result."""

    verdict: Verdict
    reason: str
    excluded: bool = False
    """Whether the keys or options of the run exclude the check."""
    out_of_questions: bool = False
    """Whether the questions of --with-model were used up."""
    firewalled: bool = False
    """Whether a firewall refuses a request of the check, so that the API never had it."""

    @property
    def cause(self) -> str:
        """Reason without the request that met it."""
        return _REQUEST.sub("", self.reason).removeprefix(FAILED_ONCE)


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

    @property
    def brief(self) -> str:
        """Brief of the worst failure, or the reason for skipping."""
        return self.worst.brief if self.worst and self.skipped is None else self.message


def failure_of(check: Check, broken: Broken, exchanges: Sequence[ClientResponse], run: Run) -> Failure:
    """Failure with its fingerprint and the exchanges that it needs."""
    chain = exchanges if broken.chain is None else broken.chain
    decisive = chain[-1] if broken.chain is not None and chain else decisive_exchange(broken, chain)
    named = WORD.findall(f"{broken.expected} {broken.got} {broken.message}")
    wide = minimal(chain, decisive, named, run.id_sources)
    alone = check.layer == "operations" and wide
    short = minimal(chain[-1:], decisive, named, run.id_sources) if alone else wide
    last = decisive or (short[-1] if short else None)
    found = document().at(last.request.method, last.request.path) if last is not None else None
    operation = check.operations[0] if found is None else found.id
    if broken.evidence is None and is_error_of_server(broken) and found is not None:
        broken.evidence = basis((found.raw,)).evidence
    fingerprint = broken.fingerprint or fingerprint_of(
        check, broken, last, operation, named_ids(short), decisive=decisive is not None
    )
    return Failure(check, broken, fingerprint, short, wide=wide, redact=run.ledger.redact)


def named_ids(chain: Iterable[ClientResponse]) -> set[str]:
    """Ids of any form in the paths and bodies of a chain."""
    found: set[str] = set()
    for answer in chain:
        operation = document().at(answer.request.method, answer.request.path)
        if operation is not None:
            parts = answer.request.path.partition("?")[0].split("/")
            pairs = zip(operation.path.split("/"), parts, strict=True)
            found.update(part for place, part in pairs if place[:1] == "{")
        found.update(_ids(answer.fields))
    return found


def _ids(body: Any, name: str = "") -> Iterable[str]:
    if isinstance(body, dict):
        for field, value in body.items():
            yield from _ids(value, field)
    elif isinstance(body, list):
        for value in body:
            yield from _ids(value, name)
    elif isinstance(body, str) and name.endswith(("id", "ids", "cursor")):
        yield body


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
