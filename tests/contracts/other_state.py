"""State, answers and errors of the other server."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

KEYS = {f"key-of-{name}": f"usr_{name}" for name in ("ann", "bob", "cleo", "dan")}
NOW = "2026-01-01T00:00:00Z"
LITERALS = {
    401: ("AUTHENTICATION_REQUIRED", "Please sign in to continue"),
    403: ("INSUFFICIENT_PERMISSIONS", "You don't have permission to perform this action."),
    404: ("RESOURCE_NOT_FOUND", "The requested resource could not be found."),
}


class Refused(Exception):
    """Error response."""

    def __init__(self, status: int, text: str, code: str = "", **details: Any) -> None:
        super().__init__(text)
        self.status, self.text, self.details = status, text, details
        usual, self.message = LITERALS.get(status, ("VALIDATION_ERROR", "The request is invalid."))
        self.code = code or usual


class State:
    """State of the server."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.spaces: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, dict[str, Any]] = {}
        self.members: dict[str, dict[str, str]] = {}
        self.over = threading.Event()
        """Set when the server ends, for answers that wait."""
        self.counts: Counter[str] = Counter()
        """Requests by method."""
        self.marks: Counter[str] = Counter()
        """What habits count."""
        self.history: list[tuple[float, State]] = []
        """Earlier states with their times, for lists that lag behind."""
        self.suffix: Callable[[], str] = lambda: uuid.uuid4().hex
        """What follows the prefix of a new id."""
        self.now: Callable[[], str] = lambda: NOW

    def copy(self) -> State:
        """State that later writes do not change."""
        other = State()
        other.spaces, other.threads = deepcopy(self.spaces), deepcopy(self.threads)
        other.members = deepcopy(self.members)
        return other


class Reply(NamedTuple):
    """Answer of the server."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {"Content-Type": "application/json"}

    @classmethod
    def of(cls, status: int, body: Any) -> Reply:
        """Answer with a JSON body; None for no body."""
        return cls(status, b"" if body is None else json.dumps(body).encode())


def envelope(refusal: Refused, now: str = NOW) -> dict[str, Any]:
    """Documented error envelope."""
    error = {
        "code": refusal.code,
        "message": refusal.message,
        "system_message": refusal.text,
        "type": "client_error",
        "status": refusal.status,
        "details": refusal.details,
        "trace_id": uuid.uuid4().hex,
        "timestamp": now,
    }
    return {"success": False, "error": error}
