"""What a tester orders of the embedding queue: another policy, a step, an end for one job."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from mockserver.sandbox.embedding import Embeddings
from mockserver.sandbox.ordered import Key
from mockserver.sandbox.policy import Policy
from mockserver.sandbox.queue import Decided, Queue


class Found(NamedTuple):
    """A job, wherever it is."""

    space_id: str
    number: int
    thread_id: str
    key: Key
    """Of its message."""
    state: str
    attempts: int
    queued_at: int


def steer(embeddings: Embeddings, policy: Policy, now: int) -> None:
    """Another policy from now on: what has ended stays, all the rest begins anew by it."""
    waiting = [job for _, queue in embeddings.chosen(None) if (job := _next(queue, now)) is not None]
    embeddings.policy = policy._replace(first_job=min(waiting, default=embeddings.next_job))
    embeddings.restart(now, embeddings.policy)


def step(embeddings: Embeddings, most: int, now: int, space_id: str | None = None) -> int:
    """Let the next `most` attempts end now, those of the oldest jobs first; how many did."""
    done = 0
    while done < most:
        heads = [(_next(queue, now), name) for name, queue in embeddings.chosen(space_id)]
        waiting = sorted((number, name) for number, name in heads if number is not None)
        if not waiting:
            break
        below = waiting[1][0] if len(waiting) > 1 else embeddings.next_job
        done += _step(embeddings, waiting[0][1], now, most - done, below)
    return done


def find(embeddings: Embeddings, number: int, now: int) -> Found | None:
    """The job of this number; None if there is none, or no longer."""
    for space_id, queue in embeddings.chosen(None):
        for message_id, one in queue.decided.items():
            if one.number == number:
                key, state = (*one.order, message_id), one.state_at(now)
                return Found(space_id, number, one.thread_id, key, *state, one.queued_at)
        for batch in queue.line:
            place = number - batch.first_job
            if 0 <= place < len(batch.keys) and place not in batch.removed:
                state = batch.state(place, now)
                return Found(space_id, number, batch.thread_id, batch.key(place), *state, batch.arrived)
    return None


def decide(embeddings: Embeddings, job: Found, state: str, now: int) -> None:
    """Give a job an end, `completed` or `failed`; nothing more is tried of it."""
    embeddings.remove_message(job.space_id, job.thread_id, job.key, now)
    attempts = max(job.attempts, 1)
    one = Decided(job.number, job.thread_id, job.key[:-1], state, now, attempts, job.queued_at)
    queue = embeddings.queues[job.space_id]
    queue = queue._replace(decided=queue.decided.set(job.key[-1], one))
    embeddings.queues = embeddings.queues.set(job.space_id, queue)


def retry(embeddings: Embeddings, job: Found, now: int) -> None:
    """Queue a job again, behind what waits; it keeps its number."""
    embeddings.remove_message(job.space_id, job.thread_id, job.key, now)
    embeddings.add_messages(job.space_id, job.thread_id, [job.key], now, job.number)


def _next(queue: Queue, now: int) -> int | None:
    """The number of the job whose attempt is to end next."""
    return next((number for batch in queue.line for number in batch.next_jobs(now)), None)


def _step(embeddings: Embeddings, name: str, now: int, most: int, below: int) -> int:
    """Up to `most` attempts of one batch, of jobs with numbers under `below`; one at least."""
    queue, policy = embeddings.queues[name], embeddings.policy
    batch = next(batch for batch in queue.line if batch.unended(now) is not None)
    ended = max(1, sum(number < below for number in islice(batch.next_jobs(now), most)))
    shorter = batch.restarted(now, (policy.opens(now),) * policy.slots, policy, ended)
    queue = queue._replace(line=queue.line.replaced(shorter))
    if not policy.manual:  # where nothing but a step moves the line, the rest of it stays as it is
        queue = queue.restarted(now, policy)
    embeddings.queues = embeddings.queues.set(name, queue)
    return ended
