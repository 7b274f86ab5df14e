"""Text of a target, made safe to print: control characters and commands of build servers are escaped."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
    r"|(?<=:):(?=[A-Za-z-]+(?:::|\s))|(?<=#)#(?=\[|vso\[)"
)
"""Controls, direction marks, invisible characters, lone surrogates; `::error::`, `##[error]`, `##vso[`."""


def visible(text: str) -> str:
    """Text with unsafe characters as \\xNN, \\uNNNN or \\UNNNNNNNN; tabs and line feeds stay.

    The escapes are those of $'...' in a shell.
    """
    return _UNSAFE.sub(lambda match: _escaped(ord(match[0])), text)


def is_visible(text: str) -> bool:
    """Whether `visible` leaves the text as it is."""
    return _UNSAFE.search(text) is None


def _escaped(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
