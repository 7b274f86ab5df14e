"""One space's embedding queue, as an immutable value: an event makes another one, a look changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from immutables import Map

from mockserver.embeddings.batch import KINDS, Attempts, Batch, Counts, EndedAttempt, Job, Slots
from mockserver.embeddings.policy import Policy
from mockserver.store.sorted_keys import EMPTY, Key, Ordered

_NOWHERE: Map[str, int] = Map()


class Unplanned(NamedTuple):
    """What the plans of a queue's last batches follow from; no attempt of these has started."""

    first: int
    """The number of the first of them."""
    policy: Policy


@dataclass(frozen=True)
class SpaceQueue:
    """A space's batches; no attempt of one starts before all of the one ahead have.

    Of a thousand threads that leave one after the other, each would plan all that wait behind it. So these
    are planned for the next event or look that needs it, which is as good: nothing else decides their plans.
    """

    batches: Ordered = EMPTY
    """(number, Batch), ascending."""
    by_thread: Ordered = EMPTY
    """(thread id, number) of each batch; a thread's first one is its backfill."""
    next_batch: int = 1
    slots: Slots | None = None
    """What the next batch to be planned finds; None before the first job."""
    later: Map[str, int] = _NOWHERE
    """message id -> its batch, for those that came after the backfill or were edited since."""
    unplanned: Unplanned | None = None

    @cached_property
    def planned(self) -> SpaceQueue:
        """The same queue with all batches planned."""
        return self._planned_until(self.next_batch)

    def batch(self, number: int) -> Batch:
        """The batch of this number, which is known to be here."""
        batch: Batch = next(self.batches.after((number,)))[1]
        return batch

    def batches_of(self, thread_id: str) -> Iterator[Batch]:
        """A thread's batches, its backfill first."""
        for owner, number in self.by_thread.after((thread_id,)):
            if owner != thread_id:
                return
            yield self.batch(number)

    def find(self, thread_id: str, key: Key) -> tuple[Batch, int] | None:
        """The batch and place of the message's job; None if it has none here."""
        number = self.later.get(key[-1])
        batch = next(self.batches_of(thread_id), None) if number is None else self.batch(number)
        place = None if batch is None else batch.keys.place(key)
        return None if batch is None or place is None or place in batch.removed else (batch, place)

    def counts(self, now: int, thread_id: str | None = None) -> Counts:
        """Jobs by state; of one thread alone if it is given."""
        queue = self.planned
        batches = (b for _, b in queue.batches) if thread_id is None else queue.batches_of(thread_id)
        return Counts(*map(sum, zip(Counts(), *(batch.counts(now) for batch in batches), strict=True)))

    def jobs(
        self, space_id: str, now: int, thread_id: str | None, after: tuple[int, int]
    ) -> Iterator[tuple[tuple[int, int], Job]]:
        """The jobs behind (batch, place), each with its own such position."""
        for number, batch in self.planned.batches.after((after[0],)):
            if thread_id in (None, batch.thread_id):
                first = after[1] + 1 if number == after[0] else 0
                for place, job in batch.jobs(space_id, now, first):
                    yield (number, place), job

    def ended(self, space_id: str, since: int, until: int, most: int) -> tuple[list[int], list[EndedAttempt]]:
        """Attempts that end in (since, until]: how many of each of KINDS, and the first `most` of them."""
        totals, given, first = [0] * len(KINDS), list[EndedAttempt](), list[EndedAttempt]()
        for _, batch in self.planned.batches:
            if batch.attempts is not None and batch.ended(since) < batch.ended(until):
                before, after = (batch.outcomes(batch.ended(instant)) for instant in (since, until))
                totals = [sum(each) for each in zip(totals, after, (-n for n in before), strict=True)]
                ends = batch.ends(space_id, since, until)
                if batch.slots is None:
                    given += ends  # in no order with the others
                else:
                    first += islice(ends, most - len(first))
        return totals, given + first

    def with_batch(self, batch: Batch, *, later: bool = False) -> SpaceQueue:
        """With one more batch; messages that came `later` are found there, and not in the backfill."""
        numbers = {key[-1]: batch.number for key in batch.keys} if later else {}
        return replace(
            self,
            batches=self.batches.with_key((batch.number, batch)),
            by_thread=self.by_thread.with_key((batch.thread_id, batch.number)),
            next_batch=batch.number + 1,
            later=self.later.update(numbers),
        )

    def enqueued(self, batch: Batch, policy: Policy, *, later: bool) -> SpaceQueue:
        """With a batch that waits for all that is here."""
        queue: SpaceQueue = vars(self).get("planned", self)
        slots = queue.slots or Slots((batch.arrived,) * policy.slots, batch.arrived)
        waiting = queue.with_batch(batch._replace(attempts=Attempts(), slots=slots), later=later)
        return replace(waiting, slots=slots, unplanned=queue.unplanned or Unplanned(batch.number, policy))

    def without_thread(self, thread_id: str, now: int, policy: Policy) -> SpaceQueue:
        """What waits is cancelled, what runs keeps its slot, what is done is dropped."""
        queue = self
        for number in [batch.number for batch in self.batches_of(thread_id)]:
            queue = queue._without(number, None, now, policy)
        return queue

    def without_message(self, thread_id: str, key: Key, now: int, policy: Policy) -> SpaceQueue:
        """The message's job is cancelled, or its vector dropped."""
        found = self.find(thread_id, key)
        if found is None:
            return self
        later = self.later.delete(key[-1]) if key[-1] in self.later else self.later
        return replace(self._without(found[0].number, found[1], now, policy), later=later)

    def _without(self, number: int, place: int | None, now: int, policy: Policy) -> SpaceQueue:
        """Without one job of a batch, or without the batch; what waits behind it moves up."""
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
        """What has ended stays, all the rest begins again on free slots.

        The first `at_once` attempts of the first batch that is not done end now.
        """
        slots = Slots((now,) * policy.slots, now)

        def restarted(batch: Batch) -> Batch:
            nonlocal slots, at_once
            if not batch.is_done(now):
                batch = batch.restarted(now, slots, policy, at_once)
                slots, at_once = slots.after(batch.attempts or Attempts()), 0
            return batch

        queue = self.planned._mapped(1, self.next_batch, restarted)
        return replace(queue, slots=slots)

    def stepped(self, most: int, below: int, now: int, policy: Policy) -> tuple[SpaceQueue, int]:
        """With up to `most` attempts of one batch ended, of jobs with numbers under `below`; how many."""
        jobs = next(jobs for _, batch in self.planned.batches if (jobs := batch.next_jobs(now)))
        count = max(1, sum(number < below for number in jobs[:most]))
        return self.restarted(now, policy, count), count

    def next_job(self, now: int) -> int | None:
        """The number of the job whose attempt is to end next."""
        return next((number for _, batch in self.planned.batches for number in batch.next_jobs(now)), None)

    def arrived_by(self, now: int) -> SpaceQueue:
        """With nothing in it from later than `now`, as there is once a clock was put back."""
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
            slots = slots.after(batch.attempts or Attempts())
            return batch

        queue = self._mapped(first, number, planned)
        more = next(self.batches.after((number + 1,)), None) is not None
        return replace(queue, slots=slots, unplanned=Unplanned(number + 1, policy) if more else None)
