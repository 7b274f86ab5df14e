"""Drift ledger: differences between a mock and a deployment, with the days on which they were seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HEAD = "# Drift: differences of a deployment from the mock. docs/calibration.md\n"
PARTS = {"": "status", **{f"/error/{part}": part for part in ("code", "message", "system_message")}}
"""Places of an answer that a profile can have otherwise."""
_KEY = ("operation", "difference", "claim")
_FIELDS = (*_KEY, "first_seen", "last_seen")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DriftCounts(NamedTuple):
    """Number of differences in a ledger."""

    new: int
    known: int


def read(path: Path) -> list[dict[str, Any]]:
    """Entries of a ledger; ValueError for another file, or none."""
    try:
        content = yaml.load(path.read_text("utf-8"), _LOADER)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise ValueError(f"{path}: {why}; pass a file of `contracts run --drift`") from error
    if not isinstance(content or [], list) or not all(
        isinstance(entry, dict) and {*_FIELDS} <= entry.keys() for entry in content or []
    ):
        raise ValueError(f"{path} is no drift ledger; pass a file of `contracts run --drift`")
    return content or []


def known(path: Path) -> list[dict[str, Any]]:
    """Entries of a ledger, none if there is no file."""
    return read(path) if path.exists() else []


def add(path: Path, seen: Iterable[Mapping[str, Any]], date: str) -> DriftCounts:
    """Add differences that were seen on a day to a ledger; ValueError or OSError if that fails."""
    entries = {tuple(entry[name] for name in _KEY): entry for entry in known(path)}
    before, found = len(entries), set()
    for entry in seen:
        key = tuple(entry[name] for name in _KEY)
        first = entries[key]["first_seen"] if key in entries else date
        head = {name: entry[name] for name in _KEY}
        entries[key] = {**head, "first_seen": first, "last_seen": date, **entry}
        found.add(key)
    ordered = [entries[key] for key in sorted(entries)]
    lines = yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=10**6)
    path.write_text(HEAD + lines, "utf-8")
    new = len(entries) - before
    return DriftCounts(new, len(found) - new)
