"""Simulated embedding queue: one job for each (space, message), embedded exactly once (A15).

Nothing runs in the background. The state at an instant is read from the plans; every event (added, removed,
edited, deleted) plans again what has not started by then, and leaves the rest alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from immutables import Map

from mockserver.embeddings.batch import KINDS, LONG_AGO, Batch, Counts, EndedAttempt, Job, Slots
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.space_queue import SpaceQueue
from mockserver.store.sorted_keys import Key, SortedKeys

_EMPTY = SpaceQueue()


class QueuesVersion(NamedTuple):
    """State of all queues at one instant."""

    queues: Map[str, SpaceQueue]
    next_job: int
    policy: Policy | None = None
    """Changed policy; None for the sandbox's own."""


class Embeddings:
    """Embedding queues of all spaces; instants are microseconds since 1970."""

    def __init__(self, policy: Policy) -> None:
        self.policy = self.own_policy = policy
        self.queues: Map[str, SpaceQueue] = Map()
        """By space id."""
        self.next_job = 1
        """Number of the next job."""

    def add_embedded(self, space_id: str, thread_id: str, keys: SortedKeys) -> None:
        """Add a scenario's thread, embedded from the start (A55)."""
        queue = self.queues.get(space_id, _EMPTY)
        batch = Batch(queue.next_batch, thread_id, keys, self.next_job, LONG_AGO)
        self.queues = self.queues.set(space_id, queue.with_batch(batch))
        self.next_job += len(keys)

    def add_thread(self, space_id: str, thread_id: str, keys: SortedKeys, now: int) -> None:
        """Queue all messages of a thread (backfill)."""
        self._enqueue(space_id, thread_id, keys, now, later=False)

    def add_messages(
        self, space_id: str, thread_id: str, keys: Iterable[Key], now: int, job: int | None = None
    ) -> None:
        """Queue new messages of a thread that is in the space, behind the waiting ones.

        `job`: number of the first job, if it has one already.
        """
        self._enqueue(space_id, thread_id, SortedKeys(keys), now, job, later=True)

    def _enqueue(
        self,
        space_id: str,
        thread_id: str,
        keys: SortedKeys,
        now: int,
        job: int | None = None,
        *,
        later: bool,
    ) -> None:
        queue = self.queues.get(space_id, _EMPTY)
        batch = Batch(queue.next_batch, thread_id, keys, self.next_job if job is None else job, now)
        self.queues = self.queues.set(space_id, queue.enqueued(batch, self.policy, later=later))
        self.next_job += len(keys) if job is None else 0

    def remove_thread(self, space_id: str, thread_id: str, now: int) -> None:
        """Remove a thread: cancel waiting jobs, let running ones keep their slot, drop embeddings."""
        queue = self.queues.get(space_id, _EMPTY).without_thread(thread_id, now, self.policy)
        self.queues = self.queues.set(space_id, queue) if space_id in self.queues else self.queues

    def remove_message(self, space_id: str, thread_id: str, key: Key, now: int) -> None:
        """Cancel the message's job, or drop its embedding."""
        if space_id in self.queues:
            queue = self.queues[space_id].without_message(thread_id, key, now, self.policy)
            self.queues = self.queues.set(space_id, queue)

    def edit_message(self, space_id: str, thread_id: str, key: Key, now: int) -> None:
        """Embed an edited message: a waiting job takes the new text, any other is queued again."""
        if self.state(space_id, thread_id, key, now) not in (None, "pending"):
            self.remove_message(space_id, thread_id, key, now)
            self.add_messages(space_id, thread_id, [key], now)

    def drop_space(self, space_id: str) -> None:
        """Delete the space's queue."""
        if space_id in self.queues:
            self.queues = self.queues.delete(space_id)

    def drain(self, now: int) -> None:
        """Finish all waiting and running jobs now, with their planned outcomes."""
        at_once, idle = self.policy._replace(duration=0, manual=False), Slots((now,) * self.policy.slots, now)
        self.queues = Map(
            {
                name: replace(queue.arrived_by(now).restarted(now, at_once), slots=idle)
                for name, queue in self.queues.items()
            }
        )

    def restart(self, now: int, policy: Policy) -> None:
        """Change the policy: ended attempts stay, all others start over."""
        self.policy = policy
        self.queues = Map({name: queue.restarted(now, policy) for name, queue in self.queues.items()})

    def counts(self, now: int, space_id: str | None = None, thread_id: str | None = None) -> Counts:
        """Jobs by state: of everything, of a space, of a thread, or of a thread in a space."""
        counts = (queue.counts(now, thread_id) for _, queue in self.chosen(space_id))
        return Counts(*map(sum, zip(Counts(), *counts, strict=True)))

    def is_embedded(self, space_id: str, thread_id: str, key: Key, now: int) -> bool:
        """Whether the message can be found in the space."""
        return self.state(space_id, thread_id, key, now) == "completed"

    def state(self, space_id: str, thread_id: str, key: Key, now: int) -> str | None:
        """State of the message's job; None if it has none here."""
        queue = self.queues.get(space_id)
        found = None if queue is None else queue.planned.find(thread_id, key)
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
        """Jobs in queue order, space by space, each with its position for `after`."""
        for name, queue in self.chosen(space_id):
            if name >= after[0]:
                position_in_space = after[1:] if name == after[0] else (0, -1)
                for position, job in queue.jobs(name, now, thread_id, position_in_space):
                    if state in (None, job.state):
                        yield (name, *position), job

    def ended(self, since: int, until: int, most: int) -> tuple[dict[str, int], list[EndedAttempt]]:
        """Attempts that end in (since, until]: totals by kind, and the first `most` attempts.

        Simultaneous ones are ordered by space and by queue.
        """
        totals, first = [0] * len(KINDS), list[EndedAttempt]()
        for space_id, queue in self.queues.items():
            counts, ends = queue.ended(space_id, since, until, most)
            totals = [a + b for a, b in zip(totals, counts, strict=True)]
            first += ends
        first.sort(key=lambda ended: (ended.at, ended.space_id))
        return dict(zip(KINDS, totals, strict=True)), first[:most]

    def checkpoint(self) -> QueuesVersion:
        """Queues as they are now."""
        own = self.policy is self.own_policy
        return QueuesVersion(self.queues, self.next_job, None if own else self.policy)

    def restore(self, version: QueuesVersion) -> None:
        """Restore the queues."""
        self.queues, self.next_job, policy = version
        self.policy = policy or self.own_policy

    def chosen(self, space_id: str | None) -> Sequence[tuple[str, SpaceQueue]]:
        """Queue of this space, or all of them by name."""
        if space_id is None:
            return sorted(self.queues.items(), key=lambda item: item[0])
        queue = self.queues.get(space_id)
        return () if queue is None else ((space_id, queue),)
