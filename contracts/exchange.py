"""One request and its answer, as the suite sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What was sent; the key by the name of its role, never itself."""

    method: str
    path: str
    """With its query, percent-encoded."""
    role: str | None
    """owner, editor, viewer, outsider or foreign; None without a credential."""
    body: Any = None
    headers: Mapping[str, str] = {}


class Answer(NamedTuple):
    """What came back."""

    request: Request
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    text: str
    milliseconds: float
    at: float = 0.0
    """When it was asked for, by the monotonic clock."""

    @property
    def body(self) -> Any:
        """The decoded JSON body; None if there is none or it is not JSON."""
        try:
            return json.loads(self.text) if self.text else None
        except ValueError:
            return None
