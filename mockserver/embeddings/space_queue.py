"""Embedding queue of one space, as an immutable value: events create a new one, reads change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from immutables import Map

from mockserver.embeddings.batch import KINDS, NOTHING, Batch, Counts, EndedAttempt, Job, Slots
from mockserver.embeddings.policy import Policy
from mockserver.store.sorted_keys import EMPTY, Key, SortedKeys

_NOWHERE: Map[str, int] = Map()


class Unplanned(NamedTuple):
    """Inputs for the plans of a queue's last batches, none of whose attempts has started."""

    first: int
    """Number of the first of them."""
    policy: Policy


@dataclass(frozen=True)
class SpaceQueue:
    """Batches of a space; no attempt of one starts before all of the previous one have started.

    Batches are planned lazily, at the first event or read that needs them: if a thousand threads are removed,
    each removal would otherwise plan all batches behind it. Nothing else influences the plans.
    """

    batches: SortedKeys = EMPTY
    """(number, Batch), ascending."""
    by_thread: SortedKeys = EMPTY
    """(thread id, number) of each batch; the first of a thread is its backfill."""
    next_batch: int = 1
    slots: Slots | None = None
    """Slots for the next batch to be planned; None before the first job."""
    later: Map[str, int] = _NOWHERE
    """Message id -> batch, for messages added or edited after the backfill."""
    unplanned: Unplanned | None = None

    @cached_property
    def planned(self) -> SpaceQueue:
        """The same queue with all batches planned."""
        return self._planned_until(self.next_batch)

    def batch(self, number: int) -> Batch:
        """Batch of this number, which must exist."""
        batch: Batch = next(self.batches.after((number,)))[1]
        return batch

    def batches_of(self, thread_id: str) -> Iterator[Batch]:
        """Batches of a thread, its backfill first."""
        for owner, number in self.by_thread.after((thread_id,)):
            if owner != thread_id:
                return
            yield self.batch(number)

    def find(self, thread_id: str, key: Key) -> tuple[Batch, int] | None:
        """Batch and place of the message's job; None if it has none here."""
        number = self.later.get(key[-1])
        batch = next(self.batches_of(thread_id), None) if number is None else self.batch(number)
        place = None if batch is None else batch.keys.place(key)
        return None if batch is None or place is None or place in batch.removed else (batch, place)

    def counts(self, now: int, thread_id: str | None = None) -> Counts:
        """Jobs by state, optionally of one thread."""
        queue = self.planned
        batches = (b for _, b in queue.batches) if thread_id is None else queue.batches_of(thread_id)
        return Counts(*map(sum, zip(Counts(), *(batch.counts(now) for batch in batches), strict=True)))

    def jobs(
        self, space_id: str, now: int, thread_id: str | None, after: tuple[int, int]
    ) -> Iterator[tuple[tuple[int, int], Job]]:
        """Jobs after (batch, place), each with its own position."""
        for number, batch in self.planned.batches.after((after[0],)):
            if thread_id in (None, batch.thread_id):
                first = after[1] + 1 if number == after[0] else 0
                for place, job in batch.jobs(space_id, now, first):
                    yield (number, place), job

    def ended(self, space_id: str, since: int, until: int, most: int) -> tuple[list[int], list[EndedAttempt]]:
        """Attempts that end in (since, until]: totals by KINDS, and the first `most` attempts."""
        totals, by_tester, first = [0] * len(KINDS), list[EndedAttempt](), list[EndedAttempt]()
        for _, batch in self.planned.batches:
            if batch.attempts is not None and batch.ended(since) < batch.ended(until):
                before, after = (batch.outcomes(batch.ended(instant)) for instant in (since, until))
                totals = [sum(each) for each in zip(totals, after, (-n for n in before), strict=True)]
                ends = batch.ends(space_id, since, until)
                if batch.slots is None:
                    by_tester += ends  # in no order with the others
                else:
                    first += islice(ends, most - len(first))
        return totals, by_tester + first

    def with_batch(self, batch: Batch, *, later: bool = False) -> SpaceQueue:
        """Queue with one more batch; messages added `later` are not in the backfill."""
        numbers = {key[-1]: batch.number for key in batch.keys} if later else {}
        return replace(
            self,
            batches=self.batches.with_key((batch.number, batch)),
            by_thread=self.by_thread.with_key((batch.thread_id, batch.number)),
            next_batch=batch.number + 1,
            later=self.later.update(numbers),
        )

    def enqueued(self, batch: Batch, policy: Policy, *, later: bool) -> SpaceQueue:
        """Queue with a batch that waits for all others."""
        queue: SpaceQueue = vars(self).get("planned", self)
        slots = queue.slots or Slots((batch.arrived,) * policy.slots, batch.arrived)
        waiting = queue.with_batch(batch._replace(attempts=NOTHING, slots=slots), later=later)
        return replace(waiting, slots=slots, unplanned=queue.unplanned or Unplanned(batch.number, policy))

    def without_thread(self, thread_id: str, now: int, policy: Policy) -> SpaceQueue:
        """Queue without a thread: waiting jobs are cancelled, running ones keep their slot."""
        queue = self
        for number in [batch.number for batch in self.batches_of(thread_id)]:
            queue = queue._without(number, None, now, policy)
        return queue

    def without_message(self, thread_id: str, key: Key, now: int, policy: Policy) -> SpaceQueue:
        """Queue without a message: its job is cancelled, or its embedding dropped."""
        found = self.find(thread_id, key)
        if found is None:
            return self
        later = self.later.delete(key[-1]) if key[-1] in self.later else self.later
        return replace(self._without(found[0].number, found[1], now, policy), later=later)

    def _without(self, number: int, place: int | None, now: int, policy: Policy) -> SpaceQueue:
        """Queue without one job of a batch, or without the batch; waiting jobs move up."""
        queue = self._planned_until(number)
        batch = queue.batch(number)
        if place is None:
            rest = queue.batches.without_key((number, batch))
            later = queue.later
            for key in batch.keys if later else ():
                later = later.delete(key[-1]) if later.get(key[-1]) == number else later
            by_thread = queue.by_thread.without_key((batch.thread_id, number))
            queue = replace(queue, batches=rest, by_thread=by_thread, later=later)
            kept = batch.attempts and batch.attempts.first(batch.started(now))
        else:
            shorter = batch.without(place, now, policy)
            queue, kept = queue._mapped(number, number, lambda _: shorter), shorter.attempts
        if kept is None or batch.slots is None or not batch.waits(now):
            return queue
        slots = batch.slots.not_before(now).after(kept)
        return replace(queue, slots=slots, unplanned=Unplanned(number + 1, policy))

    def restarted(self, now: int, policy: Policy, at_once: int = 0) -> SpaceQueue:
        """Queue in which ended attempts stay, and all others start over on free slots.

        The first `at_once` attempts of the first unfinished batch end now.
        """
        slots = Slots((now,) * policy.slots, now)

        def restarted(batch: Batch) -> Batch:
            nonlocal slots, at_once
            if not batch.is_done(now):
                batch = batch.restarted(now, slots, policy, at_once)
                slots, at_once = slots.after(batch.attempts or NOTHING), 0
            return batch

        queue = self.planned._mapped(1, self.next_batch, restarted)
        return replace(queue, slots=slots)

    def stepped(self, most: int, below: int, now: int, policy: Policy) -> tuple[SpaceQueue, int]:
        """Queue with up to `most` attempts of one batch ended, of jobs below `below`; and their number."""
        jobs = next(jobs for _, batch in self.planned.batches if (jobs := batch.next_jobs(now)))
        count = max(1, sum(number < below for number in jobs[:most]))
        return self.restarted(now, policy, count), count

    def next_job(self, now: int) -> int | None:
        """Number of the job whose attempt ends next."""
        return next((number for _, batch in self.planned.batches for number in batch.next_jobs(now)), None)

    def arrived_by(self, now: int) -> SpaceQueue:
        """Queue without arrivals after `now`, for a clock that was set back."""
        return self.planned._mapped(
            1, self.next_batch, lambda batch: batch._replace(arrived=min(batch.arrived, now))
        )

    def _mapped(self, first: int, last: int, change: Callable[[Batch], Batch]) -> SpaceQueue:
        batches = self.batches.mapped((first,), (last + 1,), lambda each: (each[0], change(each[1])))
        return replace(self, batches=batches)

    def _planned_until(self, number: int) -> SpaceQueue:
        """The same queue with all batches up to this number planned."""
        if self.unplanned is None or number < self.unplanned.first:
            return self
        if "planned" in vars(self):
            return self.planned
        (first, policy), slots = self.unplanned, self.slots

        def planned(batch: Batch) -> Batch:
            nonlocal slots
            if batch.slots is None or slots is None:
                return batch
            batch = batch.planned(slots, policy)
            slots = slots.after(batch.attempts or NOTHING)
            return batch

        queue = self._mapped(first, number, planned)
        more = next(self.batches.after((number + 1,)), None) is not None
        return replace(queue, slots=slots, unplanned=Unplanned(number + 1, policy) if more else None)
