"""Data of a run, from which every report is made. Contains no keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from contracts.checks.evidence import assumption_texts
from contracts.http.exchange import ClientResponse
from contracts.report.curl import commands
from contracts.report.run_info import RunInfo
from contracts.verdict.diff import MISSING, at, differences, jsonable
from contracts.verdict.failure import WORST, Failure, Outcome, Verdict
from contracts.verdict.fingerprint import cause, is_status

Data = dict[str, Any]
VERSION = 1
MANY = {"status": "statuses", "code": "error codes", "parameter": "parameters"}
MAX_ANSWER = 200_000
"""Characters of a response that a report keeps."""
MAX_MESSAGE = 140
"""Message length above which only the place of the difference is given."""


def as_data(
    outcomes: Sequence[Outcome],
    info: RunInfo,
    judged: Mapping[str, Any],
    coverage: Data,
    gone: Sequence[Mapping[str, Any]] = (),
    additions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    unsteady: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Data:
    """JSON object of the run with its judgement; failures with one cause are joined."""
    groups = joined(outcomes)
    failures = [failure_data(group, number, info) for number, group in enumerate(groups, 1)]
    numbers: dict[str, list[int]] = {}
    for failure in failures:
        for check in failure["checks"]:
            numbers.setdefault(check, []).append(failure["id"])
    counts = Counter(outcome.verdict for outcome in outcomes)
    data = {
        "version": VERSION,
        "run": info.as_data(),
        **judged,
        "summary": {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]},
        "outcomes": [
            {
                "id": o.check.id,
                "sentence": o.check.sentence,
                "layer": o.check.layer,
                "operations": list(o.check.operations),
                "evidence": str(o.check.evidence),
                "assumption": o.check.assumption,
                "assumed": assumption_texts().get(o.check.assumption or "") or None,
                "verdict": o.verdict.value,
                "message": o.message,
                "cause": o.skipped.cause if o.skipped else None,
                "seconds": round(o.seconds, 3),
                "failures": numbers.get(o.check.id, []),
            }
            for o in outcomes
        ],
        "failures": failures,
        "no_longer": [dict(known) for known in gone],
        "additions": dict(additions),
        "unsteady": {operation: sorted(places) for operation, places in unsteady.items()},
        "coverage": coverage,
    }
    redacted: Data = info.redact(data)
    return redacted


def counted(summary: Mapping[str, int]) -> str:
    """Number of checks by verdict, in words."""
    words = {Verdict.ASSUMPTION.value: "assumptions do not hold here"}
    many = ((n, words.get(verdict, verdict) if n > 1 else verdict) for verdict, n in summary.items())
    return ", ".join(f"{n} {verdict}" for n, verdict in many)


def covered(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Exercised and documented statuses, codes and parameters, in words."""
    return ", ".join(f"{n['exercised']} of {n['documented']} {MANY[what]}" for what, n in counts.items())


def named(text: str, names: Mapping[str, str]) -> str:
    """Text with ids replaced by the variables of the commands."""
    for id_, name in names.items():
        text = text.replace(id_, name)
    return text


def joined(outcomes: Sequence[Outcome]) -> list[list[Failure]]:
    """Failures grouped by cause; the worst group first, and the worst failure of each."""
    every = [failure for outcome in outcomes for failure in outcome.failures]
    groups: dict[object, list[Failure]] = {}
    # Of failures with one cause, one that knows the expected value describes them best.
    for failure in sorted(every, key=lambda each: (WORST.index(each.verdict), each.broken.expected is None)):
        groups.setdefault(cause(failure.fingerprint), []).append(failure)
    return [*groups.values()]


def failure_data(group: Sequence[Failure], number: int, info: RunInfo) -> Data:
    """JSON object of failures with one cause, described by the first."""
    failure = group[0]
    broken, difference = failure.broken, _difference(failure)
    lines, names = commands(failure.chain)
    message = broken.message
    if broken.what and difference and len(message) > MAX_MESSAGE:
        places = ", ".join(each["pointer"] for each in difference[:3] if each["pointer"])
        message = f"{broken.what}: not as expected" + (f" at {places}" if places else "")
    return {
        "id": number,
        "check": failure.check.id,
        "checks": [*dict.fromkeys(each.check.id for each in group)],
        "count": len(group),
        "sentence": failure.check.sentence,
        "layer": failure.check.layer,
        "verdict": failure.verdict.value,
        "confirmed": failure.confirmed.value,
        "evidence": str(failure.evidence),
        "assumption": failure.assumption,
        "assumed": assumption_texts().get(failure.assumption or "") or None,
        "brief": failure.brief,
        "message": message,
        "pointer": broken.pointer,
        "of": "status" if is_status(broken) else "body",
        "difference": difference,
        "names": names,
        "alone": failure.alone,
        "fingerprint": failure.fingerprint._asdict(),
        "chain": [
            {**_exchange(answer, info), "command": command}
            for answer, command in zip(failure.chain, lines, strict=True)
        ],
    }


def _difference(failure: Failure) -> list[Data]:
    """Expected and actual values; for a schema violation the value at its pointer."""
    broken, print_ = failure.broken, failure.fingerprint
    if broken.expected is None and broken.fingerprint is not None:
        if not failure.chain or not print_.pointer:
            return []
        got = at(failure.chain[-1].body, print_.pointer.replace("*", "0"))
        return [] if got is MISSING else [{"pointer": print_.pointer, "got": jsonable(got)}]
    return differences(broken.expected, broken.got, broken.pointer)


def _exchange(answer: ClientResponse, info: RunInfo) -> Data:
    request = answer.request
    return {
        "method": request.method,
        "path": request.path,
        "role": request.role,
        "headers": dict(request.headers),
        "body": jsonable(request.body),
        "status": answer.status,
        "answer_headers": dict(answer.headers),
        "answer": answer.text[:MAX_ANSWER],
        "milliseconds": round(answer.milliseconds, 2),
        "at": (info.started + timedelta(seconds=answer.at - info.clock)).isoformat(timespec="milliseconds"),
    }
