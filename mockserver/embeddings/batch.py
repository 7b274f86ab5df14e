"""Batches of embedding jobs that arrive together: a thread's messages, or one turn of a conversation.

Attempts come in rounds: one of each job, then, when all of these have ended, one of each that failed, in the
same order, until the retries are used up. Slots take attempts first come, first served, so attempts start and
end in one order, and a count at any instant is a bisection. Instants are microseconds since 1970.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from heapq import heappushpop, heapreplace
from itertools import compress, islice, pairwise
from operator import sub
from typing import NamedTuple

from mockserver.embeddings.policy import Policy, failing_ranks
from mockserver.store.sorted_keys import Key, SortedKeys

LONG_AGO = -(10**18)
"""Before any clock: arrival of the jobs embedded by a scenario (A55)."""
KINDS = ("completed", "failed", "retried")
"""Outcomes of an attempt; `retried` failed and is queued again."""


class Counts(NamedTuple):
    """Jobs by state, in the vendor's terms."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0


class TimedAttempt(NamedTuple):
    """Attempt of a job, also a planned one; `outcome` is one of KINDS."""

    starts: int
    ends: int
    outcome: str


class Job(NamedTuple):
    """Job that embeds one message, by its key in its thread, into one space's store."""

    number: int
    space_id: str
    thread_id: str
    key: Key
    state: str
    attempts: int
    queued_at: int
    timeline: tuple[TimedAttempt, ...] = ()
    """Its attempts with known times: past, running and planned."""


class EndedAttempt(NamedTuple):
    """Ended attempt; `kind` is one of KINDS."""

    at: int
    kind: str
    space_id: str
    thread_id: str
    message_id: str


class Attempts(NamedTuple):
    """Attempts of a batch, past and planned, in the order in which they start and end."""

    places: Sequence[int] = ()
    """Places of the jobs in their batch, ascending in each round."""
    starts: Sequence[int] = ()
    """Fewer than places if the others wait for a tester's step."""
    ends: Sequence[int] = ()
    fails: bytes = b""
    """1 for an attempt that fails, 0 for another."""
    rounds: tuple[int, ...] = ()
    """Rank of the first attempt of each round."""
    retries: int = 0
    """Retries of the policy that planned them."""

    def first(self, count: int) -> Attempts:
        """The first `count`, and the beginning of the round that follows if all before it are here."""
        places, starts, ends, fails = (each[:count] for each in self[:4])
        rounds = self.rounds[: bisect_right(self.rounds, count)]
        return Attempts(places, starts, ends, bytes(fails), rounds, self.retries)

    @property
    def last_chances(self) -> int:
        """Rank from which a failing attempt is the last of its job."""
        return self.rounds[-1] if len(self.rounds) > self.retries else len(self.places)


class Batch(NamedTuple):
    """Jobs that arrived together, as an immutable value; the job at place p embeds the p-th key."""

    thread_id: str
    keys: SortedKeys
    first_job: int
    """Number of its first job; the others follow."""
    arrived: int
    number: int = 0
    """Number in the space's queue."""
    removed: frozenset[int] = frozenset()
    """Places of removed jobs, which are not counted; a running one keeps its slot to its end."""
    attempts: Attempts = Attempts()
    fixed: int = 0
    """Attempts of jobs that no event plans again: ended by a tester (the last attempt is listed), or embedded
    from the start (none is). 0 for all others."""

    def with_end(self, state: str, attempts: int, at: int) -> Batch:
        """Batch of one job that a tester ended as `completed` or `failed` after so many attempts."""
        only = Attempts([0], [at], [at], bytes([state == "failed"]), (0,))
        return self._replace(attempts=only, fixed=max(attempts, 1))

    def planned(self, policy: Policy, since: int, slots: list[int], durations: Iterator[int]) -> Batch:
        """Batch whose attempts started by `since` are kept, and all others planned.

        `slots`: heap of the instants at which each slot is free, changed to those after this batch.
        `durations`: of the next attempts; when they run out, the others wait for a tester's step.
        """
        if self.fixed:
            return self
        kept = self.attempts.first(bisect_right(self.attempts.starts, since))
        places, starts, ends = array("q", kept.places), array("q", kept.starts), array("q", kept.ends)
        fails, rounds = bytearray(kept.fails), [*kept.rounds] or [0]
        named = [place for key in policy.failing_keys if (place := self.keys.place(key)) is not None]
        for end in ends[-len(slots) :]:
            heappushpop(slots, end)
        while (waiting := self._waiting(places, fails, rounds)) or rounds[-1] < len(places):
            floor = max(since, self.arrived, *ends[rounds[-1] - 1 : rounds[-1]])
            slots[:] = [max(slot, floor) for slot in slots]
            for duration in islice(durations, len(waiting)):
                start = heapreplace(slots, slots[0] + duration)
                starts.append(start)
                ends.append(start + duration)
            tried = waiting[: len(starts) - len(places)]
            fails.extend(bytes(len(tried)))
            for rank in failing_ranks(tried, self.first_job, len(rounds), named, policy):
                fails[rank - len(tried)] = 1
            places.extend(waiting)
            if len(starts) < len(places) or len(rounds) > policy.retries:
                break
            rounds.append(len(places))
        begun = tuple(rank for rank in rounds if rank < len(places))
        attempts = Attempts(places, starts, ends, bytes(fails), begun, policy.retries)
        return self._replace(attempts=attempts)

    def restarted(self, now: int) -> Batch:
        """Batch without the attempts that have not ended, to be planned again."""
        if self.is_done(now):
            return self
        ended = self.attempts.first(bisect_right(self.attempts.ends, now))
        return self._replace(attempts=ended, arrived=min(self.arrived, now))

    def _waiting(self, places: Sequence[int], fails: Sequence[int], rounds: Sequence[int]) -> Sequence[int]:
        """Places of the jobs that the last of the rounds has still to try."""
        waiting: Sequence[int] = range(len(self.keys))
        if len(rounds) > 1:
            before = slice(*rounds[-2:])
            waiting = [*compress(places[before], fails[before])]
        if len(places) > rounds[-1]:
            waiting = waiting[bisect_right(waiting, places[-1]) :]
        return [place for place in waiting if place not in self.removed] if self.removed else waiting

    @property
    def entry(self) -> Key:
        """Entry in the index of a space's batches by thread."""
        return self.thread_id, next(iter(self.keys), ()), self.number

    def waits(self, now: int) -> bool:
        """Whether an attempt has not started."""
        places, starts = self.attempts[:2]
        return not self.fixed and (len(starts) < len(places) or max(starts[-1:], default=now) > now)

    def is_done(self, now: int) -> bool:
        """Whether all its attempts have ended and no more will follow."""
        return self.fixed > 0 or (not self.waits(now) and max(self.attempts.ends[-1:], default=now) <= now)

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        if self.fixed and not self.attempts.places:
            return Counts(completed=len(self.keys) - len(self.removed))
        _, starts, ends, fails, *_ = self.attempts
        ended = bisect_right(ends, now)
        processing = bisect_right(starts, now) - ended
        completed = fails.count(0, 0, ended)
        failed = fails.count(1, self.attempts.last_chances, ended)
        pending = len(self.keys) - processing - completed - failed
        found = Counts(pending, processing, completed, failed)
        gone = [self.state(place, now)[0] for place in self.removed]
        return Counts(*map(sub, found, map(gone.count, Counts._fields))) if gone else found

    def state(self, place: int, now: int) -> tuple[str, int]:
        """State and number of started attempts of the job at `place`."""
        places, starts, ends, fails, _, _ = self.attempts
        if self.fixed and not places:
            return "completed", self.fixed
        started = bisect_right(starts, now)
        ranks = [rank for rank in self._ranks(place) if rank < started]
        attempts = len(ranks) + max(self.fixed - 1, 0)
        if not ranks:
            return "pending", attempts
        if ends[ranks[-1]] > now:
            return "processing", attempts
        if not fails[ranks[-1]]:
            return "completed", attempts
        return ("failed" if ranks[-1] >= self.attempts.last_chances else "pending"), attempts

    def timeline(self, place: int) -> tuple[TimedAttempt, ...]:
        """Attempts of the job at `place`, also those that are planned; none that waits for a step."""
        _, starts, ends, _, _, _ = self.attempts
        ranks = [rank for rank in self._ranks(place) if rank < len(starts)]
        return tuple(TimedAttempt(starts[rank], ends[rank], self._outcome(rank)) for rank in ranks)

    def _ranks(self, place: int) -> list[int]:
        """Ranks of the attempts of the job at `place`, one in each round that tries it."""
        places, rounds = self.attempts.places, self.attempts.rounds
        ranks = [(bisect_left(places, place, *each), each[1]) for each in pairwise((*rounds, len(places)))]
        return [rank for rank, end in ranks if rank < end and places[rank] == place]

    def _outcome(self, rank: int) -> str:
        if not self.attempts.fails[rank]:
            return "completed"
        return "failed" if rank >= self.attempts.last_chances else "retried"

    def jobs(self, space_id: str, now: int, first: int = 0) -> Iterator[tuple[int, Job]]:
        """Jobs from the place `first` on, each with its place."""
        for place in range(first, len(self.keys)):
            if place not in self.removed:
                where = (space_id, self.thread_id, self.keys.at(place))
                state = self.state(place, now)
                yield place, Job(self.first_job + place, *where, *state, self.arrived, self.timeline(place))

    def ended(self, space_id: str, since: int, until: int) -> Iterator[EndedAttempt]:
        """Attempts that end in (since, until]."""
        places, _, ends, *_ = self.attempts
        ranks = range(bisect_right(ends, since), bisect_right(ends, until))
        keys = [*self.keys] if ranks else ()
        for rank in ranks:
            if (place := places[rank]) not in self.removed:
                yield EndedAttempt(ends[rank], self._outcome(rank), space_id, self.thread_id, keys[place][-1])
