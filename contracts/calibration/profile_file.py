"""Profiles on disk: small, sorted, without ids and keys; and what changed between two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from contracts.calibration.calibrate import Finding
from contracts.checks.errors import Usage
from contracts.checks.evidence import assumptions
from contracts.checks.spec import document
from contracts.http.documents import entry_fault, profile_content, switches

HEAD = """\
# Profile: which alternative of each assumption a deployment follows. `contracts calibrate` writes it,
# `mockserver serve --profile FILE` follows it. docs/calibration.md
"""
MOST_ABOUT = 70


def text_of(findings: Sequence[Finding], revision: str, date: str) -> str:
    """Profile as YAML."""
    info = document().raw["info"]
    lines = [
        "profile: 1",
        f"document: {_flow(' '.join((info['title'], info['version'])))}",
        f"revision: {_flow(revision)}",
        f"date: {_flow(date)}",
        "assumptions:",
    ]
    for found in findings:
        about = assumptions()[found.assumption].about.replace("`", "")
        short = about if len(about) <= MOST_ABOUT else about[: MOST_ABOUT - 1] + "…"
        lines.append(f"  {found.assumption}: {_flow(found.entry)}  # {short}")
    return HEAD + "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """Value in one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()


def read(path: Path) -> dict[str, Any]:
    """Content of a profile; Usage if it is none, or has an invalid entry."""
    try:
        return profile_content(path)
    except ValueError as error:
        raise Usage(f"{error}; `contracts calibrate --target URL -o FILE` writes a profile") from error


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Lines that say what changed; what one of the two did not probe is no change."""
    if old.get("revision") != new.get("revision"):
        yield f"revision: {old.get('revision')} -> {new.get('revision')}"
    ids = {**old["assumptions"], **new["assumptions"]}
    for id_ in sorted(ids, key=lambda each: (len(each), each)):
        before, after = (each["assumptions"].get(id_, {"not probed": "absent"}) for each in (old, new))
        if before != after and not any(isinstance(x, dict) and "not probed" in x for x in (before, after)):
            about = assumptions()[id_].about.replace("`", "") if id_ in assumptions() else "unknown"
            yield f"{id_} {about}: {_flow(before)} -> {_flow(after)}"


def with_answers(
    entries: Mapping[str, Any], answers: Iterable[tuple[str, str, str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    """Entries with parts of answers that were seen, where that can be said; and lines that say which.

    A switch has to be about the operation, and what a probe saw is not overruled. A value that is invalid in
    a profile is left out.
    """
    found, said = dict(entries), []
    for operation, id_, part, value in answers:
        rows = [row for row in switches()[id_].refusals if part in row["parts"]] if id_ in switches() else []
        entry = found.get(id_, {"not probed": "absent"})
        known = entry if isinstance(entry, dict) and "not probed" not in entry else {}
        is_open = isinstance(entry, dict) and not known.keys() & {part, "something else", "unsteady"}
        is_about = any(operation in row.get("operations", [operation]) for row in rows)
        if not is_open or not is_about:
            continue
        if why := entry_fault(id_, {part: value}):
            said.append(f"left out: {id_} {part}: {value!r} {why}")
        elif switches()[id_].serves({part: value}):
            found[id_] = {**known, part: value}
            said.append(f"{id_} {part}: {value}")
    return found, said
