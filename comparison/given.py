"""Answer of a server as it is compared, and what its errors tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

SLACK = 5.0
"""Seconds by which times may differ, besides the time that a comparison has taken."""
KEY_STATES: Mapping[str, str] = {
    "API_KEY_EXPIRED": "expired",
    "TOKEN_EXPIRED": "expired",
    "API_KEY_DEACTIVATED": "deactivated",
    "API_KEY_PAUSED": "paused",
}
"""Code of a 401 -> state of the key."""


class Given(NamedTuple):
    """Answer of a server."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    text: str

    @property
    def body(self) -> Any:
        """Decoded JSON body; None without one."""
        return decoded(self.text)


def decoded(text: str) -> Any:
    """JSON value of a text; None if it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def error_of(body: Any) -> Mapping[str, Any]:
    """Error in the envelope of an answer; empty without one."""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
