"""One request and its answer, as the suite sees them."""

from __future__ import annotations

import json
import shlex
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

    def as_curl(self) -> str:
        """The request as a command; the target and the keys are variables."""
        parts = ["curl", "-i", "-X", self.method, f'"$TARGET{self.path}"']
        if self.role is not None:
            parts += ["-H", f'"X-API-Key: $CONTRACTS_{self.role.upper()}_KEY"']
        for name, value in self.headers.items():
            parts += ["-H", shlex.quote(f"{name}: {value}")]
        if self.body is not None:
            text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
            if "Content-Type" not in self.headers:
                parts += ["-H", "'Content-Type: application/json'"]
            parts += ["--data-raw", shlex.quote(text)]
        return " ".join(parts)


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
