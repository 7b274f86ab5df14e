"""When each attempt of a round runs, as arithmetic.

A round is one attempt of each of its jobs. They run first come, first served on the space's slots, and
every attempt takes the same time. So the slots stay in step: if slot s is free at base[s], the attempt of
rank p starts at base[p % slots] + (p // slots) * duration, and what has started or ended by any instant is
a prefix. Where the pace was changed on the way (by a new policy, by a step), a round has several of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class Pace(NamedTuple):
    """Attempts that run at the same pace, one behind the other."""

    jobs: int
    """How many."""
    bases: tuple[int, ...]
    """When each slot is free for them, ascending; microseconds."""
    duration: int

    def start(self, rank: int) -> int:
        """When the attempt of this rank starts."""
        turn, slot = divmod(rank, len(self.bases))
        return self.bases[slot] + turn * self.duration

    @property
    def end(self) -> int:
        """When the last attempt ends."""
        return self.start(self.jobs - 1) + self.duration if self.jobs else self.bases[-1]

    def started(self, now: int) -> int:
        """How many attempts have started: those of the first ranks."""
        if self.duration == 0:
            return self.ended(now)
        return sum(
            min(jobs, (now - base) // self.duration + 1)
            for jobs, base in zip(self._loads(), self.bases, strict=True)
            if base <= now
        )

    def ended(self, now: int) -> int:
        """How many attempts have ended: those of the first ranks."""
        return sum(
            jobs if self.duration == 0 else min(jobs, (now - base) // self.duration)
            for jobs, base in zip(self._loads(), self.bases, strict=True)
            if base <= now
        )

    def free(self) -> tuple[int, ...]:
        """When each slot is free after them, ascending."""
        ends = [b + n * self.duration for n, b in zip(self._loads(), self.bases, strict=True)]
        return tuple(sorted(ends))

    def _loads(self) -> list[int]:
        """How many of the attempts each slot gets."""
        turns, more = divmod(self.jobs, len(self.bases))
        return [turns + 1] * more + [turns] * (len(self.bases) - more)


class Round(NamedTuple):
    """One attempt of each of its jobs."""

    members: Sequence[int]
    """The jobs' places in the batch, ascending."""
    paces: tuple[Pace, ...]
    """At least one; together as many jobs as there are members."""
    failing: Sequence[int]
    """The ranks (places in `members`) whose attempt fails, ascending."""

    def finish(self, rank: int) -> int:
        """When the attempt of this rank ends."""
        for pace in self.paces:
            if rank < pace.jobs:
                return pace.start(rank) + pace.duration
            rank -= pace.jobs
        raise IndexError(rank)

    @property
    def start(self) -> int:
        """When its first attempt starts, if there is one."""
        return self.paces[0].bases[0]

    @property
    def end(self) -> int:
        """When its last attempt ends."""
        return self.paces[-1].end

    def started(self, now: int) -> int:
        """How many attempts have started: those of the first ranks."""
        return sum(pace.started(now) for pace in self.paces)

    def ended(self, now: int) -> int:
        """How many attempts have ended: those of the first ranks."""
        return sum(pace.ended(now) for pace in self.paces)

    def free(self) -> tuple[int, ...]:
        """When each slot is free after it, ascending."""
        return self.paces[-1].free()

    def first(self, jobs: int) -> tuple[Pace, ...]:
        """The paces of its first `jobs` attempts; the last may have none, and knows when slots are free."""
        kept: list[Pace] = []
        for pace in self.paces:
            taken = min(jobs, pace.jobs)
            kept.append(pace._replace(jobs=taken))
            jobs -= taken
            if taken < pace.jobs:
                break
        return tuple(kept)

    def rank(self, place: int) -> int | None:
        """The rank of the job at this place of the batch; None if it is not in this round."""
        if isinstance(self.members, range):
            return place if place < len(self.members) else None
        rank = bisect_left(self.members, place)
        return rank if rank < len(self.members) and self.members[rank] == place else None

    def fails(self, rank: int) -> bool:
        """Whether the attempt of this rank fails."""
        at = bisect_left(self.failing, rank)
        return at < len(self.failing) and self.failing[at] == rank
