"""Body of an answer that is passed on while it arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http.client import HTTPException

from mockserver.http.event_stream import ClosesOnce, Gate, Lines, SentBytes
from mockserver.proxy.target import Received

_END = re.compile(rb"\r?\n\r?\n")
"""End of an event."""


class TargetStream(Lines):
    """Pieces of the target's answer, as they arrive."""

    def __init__(
        self,
        received: Received,
        begin: bytes,
        *,
        judge: Callable[[bytes], object],
        broken: Callable[[Exception], None],
        closed: Callable[[SentBytes], None],
        keep: int,
        is_events: bool = False,
    ) -> None:
        """`begin`: what was read already; `judge` gets every piece before it is passed on.

        `is_events`: whether it is a stream of events, which can be held after some of them.
        """
        self._is_events = is_events
        sent = SentBytes(keep)
        self._last, self.sent = None, sent

        def end() -> None:
            if sent.ended == "complete":
                received.end()
            else:
                received.abandon()
            closed(sent)

        ClosesOnce.__init__(self, _pieces(received, begin, judge, broken, sent), end)

    def hold(self, after: int, gate: Gate) -> None:
        """Send nothing but comments after so many events, until the gate lets it pass."""
        if self._is_events:
            self._pieces = _events(self._pieces)
            self._gate, self._after, self._quiet = gate, after, b": held\n\n"


def _events(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, an event at a time."""
    begun = b""
    for piece in pieces:
        begun += piece
        while end := _END.search(begun):
            yield begun[: end.end()]
            begun = begun[end.end() :]
    if begun:
        yield begun


def _pieces(
    received: Received,
    piece: bytes,
    judge: Callable[[bytes], object],
    broken: Callable[[Exception], None],
    sent: SentBytes,
) -> Iterator[bytes]:
    try:
        piece = piece or received.read()
        while piece:
            judge(piece)
            yield piece
            piece = received.read()
    except (OSError, HTTPException) as error:
        sent.ended = "cut"
        broken(error)
        return
    sent.ended = "complete"
