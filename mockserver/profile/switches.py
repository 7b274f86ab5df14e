"""Switches: how the mock follows alternatives of assumptions, from switches.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from mockserver.openapi.yaml_document import Document

Alternative: TypeAlias = str | Mapping[str, Any]
"""Name of an alternative, or the parts of an answer that differ: status, code, message, system_message."""
AS_ASSUMED = "as assumed"
PARTS: Mapping[str, type] = {"status": int, "code": str, "message": str, "system_message": str}
"""Parts of an answer, each with its type."""


class Switch:
    """How the mock follows the alternatives of one assumption."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.refusals: Sequence[Mapping[str, Any]] = row.get("refusal", ())
        self.successes: Sequence[Mapping[str, Any]] = row.get("success", ())
        self.rendering: Sequence[str] = row.get("rendering", ())
        self.building: Mapping[str, Sequence[str]] = row.get("building", {})
        self.behaviour: Mapping[str, Sequence[str]] = row.get("behaviour", {})
        """Operations by alternative."""
        self._always: Sequence[Any] = row.get("always", ())
        self._documents: Mapping[str, Sequence[Any]] = row.get("document", {})

    @property
    def names(self) -> list[str]:
        """Alternatives that have a name, without those that are parts of an answer."""
        return sorted(name for name in self.listed if not name.startswith("status "))

    @property
    def parts(self) -> list[str]:
        """Parts of an answer that may differ."""
        rows = (*self.refusals, *self.successes)
        found = [part for row in rows for part in row["parts"]]
        return [*dict.fromkeys(found), *(["status"] if not rows and self._has_status else [])]

    @property
    def _has_status(self) -> bool:
        return any(name.startswith("status ") for name in self.listed)

    @property
    def kinds(self) -> list[str]:
        """Kinds of change: answer, document, behaviour."""
        kinds = {
            "answer": self.refusals or self.successes or self.rendering,
            "document": self._documents or self._always,
            "behaviour": self.behaviour or self.building,
        }
        return [kind for kind, rows in kinds.items() if rows]

    def key(self, text: str) -> str:
        """Alternative in the table; `N by default` for every number."""
        return text if text in self.listed else re.sub(r"^\d{1,6} ", "N ", text)

    @property
    def listed(self) -> set[str]:
        """Alternatives in the table, as texts."""
        return {*self.rendering, *self.building, *self.behaviour, *self._documents}

    def actions(self, alternative: Alternative) -> list[Any]:
        """Overlay actions for an alternative."""
        text = text_of(alternative)
        actions = self._documents.get(self.key(text), ())
        if self.key(text) != text:
            actions = orjson.loads(orjson.dumps(actions).replace(b'"N"', text.partition(" ")[0].encode()))
        return [*self._always, *actions]

    def serves(self, alternative: Alternative) -> bool:
        """Whether the mock can follow an alternative."""
        text = text_of(alternative)
        if self.key(text) in self.listed:
            return True
        if isinstance(alternative, str) or not alternative.keys() <= {*self.parts}:
            return False
        status = alternative.get("status", 400)
        bodiless = any(row.get("bodiless") for row in self.refusals)
        rows = self.refusals if status >= 300 or bodiless else ()
        served = {part for row in (*rows, *self.successes) for part in row["parts"]}
        return alternative.keys() <= (served - {"status"} if self.successes else served)


def text_of(alternative: Alternative) -> str:
    """Alternative as one text, such as `status 409`."""
    if isinstance(alternative, str):
        return alternative
    return ", ".join(f"{part} {value}" for part, value in alternative.items())


@cache
def switches() -> Mapping[str, Switch]:
    """Switches by assumption."""
    document = Document(Path(str(resources.files("mockserver.profile") / "switches.yaml")))
    return {id_: Switch(row) for id_, row in document.content.items()}
