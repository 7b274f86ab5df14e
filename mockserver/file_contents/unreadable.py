"""Error of a file whose text can't be read."""

from __future__ import annotations

MOST_TEXT = 10_000_000
"""Most bytes of a file's text; the vendor's published limit for text files."""


class Unreadable(Exception):
    """A file whose text can't be read; the text is one sentence for the user."""
