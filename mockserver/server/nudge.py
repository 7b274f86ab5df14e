"""A small request of the server to itself, after which no other request waits for a thread.

Granian starts a thread when a request arrives and none is idle. A thread that is just taking a request still
counts as idle: a request that arrives in this moment stays in granian's queue, without a thread, until the
next one arrives. While all the threads wait for bodies, that can be long.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from time import perf_counter
from typing import Any

INTERVAL = 0.5
"""Seconds between two nudges."""
_PATIENCE = 0.1
"""Seconds in which the connection has to be made; the next nudge is another try."""


class Nudge:
    """Sends the request, and recognizes it."""

    def __init__(self, listener: socket.socket) -> None:
        self._address = listener.getsockname()[:2]
        self._secret = os.urandom(16).hex()
        self._connection: socket.socket | None = None
        self._next = 0.0

    def send(self) -> None:
        """Send one, unless the last is younger than the interval; waits for no answer."""
        now = perf_counter()
        if now < self._next:
            return
        self._next = now + INTERVAL
        head = ("POST / HTTP/1.1", "Host: localhost", "Content-Length: 1", f"X-Mock-Nudge: {self._secret}")
        with suppress(OSError):
            self._connection = socket.create_connection(self._address, _PATIENCE)
            self._connection.sendall("\r\n".join((*head, "", "-")).encode())

    def close(self) -> None:
        """End the connection of the last one, which has been read by now."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def is_own(self, scope: dict[str, Any]) -> bool:
        """Whether a request, which has a body, is a nudge of this server."""
        return scope.get("HTTP_X_MOCK_NUDGE") == self._secret
