"""Deterministic ids: a hash of (seed, prefix, ordinal)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple


class Counters(NamedTuple):
    """Numbers of ids generated so far."""

    ordinals: Mapping[str, int] = {}
    """By prefix."""
    requests: int = 0
    """Request ids of the vendor's API."""


class Ids:
    """Id generator with one counter per prefix, so that ids of one kind never shift those of another."""

    def __init__(self, seed: int, counters: Counters = Counters()) -> None:  # noqa: B008 - immutable
        self.seed = seed
        self._ordinals = dict(counters.ordinals)
        self._traces = {"": counters.requests}
        self._lock = threading.Lock()

    def new(self, prefix: str) -> str:
        """Next id of this kind: prefix, underscore, 32 lower-case hex digits (A22)."""
        return f"{prefix}_{self._digest(prefix, self.take(prefix)).hex()}"

    def take(self, kind: str, count: int = 1) -> int:
        """Next ordinal of this kind, the first of `count` consecutive ones."""
        ordinal = self._ordinals.get(kind, 0) + 1
        self._ordinals[kind] = ordinal + count - 1
        return ordinal

    def trace(self, kind: str = "") -> str:
        """Next request id, a UUID (A25), on a separate counter, so that a read shifts no record's id.

        Each other `kind` of request has its own counter: control calls shift no id of the vendor's API.
        """
        with self._lock:  # concurrent requests call it outside of any transaction
            ordinal = self._traces[kind] = self._traces.get(kind, 0) + 1
        text = self._digest("trace" + kind, ordinal).hex()
        # Same as uuid.UUID(bytes=…, version=4), in a third of the time: every request has one.
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def traces(self) -> dict[str, int]:
        """Numbers of request ids of each kind."""
        return dict(self._traces)

    def skip(self, traces: Mapping[str, int]) -> None:
        """Go on after these numbers of request ids."""
        with self._lock:
            self._traces.update(traces)

    def _digest(self, prefix: str, ordinal: int) -> bytes:
        return blake2b(f"{self.seed}/{prefix}/{ordinal}".encode(), digest_size=16).digest()

    def counters(self) -> Counters:
        """Counters as they are now."""
        return Counters(dict(self._ordinals), self._traces[""])

    def checkpoint(self) -> Mapping[str, int]:
        """Counters to restore later; without request ids."""
        return dict(self._ordinals)

    def restore(self, checkpoint: Mapping[str, int]) -> None:
        """Restore the counters."""
        self._ordinals = dict(checkpoint)
