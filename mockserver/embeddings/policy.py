"""Policy of the embedding queue, and the choice of failing attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.store.sorted_keys import Key


class Policy(NamedTuple):
    """Settings of the embedding queue."""

    seed: int = 0
    duration: int = 200_000
    """Microseconds that an attempt takes."""
    slots: int = 4
    """Attempts at the same time, per space."""
    failure_rate: float = 0.0
    """Share of the attempts that fail, 0 to 1."""
    retries: int = 3
    """Retries after the first attempt."""
    manual: bool = False
    """Whether only steps end attempts; `duration` is 0 then."""
    failing_every: int = 0
    """Every n-th job fails, counted from `first_job`; 0 for none."""
    failing_turns: tuple[int, ...] = ()
    """Positions of the jobs that fail, counted likewise from 1."""
    failing_keys: tuple[Key, ...] = ()
    """Keys of messages whose jobs fail."""
    failing_attempts: int = 1_000_000
    """Number of failing attempts of such a job; later ones succeed."""
    first_job: int = 1
    """First job planned by this policy."""

    def as_json(self) -> dict[str, Any]:
        """JSON form, without the seed."""
        values = {name: value for name, value in self._asdict().items() if name != "seed"}
        keys = [list(key) for key in self.failing_keys]
        return {**values, "failing_turns": list(self.failing_turns), "failing_keys": keys}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], seed: int) -> Policy:
        """Policy from its JSON form."""
        turns, keys = tuple(values["failing_turns"]), tuple(map(tuple, values["failing_keys"]))
        return cls(**{**values, "seed": seed, "failing_turns": turns, "failing_keys": keys})


def failing_ranks(
    members: Sequence[int], first_job: int, attempt: int, named: Sequence[int], policy: Policy
) -> Sequence[int]:
    """Ranks of the failing attempts, ascending: by rate, by position, or by name.

    `members` are places in a batch whose first job is `first_job`; `named` are places too.
    """
    chosen = _by_rate(members, first_job, attempt, policy) if policy.failure_rate > 0 else ()
    if attempt > policy.failing_attempts or not (policy.failing_every or policy.failing_turns or named):
        return chosen
    every, first = policy.failing_every, policy.first_job - first_job - 1
    wanted = {*named, *(first + turn for turn in policy.failing_turns)}
    failing = (
        rank
        for rank, place in enumerate(members)
        if place in wanted or (every and place > first and (place - first) % every == 0)
    )
    return sorted({*chosen, *failing})


def _by_rate(members: Sequence[int], first_job: int, attempt: int, policy: Policy) -> Sequence[int]:
    """Ranks for which a hash of (seed, job number, attempt) is below the rate."""
    limit = min(int(policy.failure_rate * 2**64), _WORD)
    salt = _mixed((policy.seed * 0x9E3779B97F4A7C15 + attempt) & _WORD)
    return [rank for rank, place in enumerate(members) if _mixed((first_job + place) ^ salt) <= limit]


_WORD = 2**64 - 1


def _mixed(value: int) -> int:
    """Finaliser of splitmix64: every bit of the value affects every bit of the result."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)
