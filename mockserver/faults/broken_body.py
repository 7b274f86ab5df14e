"""An answer's bytes, broken on order: what arrives is not what was announced, or nothing arrives."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.http.event_stream import ClosesOnce, Lines
from mockserver.http.request import Answer

PIECES = 20
"""In which a drip is sent."""
FLUSH = 0.1
"""Seconds. The server sends what it was given only if the end does not come at once."""
_NO_LINGER = struct.pack("ii", 1, 0)
Wait = Callable[[float], bool]
"""Sleeps so many seconds, and says whether the mock stops."""


class Broken(ClosesOnce):
    """The bytes of one answer."""

    def __init__(self, pieces: Iterator[bytes], whole: bytes, closed: Callable[[], None]) -> None:
        super().__init__(closed)
        self._pieces = pieces
        self.whole = whole
        """What they would have been; the journal keeps that."""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise


def _part(data: bytes, cut: int, seconds: float, wait: Wait) -> Iterator[bytes]:
    yield data[:cut]
    wait(max(seconds, FLUSH))


def _drip(data: bytes, _cut: int, seconds: float, wait: Wait) -> Iterator[bytes]:
    size = max(1, -(-len(data) // PIECES))
    starts = range(0, len(data), size)
    for start in starts:
        if wait(seconds / len(starts)):
            return
        yield data[start : start + size]


class Kind(NamedTuple):
    """One way to break an answer."""

    pieces: Callable[[bytes, int, float, Wait], Iterator[bytes]] | None = None
    """What is sent of it, after all of it was announced, and how slowly."""
    seconds: float | None = None
    """How long that takes if the order does not say; None if no order can say."""
    closes: type[ConnectionError] | None = None
    """Raised before the first byte: the server's listener for faults closes what raises."""


KINDS: Mapping[str, Kind] = {
    "truncate": Kind(_part),
    "malformed": Kind(),
    "drip": Kind(_drip, 5.0),
    "hang": Kind(_part, 30.0),
    "reset": Kind(closes=ConnectionResetError),
    "empty": Kind(closes=ConnectionAbortedError),
}
"""Every kind by its name, wherever it is ordered: by a rule, a profile, or a request's own header."""


def kind_here(name: str, connection: socket.socket | None, *, streams: bool) -> str:
    """What can be done of this kind: without its socket a connection can't be closed, only cut short.

    Empty for a stream that stays whole: it is broken by its own faults.
    """
    closes = KINDS[name].closes
    if closes and connection is not None:
        return name
    if streams:
        return ""
    return "truncate" if closes else name


def broken(
    answer: Answer,
    name: str,
    damage: Mapping[str, Any],
    connection: socket.socket | None,
    wait: Wait,
    closed: Callable[[], None],
) -> Answer:
    """The answer with its bytes broken; `closed` is called when nothing more is sent."""
    kind = KINDS[name]
    if kind.closes is not None:
        assert connection is not None
        whole = answer.body if isinstance(answer.body, bytes) else b""
        if isinstance(answer.body, Lines):
            answer.body.close()
        return answer._replace(body=Broken(_closing(connection, kind.closes), whole, closed))
    assert isinstance(answer.body, bytes)
    if not answer.body and name != "drip":
        # Nothing can't be cut: an answer without content gets some.
        headers = [*answer.headers, ("Content-Type", "application/json")]
        answer = Answer(200 if answer.status in (204, 205, 304) else answer.status, headers, b"{}")
    data = answer.body
    assert isinstance(data, bytes)
    if kind.pieces is None:
        closed()
        return answer._replace(body=_malformed(data))
    after, seconds = damage.get("after"), damage.get("seconds")
    if seconds is None or kind.seconds is None:
        seconds = kind.seconds or FLUSH
    cut = len(data) // 2 if after is None else min(after, max(0, len(data) - 1))
    length = [] if answer.status == 204 else [("Content-Length", str(len(data)))]
    pieces = kind.pieces(data, cut, seconds, wait)
    return Answer(answer.status, [*answer.headers, *length], Broken(pieces, data, closed))


def _malformed(data: bytes) -> bytes:
    """As long as it says, but no JSON: the end is missing."""
    return data[:-1] if len(data) > 1 else b"{"


def _closing(connection: socket.socket, error: type[ConnectionError]) -> Iterator[bytes]:
    if error is ConnectionResetError:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    raise error("on order")
    yield b""
