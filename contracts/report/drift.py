"""Drift ledger: differences of lock step that no profile explains, with when they were seen."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison import ledger
from contracts.checks.errors import Usage
from contracts.verdict.failure import Failure, Outcome


def read(path: Path) -> list[dict[str, Any]]:
    """Entries of a ledger; Usage for another file, or none."""
    try:
        return ledger.read(path)
    except ValueError as error:
        raise Usage(str(error)) from error


def known(path: Path) -> list[dict[str, Any]]:
    """Entries of a ledger, none if there is no file."""
    return read(path) if path.exists() else []


def record(path: Path, outcomes: Sequence[Outcome], date: str) -> ledger.DriftCounts:
    """Add the differences of a run to a ledger."""
    known(path)
    seen = [_entry(each) for outcome in outcomes for each in outcome.failures if _is_lockstep(each)]
    try:
        return ledger.add(path, seen, date)
    except OSError as error:
        raise Usage(f"{path} can't be written: {error.strerror}; pass another --drift") from error


def answers(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Any]]:
    """Operation, assumption, part and value of each entry that says how an answer differs."""
    for entry in entries:
        if "part" in entry and "value" in entry:
            yield str(entry["operation"]), str(entry["claim"]), str(entry["part"]), entry["value"]


def _is_lockstep(failure: Failure) -> bool:
    return failure.check.layer == "lockstep" and bool(failure.broken.what)


def _entry(failure: Failure) -> dict[str, Any]:
    claim = failure.assumption if failure.is_assumed else None
    entry = {
        "operation": failure.fingerprint.operation,
        "difference": failure.broken.what,
        "claim": claim or str(failure.evidence),
    }
    kind, pointer = failure.broken.what.partition(" at ")[::2]
    value = _value(failure.broken.got)
    if claim is None or kind not in ("status", "value") or pointer not in ledger.PARTS or value is None:
        return entry
    return {**entry, "part": ledger.PARTS[pointer], "value": value}


def _value(shown: Any) -> Any:
    """Status or text of the target; None for one that was cut off."""
    if isinstance(shown, int):
        return shown
    try:
        value = ast.literal_eval(str(shown))
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None
