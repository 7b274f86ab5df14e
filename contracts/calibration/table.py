"""Alternatives of each assumption: those that the mock follows, and those without a switch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.checks.evidence import assumptions
from contracts.http.documents import switches

TEXTS = {"code": "ANOTHER_CODE", "message": "Another message", "system_message": "Another text"}
"""Examples of texts and codes that no source tells."""


def followed(assumption: str) -> list[Any]:
    """Alternatives that the mock follows, with an example of each unknown text."""
    switch = switches().get(assumption)
    if switch is None:
        return []
    statuses = [{"status": each} for each in _statuses(assumption)]
    texts = [{part: TEXTS[part]} for part in switch.parts if part != "status"]
    names = [name.replace("N ", "20 ") if name.startswith("N ") else name for name in switch.names]
    return [*names, *(each for each in (*statuses, *texts) if switch.serves(each))]


def without_switch(assumption: str) -> list[str]:
    """Alternatives in contracts/assumptions.yaml that the mock can't follow."""
    switch = switches().get(assumption)
    rows = assumptions()[assumption].alternatives
    missing = [
        f"status {each}"
        for each in rows.get("status", ())
        if switch is None or not switch.serves({"status": each})
    ]
    if switch is None:
        missing += [f"{kind} {each}" for kind, values in rows.items() if kind != "status" for each in values]
    return missing


def _statuses(assumption: str) -> Iterator[object]:
    """Statuses that are alternatives; an example where any behaviour is one."""
    rows = assumptions()[assumption].alternatives
    assumed = {row.get("status") for row in switches()[assumption].refusals}
    listed = [each for each in rows.get("status", ()) if each not in assumed]
    yield from listed or ([400] if "behaviour" in rows else [])
