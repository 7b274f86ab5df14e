"""Answers over 1 MB: a few at a time, and in pieces, so that slow readers do not fill the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mockserver.http.event_stream import ClosesOnce, WaitingSlots
from mockserver.http.request import Answer

LARGE = 1 << 20
"""Bytes above which an answer is large."""
MOST = 8
"""Most large answers that are being sent; each occupies a thread of the server."""
_PIECE = 65_536


class WholeBody(ClosesOnce):
    """Body that is sent in pieces, and known as a whole."""

    def __init__(self, pieces: Iterator[bytes], whole: bytes, closed: Callable[[], None]) -> None:
        super().__init__(pieces, closed)
        self.whole = whole
        """The undamaged bytes, for the journal."""


class LargeAnswers:
    """Limits how many are being sent."""

    def __init__(self, most: int = MOST) -> None:
        self._slots = WaitingSlots(most, "answers over 1 MB are being sent")

    def in_pieces(self, answer: Answer, body: bytes) -> Answer:
        """The answer with its body in pieces; TooManyWaiting if there are too many."""
        self._slots.take()
        headers = [*answer.headers, ("Content-Length", str(len(body)))]
        return answer._replace(headers=headers, body=WholeBody(_pieces(body), body, self._slots.release))


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
