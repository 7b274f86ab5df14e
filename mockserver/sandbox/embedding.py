"""The simulated embedding queue: one job for each (space, message), embedded exactly once (A15).

Nothing runs in the background. What a queue looks like at an instant is computed from its plan; every event
(added, removed, edited, deleted) works out anew what has not started by then, and leaves the rest alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from immutables import Map

from mockserver.sandbox.ordered import EMPTY, Key, Ordered
from mockserver.sandbox.plan import LONG_AGO, Batch, Counts
from mockserver.sandbox.policy import Policy
from mockserver.sandbox.queue import Due, Job, Queue

_NONE: Map[int, int] = Map()
_NOTHING = Counts()
"""Shared by the many batches of which nothing was removed."""


class Mark(NamedTuple):
    """All queues at one moment."""

    queues: Map[str, Queue]
    next_job: int


class Embeddings:
    """Every space's queue; instants are microseconds since 1970."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._queues: Map[str, Queue] = Map()
        self._next_job = 1

    def add_embedded(self, space_id: str, thread_id: str, keys: Ordered) -> None:
        """A scenario's thread, embedded long ago (A55)."""
        self._append(space_id, thread_id, keys, LONG_AGO, (LONG_AGO,), None)

    def add_thread(self, space_id: str, thread_id: str, keys: Ordered, now: int) -> None:
        """Backfill: all messages of a thread are queued; their number does not matter to the cost."""
        self._enqueue(space_id, thread_id, keys, now)

    def add_messages(self, space_id: str, thread_id: str, keys: Iterable[Key], now: int) -> None:
        """New messages of a thread that is in the space already: they queue behind what waits."""
        arrived = Ordered(keys)
        number = self._queues.get(space_id, Queue()).next_batch
        self._enqueue(space_id, thread_id, arrived, now)
        queue = self._queues[space_id]
        later = queue.later.update({key[-1]: number for key in arrived})
        self._queues = self._queues.set(space_id, queue._replace(later=later))

    def remove_thread(self, space_id: str, thread_id: str, now: int) -> None:
        """What waits is cancelled, what runs ends unheeded, what is done is dropped."""
        queue = self._queues.get(space_id)
        if queue is None or thread_id not in queue.threads:
            return
        line, free, later = queue.line, queue.free, queue.later
        batches = queue.batches_of(thread_id)
        for batch in batches:
            later = _without(later, batch)
        for batch in batches:
            if _waits(batch, now):
                rest = (b for b in line.since(batch.number + 1) if b.thread_id != thread_id)
                planned, free = self._planned_again(rest, batch.free(now), now)
                line = line.replaced_since(batch.number, planned)
                break  # nothing behind it has started, and of that the thread's are gone too
            line = line.without(batch.number)
        threads = queue.threads.delete(thread_id)
        self._queues = self._queues.set(space_id, Queue(line, free, queue.next_batch, threads, later))

    def remove_message(self, space_id: str, thread_id: str, key: Key, now: int) -> None:
        """The message's job is cancelled, or its vector dropped."""
        found = self._find(space_id, thread_id, key)
        if found is None:
            return
        queue = self._queues[space_id]
        batch, place = found
        shorter = batch.without(place, now, self.policy)
        line, free = queue.line.replaced(shorter), queue.free
        if _waits(batch, now):
            rest = queue.line.since(batch.number + 1)
            planned, free = self._planned_again(rest, shorter.rounds[-1].free(), now)
            line = line.replaced_since(batch.number + 1, planned)
        later = queue.later.delete(key[-1]) if key[-1] in queue.later else queue.later
        self._queues = self._queues.set(space_id, queue._replace(line=line, free=free, later=later))

    def edit_message(self, space_id: str, thread_id: str, key: Key, now: int) -> None:
        """A job that waits will embed the new text; one that has run, or runs, is queued once more."""
        found = self._find(space_id, thread_id, key)
        if found is None or found[0].state(found[1], now)[0] == "pending":
            return
        self.remove_message(space_id, thread_id, key, now)
        self.add_messages(space_id, thread_id, [key], now)

    def drop_space(self, space_id: str) -> None:
        """The space's queue goes with its store."""
        if space_id in self._queues:
            self._queues = self._queues.delete(space_id)

    def drain(self, now: int) -> None:
        """Let everything that waits or runs have run by now, with the outcomes it would have had."""
        at_once = self.policy._replace(duration=0)
        for space_id, queue in self._queues.items():
            first = next((b.number for b in queue.line if b.end > now), None)
            if first is not None:
                ended = [
                    b.planned((min(b.start, now),) * self.policy.slots, at_once)
                    for b in queue.line.since(first)
                ]
                line, free = queue.line.replaced_since(first, ended), (now,) * self.policy.slots
                self._queues = self._queues.set(space_id, queue._replace(line=line, free=free))

    def counts(self, now: int, space_id: str | None = None, thread_id: str | None = None) -> Counts:
        """Jobs by state: of everything, of a space, of a thread, or of a thread in a space."""
        total = Counts()
        for _, queue in self._chosen(space_id):
            total = total.plus(queue.counts(now, thread_id))
        return total

    def is_embedded(self, space_id: str, thread_id: str, key: Key, now: int) -> bool:
        """Whether the message can be found in the space."""
        found = self._find(space_id, thread_id, key)
        return found is not None and found[0].state(found[1], now)[0] == "completed"

    def state(self, space_id: str, thread_id: str, key: Key, now: int) -> str | None:
        """The state of the message's job; None if it has none here."""
        found = self._find(space_id, thread_id, key)
        return None if found is None else found[0].state(found[1], now)[0]

    def jobs(
        self,
        now: int,
        *,
        space_id: str | None = None,
        thread_id: str | None = None,
        state: str | None = None,
        after: tuple[str, int, int] = ("", 0, -1),
    ) -> Iterator[tuple[tuple[str, int, int], Job]]:
        """The jobs in line, space by space, each with its position to go on `after`."""
        for name, queue in self._chosen(space_id):
            if name >= after[0]:
                behind = after[1:] if name == after[0] else (0, -1)
                for position, job in queue.jobs(name, now, thread_id, state, behind):
                    yield (name, *position), job

    def due(self, since: int, until: int, most: int) -> tuple[dict[str, int], list[Due]]:
        """Attempts that end in (since, until]: how many of each kind, and the first `most` of them.

        Those that end together come by space, and in the order of the line.
        """
        totals = {"completed": 0, "failed": 0, "retried": 0}
        first: list[Due] = []
        for space_id, queue in self._queues.items():
            begin, end = queue.line.counts(since), queue.line.counts(until)
            totals["completed"] += end.completed - begin.completed
            totals["failed"] += end.failed - begin.failed
            totals["retried"] += queue.line.retried(until) - queue.line.retried(since)
            first += islice(queue.ends(space_id, since, until), most)
        return totals, sorted(first, key=lambda due: (due.at, due.space_id))[:most]

    def mark(self) -> Mark:
        """The queues as they are now."""
        return Mark(self._queues, self._next_job)

    def back_to(self, mark: Mark) -> None:
        """The queues as they were."""
        self._queues, self._next_job = mark

    def _chosen(self, space_id: str | None) -> Sequence[tuple[str, Queue]]:
        if space_id is None:
            return sorted(self._queues.items(), key=lambda item: item[0])
        queue = self._queues.get(space_id)
        return () if queue is None else ((space_id, queue),)

    def _enqueue(self, space_id: str, thread_id: str, keys: Ordered, now: int) -> None:
        free = self._queues.get(space_id, Queue()).free or (now,) * self.policy.slots
        bases = tuple(sorted(max(now, instant) for instant in free))
        self._append(space_id, thread_id, keys, now, bases, lambda batch: batch.rounds[-1].free())

    def _append(
        self,
        space_id: str,
        thread_id: str,
        keys: Ordered,
        arrived: int,
        bases: tuple[int, ...],
        free_after: Callable[[Batch], tuple[int, ...]] | None,
    ) -> None:
        queue = self._queues.get(space_id, Queue())
        batch = Batch(queue.next_batch, thread_id, keys, self._next_job, arrived, _NONE, _NOTHING, ())
        batch = batch.planned(bases, self.policy)
        numbers = queue.threads.get(thread_id, EMPTY).with_key((batch.number,))
        queue = queue._replace(
            line=queue.line.appended(batch),
            free=free_after(batch) if free_after else queue.free,
            next_batch=batch.number + 1,
            threads=queue.threads.set(thread_id, numbers),
        )
        self._queues = self._queues.set(space_id, queue)
        self._next_job += len(keys)

    def _planned_again(
        self, batches: Iterable[Batch], free: tuple[int, ...], now: int
    ) -> tuple[list[Batch], tuple[int, ...]]:
        """Batches of which nothing has started, planned from now on."""
        planned: list[Batch] = []
        for batch in batches:
            bases = tuple(sorted(max(batch.arrived, now, instant) for instant in free))
            planned.append(batch.planned(bases, self.policy))
            free = planned[-1].rounds[-1].free()
        return planned, free

    def _find(self, space_id: str, thread_id: str, key: Key) -> tuple[Batch, int] | None:
        queue = self._queues.get(space_id)
        return None if queue is None else queue.find(thread_id, key)


def _waits(batch: Batch, now: int) -> bool:
    """Whether something of it has not started yet."""
    return any(r.started(now) < len(r.members) for r in batch.rounds)


def _without(later: Map[str, int], batch: Batch) -> Map[str, int]:
    """The map without what points to this batch; a backfill, to which nothing points, costs nothing."""
    if len(batch.keys) <= len(later):
        gone = [key[-1] for key in batch.keys if later.get(key[-1]) == batch.number]
    else:
        gone = [message_id for message_id, number in later.items() if number == batch.number]
    for message_id in gone:
        later = later.delete(message_id)
    return later
