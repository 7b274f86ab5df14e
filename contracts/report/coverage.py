"""What the contract documents and a run never saw, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from contracts.checks.spec import Document, Operation
from contracts.report.exercised import Record
from contracts.verdict.failure import Outcome

_STATUS = {
    401: "nothing was sent without a key",
    413: "no check sends a body that is too large",
}
_TARGET = {
    429: "a run stays below the limits of the target",
    500: "no request may provoke it",
    503: "no request may provoke it",
}
_CODES = {
    "API_KEY_EXPIRED": "it takes a key that has expired",
    "API_KEY_DEACTIVATED": "it takes a key that was switched off",
    "API_KEY_PAUSED": "it takes a key that is paused",
    "TOKEN_INVALID": "no check sends a token that is no good",
    "TOKEN_EXPIRED": "it takes a token that has expired",
    "AMBIGUOUS_ORGANIZATION": "it takes a user of several organizations",
    "NO_ORGANIZATION_MEMBERSHIP": "it takes a user of no organization",
}
_ROLES = {403: ("viewer", "outsider", "foreign")}
"""Whose keys provoke a status."""


class Missed(NamedTuple):
    """Something documented that was never exercised."""

    operation: str
    what: str
    """status, code or parameter"""
    name: str
    reason: str


class Terms(NamedTuple):
    """On what terms the run went: they are most of the reasons."""

    missing: tuple[str, ...] = ()
    """Roles without a key."""
    read_only: bool = False
    with_model: bool = True
    everything: bool = True
    """Whether no --only chose among the checks."""


class Coverage(NamedTuple):
    """What a run exercised of the contract."""

    requests: int
    seen: Counter[tuple[str, int, str, str]]
    """Operation, status, role (empty without a key), check."""
    undocumented: tuple[tuple[str, int], ...]
    """Statuses that were answered and that the contract does not have."""
    missed: tuple[Missed, ...]
    counts: dict[str, tuple[int, int]]
    """status, code, parameter -> how many were exercised, of how many."""


def coverage(record: Record, outcomes: Sequence[Outcome], terms: Terms) -> Coverage:
    """Compare what was seen with what is documented."""
    document = record.document
    statuses = {(op, status) for op, status, _, _ in record.seen}
    counts: Counter[str] = Counter()
    missed = []
    for operation in document.operations.values():
        untested = _untested(operation, outcomes, terms)
        answered = {status for op, status in statuses if op == operation.id}
        for what, name, status in _documented(document, operation):
            counts[what] += 1
            if not _exercised(record, operation.id, answered, (what, name, status)):
                reason = _always(what, name, status) or untested.get("")
                reason = reason or _reason(what, status, untested, terms)
                if instead := _instead(operation, answered) if what == "status" and status < 300 else "":
                    reason = f"the target answers {instead} in its place"
                told = f"{status} {name}" if what == "code" else name
                missed.append(Missed(operation.id, what, told, reason))
    known = {(o.id, int(s)) for o in document.operations.values() for s in o.raw["responses"]}
    lost = Counter(miss.what for miss in missed)
    return Coverage(
        record.requests,
        record.seen,
        tuple(sorted(statuses - known)),
        tuple(missed),
        {what: (number - lost[what], number) for what, number in counts.items()},
    )


def as_data(coverage: Coverage) -> dict[str, Any]:
    """What was exercised and what was not."""
    rows = sorted(coverage.seen.items())
    return {
        "requests": coverage.requests,
        "counts": {what: {"exercised": n, "documented": of} for what, (n, of) in coverage.counts.items()},
        "exercised": [
            {"operation": op, "status": status, "role": role or None, "check": check, "requests": n}
            for (op, status, role, check), n in rows
        ],
        "undocumented": [{"operation": op, "status": status} for op, status in coverage.undocumented],
        "never": [missed._asdict() for missed in coverage.missed],
    }


def _exercised(record: Record, operation: str, answered: set[int], one: tuple[str, str, int]) -> bool:
    what, name, status = one
    if what == "status":
        return status in answered
    if what == "code":
        return (operation, status, name) in record.codes
    place, _, plain = name.partition(" ")
    return (operation, place, plain) in record.parameters


def _instead(operation: Operation, answered: set[int]) -> str:
    """The successes that are answered and not documented."""
    odd = sorted(
        status for status in answered if status < 300 and str(status) not in operation.raw["responses"]
    )
    return ", ".join(map(str, odd))


def _documented(document: Document, operation: Operation) -> Iterator[tuple[str, str, int]]:
    """Every status, error code and parameter, as (what, name, status)."""
    for text in operation.raw["responses"]:
        status = int(text)
        yield "status", text, status
        if status >= 400:
            yield from (("code", code, status) for code in document.codes(operation, status))
    for parameter in operation.raw.get("parameters", ()):
        given = document.resolved(parameter)
        if given["in"] != "path":
            yield "parameter", f"{given['in']} {given['name']}", 0
    yield from (("parameter", f"body {name}", 0) for name in document.fields(operation))


def _untested(operation: Operation, outcomes: Sequence[Outcome], terms: Terms) -> dict[str, str]:
    """Why checks of the operation were not tried, by check; under "" why none was."""
    mine = [o for o in outcomes if operation.id in o.check.operations]
    reasons = {o.check.id: o.untried.reason for o in mine if o.untried is not None}
    if terms.read_only and operation.writes:
        reasons[""] = "the run is read-only"
    elif operation.id == "createResponse" and not terms.with_model:
        reasons[""] = "it asks a model: allow some questions with --with-model N"
    elif not mine:
        reasons[""] = "none of the chosen checks is about it"
    elif len(reasons) == len(mine):
        reasons[""] = next(iter(reasons.values()))
    return reasons


def _always(what: str, name: str, status: int) -> str | None:
    """What no run provokes, whatever its terms."""
    return (_CODES.get(name) if what == "code" else None) or _TARGET.get(status)


def _reason(what: str, status: int, untested: dict[str, str], terms: Terms) -> str:
    lacking = [role for role in _ROLES.get(status, ()) if role in terms.missing]
    if lacking:
        return "no key: set " + ", ".join(f"CONTRACTS_{role.upper()}_KEY" for role in lacking)
    if status in _STATUS:
        return _STATUS[status]
    if untested:
        count, reason = len(untested), next(iter(untested.values()))
        return f"no check that was tried provoked it; {count} could not be: {reason}"
    return "no check sends it" if what == "parameter" else "no check provoked it"
