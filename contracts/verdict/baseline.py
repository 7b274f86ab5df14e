"""Failures that are known: they are told, and do not fail a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from contracts.checks.errors import Fingerprint, Usage
from contracts.verdict.failure import WORST, Failure, Outcome, Verdict

VERSION = 1
_COUNTS = (Verdict.BROKEN, Verdict.ASSUMPTION)


class Unreadable(Usage):
    """The file is no baseline; one line says why."""


class Known(NamedTuple):
    """One known failure."""

    fingerprint: Fingerprint
    checks: tuple[str, ...]
    """Which checks have seen it: as long as one of them is not tried, nobody knows whether it is gone."""
    message: str


def read(path: Path) -> list[Known]:
    """The baseline in a file."""
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["version"] != VERSION:
            raise Unreadable(f"--baseline: {path} has version {data['version']}, this suite reads {VERSION}")
        return [
            Known(Fingerprint(**entry["fingerprint"]), tuple(entry["checks"]), entry["message"])
            for entry in data["failures"]
        ]
    except FileNotFoundError as error:
        raise Unreadable(f"--baseline: there is no {path}; --update-baseline writes it") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"--baseline: {path} is no baseline: {type(error).__name__}: {error}") from error


def asked(path: Path | None, *, update: bool) -> list[Known]:
    """The baseline that a run was given; a new one may be empty."""
    if path is None:
        if update:
            raise Unreadable("--update-baseline: say with --baseline FILE which one")
        return []
    return [] if update and not path.exists() else read(path)


def marked(outcomes: Sequence[Outcome], baseline: Sequence[Known]) -> list[Outcome]:
    """The outcomes with what is known marked."""
    known = {each.fingerprint for each in baseline}

    def mark(failures: Sequence[Failure]) -> tuple[Failure, ...]:
        found = (failure._replace(known=failure.fingerprint in known) for failure in failures)
        return tuple(sorted(found, key=lambda failure: WORST.index(failure.verdict)))

    return [outcome._replace(failures=mark(outcome.failures)) for outcome in outcomes]


def no_longer(outcomes: Sequence[Outcome], baseline: Sequence[Known]) -> list[Known]:
    """What is known and did not occur, though every check that has seen it was tried."""
    seen = {failure.fingerprint for outcome in outcomes for failure in outcome.failures}
    tried = {outcome.check.id for outcome in outcomes if outcome.untried is None}
    return [known for known in baseline if known.fingerprint not in seen and tried >= set(known.checks)]


def updated(outcomes: Sequence[Outcome], baseline: Sequence[Known]) -> list[Known]:
    """The baseline as this run saw it; what it could not see stays."""
    gone = no_longer(outcomes, baseline)
    found = {known.fingerprint: known for known in baseline if known not in gone}
    for outcome in outcomes:
        for failure in outcome.failures:
            if failure.confirmed in _COUNTS:
                before = found.get(failure.fingerprint)
                checks = {*(before.checks if before else ()), outcome.check.id}
                message = before.message if before else failure.broken.message
                found[failure.fingerprint] = Known(failure.fingerprint, tuple(sorted(checks)), message)
    return sorted(found.values(), key=lambda known: json.dumps(known.fingerprint))


def write(path: Path, baseline: Sequence[Known], redact: Any) -> None:
    """Put a baseline into a file, whole or not at all."""
    data = {"version": VERSION, "failures": [as_data(known) for known in baseline]}
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(redact(data), indent=1, ensure_ascii=False) + "\n", "utf-8")
    new.replace(path)


def as_data(known: Known) -> Mapping[str, Any]:
    """For a file or a report."""
    return {
        "fingerprint": known.fingerprint._asdict(),
        "checks": list(known.checks),
        "message": known.message,
    }
