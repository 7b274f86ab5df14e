"""Embedding queue of one space, as an immutable value: events create a new one, reads change nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile

from mockserver.embeddings.batch import Batch
from mockserver.embeddings.policy import Policy
from mockserver.store.sorted_keys import EMPTY, Key, SortedKeys


@dataclass(frozen=True)
class SpaceQueue:
    """Batches of a space; no attempt of one starts before all of the previous one have started.

    Batches are planned at the first event or read that needs them: if a thousand threads are removed, each
    removal would otherwise plan all batches behind it.
    """

    policy: Policy
    batches: SortedKeys = EMPTY
    """(number, Batch), ascending."""
    by_thread: SortedKeys = EMPTY
    """(thread id, first key, number) of each batch."""
    next_batch: int = 1
    busy: tuple[int, ...] = ()
    """Ends of running attempts of removed threads, and of others that occupy slots."""
    unplanned: tuple[int, int] | None = None
    """(number, instant): the batches from this one on are to be planned as of this instant."""

    @cached_property
    def planned(self) -> SpaceQueue:
        """The same queue with all batches planned."""
        return self._planned_to(self.next_batch)

    def _planned_to(self, last: int, at_once: int = 0) -> SpaceQueue:
        """The same queue with the batches up to `last` planned; `at_once` attempts end as they start."""
        if self.unplanned is None or last < self.unplanned[0]:
            return self
        first, since = self.unplanned
        slots, floor = self._slots(first, since)

        def plan(batch: Batch) -> Batch:
            nonlocal floor
            batch = batch.planned(slots, floor, self.policy, since, at_once)
            floor = max(floor, batch.last_start)
            return batch

        more = next(self.batches.after((last + 1,)), None) is not None
        queue = self._mapped(first, last, plan)
        return replace(queue, unplanned=(last + 1, since) if more else None)

    def _slots(self, number: int, since: int) -> tuple[list[int], int]:
        """When each slot is free for this batch, as a heap, and its earliest start; both from `since` on."""
        ends, count, floor = list[int](), self.policy.slots, since
        for _, batch in self.batches.before((number,)):
            if batch.is_fixed == bool(batch.rounds):
                continue  # no job of it occupies a slot
            if len(ends) >= count or batch.is_fixed or batch.is_done(since):
                break
            floor = max(floor, batch.last_start)
            ends += [end for each in batch.rounds[-1:] for end in each.ends[-count:]]
        return sorted([since] * count + ends + [*self.busy])[-count:], floor

    def batch(self, number: int) -> Batch:
        """Batch of this number, which must exist."""
        batch: Batch = next(self.batches.after((number,)))[1]
        return batch

    def of(self, thread_id: str | None = None) -> list[Batch]:
        """Batches of a thread, or all of them, in queue order."""
        if thread_id is None:
            return [batch for _, batch in self.batches]
        entries = takewhile(lambda entry: entry[0] == thread_id, self.by_thread.after((thread_id,)))
        return [self.batch(number) for number in sorted(number for _, _, number in entries)]

    def find(self, thread_id: str, key: Key) -> tuple[Batch, int] | None:
        """Batch and place of the message's job; None if it has none here."""
        for owner, _, number in self.by_thread.before((thread_id, key, self.next_batch)):
            if owner != thread_id:
                break
            batch = self.batch(number)
            place = batch.keys.place(key)
            if place is not None and place not in batch.removed:
                return batch, place
        return None

    def with_batch(self, batch: Batch, policy: Policy) -> SpaceQueue:
        """Queue with one more batch, which waits for all others unless it is fixed."""
        batch = batch._replace(number=self.next_batch)
        was_put_back = self.unplanned is not None and self.unplanned[1] > batch.arrived
        queue: SpaceQueue = self.planned if was_put_back else vars(self).get("planned", self)
        return replace(
            queue,
            policy=policy,
            batches=queue.batches.with_key((batch.number, batch)),
            by_thread=queue.by_thread.with_key(batch.entry),
            next_batch=batch.number + 1,
            unplanned=queue.unplanned or (None if batch.is_fixed else (batch.number, batch.arrived)),
        )

    def without_thread(self, thread_id: str, now: int) -> SpaceQueue:
        """Queue without a thread: waiting jobs are cancelled, running ones keep their slot."""
        queue = self
        for number in [batch.number for batch in self.of(thread_id)]:
            queue = queue._planned_to(number)
            batch = queue.batch(number)
            waits = batch.waits(now)
            if queue.unplanned and not waits and not batch.is_done(queue.unplanned[1]):
                queue = queue.planned  # while its attempts are known
            unplanned = (number + 1, now) if waits else queue.unplanned
            since = min(now, unplanned[1]) if unplanned else now
            busy = tuple(end for end in (*queue.busy, *batch.running(now)) if end > since)
            queue = replace(queue._without(batch), busy=busy, unplanned=unplanned)
        return queue

    def without_message(self, thread_id: str, key: Key, now: int) -> SpaceQueue:
        """Queue without a message: its job is cancelled, or its embedding dropped."""
        found = self.find(thread_id, key)
        if found is None:
            return self
        (batch, place), number = found, found[0].number
        if batch.is_fixed and batch.rounds:
            return self._without(batch)
        queue = self._planned_to(number)
        queue = queue._mapped(number, number, lambda each: each._replace(removed=each.removed | {place}))
        waits = queue.batch(number).waits(now)
        return replace(queue, unplanned=(number, now) if waits else queue.unplanned)

    def _without(self, batch: Batch) -> SpaceQueue:
        batches = self.batches.without_key((batch.number, batch))
        return replace(self, batches=batches, by_thread=self.by_thread.without_key(batch.entry))

    def restarted(self, now: int, policy: Policy) -> SpaceQueue:
        """Queue in which ended attempts stay, and all others start over on free slots."""

        def restarted(batch: Batch) -> Batch:
            if batch.is_done(now):
                return batch
            return batch.until(now, "ends")._replace(arrived=min(batch.arrived, now))

        first = next((batch.number for batch in self.planned.of() if not batch.is_done(now)), None)
        queue = self.planned._mapped(1, self.next_batch, restarted)
        return replace(queue, policy=policy, busy=(), unplanned=None if first is None else (first, now))

    def stepped(self, now: int, count: int, policy: Policy) -> SpaceQueue:
        """Queue in which the next `count` attempts, of one batch and round, end now; others start over."""
        number = next(batch.number for batch in self.planned.of() if batch.next_jobs(now))
        return self.restarted(now, policy)._planned_to(number - 1)._planned_to(number, count)

    def next_jobs(self, now: int) -> Sequence[int]:
        """Numbers of the jobs whose attempts end next, of one batch and round."""
        return next(filter(None, (batch.next_jobs(now) for batch in self.planned.of())), ())

    def _mapped(self, first: int, last: int, change: Callable[[Batch], Batch]) -> SpaceQueue:
        batches = self.batches.mapped((first,), (last + 1,), lambda each: (each[0], change(each[1])))
        return replace(self, batches=batches)
