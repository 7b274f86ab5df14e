"""Requests and responses; strict JSON decoding."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
ASKS_A_MODEL = "/v1/model/response"
"""Path of a question to the model."""
MODEL_OPERATIONS = ("createResponse", "generateThreadName")
"""Operations for which a real target asks a model."""
BEARER = {"Authorization": "Bearer {key}"}
"""Headers that send a role's key as a bearer token alone; the transport puts in the key."""
CHUNKED = {"Transfer-Encoding": "chunked"}
"""Headers that send a body in chunks, without its length."""
MAX_DEPTH = 200
"""Maximum nesting of a response body; recursive code relies on it."""


class ClientRequest(NamedTuple):
    """Request as sent; holds the role, never the key."""

    method: str
    path: str
    """Percent-encoded, including the query."""
    role: str | None
    """Role whose key is sent; None for no credential."""
    body: Any = None
    headers: Mapping[str, str] = {}

    @property
    def text(self) -> str:
        """Body as text; empty without one."""
        if self.body is None:
            return ""
        return self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)

    @property
    def asks_model(self) -> bool:
        """Whether it is a question to the model, which a real target pays for."""
        path = self.path.partition("?")[0]
        return self.method == "POST" and (path == ASKS_A_MODEL or path.endswith("/generateName"))

    @property
    def fields(self) -> Mapping[str, Any]:
        """JSON object in the body; empty if there is none."""
        body = _value(self.body) if isinstance(self.body, str) else self.body
        return body if isinstance(body, Mapping) else {}


class ClientResponse(NamedTuple):
    """Response together with its request."""

    request: ClientRequest
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    text: str
    milliseconds: float
    at: float = 0.0
    """Monotonic time at which the request was sent."""

    garbled: bool = False
    """Whether the bytes were not UTF-8; invalid ones are U+FFFD in the text."""

    @property
    def body(self) -> Any:
        """Decoded JSON body; None without one or if it is not JSON."""
        return None if self.garbled else _value(self.text)

    @property
    def fields(self) -> Mapping[str, Any]:
        """JSON object in the body; empty if there is none."""
        body = self.body
        return body if isinstance(body, dict) else {}

    @property
    def items(self) -> list[dict[str, Any]]:
        """Objects in a list response."""
        fields = self.fields
        items = next((fields[name] for name in ("spaces", "files", "data") if name in fields), None)
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    @property
    def error(self) -> Mapping[str, Any]:
        """Object in the error envelope; empty if there is none."""
        error = self.fields.get("error")
        return error if isinstance(error, dict) else {}

    @property
    def fault(self) -> str:
        """Reason why a body declared as JSON is not valid JSON; empty if it is."""
        if not self.text or "json" not in self.headers.get("content-type", "").lower():
            return ""
        try:
            if self.garbled:
                raise ValueError("its bytes are not UTF-8")
            decoded(self.text)
        except ValueError as error:
            return str(error)
        return ""


def decoded(text: str) -> Any:
    """Parse strict, interoperable JSON; ValueError gives the reason for a refusal."""
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep") from None
    if "\\ud" in text.lower() and _has_lone_surrogate(value):
        raise ValueError("a string in it has a lone surrogate")
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    return value


def _value(text: str) -> Any:
    try:
        return decoded(text) if text else None
    except ValueError:
        return None


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a JSON number, or too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_number, parse_float=_number)


def _has_lone_surrogate(value: Any) -> bool:
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


def is_mock(send: Callable[[ClientRequest], ClientResponse], answer: ClientResponse) -> bool:
    """Whether a mock has given an answer: a proxy says so in health, and what answers there is no mock."""
    if "x-mock-source" not in answer.headers:
        return False
    health = send(ClientRequest("GET", "/__admin/health", None)).body
    return not isinstance(health, dict) or health.get("mode") != "proxy"
