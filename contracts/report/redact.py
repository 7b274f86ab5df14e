"""Keys are never told: what a report says has the names of their variables instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


class Redactor:
    """Puts the name of its variable where a key stands."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        pairs = sorted(((key, role) for role, key in keys.items() if key), key=lambda pair: -len(pair[0]))
        self._spelled = [
            (spelled, f"$CONTRACTS_{role.upper()}_KEY")
            for key, role in pairs
            for spelled in dict.fromkeys((key, quote(key, safe=""), json.dumps(key)[1:-1]))
        ]

    def text(self, text: str) -> str:
        """Text without keys."""
        for spelled, instead in self._spelled:
            text = text.replace(spelled, instead)
        return text

    def __call__(self, value: Any) -> Any:
        """Any data without keys."""
        if isinstance(value, str):
            # Half a surrogate pair can be in what was made up, and in no file.
            return self.text(value).encode("utf-8", "replace").decode()
        if isinstance(value, Mapping):
            return {self(name): self(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self(inner) for inner in value]
        return value
