"""The simulated embedding queue: one job for each (space, message), embedded exactly once (A15).

Nothing runs in the background. What a queue looks like at an instant is computed from its plan; every event
(added, removed, edited, deleted) works out anew what has not started by then, and leaves the rest alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from immutables import Map

from mockserver.sandbox.line import Line
from mockserver.sandbox.ordered import EMPTY, Key, Ordered
from mockserver.sandbox.plan import LONG_AGO, Batch, Counts
from mockserver.sandbox.policy import Policy
from mockserver.sandbox.queue import Decided, Due, Job, Queue

_NONE: Map[int, int] = Map()
_NOTHING = Counts()
"""Shared by the many batches of which nothing was removed."""
_EMPTY = Queue()


class Mark(NamedTuple):
    """All queues at one moment."""

    queues: Map[str, Queue]
    next_job: int
    policy: Policy | None = None
    """As it was changed; None for the one that the sandbox was made with."""


class Embeddings:
    """Every space's queue; instants are microseconds since 1970."""

    def __init__(self, policy: Policy) -> None:
        self.policy = self.own_policy = policy
        self.queues: Map[str, Queue] = Map()
        """By space id."""
        self.next_job = 1
        """The number of the next job."""

    def add_embedded(self, space_id: str, thread_id: str, keys: Ordered) -> None:
        """A scenario's thread, embedded long ago (A55)."""
        queue = self.queues.get(space_id, _EMPTY)
        batch = Batch(queue.next_batch, thread_id, keys, self.next_job, LONG_AGO, _NONE, _NOTHING, ())
        batch = batch.planned((LONG_AGO,), self.policy)
        self._append(space_id, queue, batch, queue.line.settled(batch))
        self.next_job += len(keys)

    def add_thread(self, space_id: str, thread_id: str, keys: Ordered, now: int) -> None:
        """Backfill: all messages of a thread are queued; their number does not matter to the cost."""
        self._enqueue(space_id, thread_id, keys, now)

    def add_messages(
        self, space_id: str, thread_id: str, keys: Iterable[Key], now: int, job: int | None = None
    ) -> None:
        """New messages of a thread that is in the space already: they queue behind what waits.

        `job` is the number of the first job, if it has one already.
        """
        arrived = Ordered(keys)
        number = self.queues.get(space_id, _EMPTY).next_batch
        self._enqueue(space_id, thread_id, arrived, now, job)
        queue = self.queues[space_id]
        later = queue.later.update({key[-1]: number for key in arrived})
        self.queues = self.queues.set(space_id, queue._replace(later=later))

    def remove_thread(self, space_id: str, thread_id: str, now: int) -> None:
        """What waits is cancelled, what runs ends unheeded, what is done is dropped."""
        queue = self.queues.get(space_id)
        if queue is None or thread_id not in queue.threads:
            return
        for message_id in [name for name, one in queue.decided.items() if one.thread_id == thread_id]:
            queue = queue._replace(decided=queue.decided.delete(message_id))
        line, later, waits = queue.line, queue.later, False
        for (number,) in queue.threads[thread_id]:
            batch = line.get(number) if not waits else line.unplanned(number)
            if batch is None:
                continue
            later = _without(later, batch)
            line = line.without(number)
            if not waits and _waits(batch, now):
                waits = True  # and nothing behind it has started
                line = line.late(number, batch.free(now), now, self.policy)
        threads = queue.threads.delete(thread_id)
        queue = queue._replace(line=line, threads=threads, later=later)
        self.queues = self.queues.set(space_id, queue)

    def remove_message(self, space_id: str, thread_id: str, key: Key, now: int) -> None:
        """The message's job is cancelled, or its vector dropped."""
        if self._decided(space_id, key) is not None:
            queue = self.queues[space_id]
            self.queues = self.queues.set(space_id, queue._replace(decided=queue.decided.delete(key[-1])))
            return
        found = self._find(space_id, thread_id, key)
        if found is None:
            return
        queue = self.queues[space_id]
        batch, place = found
        shorter = batch.without(place, now, self.policy)
        line = queue.line.replaced(shorter)
        if _waits(batch, now):
            line = line.late(batch.number + 1, shorter.rounds[-1].free(), now, self.policy)
        later = queue.later.delete(key[-1]) if key[-1] in queue.later else queue.later
        self.queues = self.queues.set(space_id, queue._replace(line=line, later=later))

    def edit_message(self, space_id: str, thread_id: str, key: Key, now: int) -> None:
        """A job that waits will embed the new text; one that has run, or runs, is queued once more."""
        if self.state(space_id, thread_id, key, now) in (None, "pending"):
            return
        self.remove_message(space_id, thread_id, key, now)
        self.add_messages(space_id, thread_id, [key], now)

    def drop_space(self, space_id: str) -> None:
        """The space's queue goes with its store."""
        if space_id in self.queues:
            self.queues = self.queues.delete(space_id)

    def drain(self, now: int) -> None:
        """Let everything that waits or runs have run by now, with the outcomes it would have had."""
        free = (self.policy.opens(now),) * self.policy.slots
        self.queues = Map({name: queue.arrived_by(now) for name, queue in self.queues.items()})
        self.restart(now, self.policy._replace(duration=0, manual=False))
        self.queues = Map(
            {name: queue._replace(line=queue.line.with_free(free)) for name, queue in self.queues.items()}
        )

    def restart(self, now: int, policy: Policy) -> None:
        """Plan everything that has not ended anew, by `policy`."""
        self.queues = Map({name: queue.restarted(now, policy) for name, queue in self.queues.items()})

    def _decided(self, space_id: str, key: Key) -> Decided | None:
        queue = self.queues.get(space_id)
        return None if queue is None or not queue.decided else queue.decided.get(key[-1])

    def counts(self, now: int, space_id: str | None = None, thread_id: str | None = None) -> Counts:
        """Jobs by state: of everything, of a space, of a thread, or of a thread in a space."""
        total = Counts()
        for _, queue in self.chosen(space_id):
            total = total.plus(queue.counts(now, thread_id))
        return total

    def is_embedded(self, space_id: str, thread_id: str, key: Key, now: int) -> bool:
        """Whether the message can be found in the space."""
        return self.state(space_id, thread_id, key, now) == "completed"

    def state(self, space_id: str, thread_id: str, key: Key, now: int) -> str | None:
        """The state of the message's job; None if it has none here."""
        decided = self._decided(space_id, key)
        if decided is not None:
            return decided.state_at(now)[0]
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
        for name, queue in self.chosen(space_id):
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
        for space_id, queue in self.queues.items():
            begin, end = queue.line.counts(since), queue.line.counts(until)
            totals["completed"] += end.completed - begin.completed
            totals["failed"] += end.failed - begin.failed
            totals["retried"] += queue.line.retried(until) - queue.line.retried(since)
            for one in queue.decided.values():
                totals[one.state] += since < one.at <= until
            first += islice(queue.ends(space_id, since, until), most)
        return totals, sorted(first, key=lambda due: (due.at, due.space_id))[:most]

    def mark(self) -> Mark:
        """The queues as they are now."""
        own = self.policy is self.own_policy
        return Mark(self.queues, self.next_job, None if own else self.policy)

    def back_to(self, mark: Mark) -> None:
        """The queues as they were."""
        self.queues, self.next_job, policy = mark
        self.policy = policy or self.own_policy

    def chosen(self, space_id: str | None) -> Sequence[tuple[str, Queue]]:
        """The queue of this space, or all of them by name."""
        if space_id is None:
            return sorted(self.queues.items(), key=lambda item: item[0])
        queue = self.queues.get(space_id)
        return () if queue is None else ((space_id, queue),)

    def _enqueue(
        self, space_id: str, thread_id: str, keys: Ordered, now: int, job: int | None = None
    ) -> None:
        queue = self.queues.get(space_id, _EMPTY)
        first_job = self.next_job if job is None else job
        batch = Batch(queue.next_batch, thread_id, keys, first_job, now, _NONE, _NOTHING, ())
        self._append(space_id, queue, batch, queue.line.enqueued(batch, now, self.policy))
        self.next_job += len(keys) if job is None else 0

    def _append(self, space_id: str, queue: Queue, batch: Batch, line: Line) -> None:
        numbers = queue.threads.get(batch.thread_id, EMPTY).with_key((batch.number,))
        threads = queue.threads.set(batch.thread_id, numbers)
        queue = queue._replace(line=line, next_batch=batch.number + 1, threads=threads)
        self.queues = self.queues.set(space_id, queue)

    def _find(self, space_id: str, thread_id: str, key: Key) -> tuple[Batch, int] | None:
        queue = self.queues.get(space_id)
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
