"""The threads of granian's that take requests: one at a time, as long as it gets on.

Python runs one thread at a time, and each that wants to go on makes the others wait. So one takes all the
requests while they come; the others are parked until it waits for a body, or nothing comes any more.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

MOST = 64
"""Threads: the bodies that can be waited for at the same time, and one more."""

Give = Callable[[Any, dict[str, Any]], None]
"""Puts a request where somebody answers it; returns at once."""


class Takers:
    """Reads requests to their end, in granian's threads, and gives them on."""

    def __init__(self, give: Give) -> None:
        self._give = give
        self._taker = 0
        """The thread that takes the requests; 0 if whoever comes may."""
        self._parked: deque[threading.Lock] = deque()
        self._taken = self._seen = 0
        self._stopped = False

    def take(self, proto: Any, scope: dict[str, Any]) -> None:
        """Granian calls this for each request, in as many threads as it has requests, up to MOST."""
        me = threading.get_ident()
        if "HTTP_TRANSFER_ENCODING" in scope or scope.get("CONTENT_LENGTH", "0") != "0":
            body = self._read(me, scope)
            if len(body) != int(scope.get("CONTENT_LENGTH", len(body))):
                proto.response_bytes(400, [], b"")  # the client left before the end of its body
                return
        else:
            body = b""  # to read it all the same would let another thread go on
        # granian's input loses what a read(n) or readline() leaves: the app gets a true stream.
        scope["wsgi.input"] = io.BytesIO(body)
        self._taken += 1
        self._give(proto, scope)
        if self._taker in (0, me):
            self._taker = me
        elif not self._stopped:
            self._park()

    def look(self) -> None:
        """Called now and then: if nothing came since, whoever takes them may have gone or be stuck."""
        if self._seen == self._taken:
            self._taker = 0
            self._wake(len(self._parked))
        self._seen = self._taken

    def stop(self) -> None:
        """Nobody is parked any more."""
        self._stopped = True
        self._taker = 0
        self._wake(len(self._parked))

    def _read(self, me: int, scope: dict[str, Any]) -> bytes:
        """The body, which is gone when granian's call returns; it may be long in coming."""
        if self._taker in (0, me):
            self._taker = 0
            self._wake(1)
        data: bytes = scope["wsgi.input"].read()
        return data

    def _park(self) -> None:
        gate = threading.Lock()
        gate.acquire()
        self._parked.append(gate)
        # Looked at again: who stopped taking in between saw nobody to wake.
        if self._taker == 0:
            self._wake(1)
        gate.acquire()

    def _wake(self, count: int) -> None:
        for _ in range(count):
            try:
                self._parked.popleft().release()
            except IndexError:
                return
