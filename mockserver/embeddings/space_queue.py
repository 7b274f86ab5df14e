"""Embedding queue of one space, as an immutable value: events create a new one, reads change nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, repeat, takewhile

from mockserver.embeddings.batch import Batch
from mockserver.embeddings.policy import Policy
from mockserver.store.sorted_keys import EMPTY, Key, SortedKeys

ALL = 10**9
"""More attempts than there are."""


@dataclass(frozen=True)
class SpaceQueue:
    """Batches of a space; no attempt of one starts before all of the previous one have started.

    What an event leaves to be planned is planned by the next event, as far as it has started by then, or by
    the next read: if a thousand threads are removed, no removal plans all that wait behind it.
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
        return self._planned()

    def _planned(self, until: int | None = None, steps: int = 0) -> SpaceQueue:
        """The same queue with its batches planned, up to one that waits at `until`.

        The first `steps` attempts end as they start.
        """
        if self.unplanned is None:
            return self
        first, since = self.unplanned
        slots, planned = self._slots(first, since), dict[int, Batch]()
        durations = chain(repeat(0, steps), () if self.policy.manual else repeat(self.policy.duration))
        for number, batch in self.batches.after((first,)):
            planned[number] = batch.planned(self.policy, since, slots, durations)
            if until is not None and planned[number].waits(until):
                break
        last = max(planned, default=first)
        more = next(self.batches.after((last + 1,)), None)
        queue = self._mapped(first, last, lambda batch: planned[batch.number])
        return replace(queue, unplanned=more and (more[0], since))

    def _slots(self, number: int, since: int) -> list[int]:
        """When each slot is free for this batch, ascending, from `since` on."""
        count, ends, floor = self.policy.slots, list[int](), since
        for _, batch in self.batches.before((number,)):
            if len(ends) >= count or (batch.fixed and not batch.attempts.places):
                break
            if not batch.fixed:
                ends += batch.attempts.ends[-count:]
                floor = max([floor, *batch.attempts.starts[-1:]])
        last = sorted([since] * count + ends + [*self.busy])[-count:]
        return [end if end > floor else floor for end in last]

    def _at(self, now: int) -> SpaceQueue:
        """The same queue for an event: as the last read planned it; all of it if the clock was put back."""
        queue: SpaceQueue = vars(self).get("planned", self)
        was_put_back = queue.unplanned is not None and queue.unplanned[1] > now
        return queue.planned if was_put_back else queue

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
        """Queue with one more batch, which waits for all others if it is to be planned."""
        queue, batch = self._at(batch.arrived), batch._replace(number=self.next_batch)
        return replace(
            queue,
            policy=policy,
            batches=queue.batches.with_key((batch.number, batch)),
            by_thread=queue.by_thread.with_key(batch.entry),
            next_batch=batch.number + 1,
            unplanned=queue.unplanned or (None if batch.fixed else (batch.number, batch.arrived)),
        )

    def without_thread(self, thread_id: str, now: int) -> SpaceQueue:
        """Queue without a thread: waiting jobs are cancelled, running ones keep their slot."""
        queue = self._at(now)._planned(now)
        for batch in queue.of(thread_id):
            queue = queue._with_rest(batch, None, now)
        return queue

    def without_message(self, thread_id: str, key: Key, now: int) -> SpaceQueue:
        """Queue without a message: its job is cancelled, or its embedding dropped."""
        queue = self._at(now)._planned(now)
        if found := queue.find(thread_id, key):
            batch, place = found
            is_whole = batch.fixed and batch.attempts.places
            rest = None if is_whole else batch._replace(removed=batch.removed | {place})
            queue = queue._with_rest(batch, rest, now)
        return queue

    def _with_rest(self, batch: Batch, rest: Batch | None, now: int) -> SpaceQueue:
        """The same queue with the rest of a batch, if any; if it waits, it and all behind are planned again.

        The queue is planned as far as attempts start by `now`.
        """
        queue, number = self, batch.number
        if batch.waits(now):
            first = min(number, self.unplanned[0]) if self.unplanned else number
            queue = replace(self, unplanned=(first, now))
        if rest is not None:
            return queue._mapped(number, number, lambda _: rest)
        started = batch.attempts.ends[: bisect_right(batch.attempts.starts, now)]
        return replace(
            queue,
            batches=self.batches.without_key((number, batch)),
            by_thread=self.by_thread.without_key(batch.entry),
            busy=tuple(end for end in (*self.busy, *started) if end > now),
        )

    def restarted(self, now: int, policy: Policy, steps: int = 0) -> SpaceQueue:
        """Queue in which ended attempts stay, the next `steps` end now, and all others start over."""
        waiting = (batch.number for batch in self.planned.of() if not batch.is_done(now))
        first = next(waiting, self.next_batch)
        queue = self.planned._mapped(first, self.next_batch, lambda batch: batch.restarted(now))
        return replace(queue, policy=policy, busy=(), unplanned=(first, now))._planned(steps=steps)

    def next_jobs(self, now: int, most: int = 1) -> Iterator[int]:
        """Numbers of the jobs whose attempts end next, in order; a job that fails comes again."""
        for batch in self.planned.of():
            if not batch.is_done(now):
                ended = batch.restarted(now)
                places, starts, *_ = ended.planned(self.policy, now, [now], repeat(0, most)).attempts
                for place in places[len(ended.attempts.starts) : len(starts)]:
                    yield batch.first_job + place

    def _mapped(self, first: int, last: int, change: Callable[[Batch], Batch]) -> SpaceQueue:
        batches = self.batches.mapped((first,), (last + 1,), lambda each: (each[0], change(each[1])))
        return replace(self, batches=batches)
