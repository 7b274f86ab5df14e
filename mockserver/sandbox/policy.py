"""How the simulated queue behaves, and which attempts fail: a hash, so that a whole batch is arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_MANY = 1000
"""From so many jobs on numpy hashes faster than Python does; it is not imported for fewer."""


class Policy(NamedTuple):
    """How the simulated queue behaves."""

    seed: int = 0
    duration: int = 200_000
    """Microseconds that an attempt takes."""
    slots: int = 4
    """Attempts at the same time, per space."""
    failure_rate: float = 0.0
    """Share of the attempts that fail, 0 to 1."""
    retries: int = 3
    """Further attempts after the first."""


def failing_ranks(members: Sequence[int], first_job: int, attempt: int, policy: Policy) -> Sequence[int]:
    """The ranks whose attempt fails: a hash of (seed, job number, attempt) against the rate."""
    if policy.failure_rate <= 0 or not len(members):
        return ()
    limit = min(int(policy.failure_rate * 2**64), 2**64 - 1)
    salt = _mixed((policy.seed * 0x9E3779B97F4A7C15 + attempt) & _WORD)
    if len(members) < _MANY:
        return [r for r, place in enumerate(members) if _mixed((first_job + place) ^ salt) <= limit]
    import numpy as np  # takes a tenth of a second: only for a batch that is worth it

    jobs = np.asarray(members, dtype=np.uint64) + np.uint64(first_job)
    mixed = jobs ^ np.uint64(salt)
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    ranks: list[int] = np.flatnonzero(mixed <= np.uint64(limit)).tolist()
    return ranks


_WORD = 2**64 - 1
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def _mixed(value: int) -> int:
    """The finaliser of splitmix64: every bit of the value moves every bit of the result."""
    for shift, factor in _MIX:
        value = ((value ^ (value >> shift)) * factor) & _WORD
    return value ^ (value >> 31)
