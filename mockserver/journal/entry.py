"""Entry of the journal: one exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mockserver.http.event_stream import SentBytes
from mockserver.http.log import Exchange


@dataclass(slots=True, eq=False, weakref_slot=True)
class Entry:
    """One exchange, with everything that the journal keeps of it."""

    number: int
    """Sequence number, in the order in which answers began, from 1."""
    id: str
    """The x-request-id."""
    exchange: Exchange
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    """By WSGI's names."""
    body: bytes
    body_bytes: int
    reply_headers: Sequence[tuple[str, str]]
    reply: bytes | SentBytes | Mapping[str, Any]
    """Stream: what it has sent so far, bytes once it has ended. Long list: the values it was encoded from."""
    reply_bytes: int
    milliseconds: float
    complete: bool
    size: int
    """Bytes that count towards the budget."""
    shown_bytes: int
    """Bytes to show of an answer that is kept as values."""
    refused: bool = False
    """Whether its request did not pass the access checks."""

    def replied(self) -> tuple[bytes, int]:
        """Kept bytes of the answer, and its length so far."""
        if isinstance(self.reply, SentBytes):
            return self.reply.begin, self.reply.bytes
        if isinstance(self.reply, bytes):
            return self.reply, self.reply_bytes
        return orjson.dumps(self.reply)[: self.shown_bytes], self.reply_bytes
