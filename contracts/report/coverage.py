"""Coverage: documented statuses, codes and parameters that a run did not exercise, with reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from contracts.checks.spec import DocumentedOperation, OpenApiDocument
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.report.exercised import Recorder
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
    "API_KEY_EXPIRED": "it requires a key that has expired",
    "API_KEY_DEACTIVATED": "it requires a deactivated key",
    "API_KEY_PAUSED": "it requires a key that is paused",
    "TOKEN_INVALID": "no check sends an invalid token",
    "TOKEN_EXPIRED": "it requires a token that has expired",
    "AMBIGUOUS_ORGANIZATION": "it requires a user of several organizations",
    "NO_ORGANIZATION_MEMBERSHIP": "it requires a user of no organization",
}
_ROLES = {403: ("viewer", "outsider", "foreign")}
"""Roles whose keys provoke a status."""


class Missed(NamedTuple):
    """Documented item that was not exercised."""

    operation: str
    what: str
    """status, code or parameter"""
    name: str
    reason: str


class RunConditions(NamedTuple):
    """Options of the run that explain missing coverage."""

    missing: tuple[str, ...] = ()
    """Roles without a key."""
    read_only: bool = False
    with_model: bool = True


class Coverage(NamedTuple):
    """Exercised and missed parts of the contract."""

    requests: int
    seen: Counter[tuple[str, int, str, str]]
    """Operation, status, role (empty without a key), check."""
    undocumented: tuple[tuple[str, int], ...]
    """Observed statuses that the contract does not document."""
    missed: tuple[Missed, ...]
    counts: dict[str, tuple[int, int]]
    """status, code, parameter -> (exercised, documented)."""


def coverage(record: Recorder, outcomes: Sequence[Outcome], conditions: RunConditions) -> Coverage:
    """Compare the exchanges with the contract."""
    document = record.document
    statuses = {(op, status) for op, status, _, _ in record.seen}
    counts: Counter[str] = Counter()
    missed = []
    for operation in document.operations.values():
        untested = _untested(operation, outcomes, conditions)
        answered = {str(status) for op, status in statuses if op == operation.id and status < 300}
        instead = ", ".join(sorted(answered - {*operation.raw["responses"]}))
        for what, name, status in _documented(document, operation):
            counts[what] += 1
            if (operation.id, what, name) not in record.items:
                reason = _reason(what, name, status, untested, conditions)
                if what == "status" and status < 300 and instead:
                    reason = f"the target answers {instead} in its place"
                missed.append(Missed(operation.id, what, name, reason))
    known = {(o.id, int(s)) for o in document.operations.values() for s in o.raw["responses"]}
    lost = Counter(miss.what for miss in missed)
    exercised = {what: (number - lost[what], number) for what, number in counts.items()}
    return Coverage(record.requests, record.seen, tuple(sorted(statuses - known)), tuple(missed), exercised)


def as_data(coverage: Coverage) -> dict[str, Any]:
    """JSON object of the coverage."""
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


def _documented(document: OpenApiDocument, operation: DocumentedOperation) -> Iterator[tuple[str, str, int]]:
    """Every status, error code and parameter, as (what, name, status)."""
    for text in operation.raw["responses"]:
        status = int(text)
        yield "status", text, status
        if status >= 400:
            yield from (("code", f"{text} {code}", status) for code in document.codes(operation, status))
    for parameter in operation.raw.get("parameters", ()):
        resolved = document.resolved(parameter)
        if resolved["in"] != "path":
            yield "parameter", f"{resolved['in']} {resolved['name']}", 0
    yield from (("parameter", f"body {name}", 0) for name in document.fields(operation))


def _untested(
    operation: DocumentedOperation, outcomes: Sequence[Outcome], conditions: RunConditions
) -> dict[str, str]:
    """Reasons for skipped checks of the operation; under "" the reason if all were."""
    mine = [o for o in outcomes if operation.id in o.check.operations]
    reasons = {o.check.id: o.skipped.reason for o in mine if o.skipped is not None}
    if conditions.read_only and operation.writes:
        reasons[""] = "the run is read-only"
    elif operation.id in MODEL_OPERATIONS and not conditions.with_model:
        reasons[""] = "it asks a model: allow some questions with --with-model N"
    elif not mine:
        reasons[""] = "none of the chosen checks is about it"
    elif len(reasons) == len(mine):
        reasons[""] = next(iter(reasons.values()))
    return reasons


def _reason(what: str, name: str, status: int, untested: dict[str, str], conditions: RunConditions) -> str:
    """Reasons of every run come first, then those of this one."""
    reason = _CODES.get(name.partition(" ")[2]) if what == "code" else None
    reason = reason or _TARGET.get(status) or untested.get("")
    lacking = [role for role in _ROLES.get(status, ()) if role in conditions.missing]
    if reason is None and lacking:
        reason = "no key: set " + ", ".join(f"CONTRACTS_{role.upper()}_KEY" for role in lacking)
    reason = reason or _STATUS.get(status)
    if reason is None and untested:
        count, first = len(untested), next(iter(untested.values()))
        reason = f"no check that ran provoked it; {count} could not run: {first}"
    return reason or ("no check sends it" if what == "parameter" else "no check provoked it")
