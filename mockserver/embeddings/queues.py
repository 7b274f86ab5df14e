"""Simulated embedding queue: one job for each (space, message), embedded exactly once (A15).

Nothing runs in the background. The state at an instant is read from the plans; every event (added, removed,
edited, deleted) plans again what has not started by then, and leaves the rest alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice, repeat
from operator import attrgetter
from typing import NamedTuple

from immutables import Map

from mockserver.embeddings.batch import KINDS, LONG_AGO, Batch, Counts, EndedAttempt, Job
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.space_queue import ALL, SpaceQueue
from mockserver.store.sorted_keys import Key, SortedKeys


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
        self._append(space_id, Batch(thread_id, keys, self.next_job, LONG_AGO, fixed=1))

    def add_thread(self, space_id: str, thread_id: str, keys: SortedKeys, now: int) -> None:
        """Queue all messages of a thread (backfill), behind the waiting ones."""
        self._append(space_id, Batch(thread_id, keys, self.next_job, now))

    def add_messages(self, space_id: str, thread_id: str, keys: Iterable[Key], now: int) -> None:
        """Queue new messages of a thread that is in the space."""
        self._append(space_id, Batch(thread_id, SortedKeys(keys), self.next_job, now))

    def _append(self, space_id: str, batch: Batch) -> None:
        queue = self.queues.get(space_id) or SpaceQueue(self.policy)
        self.queues = self.queues.set(space_id, queue.with_batch(batch, self.policy))
        self.next_job = max(self.next_job, batch.first_job + len(batch.keys))

    def remove_thread(self, space_id: str, thread_id: str, now: int) -> None:
        """Remove a thread: cancel waiting jobs, let running ones keep their slot, drop embeddings."""
        if queue := self.queues.get(space_id):
            self.queues = self.queues.set(space_id, queue.without_thread(thread_id, now))

    def remove_message(self, space_id: str, thread_id: str, key: Key, now: int) -> None:
        """Cancel the message's job, or drop its embedding."""
        if queue := self.queues.get(space_id):
            self.queues = self.queues.set(space_id, queue.without_message(thread_id, key, now))

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
        self._restart(now, ALL)

    def change_policy(self, policy: Policy, now: int) -> None:
        """Change the policy: ended attempts stay, all others start over.

        Positions of failing jobs count from the first waiting job.
        """
        next_jobs = (next(queue.next_jobs(now), self.next_job) for _, queue in self._chosen())
        self.policy = policy._replace(first_job=min(next_jobs, default=self.next_job))
        self._restart(now)

    def _restart(self, now: int, steps: int = 0) -> None:
        restarted = {name: queue.restarted(now, self.policy, steps) for name, queue in self.queues.items()}
        self.queues = Map(restarted)

    def step(self, most: int, now: int, space_id: str | None = None) -> int:
        """End the next `most` attempts now, oldest jobs first; returns how many ended."""
        next_jobs = (zip(queue.next_jobs(now, most), repeat(name)) for name, queue in self._chosen(space_id))
        steps = Counter(name for _, name in islice(merge(*next_jobs), most))
        for name, count in steps.items():
            self.queues = self.queues.set(name, self.queues[name].restarted(now, self.policy, count))
        return steps.total()

    def find_job(self, number: int, now: int) -> Job | None:
        """Job of this number; None if there is none."""
        for space_id, batch in self._batches():
            place = number - batch.first_job
            if 0 <= place < len(batch.keys) and place not in batch.removed:
                return next(job for _, job in batch.jobs(space_id, now, place))
        return None

    def end_job(self, job: Job, state: str, now: int) -> None:
        """End a job as `completed` or `failed`, for good; it is never tried again."""
        self.remove_message(job.space_id, job.thread_id, job.key, now)
        batch = Batch(job.thread_id, SortedKeys([job.key]), job.number, job.queued_at)
        self._append(job.space_id, batch.with_end(state, job.attempts, now))

    def retry_job(self, job: Job, now: int) -> None:
        """Queue a job again behind the waiting ones, with the same number."""
        self.remove_message(job.space_id, job.thread_id, job.key, now)
        self._append(job.space_id, Batch(job.thread_id, SortedKeys([job.key]), job.number, now))

    def counts(self, now: int, space_id: str | None = None, thread_id: str | None = None) -> Counts:
        """Jobs by state: of everything, of a space, of a thread, or of a thread in a space."""
        counts = (batch.counts(now) for _, batch in self._batches(space_id, thread_id))
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
        for name, batch in self._batches(space_id, thread_id):
            at = (name, batch.number)
            if at >= after[:2]:
                for place, job in batch.jobs(name, now, after[2] + 1 if at == after[:2] else 0):
                    if state in (None, job.state):
                        yield (*at, place), job

    def ended(self, since: int, until: int, most: int) -> tuple[dict[str, int], list[EndedAttempt]]:
        """Attempts that end in (since, until]: totals by kind, and the first `most` attempts.

        Simultaneous ones are ordered by space and by queue.
        """
        ended = [each for name, batch in self._batches() for each in batch.ended(name, since, until)]
        totals = Counter(map(attrgetter("kind"), ended))
        return {kind: totals[kind] for kind in KINDS}, sorted(ended, key=attrgetter("at"))[:most]

    def checkpoint(self) -> QueuesVersion:
        """Queues as they are now."""
        own = self.policy is self.own_policy
        return QueuesVersion(self.queues, self.next_job, None if own else self.policy)

    def restore(self, version: QueuesVersion) -> None:
        """Restore the queues."""
        self.queues, self.next_job, policy = version
        self.policy = policy or self.own_policy

    def _chosen(self, space_id: str | None = None) -> list[tuple[str, SpaceQueue]]:
        """Queue of this space, or all of them by name."""
        names = sorted(self.queues) if space_id is None else [space_id]
        return [(name, self.queues[name].planned) for name in names if name in self.queues]

    def _batches(
        self, space_id: str | None = None, thread_id: str | None = None
    ) -> Iterator[tuple[str, Batch]]:
        """Batches in queue order, space by space, each with its space."""
        return ((name, batch) for name, queue in self._chosen(space_id) for batch in queue.of(thread_id))
