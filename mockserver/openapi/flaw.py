"""One thing that is wrong with a request or a document, and where."""

from __future__ import annotations

from typing import NamedTuple


class Flaw(NamedTuple):
    """One thing that is wrong with a request (A09)."""

    place: str
    """path, query, header or body"""
    name: str
    """Dotted for nested values (A54): `inputs.0.content`; empty for the body as a whole."""
    message: str
