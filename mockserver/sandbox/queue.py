"""One space's embedding queue, as an immutable value that can be looked into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from immutables import Map

from mockserver.sandbox.line import Line
from mockserver.sandbox.ordered import EMPTY, Key, Ordered
from mockserver.sandbox.plan import Batch, Counts
from mockserver.sandbox.policy import Policy


class Job(NamedTuple):
    """One message on its way into one space's store."""

    number: int
    space_id: str
    thread_id: str
    message_id: str
    state: str
    attempts: int
    queued_at: int
    """Microseconds since 1970, like every instant here."""


class Due(NamedTuple):
    """An attempt that ended."""

    at: int
    kind: str
    """completed, failed, or retried: failed and queued again"""
    space_id: str
    thread_id: str
    message_id: str


class Decided(NamedTuple):
    """A job that a tester gave an end; it is in no line any more."""

    number: int
    thread_id: str
    order: Key
    """The message's key without its id."""
    state: str
    at: int
    attempts: int
    queued_at: int

    def state_at(self, now: int) -> tuple[str, int]:
        """State and attempts begun; a clock that was put back finds it waiting."""
        return (self.state, self.attempts) if self.at <= now else ("pending", 0)


BEHIND = 2**52
"""Where decided jobs are listed: behind every batch."""


class Queue(NamedTuple):
    """One space's jobs."""

    line: Line = Line()
    next_batch: int = 1
    threads: Map[str, Ordered] = Map()
    """thread -> (batch number,), of which the first is its backfill."""
    later: Map[str, int] = Map()
    """message -> its batch, for those that came after the backfill or were edited since."""
    decided: Map[str, Decided] = Map()
    """message -> its job, for those that a tester gave an end."""

    def counts(self, now: int, thread_id: str | None = None) -> Counts:
        """Jobs by state; of one thread alone if it is given."""
        total = Counts()
        for one in self.decided.values():
            if thread_id in (None, one.thread_id):
                total = total.plus(Counts(**{one.state_at(now)[0]: 1}))
        if thread_id is None:
            return total.plus(self.line.counts(now)) if self.decided else self.line.counts(now)
        for batch in self.batches_of(thread_id):
            total = total.plus(batch.counts(now))
        return total

    def batches_of(self, thread_id: str) -> list[Batch]:
        """A thread's batches, its backfill first."""
        found = (self.line.get(number) for (number,) in self.threads.get(thread_id, EMPTY))
        return [batch for batch in found if batch is not None]

    def find(self, thread_id: str, key: Key) -> tuple[Batch, int] | None:
        """The batch and place of the message's job; None if it has none here."""
        if thread_id not in self.threads:
            return None
        number = self.later.get(key[-1])
        if number is None:
            number = next(iter(self.threads[thread_id]))[0]
        batch = self.line.get(number)
        place = batch.keys.place(key) if batch is not None else None
        if batch is None or place is None or place in batch.removed:
            return None
        return batch, place

    def jobs(
        self, space_id: str, now: int, thread_id: str | None, state: str | None, after: tuple[int, int]
    ) -> Iterator[tuple[tuple[int, int], Job]]:
        """The jobs in line behind (batch, place), each with its own such position."""
        for batch in self.line.since(after[0]):
            if thread_id not in (None, batch.thread_id):
                continue
            first = after[1] + 1 if batch.number == after[0] else 0
            for place in batch.places(state, now, first):
                found, attempts = batch.state(place, now)
                number, message_id = batch.first_job + place, batch.key(place)[-1]
                job = Job(number, space_id, batch.thread_id, message_id, found, attempts, batch.arrived)
                yield (batch.number, place), job
        for message_id, one in sorted(self.decided.items(), key=lambda item: item[1].number):
            found, attempts = one.state_at(now)
            if thread_id in (None, one.thread_id) and state in (None, found) and (BEHIND, one.number) > after:
                job = Job(one.number, space_id, one.thread_id, message_id, found, attempts, one.queued_at)
                yield (BEHIND, one.number), job

    def arrived_by(self, now: int) -> Queue:
        """The queue with nothing in it from later than `now`, as there is once a clock was put back."""
        first = next((batch.number for batch in self.line if batch.arrived > now), None)
        if first is None:
            return self
        moved = [batch._replace(arrived=min(batch.arrived, now)) for batch in self.line.since(first)]
        return self._replace(line=self.line.replaced_since(first, moved, self.line.free))

    def restarted(self, now: int, policy: Policy) -> Queue:
        """The queue by another policy: what has ended stays, all the rest begins anew."""
        free = (policy.opens(now),) * policy.slots
        first = next((batch.number for batch in self.line if batch.unended(now) is not None), None)
        if first is None:
            return self._replace(line=self.line.with_free(free))
        planned: list[Batch] = []
        for batch in self.line.since(first):
            planned.append(batch.restarted(now, policy.bases(max(batch.arrived, now), free), policy))
            if planned[-1].unended(now) is not None:
                free = planned[-1].rounds[-1].free()
        return self._replace(line=self.line.replaced_since(first, planned, free))

    def ends(self, space_id: str, since: int, until: int) -> Iterator[Due]:
        """The attempts that end in (since, until]: those that were decided, then the others in line."""
        for message_id, one in self.decided.items():
            if since < one.at <= until:
                yield Due(one.at, one.state, space_id, one.thread_id, message_id)
        for batch in self.line.running(since, until):
            for round_ in batch.rounds:
                again = "failed" if round_ is batch.rounds[-1] else "retried"
                for rank in range(round_.ended(since), round_.ended(until)):
                    place = round_.members[rank]
                    if place not in batch.removed:
                        kind = again if round_.fails(rank) else "completed"
                        at = round_.finish(rank)
                        yield Due(at, kind, space_id, batch.thread_id, batch.key(place)[-1])
