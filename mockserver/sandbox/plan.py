"""When each embedding job of a batch runs, as arithmetic.

A batch is what arrives at once: a thread's messages, or one turn of a conversation. Its jobs run first
come, first served on the space's slots, and every attempt takes the same time. So the slots stay in step:
if slot s is free at base[s], the job of rank p starts at base[p % slots] + (p // slots) * duration, and
what has started or ended by any instant is a prefix. A batch's attempts come in rounds: all jobs once,
then, when that round has ended, those that failed, in the same order, until the retries are used up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from immutables import Map

from mockserver.sandbox.ordered import Key, Ordered
from mockserver.sandbox.policy import Policy, failing_ranks

STATES = ("pending", "processing", "completed", "failed")
"""The vendor's own words."""
LONG_AGO = -(10**18)
"""Microseconds; before any clock. What is in a scenario's spaces was embedded then (A55)."""


class Counts(NamedTuple):
    """Jobs by state."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0

    def plus(self, other: Counts) -> Counts:
        """The sum, state by state."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


class Round(NamedTuple):
    """One attempt of each of its jobs."""

    members: Sequence[int]
    """The jobs' places in the batch, ascending."""
    bases: tuple[int, ...]
    """When each slot is free for it, ascending; microseconds."""
    duration: int
    failing: Sequence[int]
    """The ranks (places in `members`) whose attempt fails, ascending."""

    def start(self, rank: int) -> int:
        """When the attempt of this rank starts."""
        turn, slot = divmod(rank, len(self.bases))
        return self.bases[slot] + turn * self.duration

    @property
    def end(self) -> int:
        """When its last attempt ends."""
        return self.start(len(self.members) - 1) + self.duration if self.members else self.bases[-1]

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
        """When each slot is free after it, ascending."""
        ends = (b + n * self.duration for n, b in zip(self._loads(), self.bases, strict=True))
        return tuple(sorted(ends))

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

    def _loads(self) -> Iterator[int]:
        """How many of its jobs each slot gets."""
        slots = len(self.bases)
        return ((len(self.members) - slot + slots - 1) // slots for slot in range(slots))


class Batch(NamedTuple):
    """Jobs that arrived together, and their plan."""

    number: int
    """Its place in the space's line."""
    thread_id: str
    keys: Ordered
    """The messages' keys; the job at place p embeds the message of the p-th."""
    first_job: int
    """The number of its first job; the others follow."""
    arrived: int
    removed: Map[int, int]
    """place -> the first round without it; a removed job counts nowhere."""
    gone: Counts
    """In which state the removed jobs would end: what `counts` leaves out once all is over."""
    rounds: tuple[Round, ...]

    @property
    def start(self) -> int:
        """When its first attempt starts, if there is one."""
        return self.rounds[0].bases[0]

    @property
    def end(self) -> int:
        """When its last attempt ends."""
        return self.rounds[-1].end

    @property
    def live(self) -> int:
        """Jobs that were not removed."""
        return len(self.keys) - len(self.removed)

    def free(self, now: int) -> tuple[int, ...]:
        """When each slot is free if nothing more of it starts after `now`, ascending."""
        before: Round | None = None
        for round_ in self.rounds:
            started = round_.started(now)
            if started < len(round_.members):
                if started == 0 and before is not None:
                    break  # it only waits for the round before to end
                return Round(range(started), round_.bases, round_.duration, ()).free()
            before = round_
        assert before is not None
        return before.free()

    def state(self, place: int, now: int) -> tuple[str, int]:
        """State and attempts begun of the job at `place`, as if it had not been removed."""
        attempts = 0
        for round_ in self.rounds:
            rank = round_.rank(place)
            if rank is None or rank >= round_.started(now):
                return "pending", attempts
            attempts += 1
            if rank >= round_.ended(now):
                return "processing", attempts
            if not round_.fails(rank):
                return "completed", attempts
        return "failed", attempts

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        processing = completed = failed = 0
        for round_ in self.rounds:
            ended = round_.ended(now)
            missed = bisect_left(round_.failing, ended)
            processing += round_.started(now) - ended
            completed += ended - missed
            failed = missed if round_ is self.rounds[-1] else 0
        if now >= self.end:
            completed, failed = completed - self.gone.completed, failed - self.gone.failed
            return Counts(self.live - completed - failed, 0, completed, failed)
        found = {"processing": processing, "completed": completed, "failed": failed}
        for place, cut in self.removed.items():
            state, _ = self.state(place, now)
            if state in found and cut > 1:
                found[state] -= 1
        return Counts(self.live - sum(found.values()), **found)

    def retried(self, now: int) -> int:
        """How many of its attempts have failed and were queued again."""
        again = sum(bisect_left(r.failing, r.ended(now)) for r in self.rounds[:-1])
        for place in self.removed:
            for round_ in self.rounds[:-1]:
                rank = round_.rank(place)
                again -= rank is not None and rank < round_.ended(now) and round_.fails(rank)
        return again

    def places(self, state: str | None, now: int, first: int = 0) -> Iterator[int]:
        """The places, from `first` on, of jobs in this state; of all jobs for None."""
        only = self.rounds[0] if len(self.rounds) == 1 else None
        if state is None or only is None or not isinstance(only.members, range):
            for place in range(first, len(self.keys)):
                if place not in self.removed and state in (None, self.state(place, now)[0]):
                    yield place
            return
        # With one round the states are stretches of it: no need to ask each job.
        ended, started = only.ended(now), only.started(now)
        stretch = {
            "pending": range(started, len(self.keys)),
            "processing": range(ended, started),
            "completed": range(ended),
            "failed": only.failing,
        }[state]
        for place in stretch[bisect_left(stretch, first) :]:
            if state == "failed" and place >= ended:
                return
            if place not in self.removed and (state != "completed" or not only.fails(place)):
                yield place

    def without(self, place: int, now: int, policy: Policy) -> Batch:
        """The batch without this job: what has not started of it never will."""
        tried = [round_ for round_ in self.rounds if round_.rank(place) is not None]
        begun = [r for r in tried if (rank := r.rank(place)) is not None and rank < r.started(now)]
        removed = self.removed.set(place, 1 + len(begun))
        if len(begun) == len(tried):
            # Its last attempt runs or has ended, so nobody else's changes.
            state, _ = self.state(place, self.end)
            gone = self.gone.plus(Counts(**{state: 1})) if state in ("completed", "failed") else self.gone
            return self._replace(removed=removed, gone=gone)
        # A drained batch took no time, and its plan stays so.
        policy = policy._replace(duration=self.rounds[0].duration)
        shorter = self._replace(removed=removed).planned(self.rounds[0].bases, policy)
        ends = [shorter.state(p, shorter.end)[0] for p, cut in removed.items() if cut > 1]
        return shorter._replace(gone=Counts(0, 0, ends.count("completed"), ends.count("failed")))

    def planned(self, bases: tuple[int, ...], policy: Policy) -> Batch:
        """The batch with its rounds worked out, given when each slot is free for it."""
        if self.arrived == LONG_AGO:
            policy = policy._replace(failure_rate=0.0, duration=0)
        rounds: list[Round] = []
        members: Sequence[int] = range(len(self.keys))
        for attempt in range(1, policy.retries + 2):
            if self.removed:
                members = [p for p in members if self.removed.get(p, attempt + 1) > attempt]
                if rounds and not members:
                    break  # an empty round would still hold up what waits behind it
            failing = failing_ranks(members, self.first_job, attempt, policy)
            rounds.append(Round(members, bases, policy.duration, failing))
            if not len(failing):
                break
            members = [members[rank] for rank in failing]
            bases = (rounds[-1].end,) * policy.slots
        return self._replace(rounds=tuple(rounds))

    def key(self, place: int) -> Key:
        """The key of the message at `place`."""
        return self.keys.at(place)
