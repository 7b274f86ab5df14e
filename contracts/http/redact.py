"""Redaction: secrets in reports, however they are spelled, are replaced by names."""

from __future__ import annotations

import html
import math
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

MIN_SECRET, MIN_PART = 4, 8
"""Characters of a user, password or header that are masked as a word, and as a part of a word."""
MIN_BASE64 = 8
"""Characters of base64 that identify a secret; fewer could be by chance."""
MIN_PREFIX, MIN_TRUNCATED = 6, 100
"""Characters of a secret that are masked at the end of a text that was truncated to this length or more."""


class Redactor:
    """Replaces keys by the names of their environment variables, and other secrets by the names given."""

    def __init__(self, keys: Mapping[str, str], more: Iterable[tuple[str, str]] = ()) -> None:
        named = [(f"$CONTRACTS_{role.upper()}_KEY", key, False) for role, key in keys.items() if key]
        # A short password is also a part of other words, and a role's name is a word of the reports.
        others = ((name, value) for name, value in more if len(value) >= MIN_SECRET and value not in keys)
        named += [(name, value, len(value) < MIN_PART) for name, value in others]
        found = sorted(dict.fromkeys(named), key=lambda secret: -len(secret[1]))
        self._secrets = [_Secret(name, value, word=word) for name, value, word in found]

    def text(self, text: str) -> str:
        """Text without secrets."""
        lower, flat = text.lower(), _flat(text)
        for secret in self._secrets:
            if secret.occurs(text, lower, flat):
                text = secret.pattern.sub(secret.name, text)
            text = secret.without_its_beginning(text)
        return text

    def __call__(self, value: Any) -> Any:
        """Strict JSON data without secrets: numbers are finite, and text can be encoded as UTF-8."""
        if isinstance(value, str):
            # Generated text may have a lone surrogate, which UTF-8 can't encode.
            return self.text(value).encode("utf-8", "replace").decode()
        if isinstance(value, Mapping):
            return {self(str(name)): self(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self(inner) for inner in value]
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class _Secret:
    """One secret, and a pattern of all its spellings."""

    def __init__(self, name: str, value: str, *, word: bool = False) -> None:
        self.name = name
        self._lower, self._flat = value.lower(), _flat(value)
        self._base64 = tuple(_base64(value.encode("utf-8", "replace")))
        plain = "".join(map(_spellings, value))
        plain = rf"(?<![A-Za-z0-9]){plain}(?![A-Za-z0-9])" if word else plain
        encoded = ("".join(map(_spellings, part)) for part in self._base64)
        edges = [rf"[A-Za-z0-9+/_-]?{part}[A-Za-z0-9+/_-]?={{0,2}}" for part in encoded]
        self.pattern = re.compile("|".join((f"(?i:{plain})", *edges)))

    def occurs(self, text: str, lower: str, flat: str) -> bool:
        """Whether the pattern may match; much faster than the pattern."""
        if self._lower in lower or self._flat.lower() in flat.lower():
            return True
        return any(part in text or part in flat for part in self._base64)

    def without_its_beginning(self, text: str) -> str:
        """Text whose truncation left the beginning of the secret at its end, without it."""
        if len(text) < MIN_TRUNCATED:
            return text
        end = text[-len(self._lower) :].lower().rstrip("…'\"")
        lengths = range(len(self._lower) - 1, MIN_PREFIX - 1, -1)
        length = next((n for n in lengths if end.endswith(self._lower[:n])), 0)
        at = text.lower().rfind(self._lower[:length]) if length else len(text)
        return text if not length else f"{text[:at]}{self.name}"


def _flat(text: str) -> str:
    """Text without the escapes of JSON, URLs, HTML and shells."""
    if not any(sign in text for sign in "\\%&'"):
        return text
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unquote(unquote(html.unescape(text))).replace("\\", "").replace("'\"'\"'", "'")


def _spellings(char: str) -> str:
    """Pattern of a character: itself, or escaped for JSON, a URL, HTML or a shell."""
    words = char.encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(words[n : n + 2], "big") for n in range(0, len(words), 2))
    forms = [
        rf"\\{{0,3}}{re.escape(char)}",
        "".join(rf"\\{{1,2}}(?i:u{unit:04x})" for unit in units),
        "".join(rf"%(?:25)?(?i:{byte:02x})" for byte in char.encode("utf-8", "replace")),
        rf"&#0*{ord(char)};",
        rf"&#(?i:x0*{ord(char):x});",
    ]
    forms += [html.escape(char)] if html.escape(char) != char else []
    forms += [re.escape("'\"'\"'")] if char == "'" else []
    return f"(?:{'|'.join(forms)})"


def _base64(value: bytes) -> Iterator[str]:
    """Base64 of the secret at each alignment, without the characters that its neighbours change."""
    for offset in range(3):
        text = b64encode(bytes(offset) + value).decode()
        part = text[(offset * 8 + 5) // 6 : (offset + len(value)) * 8 // 6]
        if len(part) >= MIN_BASE64:
            yield from dict.fromkeys((part, part.replace("+", "-").replace("/", "_")))
