"""How the simulated queue behaves, and which attempts fail: a hash, so that a whole batch is arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mockserver.sandbox.ordered import Key

NEVER = 10**18
"""Microseconds; behind any clock. What waits for a step starts then."""
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
    manual: bool = False
    """Nothing runs but by a step; then `duration` is 0."""
    failing_every: int = 0
    """Each of so many jobs fails, counted from `first_job` on; 0 for none."""
    failing_turns: tuple[int, ...] = ()
    """The jobs that fail by their turn, counted likewise: 1 is the first."""
    failing_keys: tuple[Key, ...] = ()
    """The keys of messages whose jobs fail."""
    failing_attempts: int = 1_000_000
    """How many attempts of such a job fail; later ones succeed."""
    first_job: int = 1
    """The first job that was planned by this policy."""

    def opens(self, instant: int) -> int:
        """When a slot that is free at `instant` takes a job."""
        return NEVER if self.manual else instant

    def bases(self, earliest: int, free: tuple[int, ...]) -> tuple[int, ...]:
        """When slots that are free at these instants take jobs, ascending; none before `earliest`."""
        if self.manual:
            return (NEVER,) * len(free)
        return tuple(sorted([earliest if earliest > instant else instant for instant in free]))


def failing_ranks(
    members: Sequence[int], first_job: int, attempt: int, named: Sequence[int], policy: Policy
) -> Sequence[int]:
    """The ranks whose attempt fails, ascending: by the rate, by their turn, or by name.

    `members` are places in a batch whose first job is `first_job`; `named` are places too.
    """
    chosen = _by_rate(members, first_job, attempt, policy)
    if attempt > policy.failing_attempts or not (policy.failing_every or policy.failing_turns or named):
        return chosen
    every, first = policy.failing_every, policy.first_job - first_job - 1
    wanted = {*named, *(first + turn for turn in policy.failing_turns)}
    ordered = (
        rank
        for rank, place in enumerate(members)
        if place in wanted or (every and place > first and (place - first) % every == 0)
    )
    return sorted({*chosen, *ordered})


def _by_rate(members: Sequence[int], first_job: int, attempt: int, policy: Policy) -> Sequence[int]:
    """A hash of (seed, job number, attempt) against the rate."""
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
