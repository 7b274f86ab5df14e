"""Evidence levels, effects, and assumptions with the alternatives that each allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import NamedTuple

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader where it is installed, which takes a tenth of the time."""


class Evidence(IntEnum):
    """Evidence for a claim, weakest first; the names are those of openapi.yaml."""

    ASSUMED = 0
    OBSERVED = 1
    SDK = 2
    PUBLISHED = 3
    DOCUMENTED = 4

    def __str__(self) -> str:
        return self.name.lower()


class EffectClaim(NamedTuple):
    """Claim about what a call does to other responses."""

    sentence: str
    """The documents' own words, where they have some."""
    source: str
    evidence: Evidence
    assumption: str | None = None


@cache
def effects() -> dict[str, EffectClaim]:
    """Effects by id, from contracts/effects.yaml."""
    text = (resources.files("contracts") / "effects.yaml").read_text("utf-8")
    rows: dict[str, dict[str, str]] = yaml.load(text, LOADER)  # noqa: S506 - a safe loader
    return {
        id_: EffectClaim(
            row["sentence"], row["source"], Evidence[row["evidence"].upper()], row.get("assumption")
        )
        for id_, row in rows.items()
    }


class Assumption(NamedTuple):
    """What no source says, decided here."""

    about: str
    decision: str
    alternatives: Mapping[str, Sequence[object]]
    """What a deployment may do instead, by kind: status, codes, texts, order, bounds, and others."""
    decided_by: Mapping[str, Sequence[str]]
    """Checks that decide it, or operations whose responses show it."""

    @property
    def text(self) -> str:
        """The sentence without Markdown."""
        return f"{self.about}: {self.decision}".replace("`", "").replace("*", "")


@cache
def assumptions() -> dict[str, Assumption]:
    """Assumptions by id, from contracts/assumptions.yaml."""
    text = (resources.files("contracts") / "assumptions.yaml").read_text("utf-8")
    rows = yaml.load(text, LOADER)  # noqa: S506 - a safe loader
    return {id_: Assumption(**row) for id_, row in rows.items()}


class Assumptions:
    """Alternatives by assumption."""

    def alternatives(self, assumption: str, what: str) -> Sequence[object]:
        """Further values of `what`, such as another status, that do not break the contract."""
        found = assumptions().get(assumption)
        return found.alternatives.get(what, []) if found else []


def assumption_texts() -> dict[str, str]:
    """What each assumption says, by its id."""
    return {id_: each.text for id_, each in assumptions().items()}
