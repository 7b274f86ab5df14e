"""Drift ledger: differences of lock step that no profile explains, with when they were seen."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from contracts.checks.errors import Usage
from contracts.checks.evidence import LOADER
from contracts.verdict.failure import Failure, Outcome

HEAD = "# Drift: differences of lock step, by `contracts run --drift FILE`. docs/calibration.md\n"
_PARTS = {"": "status", **{f"/error/{part}": part for part in ("code", "message", "system_message")}}
"""Places of an answer that a profile can have otherwise."""
_KEY = ("operation", "difference", "claim")
_FIELDS = (*_KEY, "first_seen", "last_seen")


class DriftCounts(NamedTuple):
    """Number of differences in a ledger."""

    new: int
    known: int


def read(path: Path) -> list[dict[str, Any]]:
    """Entries of a ledger; Usage for another file, or none."""
    try:
        content = yaml.load(path.read_text("utf-8"), LOADER)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise Usage(f"{path}: {why}; pass a file of `contracts run --drift`") from error
    if not isinstance(content or [], list) or not all(
        isinstance(entry, dict) and {*_FIELDS} <= entry.keys() for entry in content or []
    ):
        raise Usage(f"{path} is no drift ledger; pass a file of `contracts run --drift`")
    return content or []


def known(path: Path) -> list[dict[str, Any]]:
    """Entries of a ledger, none if there is no file."""
    return read(path) if path.exists() else []


def record(path: Path, outcomes: Sequence[Outcome], date: str) -> DriftCounts:
    """Add the differences of a run to a ledger."""
    entries = {tuple(entry[name] for name in _KEY): entry for entry in known(path)}
    before = len(entries)
    seen = [_entry(each, date) for outcome in outcomes for each in outcome.failures if _is_lockstep(each)]
    for entry in seen:
        key = tuple(entry[name] for name in _KEY)
        first = entries.get(key, entry)["first_seen"]
        entries[key] = {**entry, "first_seen": first}
    ordered = [entries[key] for key in sorted(entries)]
    lines = yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=10**6)
    try:
        path.write_text(HEAD + lines, "utf-8")
    except OSError as error:
        raise Usage(f"{path} can't be written: {error.strerror}; pass another --drift") from error
    new = len(entries) - before
    return DriftCounts(new, len({tuple(entry[name] for name in _KEY) for entry in seen}) - new)


def answers(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Any]]:
    """Operation, assumption, part and value of each entry that says how an answer differs."""
    for entry in entries:
        if "part" in entry and "value" in entry:
            yield str(entry["operation"]), str(entry["claim"]), str(entry["part"]), entry["value"]


def _is_lockstep(failure: Failure) -> bool:
    return failure.check.layer == "lockstep" and bool(failure.broken.what)


def _entry(failure: Failure, date: str) -> dict[str, Any]:
    claim = failure.assumption if failure.is_assumed else None
    entry = {
        "operation": failure.fingerprint.operation,
        "difference": failure.broken.what,
        "claim": claim or str(failure.evidence),
        "first_seen": date,
        "last_seen": date,
    }
    kind, pointer = failure.broken.what.partition(" at ")[::2]
    value = _value(failure.broken.got)
    if claim is None or kind not in ("status", "value") or pointer not in _PARTS or value is None:
        return entry
    return {**entry, "part": _PARTS[pointer], "value": value}


def _value(shown: Any) -> Any:
    """Status or text of the target; None for one that was cut off."""
    if isinstance(shown, int):
        return shown
    try:
        value = ast.literal_eval(str(shown))
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None
