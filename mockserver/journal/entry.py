"""One exchange, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mockserver.http.event_stream import Sent
from mockserver.http.log import Exchange


@dataclass(slots=True, eq=False)
class Entry:
    """One exchange with everything that is kept of it."""

    number: int
    """In the order in which the answers began, from 1."""
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
    reply: bytes | Sent | Mapping[str, Any]
    """What has been sent so far, of a stream; bytes once it has ended. Of a long list, what it is made of."""
    reply_bytes: int
    milliseconds: float
    complete: bool
    size: int
    """What it counts in the budget."""
    shown: int
    """Bytes that are shown of an answer that is kept as what it is made of."""

    @property
    def instant(self) -> int:
        """When it happened, by the sandbox's clock, in microseconds."""
        return self.exchange.instant

    def replied(self) -> tuple[bytes, int]:
        """What is kept of the answer, and how long it is, so far."""
        if isinstance(self.reply, Sent):
            return self.reply.begin, self.reply.bytes
        if isinstance(self.reply, bytes):
            return self.reply, self.reply_bytes
        return orjson.dumps(self.reply)[: self.shown], self.reply_bytes
