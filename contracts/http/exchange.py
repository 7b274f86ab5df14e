"""One request and its answer, as the suite sees them, and what sends it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
DEEPEST = 200
"""Levels of lists and objects in an answer; what looks into it goes as deep."""


class Request(NamedTuple):
    """What was sent; the key by the name of its role, never itself."""

    method: str
    path: str
    """With its query, percent-encoded."""
    role: str | None
    """owner, editor, viewer, outsider or foreign; None without a credential."""
    body: Any = None
    headers: Mapping[str, str] = {}

    @property
    def text(self) -> str:
        """The body as text; empty without one."""
        if self.body is None:
            return ""
        return self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The JSON object in the body; empty if there is none."""
        body = _value(self.body) if isinstance(self.body, str) else self.body
        return body if isinstance(body, Mapping) else {}


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

    garbled: bool = False
    """Whether its bytes were no UTF-8: what could not be read is U+FFFD in the text."""

    @property
    def body(self) -> Any:
        """The decoded JSON body; None if there is none or it is not JSON."""
        return None if self.garbled else _value(self.text)

    @property
    def fault(self) -> str:
        """Why a body that is said to be JSON is none; empty if it is."""
        if not self.text or "json" not in self.headers.get("content-type", "").lower():
            return ""
        try:
            if self.garbled:
                raise ValueError("its bytes are no UTF-8")
            decoded(self.text)
        except ValueError as error:
            return str(error)
        return ""


def decoded(text: str) -> Any:
    """The JSON value of a text; ValueError says why it is none, or none that every program reads alike."""
    try:
        value = json.loads(text, parse_constant=_number, parse_float=_number)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep") from None
    if "\\ud" in text.lower() and _has_half_a_pair(value):
        raise ValueError("a text in it has half a surrogate pair")
    if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    return value


def _value(text: str) -> Any:
    try:
        return decoded(text) if text else None
    except ValueError:
        return None


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON's, or too large for one")
    return number


def _has_half_a_pair(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _depth(value: Any) -> int:
    depth, level = -1, [value]
    while level:
        holders = [each for each in level if isinstance(each, dict | list)]
        level = [inner for each in holders for inner in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return depth


class Bound(Protocol):
    """How many requests there may be, and how fast."""

    @property
    def bounded(self) -> bool:
        """Whether requests are few or slow: then none is spent on comfort."""

    def lift(self) -> None:
        """Let out as many requests as it takes: what was made is removed, whatever the budget."""


class Transport(Protocol):
    """Sends one request; raises Unanswered if no answer comes, or none of the API's."""

    url: str
    always: dict[str, str]
    """Headers of every request."""

    @property
    def limit(self) -> Bound:
        """The budget of the run."""

    def send(self, request: Request, key: str | None) -> Answer:
        """The answer, redirects not followed."""

    def close(self) -> None:
        """Give back what it holds."""
