"""A look at the queue changes nothing, wherever the clock is put."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from mockserver.embeddings import queue_json
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.store.sorted_keys import Key, SortedKeys

SPACES = ("space_a", "space_b")
Event = Callable[[Embeddings], object]


class Pair:
    """Two queues that get the same events; one of them is looked at between any two."""

    def __init__(self, policy: Policy, dice: Random) -> None:
        self.quiet, self.watched = Embeddings(policy), Embeddings(policy)
        self.dice = dice
        self.threads: dict[tuple[str, str], list[Key]] = {}
        self.now, self.made = 1000, 0

    def event(self) -> None:
        """One event at random, now and then after the clock was put forward or back."""
        self.now += self.dice.choice([0, 0, 0, 7, 40, 300, -60])
        kinds: list[Callable[[str, str], Event]]
        kinds = [
            self.add,
            self.add,
            self.remove,
            self.say,
            self.change,
            self.set_policy,
            self.step,
            self.end,
        ]
        event = self.dice.choice(kinds)(self.dice.choice(SPACES), f"t{self.dice.randrange(4)}")
        for queue in (self.quiet, self.watched):
            event(queue)

    def keys(self, count: int) -> list[Key]:
        """The keys of so many new messages."""
        self.made += count
        return [(number, f"m{number}") for number in range(self.made - count, self.made)]

    def add(self, space: str, thread: str) -> Event:
        if (space, thread) in self.threads:
            return self.say(space, thread)
        keys = self.threads[space, thread] = self.keys(self.dice.randrange(9))
        return lambda queue: queue.add_thread(space, thread, SortedKeys(keys), self.now)

    def remove(self, space: str, thread: str) -> Event:
        self.threads.pop((space, thread), None)
        return lambda queue: queue.remove_thread(space, thread, self.now)

    def say(self, space: str, thread: str) -> Event:
        if (space, thread) not in self.threads:
            return self.add(space, thread)
        keys = self.keys(1)
        self.threads[space, thread] += keys
        return lambda queue: queue.add_messages(space, thread, keys, self.now)

    def change(self, space: str, thread: str) -> Event:
        known = self.threads.get((space, thread))
        if not known:
            return self.add(space, thread)
        key = self.dice.choice(known)
        if self.dice.random() < 0.5:
            return lambda queue: queue.edit_message(space, thread, key, self.now)
        known.remove(key)
        return lambda queue: queue.remove_message(space, thread, key, self.now)

    def set_policy(self, *_: str) -> Event:
        if self.dice.random() < 0.2:
            return lambda queue: queue.drain(self.now)
        manual, slots = self.dice.random() < 0.3, self.dice.randrange(1, 4)
        duration = 0 if manual else self.dice.choice([5, 20])
        policy = self.quiet.own_policy._replace(slots=slots, duration=duration, manual=manual)
        return lambda queue: queue.change_policy(policy, self.now)

    def step(self, *_: str) -> Event:
        most = self.dice.randrange(9)
        return lambda queue: queue.step(most, self.now)

    def end(self, *_: str) -> Event:
        number, state = self.dice.randrange(self.made + 1), self.dice.choice(["completed", "failed"])

        def event(queue: Embeddings) -> None:
            job = queue.find_job(number, self.now)
            if job is not None and job.state == "failed":
                queue.retry_job(job, self.now)
            elif job is not None:
                queue.end_job(job, state, self.now)

        return event

    def look(self, queue: Embeddings, now: int) -> object:
        """Everything that can be asked of a queue."""
        states = [
            queue.state(*where, key, now) for where, keys in sorted(self.threads.items()) for key in keys
        ]
        jobs = [job for _, job in queue.jobs(now)]
        return (
            queue.counts(now),
            jobs,
            queue.ended(now - 100, now + 100, 20),
            states,
            queue_json.queues_json(queue.checkpoint()),
        )


@pytest.mark.parametrize("seed", range(12))
def test_the_same_events_give_the_same_answers_with_and_without_looks_in_between(seed: int) -> None:
    dice = Random(seed)
    pair = Pair(Policy(seed=seed, duration=20, slots=2, failure_rate=0.3, retries=2), dice)
    for _ in range(60):
        for instant in (pair.now, pair.now - 500, pair.now + 500):
            pair.look(pair.watched, instant)
        before = pair.watched.checkpoint()
        pair.look(pair.watched, pair.now + dice.randrange(1000))
        assert pair.watched.checkpoint() == before
        pair.event()
    for instant in (pair.now, pair.now - 70, pair.now + 70, pair.now + 10_000):
        assert pair.look(pair.quiet, instant) == pair.look(pair.watched, instant)
