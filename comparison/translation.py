"""Requests for the server on the right: ids and cursors of the left one replaced by their partners."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from comparison.names import Names

_WORD = re.compile(r"[A-Za-z0-9_\-]{6,}")


class Translation:
    """Texts of the left server as the right one has them."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def path(self, path: str) -> str:
        """Path with its query."""
        plain, _, query = path.partition("?")
        steps = [quote(self._id(step), safe="%:@!$&'()*+,;=~-._") for step in plain.split("/")]
        if not query:
            return "/".join(steps)
        pairs = [(name, self._id(value)) for name, value in parse_qsl(query, keep_blank_values=True)]
        return "/".join(steps) + "?" + urlencode(pairs)

    def body(self, text: str) -> str:
        """Body, of which only JSON is changed."""
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        return orjson.dumps(self.value(value)).decode()

    def value(self, value: Any) -> Any:
        """JSON value."""
        if isinstance(value, dict):
            return {name: self.value(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Text with each known id in it replaced."""
        label = self._names.label(0, text)
        if label is not None:
            return self._names.values[label][1]
        return _WORD.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        label = self._names.label(0, found[0])
        return found[0] if label is None else self._names.values[label][1]

    def _id(self, text: str) -> str:
        """Id, or cursor."""
        for label, (left, right) in reversed(self._names.values.items()):
            if left == text and label.startswith("cursor:"):
                return right
        return self.text(text)
