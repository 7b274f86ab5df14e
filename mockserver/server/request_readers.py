"""Granian's threads that read requests: one at a time, unless it blocks.

Python runs one thread at a time, and every runnable thread delays the others. So one reads all the requests
while they arrive; the others are parked until it waits for a body, or no more requests arrive.
"""

from __future__ import annotations

import io
import threading
import weakref
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

from mockserver.server.nudge import Nudge

MOST = 512
"""Most threads."""
SPARE = 2
"""Threads that never wait for a body: as many bodies fewer than threads can be awaited at the same time."""
SMALL = 16_384
"""Bytes of a body that is read without asking for its limit."""
MOST_BYTES = 128 << 20
"""Bytes of larger bodies in memory at the same time; one of any size that is allowed may be there alone."""
PIECE = 65_536
"""Bytes that are read and dropped at once, of a body that the answer does not need."""
DRAIN = 5.0
"""Seconds for which they are dropped: most clients read the answer only after they have sent everything."""
UNRECEIVED = "mockserver.unreceived"
"""Environ key of a request whose body was not received; SLOW, MANY or MALFORMED."""
SLOW, MANY, MALFORMED = "slow", "many", "malformed"

Give = Callable[[Any, dict[str, Any]], None]
"""Queues a request for an answer; returns at once."""
BodyLimit = Callable[[dict[str, Any]], int]
"""Bytes of the body that the answer to a request can need, decided before the body is read."""


class RequestReaders:
    """Reads complete requests in granian's threads, and passes them on."""

    def __init__(
        self, give: Give, body_limit: BodyLimit, nudge: Nudge, *, most: int = MOST, timeout: float = 30.0
    ) -> None:
        """`most` threads; `timeout`: seconds in which a body must arrive."""
        self._give = give
        self._body_limit = body_limit
        self._nudge = nudge
        self._most_bodies = most - SPARE
        self._timeout = timeout
        self._reader = 0
        """Thread that reads the requests; 0 if any thread may."""
        self._parked: deque[threading.Lock] = deque()
        self._taken = self._seen = 0
        self._stopped = False
        self._lock = threading.RLock()  # reentrant: garbage collection may release bytes at any time
        self._bodies: set[_Incoming] = set()
        self._bytes = 0

    def take(self, proto: Any, scope: dict[str, Any]) -> None:
        """Called by granian for each request, in as many threads as it has requests, up to the limit."""
        me = threading.get_ident()
        if "HTTP_TRANSFER_ENCODING" in scope or scope.get("CONTENT_LENGTH", "0") != "0":
            if self._nudge.is_own(scope):
                proto.response_bytes(204, [], b"")
                return
            if self._reader in (0, me):
                self._reader = 0
                self._wake(1)
            self._receive(proto, scope)
        else:
            scope["wsgi.input"] = io.BytesIO()  # reading it would let another thread run
            self._pass_on(proto, scope)
        if self._reader in (0, me):
            self._reader = me
        elif not self._stopped:
            self._park()

    def look(self) -> None:
        """Called periodically: answers requests whose body is late, and ends a standstill.

        If nothing arrived since the last call, the reading thread may be gone or blocked, and a request that
        arrived while the others were blocked by bodies may have no thread.
        """
        self._nudge.close()
        if self._seen == self._taken:
            self._reader = 0
            self._wake(len(self._parked))
            if self._bodies:
                self._nudge.send()
        self._seen = self._taken
        before = perf_counter() - self._timeout
        for incoming in list(self._bodies):
            if incoming.since < before and incoming.claim():
                self._forget(incoming)
                self._pass_on(incoming.proto, {**incoming.scope, UNRECEIVED: SLOW})

    def stop(self) -> None:
        """Release all parked threads."""
        self._stopped = True
        self._reader = 0
        self._wake(len(self._parked))

    def _pass_on(self, proto: Any, scope: dict[str, Any]) -> None:
        self._taken += 1
        self._give(proto, scope)

    def _receive(self, proto: Any, scope: dict[str, Any]) -> None:
        """Read the body, which must end before granian's call does, and pass the request on.

        It is passed on first if its answer does not need the whole body; the rest is then dropped.
        """
        source, scope["wsgi.input"] = scope["wsgi.input"], io.BytesIO()
        if "HTTP_TRANSFER_ENCODING" in scope:
            scope.pop("CONTENT_LENGTH", None)
        announced = int(scope["CONTENT_LENGTH"]) if "CONTENT_LENGTH" in scope else None
        is_small = announced is not None and announced <= SMALL and "HTTP_EXPECT" not in scope
        limit = SMALL if is_small else self._body_limit(scope)
        if limit == 0 or (announced is not None and announced > limit):
            self._pass_on(proto, scope)
            self._drain(_Incoming(proto, scope), source)
            return
        incoming = _Incoming(proto, scope)
        if not self._begin(incoming):
            self._pass_on(proto, {**scope, UNRECEIVED: MANY})
            return
        # granian's input loses data if different methods read it: the app gets a regular stream.
        body = source.read() if is_small else self._read(incoming, source, limit + 1)
        self._bodies.remove(incoming)
        if not incoming.claim():  # it was late
            return
        scope["wsgi.input"] = stream = io.BytesIO(body or b"")
        if incoming.kept:
            weakref.finalize(stream, self._release, incoming.kept)
        if body is None:
            self._pass_on(proto, {**scope, UNRECEIVED: MANY})
        elif announced is not None and len(body) != announced:
            proto.response_bytes(400, [], b"")  # the client left before the end of its body
        else:
            self._pass_on(proto, scope)
        if body is None or len(body) > limit:
            self._drain(_Incoming(proto, scope), source)

    def _begin(self, incoming: _Incoming) -> bool:
        """Count a body that will be awaited; False if there are too many."""
        if len(self._bodies) < self._most_bodies // 2:
            self._bodies.add(incoming)  # far from the limit: no lock is needed
            return True
        with self._lock:
            if len(self._bodies) >= self._most_bodies:
                return False
            self._bodies.add(incoming)
            return True

    def _read(self, incoming: _Incoming, source: Any, most: int) -> bytes | None:
        """A body, up to `most` bytes; None if it does not fit into the limit, or its request was answered."""
        while most > 0:
            piece: bytes = source.read(min(PIECE, most))
            with self._lock:
                is_alone = self._bytes == incoming.kept
                if incoming.is_answered or (self._bytes + len(piece) > MOST_BYTES and not is_alone):
                    self._forget(incoming)
                    return None
                incoming.pieces.append(piece)
                incoming.kept += len(piece)
                self._bytes += len(piece)
            if len(piece) < min(PIECE, most):
                break
            most -= len(piece)
        with self._lock:
            return b"".join(incoming.pieces)

    def _forget(self, incoming: _Incoming) -> None:
        with self._lock:
            self._bytes -= incoming.kept
            incoming.kept = 0
            incoming.pieces.clear()

    def _release(self, kept: int) -> None:
        with self._lock:
            self._bytes -= kept

    def _drain(self, incoming: _Incoming, source: Any) -> None:
        """Read and drop the rest of a body; not of a client that sends it only when it is asked to."""
        incoming.claim()
        if "HTTP_EXPECT" in incoming.scope or not self._begin(incoming):
            return
        end = perf_counter() + DRAIN
        while perf_counter() < end and source.read(PIECE):
            pass
        self._bodies.remove(incoming)

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


class _Incoming:
    """Request whose body is being received."""

    __slots__ = ("_unclaimed", "kept", "pieces", "proto", "scope", "since")

    def __init__(self, proto: Any, scope: dict[str, Any]) -> None:
        self.proto = proto
        self.scope = scope
        self.since = perf_counter()
        self.pieces: list[bytes] = []
        self.kept = 0
        """Bytes of it that are counted as kept in memory."""
        self._unclaimed = [True]

    @property
    def is_answered(self) -> bool:
        """Whether somebody has claimed it."""
        return not self._unclaimed

    def claim(self) -> bool:
        """Whether the caller is the first one, who passes the request on."""
        try:
            return self._unclaimed.pop()
        except IndexError:
            return False
