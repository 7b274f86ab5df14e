"""The embedding queue's arithmetic, against a simulation that goes attempt by attempt."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.sandbox.embedding import Embeddings
from mockserver.sandbox.ordered import Ordered
from mockserver.sandbox.plan import Counts
from mockserver.sandbox.policy import Policy, failing_ranks

SPACE = "space_a"


@dataclass
class Attempt:
    start: int
    end: int
    fails: bool


@dataclass
class SlowJob:
    number: int
    message: str
    attempts: list[Attempt] = field(default_factory=list)
    removed: bool = False

    def state(self, now: int, retries: int) -> str:
        begun = [a for a in self.attempts if a.start <= now]
        if not begun or (begun[-1].end <= now and begun[-1].fails and len(begun) <= retries):
            return "pending"
        if begun[-1].end > now:
            return "processing"
        return "failed" if begun[-1].fails else "completed"


@dataclass
class SlowBatch:
    thread: str
    arrived: int
    jobs: list[SlowJob]
    waiting: list[SlowJob]
    attempt: int = 1
    barrier: int = 0


class Simulation:
    """One slot takes the next waiting job whenever it is free."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.free = [0] * policy.slots
        self.batches: list[SlowBatch] = []
        self.next_job = 1
        self.latest = 0

    def add(self, thread: str, messages: list[str], now: int) -> None:
        jobs = [SlowJob(self.next_job + i, m) for i, m in enumerate(messages)]
        self.next_job += len(jobs)
        self.run(now)
        self.batches.append(SlowBatch(thread, now, jobs, list(jobs)))
        self.run(now)

    def run(self, now: int) -> None:
        for batch in self.batches:
            while batch.waiting or self.tries_again(batch):
                slot = min(range(len(self.free)), key=self.free.__getitem__)
                # First come, first served: nothing starts ahead of what came before it.
                start = max(self.free[slot], batch.arrived, batch.barrier, self.latest)
                if start > now:
                    return
                job = batch.waiting.pop(0)
                self.latest = start
                fails = bool(failing_ranks([0], job.number, batch.attempt, self.policy))
                job.attempts.append(Attempt(start, start + self.policy.duration, fails))
                self.free[slot] = start + self.policy.duration

    def tries_again(self, batch: SlowBatch) -> bool:
        tried = [job for job in batch.jobs if len(job.attempts) == batch.attempt]
        batch.waiting = [job for job in tried if job.attempts[-1].fails and not job.removed]
        if not batch.waiting or batch.attempt > self.policy.retries:
            batch.waiting = []
            return False
        batch.barrier = max(job.attempts[-1].end for job in tried)
        batch.attempt += 1
        return True

    def remove_thread(self, thread: str, now: int) -> None:
        self.run(now)
        self.batches = [b for b in self.batches if b.thread != thread]
        self.latest = now  # what the removed thread held up was waiting until now
        self.run(now)

    def remove(self, thread: str, message: str, now: int) -> bool:
        self.run(now)
        for batch in self.batches:
            for job in batch.jobs:
                if batch.thread == thread and job.message == message and not job.removed:
                    job.removed = True
                    batch.jobs.remove(job) if not job.attempts else None
                    if batch.waiting and job in batch.waiting:
                        batch.waiting.remove(job)
                        self.latest = max(self.latest, now) if not batch.waiting else self.latest
                    self.run(now)
                    return True
        return False

    def state(self, thread: str, message: str, now: int) -> str | None:
        for batch in self.batches:
            for job in batch.jobs:
                if batch.thread == thread and job.message == message and not job.removed:
                    return job.state(now, self.policy.retries)
        return None

    def ended(self, since: int, until: int) -> list[tuple[int, str, str]]:
        found = []
        for batch in self.batches:
            for job in batch.jobs:
                for number, attempt in enumerate(job.attempts):
                    if since < attempt.end <= until and not job.removed:
                        again = "retried" if number < self.policy.retries else "failed"
                        found.append((attempt.end, again if attempt.fails else "completed", job.message))
        return sorted(found)

    def counts(self, now: int) -> Counts:
        states = [
            job.state(now, self.policy.retries) for b in self.batches for job in b.jobs if not job.removed
        ]
        return Counts(*(states.count(s) for s in Counts._fields))


POLICIES = st.builds(
    Policy,
    seed=st.integers(0, 5),
    duration=st.sampled_from([1, 10, 25]),
    slots=st.integers(1, 5),
    failure_rate=st.sampled_from([0.0, 0.3, 1.0]),
    retries=st.integers(0, 2),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "live", "remove thread", "remove", "edit", "wait"]),
        st.integers(0, 2),
        st.integers(0, 9),
        st.integers(0, 30),
    ),
    max_size=14,
)


def listed(threads: dict[str, list[str]], numbers: dict[str, int]) -> list[tuple[str, str, int]]:
    """(thread, message, its number) of every message there is."""
    return [(thread, message, numbers[message]) for thread, known in threads.items() for message in known]


def agree(
    queue: Embeddings, slow: Simulation, now: int, instant: int, messages: list[tuple[str, str, int]]
) -> None:
    """What the queue says of an instant is what the simulation comes to."""
    later = deepcopy(slow)
    later.run(instant)
    assert queue.counts(instant, SPACE) == later.counts(instant)
    totals, first = queue.due(now, instant, 10_000)
    ended = later.ended(now, instant)
    assert {k: v for k, v in totals.items() if v} == Counter(kind for _, kind, _ in ended)
    assert sorted((d.at, d.kind, d.message_id) for d in first) == ended
    assert first == sorted(first, key=lambda due: due.at)
    for thread, message, number in messages:
        expected = later.state(thread, message, instant)
        assert queue.state(SPACE, thread, (number, message), instant) == expected


@given(POLICIES, STEPS)
@settings(max_examples=400, deadline=None)
def test_the_arithmetic_agrees_with_a_simulation_at_every_step(
    policy: Policy, steps: list[tuple[str, int, int, int]]
) -> None:
    queue, slow = Embeddings(policy), Simulation(policy)
    now, made = 0, 0
    threads: dict[str, list[str]] = {}
    numbers: dict[str, int] = {}
    for step, which, size, wait in steps:
        now += wait
        thread = f"t{which}"
        known = threads.get(thread)
        if step == "add" and known is None:
            messages = [f"m{made + i:04}" for i in range(size)]
            numbers |= {m: made + i for i, m in enumerate(messages)}
            made += size
            threads[thread] = messages
            queue.add_thread(SPACE, thread, Ordered((numbers[m], m) for m in messages), now)
            slow.add(thread, messages, now)
        elif step == "live" and known is not None:
            message = f"m{made:04}"
            numbers[message] = made
            made += 1
            known.append(message)
            queue.add_messages(SPACE, thread, [(numbers[message], message)], now)
            slow.add(thread, [message], now)
        elif step == "remove thread" and known is not None:
            queue.remove_thread(SPACE, thread, now)
            slow.remove_thread(thread, now)
            del threads[thread]
        elif step == "remove" and known:
            message = known.pop(size % len(known))
            queue.remove_message(SPACE, thread, (numbers[message], message), now)
            assert slow.remove(thread, message, now)
        elif step == "edit" and known:
            message = known[size % len(known)]
            slow.run(now)
            if slow.state(thread, message, now) != "pending":
                slow.remove(thread, message, now)
                slow.add(thread, [message], now)
            queue.edit_message(SPACE, thread, (numbers[message], message), now)
        for instant in (now, now + 7, now + 60):
            agree(queue, slow, now, instant, listed(threads, numbers))


def test_what_ends_together_is_told_in_the_order_of_the_line() -> None:
    queue = Embeddings(Policy(slots=2, duration=10))
    for space in ("space_b", "space_a"):
        queue.add_thread(space, "t", Ordered([(1, "z"), (2, "a"), (3, "m")]), 0)
    _, first = queue.due(0, 100, 5)
    assert [(d.at, d.space_id[-1] + d.message_id) for d in first] == [
        (10, "az"),
        (10, "aa"),
        (10, "bz"),
        (10, "ba"),
        (20, "am"),
    ]


def test_many_attempts_fail_just_as_each_of_them_alone_does() -> None:
    """From a thousand on numpy decides."""
    policy = Policy(seed=3, failure_rate=0.3)
    together = failing_ranks(range(2000), 7, 2, policy)
    assert together == [job for job in range(2000) if failing_ranks([job], 7, 2, policy)]
    assert 500 < len(together) < 700
