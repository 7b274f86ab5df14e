"""A request to the target, and what it means that it does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
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


class Outgoing(NamedTuple):
    """Request to the target."""

    method: str
    path: str
    """With the query, percent-encoded."""
    headers: Sequence[tuple[str, str]]
    body: bytes
