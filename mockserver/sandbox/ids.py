"""A sandbox's ids: a hash of (seed, prefix, ordinal), so the same calls give the same ids."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from hashlib import blake2b
from uuid import UUID


class Ids:
    """One counter for each prefix, so that ids of one kind never shift those of another."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._ordinals: dict[str, int] = {}
        self._traces = itertools.count(1)

    def new(self, prefix: str) -> str:
        """The next id of this kind: prefix, underscore, 32 lower-case hex digits (A22)."""
        ordinal = self._ordinals[prefix] = self._ordinals.get(prefix, 0) + 1
        return f"{prefix}_{self._digest(prefix, ordinal).hex()}"

    def trace(self) -> str:
        """The next request's id, a UUID (A25); counted apart, so a read shifts no record's id."""
        # next() of a count is one step of the interpreter: no lock is needed around it.
        return str(UUID(bytes=self._digest("trace", next(self._traces)), version=4))

    def _digest(self, prefix: str, ordinal: int) -> bytes:
        return blake2b(f"{self._seed}/{prefix}/{ordinal}".encode(), digest_size=16).digest()

    def mark(self) -> Mapping[str, int]:
        """Where the counters stand, to go back to; without the traces."""
        return dict(self._ordinals)

    def back_to(self, mark: Mapping[str, int]) -> None:
        """Give out again what was given out since `mark`."""
        self._ordinals = dict(mark)
