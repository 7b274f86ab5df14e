"""Validation error of one field."""

from __future__ import annotations

from typing import NamedTuple


class FieldError(NamedTuple):
    """Validation error of one field of a request or document (A09)."""

    place: str
    """path, query, header or body"""
    name: str
    """Dotted path of a nested value (A54), such as `inputs.0.content`; empty for the whole body."""
    message: str
