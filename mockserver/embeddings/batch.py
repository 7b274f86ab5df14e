"""Jobs that arrive together: a thread's messages, or one turn of a conversation."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mockserver.embeddings.plan import Pace, Plan, extended
from mockserver.embeddings.policy import Policy
from mockserver.sandbox.ordered import Key, Ordered

LONG_AGO = -(10**18)
"""Microseconds; before any clock. What is in a scenario's spaces was embedded then (A55)."""


class Counts(NamedTuple):
    """Jobs by state, in the vendor's own words."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0

    def plus(self, other: Counts) -> Counts:
        """The sum, state by state."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


class Job(NamedTuple):
    """One message on its way into one space's store."""

    number: int
    space_id: str
    thread_id: str
    key: Key
    """Of its message."""
    state: str
    attempts: int
    queued_at: int
    """Microseconds since 1970, like every instant here."""


class EndedAttempt(NamedTuple):
    """An attempt that ended."""

    at: int
    kind: str
    """completed, failed, or retried: failed and queued again"""
    space_id: str
    thread_id: str
    message_id: str


class Batch(NamedTuple):
    """Jobs that arrived together, as an immutable value."""

    number: int
    """Its place in the space's queue."""
    thread_id: str
    keys: Ordered
    """The messages' keys; the job at place p embeds the message of the p-th."""
    first_job: int
    """The number of its first job; the others follow."""
    arrived: int
    removed: frozenset[int] = frozenset()
    """Places of jobs that count nowhere any more."""
    plan: Plan | None = None
    """None: embedded from the start."""

    def given_end(self, state: str, attempts: int, at: int) -> Batch:
        """With the end (`completed`, `failed`) that a tester gave its single job; it is never tried again."""
        ends = array("q", [LONG_AGO] * (attempts - 1) + [at])
        failing = range(attempts if state == "failed" else attempts - 1)
        return self._replace(plan=Plan(ends, [0] * attempts, failing, rounds=tuple(range(attempts))))

    @property
    def live(self) -> int:
        """Jobs that were not removed."""
        return len(self.keys) - len(self.removed)

    @property
    def is_settled(self) -> bool:
        """Whether no event plans it again: embedded from the start, or given an end by a tester."""
        return self.plan is None or not self.plan.paces

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        if self.plan is None:
            return Counts(completed=self.live)
        ended, started, void = self.plan.ended(now), self.plan.started(now), self.plan.void
        completed, failed, _ = self.plan.outcomes(ended)
        processing = started - ended
        if processing and void:
            processing -= bisect_left(void, started) - bisect_left(void, ended)
        return Counts(self.live - processing - completed - failed, processing, completed, failed)

    def state(self, place: int, now: int) -> tuple[str, int]:
        """State and attempts begun of the job at `place`."""
        if self.plan is None:
            return "completed", 1
        return self.plan.state(place, self.plan.started(now), self.plan.ended(now))

    def jobs(self, space_id: str, now: int, first: int = 0) -> Iterator[tuple[int, Job]]:
        """Its jobs from the place `first` on, each with its place."""
        started, ended = (0, 0) if self.plan is None else (self.plan.started(now), self.plan.ended(now))
        for place in range(first, len(self.keys)):
            if place not in self.removed:
                state, attempts = (
                    ("completed", 1) if self.plan is None else self.plan.state(place, started, ended)
                )
                where = (space_id, self.thread_id, self.keys.at(place))
                yield place, Job(self.first_job + place, *where, state, attempts, self.arrived)

    def ends(self, space_id: str, since: int, until: int) -> Iterator[EndedAttempt]:
        """Its attempts that end in (since, until]."""
        plan = self.plan
        for attempt in () if plan is None else range(plan.ended(since), plan.ended(until)):
            assert plan is not None
            place = plan.places[attempt]
            if place not in self.removed:
                again = "retried" if attempt < plan.rounds[-1] else "failed"
                kind = again if plan.fails(attempt) else "completed"
                where = (space_id, self.thread_id, self.keys.at(place)[-1])
                yield EndedAttempt(plan.ends[attempt], kind, *where)

    def unended(self, now: int) -> int | None:
        """The first attempt of a job that is still here and that has not ended; None if all have."""
        if self.plan is None or self.is_settled:
            return None
        waiting = range(self.plan.ended(now), len(self.plan.ends))
        return next((attempt for attempt in waiting if self.plan.places[attempt] not in self.removed), None)

    def waits(self, now: int) -> bool:
        """Whether an attempt has not started yet."""
        return not self.is_settled and self.plan is not None and self.plan.started(now) < len(self.plan.ends)

    def free_at(self, now: int) -> tuple[int, ...]:
        """When each slot is free if nothing more starts after `now`, ascending; it must have a plan."""
        assert self.plan is not None
        return self.plan.free(self.plan.started(now))

    def free_after(self) -> tuple[int, ...]:
        """When each slot is free after all attempts, ascending; it must have a plan."""
        assert self.plan is not None
        return tuple(self.plan.slots(len(self.plan.ends), self.plan.paces[-1]))

    def next_jobs(self, now: int) -> Iterator[int]:
        """The numbers of the jobs whose attempts are to end next, of one round."""
        attempt = self.unended(now)
        if attempt is not None and self.plan is not None:
            last = self.plan.round_end(self.plan.round_of(attempt))
            yield from (self.first_job + place for place in self._left(self.plan.places[attempt:last]))

    def planned(self, free: tuple[int, ...], policy: Policy) -> Batch:
        """The batch with all attempts to come, given when each slot is free for it."""
        start = Plan(paces=(Pace(0, policy.duration, free),))
        return self._extended(start, self._left(range(len(self.keys))), policy)

    def without(self, place: int, now: int, policy: Policy) -> Batch:
        """The batch without this job: what has not started of it never will, what runs keeps its slot."""
        batch = self._replace(removed=self.removed | {place})
        if self.plan is None:
            return batch
        own, started = [*self.plan.attempts_of(place)], self.plan.started(now)
        plan = self.plan.without(attempt for attempt in own if attempt < started or self.is_settled)
        if self.is_settled or own[-1] < started:
            return batch._replace(plan=plan)
        number, pace = plan.round_of(started), plan.pace_at(started)
        waiting = batch._left(plan.places[started : plan.round_end(number)])
        if number and started == plan.rounds[number] and not waiting:
            return batch._replace(plan=plan.cut(started, plan.rounds[:number], plan.paces[:pace]))
        kept = plan.cut(started, plan.rounds[: number + 1], plan.paces[: pace + 1])
        return batch._extended(kept, waiting, policy)

    def restarted(self, now: int, free: tuple[int, ...], policy: Policy, at_once: int = 0) -> Batch:
        """What has ended stays; the next `at_once` attempts end now; the rest begins again on free slots."""
        attempt = self.unended(now)
        if attempt is None or self.plan is None:
            return self
        plan, ended = self.plan, self.plan.ended(now)
        number = plan.round_of(attempt)
        waiting = self._left(plan.places[attempt : plan.round_end(number)])
        stepped = min(at_once, len(waiting))
        paces = [pace for pace in plan.paces if pace.first < ended]
        if plan.rounds[number] > ended and number > policy.retries:  # only removed jobs held up this retry
            return self._replace(plan=plan.cut(ended, plan.rounds[:number], tuple(paces)))
        rounds = (*plan.rounds[:number], min(plan.rounds[number], ended))
        paces += [Pace(ended, 0, (now,))] if stepped else []
        paces += [Pace(ended + stepped, policy.duration, free)]
        kept = plan.cut(ended, rounds, tuple(paces))
        kept = kept._replace(ends=array("q", [*kept.ends, *[now] * stepped]))
        return self._extended(kept, waiting, policy)

    def _left(self, places: Sequence[int]) -> Sequence[int]:
        """Those of the places whose jobs were not removed."""
        return array("l", [p for p in places if p not in self.removed]) if self.removed else places

    def _extended(self, kept: Plan, waiting: Sequence[int], policy: Policy) -> Batch:
        named = [place for key in policy.failing_keys if (place := self.keys.place(key)) is not None]
        return self._replace(plan=extended(kept, waiting, self.first_job, named, policy))
