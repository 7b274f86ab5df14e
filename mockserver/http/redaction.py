"""What is never shown: keys, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

MASK = "***"
CREDENTIALS = ("X-API-Key", "Authorization")
"""The headers that say who calls."""
SECRET = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token")
)
"""Headers whose value is a secret as a whole; a scheme in front of it is none."""
LIKE_A_KEY = re.compile(r"(?<![A-Za-z0-9])([asp]k_[\w-]{3,}|eyJ[\w-]{8,}\.[\w.-]+)")
"""API keys by their customary prefixes, and JSON web tokens."""
FEW = 200
"""Known keys that are each looked for; of more, only those that stand as a word of their own."""
_WORD = re.compile(r"[\w.~+/=-]{4,}")


def masked(text: str, credentials: Iterable[str], secrets: Iterable[str] = ()) -> str:
    """`text` without these secrets, those of these headers' values, and what looks like a key."""
    wanted = [*secrets]
    for value in credentials:
        wanted += _parts(value, text)
    for secret in wanted:
        if len(secret) > 3 and secret.lower() != "bearer":
            text = text.replace(secret, MASK)
    # Asked of every path: looking for what every key has in it takes a tenth of the time of the pattern.
    return LIKE_A_KEY.sub(MASK, text) if "k_" in text or "eyJ" in text else text


def _parts(value: str, text: str) -> tuple[str, ...]:
    """What in `text` may be the secret of a header: all of it, all behind the scheme, the last word."""
    last = value.split()[-1:]
    if not last or last[0] not in text:
        return ()  # the longer parts end with it
    return value, value.partition(" ")[2].strip(), *last


class Mask:
    """Takes out every known key."""

    def __init__(self, keys: Collection[str]) -> None:
        self._all = keys
        self._few = (
            sorted((k for k in keys if len(k) > 3), key=len, reverse=True) if len(keys) <= FEW else None
        )

    def text(self, text: str, credentials: Iterable[str] = ()) -> str:
        """`text` without known keys, and without what `masked` takes out."""
        if self._few is None:
            text = _WORD.sub(lambda word: MASK if word[0] in self._all else word[0], text)
        else:
            for key in self._few:
                if key in text:
                    text = text.replace(key, MASK)
        return masked(text, credentials)

    @staticmethod
    def header(name: str, value: str) -> str | None:
        """A secret header's value with its scheme alone; None if the header is no secret."""
        if name.lower() not in SECRET:
            return None
        scheme, blank, _ = value.partition(" ")
        return f"{scheme} {MASK}" if blank and "cookie" not in name.lower() and scheme.isalpha() else MASK

    def end(self, text: str) -> str:
        """A text that was cut, without the beginning of a known key at its end."""
        for key in self._few or ():
            for length in range(min(len(key) - 1, len(text)), 3, -1):
                if text.endswith(key[:length]):
                    return text[:-length] + MASK
        return text
