"""One space's embedding queue, as an immutable value: an event makes another one, a look changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from immutables import Map

from mockserver.embeddings.batch import Batch, Counts, EndedAttempt, Job
from mockserver.embeddings.plan import Pace, Plan
from mockserver.embeddings.policy import Policy
from mockserver.sandbox.ordered import EMPTY, Key, Ordered

_NOWHERE: Map[str, int] = Map()
_TO_BE_PLANNED = Plan(paces=(Pace(0, 0, ()),))


class Unplanned(NamedTuple):
    """What the plans of a queue's last batches follow from; no attempt of these has started."""

    first: int
    """The number of the first of them."""
    free: tuple[int, ...]
    """When each slot is free for them, ascending."""
    now: int
    """No attempt starts before."""
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
    free: tuple[int, ...] = ()
    """When each slot is free after all that is planned, ascending; empty before the first job."""
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
        assert batch.number == number
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
        if batch is None or place is None or place in batch.removed:
            return None
        return batch, place

    def state(self, thread_id: str, key: Key, now: int) -> str | None:
        """The state of the message's job; None if it has none here."""
        found = self.planned.find(thread_id, key)
        return None if found is None else found[0].state(found[1], now)[0]

    def counts(self, now: int, thread_id: str | None = None) -> Counts:
        """Jobs by state; of one thread alone if it is given."""
        queue = self.planned
        batches = (b for _, b in queue.batches) if thread_id is None else queue.batches_of(thread_id)
        each = [batch.counts(now) for batch in batches]
        return Counts(*(sum(column) for column in zip(*each, strict=True)))

    def jobs(
        self, space_id: str, now: int, thread_id: str | None, after: tuple[int, int]
    ) -> Iterator[tuple[tuple[int, int], Job]]:
        """The jobs behind (batch, place), each with its own such position."""
        for number, batch in self.planned.batches.after((after[0],)):
            if thread_id in (None, batch.thread_id):
                first = after[1] + 1 if number == after[0] else 0
                for place, job in batch.jobs(space_id, now, first):
                    yield (number, place), job

    def totals(self, since: int, until: int) -> dict[str, int]:
        """How many attempts of each kind end in (since, until]."""
        totals = {"completed": 0, "failed": 0, "retried": 0}
        for plan in (batch.plan for _, batch in self.planned.batches):
            if plan is None or not plan.ends or plan.ends[-1] <= since or plan.ends[0] > until:
                continue
            begin, end = (plan.outcomes(plan.ended(instant)) for instant in (since, until))
            for kind, before, after in zip(totals, begin, end, strict=True):
                totals[kind] += after - before
        return totals

    def ends(self, space_id: str, since: int, until: int, most: int) -> list[EndedAttempt]:
        """The first `most` attempts that end in (since, until], and the jobs that were given an end then."""
        batches = [batch for _, batch in self.planned.batches]
        given = [batch for batch in batches if batch.is_settled]
        planned = (e for batch in batches if not batch.is_settled for e in batch.ends(space_id, since, until))
        return [*(e for batch in given for e in batch.ends(space_id, since, until)), *islice(planned, most)]

    def with_batch(self, batch: Batch) -> SpaceQueue:
        """With one more batch, which is planned, or to be planned with those ahead."""
        return replace(
            self,
            batches=self.batches.with_key((batch.number, batch)),
            by_thread=self.by_thread.with_key((batch.thread_id, batch.number)),
            next_batch=batch.number + 1,
        )

    def with_later(self, batch: Batch) -> SpaceQueue:
        """With the messages of a batch found there, and not in the thread's backfill."""
        return replace(self, later=self.later.update({key[-1]: batch.number for key in batch.keys}))

    def enqueued(self, batch: Batch, now: int, policy: Policy) -> SpaceQueue:
        """With a batch that waits for all that is here."""
        queue: SpaceQueue = vars(self).get("planned", self)
        if queue.unplanned is not None:
            return queue.with_batch(batch._replace(plan=_TO_BE_PLANNED))
        free = queue.free or (policy.opens(now),) * policy.slots
        planned = batch.planned(policy.bases(max(batch.arrived, now), free), policy)
        return replace(queue.with_batch(planned), free=planned.free_after())

    def without_thread(self, thread_id: str, now: int, policy: Policy) -> SpaceQueue:
        """What waits is cancelled, what runs keeps its slot, what is done is dropped."""
        queue, later, waits = self, self.later, False
        for number in [batch.number for batch in self.batches_of(thread_id)]:
            queue = queue if waits else queue._planned_until(number)
            batch = queue.batch(number)
            later = _without(later, batch)
            queue = replace(queue, batches=queue.batches.without_key((number, batch)))
            if not waits and batch.waits(now):
                waits = True
                queue = queue._unplanned_from(number + 1, batch.free_at(now), now, policy)
            queue = replace(queue, by_thread=queue.by_thread.without_key((thread_id, number)))
        return replace(queue, later=later)

    def without_message(self, thread_id: str, key: Key, now: int, policy: Policy) -> SpaceQueue:
        """The message's job is cancelled, or its vector dropped."""
        found = self.find(thread_id, key)
        if found is None:
            return self
        queue = self._planned_until(found[0].number)
        batch, place = queue.batch(found[0].number), found[1]
        shorter = batch.without(place, now, policy)
        later = self.later.delete(key[-1]) if key[-1] in self.later else self.later
        queue = replace(queue._with(shorter), later=later)
        if not batch.waits(now):
            return queue
        return queue._unplanned_from(batch.number + 1, shorter.free_after(), now, policy)

    def restarted(self, now: int, policy: Policy) -> SpaceQueue:
        """By another policy: what has ended stays, all the rest begins again on free slots."""
        free = (policy.opens(now),) * policy.slots

        def restarted(batch: Batch) -> Batch:
            nonlocal free
            if batch.unended(now) is not None:
                batch = batch.restarted(now, policy.bases(max(batch.arrived, now), free), policy)
                free = batch.free_after()
            return batch

        queue = self.planned._mapped(1, self.next_batch, restarted)
        return replace(queue, free=free)

    def stepped(self, most: int, below: int, now: int, policy: Policy) -> tuple[SpaceQueue, int]:
        """With up to `most` attempts of one batch ended, of jobs with numbers under `below`; how many."""
        batch = next(batch for _, batch in self.planned.batches if batch.unended(now) is not None)
        count = max(1, sum(number < below for number in islice(batch.next_jobs(now), most)))
        shorter = batch.restarted(now, (policy.opens(now),) * policy.slots, policy, count)
        queue = self.planned._with(shorter)
        # Where nothing but a step moves the queue, the rest of it stays as it is.
        return queue if policy.manual else queue.restarted(now, policy), count

    def next_job(self, now: int) -> int | None:
        """The number of the job whose attempt is to end next."""
        return next((number for _, batch in self.planned.batches for number in batch.next_jobs(now)), None)

    def arrived_by(self, now: int) -> SpaceQueue:
        """With nothing in it from later than `now`, as there is once a clock was put back."""
        return self.planned._mapped(
            1, self.next_batch, lambda batch: batch._replace(arrived=min(batch.arrived, now))
        )

    def _with(self, batch: Batch) -> SpaceQueue:
        return self._mapped(batch.number, batch.number, lambda _: batch)

    def _mapped(self, first: int, last: int, change: Callable[[Batch], Batch]) -> SpaceQueue:
        batches = self.batches.mapped((first,), (last + 1,), lambda each: (each[0], change(each[1])))
        return replace(self, batches=batches)

    def _unplanned_from(self, first: int, free: tuple[int, ...], now: int, policy: Policy) -> SpaceQueue:
        """With all batches from this number on, of which nothing has started, to be planned again."""
        if next(self.batches.after((first,)), None) is None:
            return replace(self, free=free, unplanned=None)
        return replace(self, unplanned=Unplanned(first, free, now, policy))

    def _planned_until(self, number: int) -> SpaceQueue:
        """The same queue with all batches up to this number planned."""
        if self.unplanned is None or number < self.unplanned.first:
            return self
        if "planned" in vars(self):
            return self.planned
        first, free, now, policy = self.unplanned

        def planned(batch: Batch) -> Batch:
            nonlocal free
            if not batch.is_settled:
                batch = batch.planned(policy.bases(max(batch.arrived, now), free), policy)
                free = batch.free_after()
            return batch

        queue = self._mapped(first, number, planned)
        return queue._unplanned_from(number + 1, free, now, policy)


def _without(later: Map[str, int], batch: Batch) -> Map[str, int]:
    """The map without what points to this batch."""
    for key in batch.keys if later else ():
        if later.get(key[-1]) == batch.number:
            later = later.delete(key[-1])
    return later
