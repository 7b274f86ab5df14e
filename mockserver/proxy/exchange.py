"""A request to the target, and what it means that it does not answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from http.client import HTTPException
from typing import NamedTuple

from mockserver.http.problems import MockOwnError

Held = AbstractContextManager[None]
"""Context to enter while only waiting, so that the server can run another thread."""


class BadGateway(
    MockOwnError, status=502, code="BAD_GATEWAY", message="The target did not answer.", rule="proxy"
):
    """502: no connection, no HTTP, or a connection that broke."""


class GatewayTimeout(
    MockOwnError, status=504, code="GATEWAY_TIMEOUT", message="The target took too long.", rule="proxy"
):
    """504: a connection, the first byte or the next one took too long."""


def is_text(body: bytes) -> bool:
    """Whether a body is text, which a recording and a comparison can have."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


class NoUpgrade(
    MockOwnError, status=501, code="NOT_IMPLEMENTED", message="The proxy passes no upgrades on.", rule="proxy"
):
    """501: a request for another protocol."""


class ReadOnly(
    MockOwnError, status=403, code="READ_ONLY", message="The proxy passes no writes on.", rule="proxy"
):
    """403: a write, with `--read-only`."""


def head_of(method: str, path: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Head of a request; HTTPException for one that is not of single lines."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    head = "\r\n".join([*lines, "", ""])
    if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1 or "\0" in head:
        raise HTTPException("a header has a line break")
    return head.encode("latin-1")


class Outgoing(NamedTuple):
    """Request to the target."""

    method: str
    path: str
    """With the query, percent-encoded."""
    headers: Sequence[tuple[str, str]]
    body: bytes
