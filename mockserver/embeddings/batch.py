"""Batches of embedding jobs that arrive together: a thread's messages, or one turn of a conversation.

Attempts come in rounds: one of each job, then, when all of these have ended, one of each that failed, in the
same order, until the retries are used up. Slots take attempts first come, first served, so attempts start and
end in one order, and a count at any instant is a bisection.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from heapq import heapreplace
from itertools import pairwise
from typing import NamedTuple

from mockserver.embeddings.policy import Policy, failing_ranks
from mockserver.store.sorted_keys import Key, SortedKeys

LONG_AGO = -(10**18)
"""Microseconds, before any clock: time of the jobs embedded by a scenario (A55)."""
KINDS = ("completed", "failed", "retried")
"""Outcomes of an attempt; `retried` failed and is queued again."""


class Counts(NamedTuple):
    """Jobs by state, in the vendor's terms."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0


class Job(NamedTuple):
    """Job that embeds one message into one space's store."""

    number: int
    space_id: str
    thread_id: str
    key: Key
    """Key of the message in its thread."""
    state: str
    attempts: int
    queued_at: int
    """Microseconds since 1970, like every instant here."""


class EndedAttempt(NamedTuple):
    """Ended attempt."""

    at: int
    kind: str
    """One of KINDS."""
    space_id: str
    thread_id: str
    message_id: str


class Attempts(NamedTuple):
    """Attempts of a batch, in the order in which they start and end."""

    places: Sequence[int] = ()
    """Place in the batch of each attempt's job; ascending within a round."""
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()
    failing: Sequence[int] = ()
    """Failing attempts, ascending."""
    rounds: tuple[int, ...] = (0,)
    """First attempt of each round."""

    def first(self, count: int) -> Attempts:
        """First `count` attempts, and the rounds that they opened."""
        return Attempts(
            self.places[:count],
            self.starts[:count],
            self.ends[:count],
            self.failing[: bisect_left(self.failing, count)],
            tuple(first for first in self.rounds if first <= count),
        )


NOTHING = Attempts()


class Slots(NamedTuple):
    """Availability of the slots for a batch."""

    free: tuple[int, ...]
    """Instant at which each slot is free, ascending."""
    floor: int
    """Earliest start of an attempt."""

    def not_before(self, now: int) -> Slots:
        """The same, with no start before `now`."""
        return Slots(self.free, max(self.floor, now))

    def after(self, attempts: Attempts) -> Slots:
        """Availability for the next batch."""
        free = sorted((*self.free, *attempts.ends[-len(self.free) :]))
        return Slots(tuple(free[-len(self.free) :]), max(self.floor, *attempts.starts[-1:], LONG_AGO))


class Batch(NamedTuple):
    """Jobs that arrived together, as an immutable value."""

    number: int
    """Number in the space's queue."""
    thread_id: str
    keys: SortedKeys
    """Keys of the messages; the job at place p embeds the p-th."""
    first_job: int
    """Number of its first job; the others follow."""
    arrived: int
    removed: frozenset[int] = frozenset()
    """Places of removed jobs, which are not counted; a running one keeps its slot to its end."""
    attempts: Attempts | None = None
    """None if embedded from the start."""
    slots: Slots | None = None
    """None if no event replans it."""
    retries: int = 0
    """Retries of the policy that planned it."""
    tried: int = 0
    """Earlier attempts that are not listed, of a job ended by a tester."""

    def with_end(self, state: str, attempts: int, at: int) -> Batch:
        """Batch whose single job a tester ended as `completed` or `failed`; it is never tried again."""
        failing = [0] if state == "failed" else []
        return self._replace(attempts=Attempts([0], [at], [at], failing), tried=attempts - 1)

    @property
    def live(self) -> int:
        """Number of jobs that were not removed."""
        return len(self.keys) - len(self.removed)

    def waiting(self, attempts: Attempts) -> Sequence[int]:
        """Places of the jobs that the last round of `attempts` has not tried yet."""
        places, _, _, failing, rounds = attempts
        members: Sequence[int] = range(len(self.keys))
        if len(rounds) > 1:
            again = failing[bisect_left(failing, rounds[-2]) : bisect_left(failing, rounds[-1])]
            members = [places[attempt] for attempt in again]
        if len(places) > rounds[-1]:
            members = members[bisect_right(members, places[-1]) :]
        return [place for place in members if place not in self.removed] if self.removed else members

    def planned(self, slots: Slots, policy: Policy, kept: Attempts = NOTHING, at_once: int = 0) -> Batch:
        """Batch with the attempts that follow `kept`.

        The next `at_once` of them end as soon as they may start; a manual policy plans no others.
        """
        places, starts, ends = array("l", kept.places), array("q", kept.starts), array("q", kept.ends)
        failing, rounds, duration = array("l", kept.failing), kept.rounds, policy.duration
        named = [place for key in policy.failing_keys if (place := self.keys.place(key)) is not None]
        free, floor = [*slots.after(kept).free], max(slots.floor, self.arrived)
        floor = max(floor, ends[-1] - duration) if ends else floor
        while True:
            first, waiting = len(places), self.waiting(Attempts(places, starts, ends, failing, rounds))
            if ends and rounds[-1] == first:
                floor = max(floor, ends[-1])
            count = min(at_once, len(waiting))
            starts.extend([floor] * count)
            ends.extend([floor] * count)
            at_once -= count
            for _ in () if policy.manual else range(count, len(waiting)):
                start = max(free[0], floor)
                heapreplace(free, start + duration)
                starts.append(start)
                ends.append(start + duration)
            places.extend(waiting[: len(starts) - first])
            ranks = failing_ranks(places[first:], self.first_job, len(rounds), named, policy)
            failing.extend([first + rank for rank in ranks])
            again = (places[attempt] for attempt in failing[bisect_left(failing, rounds[-1]) :])
            is_last = len(rounds) > policy.retries or self.removed.issuperset(again)
            if is_last or len(places) - first < len(waiting):
                attempts = Attempts(places, starts, ends, failing, rounds)
                return self._replace(attempts=attempts, slots=slots, retries=policy.retries)
            rounds = (*rounds, len(places))

    def without(self, place: int, now: int, policy: Policy) -> Batch:
        """Batch without this job; attempts of it that have not started are cancelled."""
        batch = self._replace(removed=self.removed | {place})
        if self.slots is None or not self.waits(now):
            return batch
        kept = self._attempts.first(self.started(now))
        return batch.planned(self.slots.not_before(now), policy, kept)

    def restarted(self, now: int, slots: Slots, policy: Policy, at_once: int = 0) -> Batch:
        """Batch with the ended attempts kept and all others planned again."""
        return self.planned(slots, policy, self._attempts.first(self.ended(now)), at_once)

    def started(self, now: int) -> int:
        """Number of started attempts."""
        return bisect_right(self._attempts.starts, now)

    def ended(self, now: int) -> int:
        """Number of ended attempts."""
        return bisect_right(self._attempts.ends, now)

    def waits(self, now: int) -> bool:
        """Whether an event at this instant replans any of its attempts."""
        return self._goes_on_after(self.started(now))

    def is_done(self, now: int) -> bool:
        """Whether all its attempts have ended and no more will follow."""
        return not self._goes_on_after(self.ended(now))

    def _goes_on_after(self, count: int) -> bool:
        if self.slots is None:
            return False
        return count < len(self._attempts.ends) or bool(self.waiting(self._attempts))

    def next_jobs(self, now: int) -> Sequence[int]:
        """Numbers of the jobs whose attempts end next, within one round."""
        if self.slots is None or self.is_done(now):
            return ()
        unplanned = self.restarted(now, self.slots, Policy(retries=self.retries, manual=True))
        return [self.first_job + place for place in unplanned.waiting(unplanned._attempts)]

    def outcomes(self, count: int) -> Iterator[int]:
        """Outcomes of the first `count` attempts by KINDS, without removed jobs."""
        failing = self._attempts.failing
        missed, again = bisect_left(failing, count), bisect_left(failing, min(count, self._final))
        gone = [self._kind(attempt) for attempt in self._of_removed(0, count)]
        for kind, total in enumerate((count - missed, missed - again, again)):
            yield total - gone.count(kind)

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        if self.attempts is None:
            return Counts(completed=self.live)
        started, ended = self.started(now), self.ended(now)
        completed, failed, _ = self.outcomes(ended)
        processing = started - ended - len(self._of_removed(ended, started))
        return Counts(self.live - processing - completed - failed, processing, completed, failed)

    def state(self, place: int, now: int) -> tuple[str, int]:
        """State and number of started attempts of the job at `place`."""
        count = self.tried
        if self.attempts is None:
            return "completed", 1
        for attempt in self._attempts_of(place):
            if self.attempts.starts[attempt] > now:
                return "pending", count
            count += 1
            if self.attempts.ends[attempt] > now:
                return "processing", count
            if (kind := KINDS[self._kind(attempt)]) != "retried":
                return kind, count
        return "pending", count

    def jobs(self, space_id: str, now: int, first: int = 0) -> Iterator[tuple[int, Job]]:
        """Jobs from the place `first` on, each with its place."""
        for place in range(first, len(self.keys)):
            if place not in self.removed:
                where = (space_id, self.thread_id, self.keys.at(place))
                yield place, Job(self.first_job + place, *where, *self.state(place, now), self.arrived)

    def ends(self, space_id: str, since: int, until: int) -> Iterator[EndedAttempt]:
        """Attempts that end in (since, until]."""
        for attempt in range(self.ended(since), self.ended(until)):
            if (place := self._attempts.places[attempt]) not in self.removed:
                where = (space_id, self.thread_id, self.keys.at(place)[-1])
                yield EndedAttempt(self._attempts.ends[attempt], KINDS[self._kind(attempt)], *where)

    @property
    def _attempts(self) -> Attempts:
        return self.attempts or NOTHING

    @property
    def _final(self) -> int:
        """First attempt that is not retried if it fails."""
        rounds = self._attempts.rounds
        return rounds[-1] if len(rounds) > self.retries else len(self._attempts.ends)

    def _kind(self, attempt: int) -> int:
        failing = self._attempts.failing
        at = bisect_left(failing, attempt)
        if at == len(failing) or failing[at] != attempt:
            return 0
        return 1 if attempt >= self._final else 2

    def _attempts_of(self, place: int) -> Iterator[int]:
        places, rounds = self._attempts.places, self._attempts.rounds
        for first, last in pairwise((*rounds, len(places))):
            at = bisect_left(places, place, first, last)
            if at < last and places[at] == place:
                yield at

    def _of_removed(self, first: int, last: int) -> list[int]:
        return [a for place in self.removed for a in self._attempts_of(place) if first <= a < last]
