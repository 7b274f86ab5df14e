"""Redaction: API keys in reports are replaced by the names of their variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


class Redactor:
    """Replaces keys by the names of their environment variables."""

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
        """JSON data without keys."""
        if isinstance(value, str):
            # Generated text may have a lone surrogate, which UTF-8 can't encode.
            return self.text(value).encode("utf-8", "replace").decode()
        if isinstance(value, Mapping):
            return {self(name): self(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self(inner) for inner in value]
        return value
