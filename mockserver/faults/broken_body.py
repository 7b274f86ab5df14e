"""Answers with broken bytes: truncated, malformed, slow, or cut off with the connection."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.http.event_stream import Lines
from mockserver.http.large_answers import WholeBody
from mockserver.http.request import Answer

PIECES = 20
"""Number of pieces of a `drip`."""
FLUSH = 0.1
"""Seconds between data and end: without a pause the server would not flush the data."""
_NO_LINGER = struct.pack("ii", 1, 0)
Wait = Callable[[float], bool]
"""Sleeps for some seconds; true if the mock stops."""


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


class DamageKind(NamedTuple):
    """One kind of damage."""

    pieces: Callable[[bytes, int, float, Wait], Iterator[bytes]] | None = None
    """Iterator over the bytes to send, after the full length was announced."""
    seconds: float | None = None
    """Default duration; None if the kind takes no duration."""
    closes: type[ConnectionError] | None = None
    """Raised before the first byte: the fault port's server then closes the connection."""


KINDS: Mapping[str, DamageKind] = {
    "truncate": DamageKind(_part),
    "malformed": DamageKind(),
    "drip": DamageKind(_drip, 5.0),
    "hang": DamageKind(_part, 30.0),
    "reset": DamageKind(closes=ConnectionResetError),
    "empty": DamageKind(closes=ConnectionAbortedError),
}
"""Kinds of damage by name, as rules, profiles and X-Mock-Fault use them."""


def applicable_kind(name: str, connection: socket.socket | None, *, streams: bool) -> str:
    """The kind to apply here: without access to its socket a connection can't be closed, only truncated.

    Empty for a stream, which has faults of its own.
    """
    closes = KINDS[name].closes
    if closes and connection is not None:
        return name
    if streams:
        return ""
    return "truncate" if closes else name


def damaged_answer(
    answer: Answer,
    name: str,
    damage: Mapping[str, Any],
    connection: socket.socket | None,
    wait: Wait,
    closed: Callable[[], None],
) -> Answer:
    """The answer with damaged bytes; `closed` is called when nothing more is sent."""
    kind = KINDS[name]
    if kind.closes is not None:
        assert connection is not None
        whole = answer.body if isinstance(answer.body, bytes) else b""
        if isinstance(answer.body, Lines):
            answer.body.close()
        return answer._replace(body=WholeBody(_closing(connection, kind.closes), whole, closed))
    assert isinstance(answer.body, bytes)
    if not answer.body and name != "drip":
        # An empty body can't be cut: an answer without content gets one.
        headers = [*answer.headers, ("Content-Type", "application/json")]
        answer = Answer(200 if answer.status in (204, 205, 304) else answer.status, headers, b"{}")
    data = answer.body
    assert isinstance(data, bytes)
    if kind.pieces is None:
        closed()
        # Invalid JSON of the announced length: the last byte that is no whitespace is missing.
        return answer._replace(body=data.rstrip()[:-1] or b"{")
    after, seconds = damage.get("after"), damage.get("seconds")
    if seconds is None or kind.seconds is None:
        seconds = kind.seconds or FLUSH
    cut = len(data) // 2 if after is None else min(after, max(0, len(data) - 1))
    length = [] if answer.status == 204 else [("Content-Length", str(len(data)))]
    pieces = kind.pieces(data, cut, seconds, wait)
    return Answer(answer.status, [*answer.headers, *length], WholeBody(pieces, data, closed))


def _closing(connection: socket.socket, error: type[ConnectionError]) -> Iterator[bytes]:
    if error is ConnectionResetError:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    raise error("injected")
    yield b""
