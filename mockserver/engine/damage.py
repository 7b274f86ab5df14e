"""An answer's bytes, broken on order: what arrives is not what was announced, or nothing arrives."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mockserver.engine.request import Answer
from mockserver.engine.streams import Lines

SECONDS: Mapping[str, float] = {"hang": 30.0, "drip": 5.0}
"""How long each takes if the order does not say."""
PIECES = 20
"""In which a drip is sent."""
FLUSH = 0.1
"""Seconds. The server sends what it was given only if the end does not come at once."""
_CLOSES = ("reset", "empty")
_NO_LINGER = struct.pack("ii", 1, 0)


class Broken:
    """The bytes of one answer. Whatever ends them calls `closed`, once."""

    def __init__(self, pieces: Iterator[bytes], whole: bytes, closed: Callable[[], None]) -> None:
        self._pieces = pieces
        self.whole = whole
        """What they would have been; the journal keeps that."""
        self._closed: Callable[[], None] | None = closed
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Nothing more is sent."""
        with self._lock:
            closed, self._closed = self._closed, None
        if closed is not None:
            closed()

    __del__ = close


def kind_here(kind: str, connection: socket.socket | None, *, streams: bool) -> str:
    """What can be done of `kind`: without its socket a connection can't be closed, only cut short.

    Empty for a stream that stays whole: it is broken by its own faults.
    """
    if kind in _CLOSES and connection is not None:
        return kind
    if streams:
        return ""
    return "truncate" if kind in _CLOSES else kind


def broken(
    answer: Answer,
    kind: str,
    damage: Mapping[str, Any],
    connection: socket.socket | None,
    wait: Callable[[float], bool],
    closed: Callable[[], None],
) -> Answer:
    """The answer with its bytes broken; `wait` sleeps, and says whether the mock stops."""
    if kind in _CLOSES:
        assert connection is not None
        whole = answer.body if isinstance(answer.body, bytes) else b""
        if isinstance(answer.body, Lines):
            answer.body.close()
        return answer._replace(body=Broken(_closing(connection, kind), whole, closed))
    assert isinstance(answer.body, bytes)
    if not answer.body and kind != "drip":
        # Nothing can't be cut: an answer without content gets some.
        headers = [*answer.headers, ("Content-Type", "application/json")]
        answer = Answer(200 if answer.status in (204, 205, 304) else answer.status, headers, b"{}")
    data = answer.body
    assert isinstance(data, bytes)
    if kind == "malformed":
        closed()
        return answer._replace(body=_malformed(data))
    after, seconds = damage.get("after"), damage.get("seconds")
    seconds = SECONDS.get(kind, FLUSH) if seconds is None or kind == "truncate" else seconds
    cut = len(data) // 2 if after is None else min(after, max(0, len(data) - 1))
    pieces = _drip(data, seconds, wait) if kind == "drip" else _part(data[:cut], max(seconds, FLUSH), wait)
    length = [] if answer.status == 204 else [("Content-Length", str(len(data)))]
    return Answer(answer.status, [*answer.headers, *length], Broken(pieces, data, closed))


def _malformed(data: bytes) -> bytes:
    """As long as it says, but no JSON: the end is missing."""
    return data[:-1] if len(data) > 1 else b"{"


def _part(data: bytes, seconds: float, wait: Callable[[float], bool]) -> Iterator[bytes]:
    yield data
    wait(seconds)


def _drip(data: bytes, seconds: float, wait: Callable[[float], bool]) -> Iterator[bytes]:
    size = max(1, -(-len(data) // PIECES))
    starts = range(0, len(data), size)
    for start in starts:
        if wait(seconds / len(starts)):
            return
        yield data[start : start + size]


def _closing(connection: socket.socket, kind: str) -> Iterator[bytes]:
    """Before the first byte. The server's listener for faults closes what raises."""
    if kind == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        raise ConnectionResetError("on order")
    raise ConnectionAbortedError("on order")
    yield b""
