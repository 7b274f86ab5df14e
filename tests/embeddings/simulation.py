"""The embedding queue as a simulation that goes attempt by attempt, to hold the arithmetic against."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockserver.embeddings.batch import Counts
from mockserver.embeddings.policy import Policy, failing_ranks


@dataclass
class Attempt:
    """One try of a job."""

    start: int
    end: int
    fails: bool


@dataclass
class SlowJob:
    """One message on its way."""

    number: int
    message: str
    attempts: list[Attempt] = field(default_factory=list)
    removed: bool = False
    final: bool = False
    """Nothing more is tried of it."""

    def state(self, now: int) -> str:
        """As the API returns it."""
        begun = [a for a in self.attempts if a.start <= now]
        if not begun or (begun[-1].end <= now and begun[-1].fails and not self.is_last(begun[-1])):
            return "pending"
        if begun[-1].end > now:
            return "processing"
        return "failed" if begun[-1].fails else "completed"

    def is_last(self, attempt: Attempt) -> bool:
        """Whether no attempt follows this one."""
        return self.final and attempt is self.attempts[-1]


@dataclass
class SlowBatch:
    """What arrived together."""

    thread: str
    arrived: int
    jobs: list[SlowJob]
    waiting: list[SlowJob]
    attempt: int = 1
    barrier: int = 0
    done: bool = False


class Simulation:
    """One slot takes the next waiting job whenever it is free."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.free = [0] * policy.slots
        self.batches: list[SlowBatch] = []
        self.decided: dict[str, tuple[SlowJob, str, int, str]] = {}
        """message -> job, thread, instant, state"""
        self.next_job = 1
        self.latest = 0

    def add(self, thread: str, messages: list[str], now: int, number: int | None = None) -> None:
        """Jobs arrive."""
        first = self.next_job if number is None else number
        jobs = [SlowJob(first + i, m) for i, m in enumerate(messages)]
        self.next_job += len(jobs) if number is None else 0
        self.run(now)
        self.batches.append(SlowBatch(thread, now, jobs, list(jobs)))
        self.run(now)

    def run(self, now: int) -> None:
        """Start everything that starts by now."""
        for batch in self.batches:
            while batch.waiting or self.tries_again(batch):
                slot = min(range(len(self.free)), key=self.free.__getitem__)
                # First come, first served: nothing starts ahead of what came before it.
                start = max(self.free[slot], batch.arrived, batch.barrier, self.latest)
                if start > now or self.policy.manual:
                    return
                job = batch.waiting.pop(0)
                self.latest = start
                self.attempt(job, batch, start, self.policy.duration)
                self.free[slot] = start + self.policy.duration

    def attempt(self, job: SlowJob, batch: SlowBatch, start: int, duration: int) -> None:
        """Try a job once."""
        fails = bool(failing_ranks([0], job.number, batch.attempt, (), self.policy))
        job.attempts.append(Attempt(start, start + duration, fails))
        job.final = batch.attempt > self.policy.retries

    def tries_again(self, batch: SlowBatch) -> bool:
        """Queue what failed behind its own batch, once all of it was tried."""
        if batch.done:
            return False
        tried = [job for job in batch.jobs if len(job.attempts) == batch.attempt]
        batch.waiting = [job for job in tried if job.attempts[-1].fails and not job.removed]
        if not batch.waiting or batch.attempt > self.policy.retries:
            for job in tried:
                job.final = True
            batch.waiting, batch.done = [], True
            return False
        for job in batch.waiting:
            job.final = (
                False  # a policy with more retries tries what had failed for good, while the batch goes on
            )
        batch.barrier = max(job.attempts[-1].end for job in tried)
        batch.attempt += 1
        return True

    def change_policy(self, policy: Policy, now: int) -> None:
        """Another policy: what runs starts over."""
        self.run(now)
        self.begin_anew(policy, now)
        self.run(now)

    def begin_anew(self, policy: Policy, now: int) -> None:
        """Whatever has not ended waits, by the policy."""
        self.policy = policy
        for batch in self.batches:
            running = [job for job in batch.jobs if job.attempts and job.attempts[-1].end > now]
            if running:
                batch.attempt, batch.done = len(running[0].attempts), False
                for job in running:
                    job.attempts.pop()
                batch.waiting = [job for job in batch.jobs if self.waits(job, batch)]
            for job in batch.jobs if batch.waiting else ():
                job.final = len(job.attempts) == batch.attempt > policy.retries
            batch.barrier = min(batch.barrier, now)
        self.free = [now] * policy.slots
        self.latest = now

    def waits(self, job: SlowJob, batch: SlowBatch) -> bool:
        """Whether the batch's present round has still to try it."""
        before = len(job.attempts) == batch.attempt - 1
        return before and not job.removed and (batch.attempt == 1 or job.attempts[-1].fails)

    def step(self, most: int, now: int) -> int:
        """The next attempts end now."""
        self.run(now)
        states = [job.state(now) for b in self.batches for job in b.jobs if not job.removed]
        if not {"pending", "processing"} & {*states}:
            return 0
        self.begin_anew(self.policy, now)
        done = 0
        for batch in self.batches:
            while done < most and (batch.waiting or self.tries_again(batch)):
                self.attempt(batch.waiting.pop(0), batch, now, 0)
                done += 1
        self.run(now)
        return done

    def drain(self, now: int) -> None:
        """Everything ends now."""
        policy = self.policy
        self.run(now)
        self.begin_anew(policy._replace(duration=0, manual=False), now)
        self.run(now)
        self.begin_anew(policy, now)

    def decide(self, message: str, state: str, now: int) -> None:
        """A job ends as requested."""
        thread, job = self.find(message)
        self.remove(thread, message, now)
        self.decided[message] = (job, thread, now, state)

    def retry(self, message: str, now: int) -> None:
        """A job is queued again."""
        thread, job = self.find(message)
        self.remove(thread, message, now)
        self.add(thread, [message], now, job.number)

    def find(self, message: str) -> tuple[str, SlowJob]:
        """A job and its thread."""
        if message in self.decided:
            return self.decided[message][1], self.decided[message][0]
        return next(
            (b.thread, j) for b in self.batches for j in b.jobs if j.message == message and not j.removed
        )

    def remove_thread(self, thread: str, now: int) -> None:
        """A thread leaves the space."""
        self.run(now)
        self.batches = [b for b in self.batches if b.thread != thread]
        self.decided = {m: found for m, found in self.decided.items() if found[1] != thread}
        self.latest = now  # what the removed thread held up was waiting until now
        self.run(now)

    def remove(self, thread: str, message: str, now: int) -> bool:
        """A message is deleted."""
        self.run(now)
        if self.decided.pop(message, None) is not None:
            return True
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
        """The state of a message's job; None if it has none."""
        if message in self.decided:
            return self.decided[message][3]
        for batch in self.batches:
            for job in batch.jobs:
                if batch.thread == thread and job.message == message and not job.removed:
                    return job.state(now)
        return None

    def ended(self, since: int, until: int) -> list[tuple[int, str, str]]:
        """What ended in between."""
        found = [(at, state, message) for message, (_, _, at, state) in self.decided.items() if since < at]
        for batch in self.batches:
            for job in batch.jobs:
                for attempt in job.attempts:
                    if since < attempt.end <= until and not job.removed:
                        again = "failed" if job.is_last(attempt) else "retried"
                        found.append((attempt.end, again if attempt.fails else "completed", job.message))
        return sorted(found)

    def counts(self, now: int) -> Counts:
        """Jobs by state."""
        states = [job.state(now) for b in self.batches for job in b.jobs if not job.removed]
        states += [state for _, _, _, state in self.decided.values()]
        return Counts(*(states.count(s) for s in Counts._fields))
