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


class Job(NamedTuple):
    """Job that embeds one message, by its key in its thread, into one space's store."""

    number: int
    space_id: str
    thread_id: str
    key: Key
    state: str
    attempts: int
    queued_at: int


class EndedAttempt(NamedTuple):
    """Ended attempt; `kind` is one of KINDS."""

    at: int
    kind: str
    space_id: str
    thread_id: str
    message_id: str


class Round(NamedTuple):
    """One attempt of each of these jobs, in the order in which they start and end."""

    places: Sequence[int] = ()
    """Places of the jobs in their batch, ascending."""
    starts: Sequence[int] = ()
    """Fewer than places if the others wait for a tester's step."""
    ends: Sequence[int] = ()
    failing: Sequence[int] = ()
    """Ranks of the failing attempts, ascending."""

    def first(self, count: int) -> Round:
        """The first `count` attempts."""
        failing = self.failing[: bisect_left(self.failing, count)]
        return Round(self.places[:count], self.starts[:count], self.ends[:count], failing)


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
    rounds: tuple[Round, ...] = ()
    is_fixed: bool = False
    """Whether no event plans it again: embedded from the start (no rounds), or ended by a tester."""
    retries: int = 0
    """Retries of the policy that planned it."""
    tried: int = 0
    """Earlier attempts that are not listed, of a job ended by a tester."""

    def with_end(self, state: str, attempts: int, at: int) -> Batch:
        """Batch of one job that a tester ended as `completed` or `failed` after so many attempts."""
        rounds = (Round([0], [at], [at], [0] if state == "failed" else []),)
        return self._replace(rounds=rounds, is_fixed=True, tried=max(attempts, 1) - 1)

    def planned(self, slots: list[int], floor: int, policy: Policy, since: int, at_once: int = 0) -> Batch:
        """Batch whose attempts started by `since` are kept, and all others planned.

        `slots`: heap of the instants at which each slot is free, changed to those after this batch. No
        attempt starts before `floor`. The first `at_once` end at the instant at which they may start; with a
        manual policy no others do.
        """
        if self.is_fixed:
            return self
        floor, kept, rounds = max(floor, self.arrived), self.until(since, "starts").rounds, list[Round]()
        named = [place for key in policy.failing_keys if (place := self.keys.place(key)) is not None]
        waiting: Sequence[int] = range(len(self.keys))
        if self.removed:
            waiting = [place for place in waiting if place not in self.removed]
        while True:
            number = len(rounds)
            round_ = kept[number] if number < len(kept) else Round()
            places, starts, ends = (
                array("l", round_.places),
                array("q", round_.starts),
                array("q", round_.ends),
            )
            first = len(places)
            places.extend(waiting[bisect_right(waiting, places[-1]) :] if first else waiting)
            if not places:
                return self._replace(rounds=tuple(rounds), retries=policy.retries)
            for end in ends[-len(slots) :]:
                heappushpop(slots, end)
            stepped = min(at_once, len(places) - first)
            starts.extend([floor] * stepped)
            ends.extend([floor] * stepped)
            for _ in () if policy.manual else range(first + stepped, len(places)):
                start = slots[0] if slots[0] > floor else floor
                end = start + policy.duration
                heapreplace(slots, end)
                starts.append(start)
                ends.append(end)
            ranks = failing_ranks(places[first : len(starts)], self.first_job, number + 1, named, policy)
            failing = array("l", [*round_.failing, *(first + rank for rank in ranks)])
            rounds.append(Round(places, starts, ends, failing))
            at_once, floor = at_once - stepped, max(floor, ends[-1] if ends else floor)
            again = number < policy.retries or number + 1 < len(kept)
            waiting = [places[rank] for rank in failing if places[rank] not in self.removed] if again else ()
            if len(starts) < len(places):
                return self._replace(rounds=tuple(rounds), retries=policy.retries)

    def until(self, now: int, times: str) -> Batch:
        """Batch with the attempts that started or ended (`times`: starts, ends) by now, planned no further.

        The round that follows is opened, without attempts, if all of the one before are here.
        """
        kept = list[Round]()
        for each in self.rounds:
            kept.append(each.first(bisect_right(getattr(each, times), now)))
            if len(kept[-1].starts) < len(each.places):
                break
        return self._replace(rounds=tuple(kept))

    @property
    def entry(self) -> Key:
        """Entry in the index of a space's batches by thread."""
        return self.thread_id, next(iter(self.keys), ()), self.number

    @property
    def last_start(self) -> int:
        """Start of the last attempt that holds up the next batch."""
        starts = () if self.is_fixed else (each.starts[-1] for each in self.rounds if each.starts)
        return max(starts, default=LONG_AGO)

    def waits(self, now: int) -> bool:
        """Whether an attempt has not started."""
        return not self.is_fixed and any(
            len(each.starts) < len(each.places) or each.starts[-1] > now for each in self.rounds[-1:]
        )

    def is_done(self, now: int) -> bool:
        """Whether all its attempts have ended and no more will follow."""
        return self.is_fixed or all(
            len(each.ends) == len(each.places) and each.ends[-1] <= now for each in self.rounds[-1:]
        )

    def running(self, now: int) -> Sequence[int]:
        """Ends of the running attempts."""
        started = (each.ends[: bisect_right(each.starts, now)] for each in self.rounds)
        return [end for ends in started for end in ends[bisect_right(ends, now) :]]

    def next_jobs(self, now: int) -> Sequence[int]:
        """Numbers of the jobs whose attempts end next, within one round."""
        for each in () if self.is_fixed else self.rounds:
            waiting = each.places[bisect_right(each.ends, now) :]
            if jobs := [self.first_job + place for place in waiting if place not in self.removed]:
                return jobs
        return ()

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        live = len(self.keys) - len(self.removed)
        if self.is_fixed and not self.rounds:
            return Counts(completed=live)
        processing = completed = failed = 0
        for number, (_, starts, ends, failing) in enumerate(self.rounds, 1):
            ended = bisect_right(ends, now)
            missed = bisect_left(failing, ended)
            processing += bisect_right(starts, now) - ended
            completed += ended - missed
            failed += missed if self._kind_of_failing(number) == "failed" else 0
        gone = [self.state(place, now)[0] for place in self.removed]
        processing -= gone.count("processing")
        completed, failed = completed - gone.count("completed"), failed - gone.count("failed")
        return Counts(live - processing - completed - failed, processing, completed, failed)

    def state(self, place: int, now: int) -> tuple[str, int]:
        """State and number of started attempts of the job at `place`."""
        if self.is_fixed and not self.rounds:
            return "completed", 1
        for number, (places, starts, ends, failing) in enumerate(self.rounds, 1):
            rank = bisect_left(places, place)
            if rank >= len(starts) or places[rank] != place or starts[rank] > now:
                return "pending", self.tried + number - 1
            if ends[rank] > now:
                return "processing", self.tried + number
            at = bisect_left(failing, rank)
            if at == len(failing) or failing[at] != rank:
                return "completed", self.tried + number
            if self._kind_of_failing(number) == "failed":
                return "failed", self.tried + number
        return "pending", self.tried + len(self.rounds)

    def jobs(self, space_id: str, now: int, first: int = 0) -> Iterator[tuple[int, Job]]:
        """Jobs from the place `first` on, each with its place."""
        for place in range(first, len(self.keys)):
            if place not in self.removed:
                where = (space_id, self.thread_id, self.keys.at(place))
                yield place, Job(self.first_job + place, *where, *self.state(place, now), self.arrived)

    def ended(self, space_id: str, since: int, until: int) -> Iterator[EndedAttempt]:
        """Attempts that end in (since, until]."""
        for number, (places, _, ends, failing) in enumerate(self.rounds, 1):
            ranks = range(bisect_right(ends, since), bisect_right(ends, until))
            keys, missed, again = [*self.keys] if ranks else (), {*failing}, self._kind_of_failing(number)
            for rank in ranks:
                if (place := places[rank]) not in self.removed:
                    kind = again if rank in missed else "completed"
                    yield EndedAttempt(ends[rank], kind, space_id, self.thread_id, keys[place][-1])

    def _kind_of_failing(self, number: int) -> str:
        """Outcome of the failing attempts of a round, counted from 1: `failed` if none follows."""
        return "failed" if number > self.retries and number == len(self.rounds) else "retried"
