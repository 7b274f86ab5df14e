"""Body of an answer that is passed on while it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.client import HTTPException

from mockserver.http.event_stream import ClosesOnce, Lines, SentBytes
from mockserver.proxy.target import Received


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
    ) -> None:
        """`begin`: what was read already; `judge` gets every piece before it is passed on."""
        sent = SentBytes(keep)
        self._last, self.sent = None, sent

        def end() -> None:
            if sent.ended == "complete":
                received.end()
            else:
                received.abandon()
            closed(sent)

        ClosesOnce.__init__(self, _pieces(received, begin, judge, broken, sent), end)


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
