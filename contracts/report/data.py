"""A run as data: what every artifact is made from. Holds no key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from contracts.http.exchange import Answer
from contracts.report.curl import commands
from contracts.report.redact import Redactor
from contracts.report.run_info import About
from contracts.verdict.diff import MISSING, at, jsonable, smallest
from contracts.verdict.failure import WORST, Failure, Outcome, Verdict, is_status

Data = dict[str, Any]
VERSION = 1
MANY = {"status": "statuses", "code": "error codes", "parameter": "parameters"}
LONGEST = 200_000
"""Characters of an answer that are kept."""
LONG = 140
"""Characters of a message, beyond which it says only where the difference is."""


def as_data(
    outcomes: Sequence[Outcome], about: About, coverage: Data, gone: Sequence[Mapping[str, Any]] = ()
) -> Data:
    """The whole run."""
    redact = Redactor(about.keys)
    every = [(n, failure) for n, outcome in enumerate(outcomes) for failure in outcome.failures]
    every.sort(key=lambda pair: WORST.index(pair[1].verdict))
    numbers: dict[int, list[int]] = {}
    for number, (n, _) in enumerate(every, 1):
        numbers.setdefault(n, []).append(number)
    told = [failure_data(failure, number, about) for number, (_, failure) in enumerate(every, 1)]
    counts = Counter(outcome.verdict for outcome in outcomes)
    data = {
        "version": VERSION,
        "run": about.as_data(),
        "holds": not about.crash and holds(outcomes, strict=about.strict_assumptions),
        "summary": {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]},
        "outcomes": [
            {
                "id": o.check.id,
                "sentence": o.check.sentence,
                "layer": o.check.layer,
                "operations": list(o.check.operations),
                "evidence": str(o.check.evidence),
                "assumption": o.check.assumption,
                "verdict": o.verdict.value,
                "message": o.message,
                "seconds": round(o.seconds, 3),
                "failures": numbers.get(n, []),
            }
            for n, o in enumerate(outcomes)
        ],
        "failures": told,
        "no_longer": [dict(known) for known in gone],
        "coverage": coverage,
    }
    redacted: Data = redact(data)
    return redacted


def counted(summary: Mapping[str, int]) -> str:
    """How many checks have each verdict, in words."""
    words = {Verdict.ASSUMPTION.value: "assumptions do not hold here"}
    many = ((n, words.get(verdict, verdict) if n > 1 else verdict) for verdict, n in summary.items())
    return ", ".join(f"{n} {verdict}" for n, verdict in many)


def named(text: str, names: Mapping[str, str]) -> str:
    """Text with the variables of the commands in place of the ids."""
    for id_, name in names.items():
        text = text.replace(id_, name)
    return text


def holds(outcomes: Sequence[Outcome], *, strict: bool) -> bool:
    """Whether the contract holds."""
    fatal = {Verdict.BROKEN, *([Verdict.ASSUMPTION] if strict else [])}
    return not any(failure.verdict in fatal for outcome in outcomes for failure in outcome.failures)


def failure_data(failure: Failure, number: int, about: About) -> Data:
    """One failure."""
    broken, difference = failure.broken, _difference(failure)
    lines, names = commands(failure.chain)
    message = broken.message
    if broken.what and difference and len(message) > LONG:
        places = ", ".join(each["pointer"] for each in difference[:3] if each["pointer"])
        message = f"{broken.what}: not as expected" + (f" at {places}" if places else "")
    return {
        "id": number,
        "check": failure.check.id,
        "sentence": failure.check.sentence,
        "layer": failure.check.layer,
        "verdict": failure.verdict.value,
        "confirmed": failure.confirmed.value,
        "evidence": str(failure.evidence),
        "assumption": failure.assumption,
        "message": message,
        "pointer": broken.pointer,
        "of": "status" if is_status(broken) else "body",
        "difference": difference,
        "names": names,
        "alone": failure.alone,
        "fingerprint": failure.fingerprint._asdict(),
        "chain": [
            {**_exchange(answer, about), "command": command}
            for answer, command in zip(failure.chain, lines, strict=True)
        ],
    }


def _difference(failure: Failure) -> list[Data]:
    """What was expected and what came; for a flaw of a schema, what is at its place."""
    broken, print_ = failure.broken, failure.fingerprint
    if broken.expected is None and broken.fingerprint is not None:
        if not failure.chain or not print_.pointer:
            return []
        got = at(failure.chain[-1].body, print_.pointer.replace("*", "0"))
        return [] if got is MISSING else [{"pointer": print_.pointer, "got": jsonable(got)}]
    if broken.expected is None and broken.got is None:
        return []
    return smallest(broken.expected, broken.got, broken.pointer)


def _exchange(answer: Answer, about: About) -> Data:
    request = answer.request
    return {
        "method": request.method,
        "path": request.path,
        "role": request.role,
        "headers": dict(request.headers),
        "body": jsonable(request.body),
        "status": answer.status,
        "answer_headers": dict(answer.headers),
        "answer": answer.text[:LONGEST],
        "milliseconds": round(answer.milliseconds, 2),
        "at": (about.started + timedelta(seconds=answer.at - about.clock)).isoformat(timespec="milliseconds"),
    }
