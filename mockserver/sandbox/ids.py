"""A sandbox's ids: a hash of (seed, prefix, ordinal), so the same calls give the same ids."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple


class Counters(NamedTuple):
    """How many ids were given out."""

    ordinals: Mapping[str, int] = {}
    """By prefix."""
    requests: int = 0
    """Of the vendor's API."""


class Ids:
    """One counter for each prefix, so that ids of one kind never shift those of another."""

    def __init__(self, seed: int, counters: Counters = Counters()) -> None:  # noqa: B008 - immutable
        self.seed = seed
        self._ordinals = dict(counters.ordinals)
        self._traces = {"": counters.requests}
        self._lock = threading.Lock()

    def new(self, prefix: str) -> str:
        """The next id of this kind: prefix, underscore, 32 lower-case hex digits (A22)."""
        return f"{prefix}_{self._digest(prefix, self.take(prefix)).hex()}"

    def take(self, kind: str, count: int = 1) -> int:
        """The next ordinal of this kind, the first of `count` that are given out with it."""
        ordinal = self._ordinals.get(kind, 0) + 1
        self._ordinals[kind] = ordinal + count - 1
        return ordinal

    def trace(self, kind: str = "") -> str:
        """The next request's id, a UUID (A25); counted apart, so a read shifts no record's id.

        Requests of another kind than the vendor's are counted apart again: who only looks shifts nothing.
        """
        with self._lock:  # requests come at the same time, and outside of any transaction
            ordinal = self._traces[kind] = self._traces.get(kind, 0) + 1
        text = self._digest("trace" + kind, ordinal).hex()
        # As uuid.UUID(bytes=…, version=4) writes it, in a third of the time: every request has one.
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def _digest(self, prefix: str, ordinal: int) -> bytes:
        return blake2b(f"{self.seed}/{prefix}/{ordinal}".encode(), digest_size=16).digest()

    def counters(self) -> Counters:
        """What was given out so far."""
        return Counters(dict(self._ordinals), self._traces[""])

    def mark(self) -> Mapping[str, int]:
        """Where the counters stand, to go back to; without the traces."""
        return dict(self._ordinals)

    def back_to(self, mark: Mapping[str, int]) -> None:
        """Give out again what was given out since `mark`."""
        self._ordinals = dict(mark)
