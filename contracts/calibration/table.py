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
        if each not in _assumed(assumption) and (switch is None or not switch.serves({"status": each}))
    ]
    covered = {"status"}
    if switch is not None:
        parts = {"codes": "code", "texts": "message"}
        covered |= {kind for kind, part in parts.items() if part in switch.parts}
        covered |= {*rows} - {*parts} if switch.names else {"behaviour"}
    return missing + [f"{kind} {each}" for kind in rows if kind not in covered for each in rows[kind]]


def _assumed(assumption: str) -> set[object]:
    """Statuses of what is assumed, where a switch replaces them."""
    switch = switches().get(assumption)
    return {row.get("status") for row in switch.refusals} if switch is not None else set()


def _statuses(assumption: str) -> Iterator[object]:
    """Statuses that are alternatives; an example where any behaviour is one."""
    rows = assumptions()[assumption].alternatives
    listed = [each for each in rows.get("status", ()) if each not in _assumed(assumption)]
    yield from listed or ([400] if "behaviour" in rows else [])
