"""Evidence levels, and the alternatives that each assumption allows."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import NamedTuple

import yaml


class Evidence(IntEnum):
    """Evidence for a claim, weakest first; the names are those of openapi.yaml."""

    ASSUMED = 0
    OBSERVED = 1
    SDK = 2
    PUBLISHED = 3
    DOCUMENTED = 4

    def __str__(self) -> str:
        return self.name.lower()


class Effect(NamedTuple):
    """Claim about what a call does to other responses."""

    sentence: str
    """The documents' own words, where they have some."""
    source: str
    evidence: Evidence
    assumption: str | None = None


@cache
def effects() -> dict[str, Effect]:
    """Effects by id, from contracts/effects.yaml."""
    text = (resources.files("contracts") / "effects.yaml").read_text("utf-8")
    rows: dict[str, dict[str, str]] = yaml.safe_load(text)
    return {
        id_: Effect(row["sentence"], row["source"], Evidence[row["evidence"].upper()], row.get("assumption"))
        for id_, row in rows.items()
    }


class Assumptions:
    """Alternatives by assumption, read from contracts/assumptions.yaml."""

    def __init__(self) -> None:
        text = (resources.files("contracts") / "assumptions.yaml").read_text("utf-8")
        self._table: dict[str, dict[str, list[object]]] = yaml.safe_load(text)

    def alternatives(self, assumption: str, what: str) -> Sequence[object]:
        """Further values of `what`, such as another status, that do not break the contract."""
        return self._table.get(assumption, {}).get(what, [])
