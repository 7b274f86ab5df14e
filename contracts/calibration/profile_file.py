"""Profiles on disk: small, sorted, without ids and keys; and what changed between two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from contracts.calibration.calibrate import Finding
from contracts.checks.errors import Usage
from contracts.checks.evidence import LOADER, assumptions
from contracts.checks.spec import document
from contracts.http.documents import switches

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
    """Content of a profile; Usage if it is none."""
    try:
        content = yaml.load(path.read_text("utf-8"), LOADER)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise Usage(f"{path} can't be read: {why}; pass a file of `contracts calibrate`") from error
    if not isinstance(content, dict) or not isinstance(content.get("assumptions"), dict):
        raise Usage(f"{path} is not a profile; `contracts calibrate --target URL -o FILE` writes one")
    return content


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

    A switch has to be about the operation, and what a probe saw is not overruled.
    """
    found, added = dict(entries), []
    for operation, id_, part, value in answers:
        rows = [row for row in switches()[id_].refusals if part in row["parts"]] if id_ in switches() else []
        entry = found.get(id_, {"not probed": "absent"})
        known = entry if isinstance(entry, dict) and "not probed" not in entry else {}
        is_open = isinstance(entry, dict) and not known.keys() & {part, "something else", "unsteady"}
        is_about = any(operation in row.get("operations", [operation]) for row in rows)
        if is_open and is_about and switches()[id_].serves({part: value}):
            found[id_] = {**known, part: value}
            added.append(f"{id_} {part}: {value}")
    return found, added
