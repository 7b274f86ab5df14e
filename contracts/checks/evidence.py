"""How well each promise is founded, and what else an assumption allows."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from importlib import resources

import yaml


class Evidence(IntEnum):
    """Strongest last; the words are openapi.yaml's."""

    ASSUMED = 0
    OBSERVED = 1
    SDK = 2
    PUBLISHED = 3
    DOCUMENTED = 4

    def __str__(self) -> str:
        return self.name.lower()


class Assumptions:
    """contracts/assumptions.yaml: what a deployment may do instead."""

    def __init__(self) -> None:
        text = (resources.files("contracts") / "assumptions.yaml").read_text("utf-8")
        self._table: dict[str, dict[str, list[object]]] = yaml.safe_load(text)

    def alternatives(self, assumption: str, what: str) -> Sequence[object]:
        """Further values of `what` that do not break the contract, such as another status."""
        return self._table.get(assumption, {}).get(what, [])

    def __contains__(self, assumption: object) -> bool:
        return assumption in self._table
