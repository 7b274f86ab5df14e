"""Granian's threads that read requests: one at a time, unless it blocks.

Python runs one thread at a time, and every runnable thread delays the others. So one reads all the requests
while they arrive; the others are parked until it waits for a body, or no more requests arrive.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

MOST = 64
"""Most threads, hence bodies that can be awaited at the same time, plus one."""

Give = Callable[[Any, dict[str, Any]], None]
"""Queues a request for an answer; returns at once."""


class RequestReaders:
    """Reads complete requests in granian's threads, and passes them on."""

    def __init__(self, give: Give) -> None:
        self._give = give
        self._reader = 0
        """Thread that reads the requests; 0 if any thread may."""
        self._parked: deque[threading.Lock] = deque()
        self._taken = self._seen = 0
        self._stopped = False

    def take(self, proto: Any, scope: dict[str, Any]) -> None:
        """Called by granian for each request, in as many threads as it has requests, up to MOST."""
        me = threading.get_ident()
        if "HTTP_TRANSFER_ENCODING" in scope or scope.get("CONTENT_LENGTH", "0") != "0":
            body = self._read(me, scope)
            if len(body) != int(scope.get("CONTENT_LENGTH", len(body))):
                proto.response_bytes(400, [], b"")  # the client left before the end of its body
                return
        else:
            body = b""  # reading it would let another thread run
        # granian's input loses data after read(n) or readline(): the app gets a regular stream.
        scope["wsgi.input"] = io.BytesIO(body)
        self._taken += 1
        self._give(proto, scope)
        if self._reader in (0, me):
            self._reader = me
        elif not self._stopped:
            self._park()

    def look(self) -> None:
        """Called periodically: if nothing arrived since, the reading thread may be gone or blocked."""
        if self._seen == self._taken:
            self._reader = 0
            self._wake(len(self._parked))
        self._seen = self._taken

    def stop(self) -> None:
        """Release all parked threads."""
        self._stopped = True
        self._reader = 0
        self._wake(len(self._parked))

    def _read(self, me: int, scope: dict[str, Any]) -> bytes:
        """Body, which must be read before granian's call returns; it may arrive slowly."""
        if self._reader in (0, me):
            self._reader = 0
            self._wake(1)
        data: bytes = scope["wsgi.input"].read()
        return data

    def _park(self) -> None:
        gate = threading.Lock()
        gate.acquire()
        self._parked.append(gate)
        # Checked again: a thread that stopped reading in between found nobody to wake.
        if self._reader == 0:
            self._wake(1)
        gate.acquire()

    def _wake(self, count: int) -> None:
        for _ in range(count):
            try:
                self._parked.popleft().release()
            except IndexError:
                return
