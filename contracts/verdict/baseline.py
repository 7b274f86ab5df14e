"""Baseline: known failures, which are reported and don't fail a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from contracts.checks.errors import Fingerprint, Usage
from contracts.verdict.failure import WORST, Failure, Outcome, Verdict
from contracts.verdict.fingerprint import cause

VERSION = 2
_COUNTS = (Verdict.BROKEN, Verdict.ASSUMPTION)


class KnownFailure(NamedTuple):
    """One known failure."""

    fingerprint: Fingerprint
    checks: tuple[str, ...]
    """Checks that found it; it counts as gone only if all of them ran without it."""
    message: str
    generated_by: str = ""
    """Seed and profile of the run that found it; empty if no generated request is needed."""


def read(path: Path) -> list[KnownFailure]:
    """Read a baseline file."""
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["version"] != VERSION:
            again = "write it again with --update-baseline"
            has = f"has version {data['version']}, this suite reads {VERSION}"
            raise Usage(f"--baseline: {path} {has}: delete it, and {again}")
        return [
            KnownFailure(
                Fingerprint(**entry["fingerprint"]),
                tuple(entry["checks"]),
                entry["message"],
                entry["generated_by"],
            )
            for entry in data["failures"]
        ]
    except FileNotFoundError as error:
        raise Usage(f"--baseline: {path} does not exist; --update-baseline writes it") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Usage(f"--baseline: {path} is not a baseline: {type(error).__name__}: {error}") from error


def load(path: Path | None, *, update: bool) -> list[KnownFailure]:
    """Baseline of a run's options; empty if there is none, or a new one is to be written."""
    if path is None:
        if update:
            raise Usage("--update-baseline: pass the file with --baseline FILE")
        return []
    return [] if update and not path.exists() else read(path)


def mark_known(outcomes: Sequence[Outcome], baseline: Sequence[KnownFailure]) -> list[Outcome]:
    """Outcomes with `known` set on each failure of the baseline."""
    known = {cause(each.fingerprint) for each in baseline}

    def mark(failures: Sequence[Failure]) -> tuple[Failure, ...]:
        marked = (failure._replace(known=cause(failure.fingerprint) in known) for failure in failures)
        return tuple(sorted(marked, key=lambda failure: WORST.index(failure.verdict)))

    return [outcome._replace(failures=mark(outcome.failures)) for outcome in outcomes]


def no_longer(
    outcomes: Sequence[Outcome], baseline: Sequence[KnownFailure], generator: str
) -> list[KnownFailure]:
    """Known failures that did not occur although every check that found them ran, with the same requests.

    `generator` is the seed and profile of the run: other generated requests may miss a failure.
    """
    seen = {cause(failure.fingerprint) for outcome in outcomes for failure in outcome.failures}
    tried = {outcome.check.id for outcome in outcomes if outcome.skipped is None}
    return [
        known
        for known in baseline
        if cause(known.fingerprint) not in seen
        and tried >= set(known.checks)
        and known.generated_by in ("", generator)
    ]


def updated(
    outcomes: Sequence[Outcome], baseline: Sequence[KnownFailure], generator: str
) -> list[KnownFailure]:
    """Baseline updated by this run; failures that it could not test stay."""
    gone = no_longer(outcomes, baseline, generator)
    found = {cause(known.fingerprint): known for known in baseline if known not in gone}
    for outcome in outcomes:
        by = "" if outcome.check.layer == "behaviour" else generator
        for failure in outcome.failures:
            if failure.confirmed in _COUNTS:
                new = KnownFailure(failure.fingerprint, (outcome.check.id,), failure.brief, by)
                found[cause(new.fingerprint)] = _merged(found.get(cause(new.fingerprint)), new)
    return sorted(found.values(), key=lambda known: json.dumps(known.fingerprint))


def _merged(before: KnownFailure | None, new: KnownFailure) -> KnownFailure:
    """Known failure with the checks of both; a check without generated requests suffices to find it."""
    if before is None:
        return new
    checks = tuple(sorted({*before.checks, *new.checks}))
    return before._replace(checks=checks, generated_by=before.generated_by and new.generated_by)


def write(path: Path, baseline: Sequence[KnownFailure], redact: Any) -> None:
    """Write a baseline file atomically."""
    data = {"version": VERSION, "failures": [as_data(known) for known in baseline]}
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(redact(data), indent=1, ensure_ascii=False) + "\n", "utf-8")
    new.replace(path)


def as_data(known: KnownFailure) -> Mapping[str, Any]:
    """JSON object of a baseline file or report."""
    return {**known._asdict(), "fingerprint": known.fingerprint._asdict(), "checks": list(known.checks)}
