"""Control of the embedding queue by a tester: policy, steps, and outcomes of single jobs."""

from __future__ import annotations

from mockserver.embeddings.batch import Batch, Job
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.store.sorted_keys import SortedKeys


def change_policy(embeddings: Embeddings, policy: Policy, now: int) -> None:
    """Change the policy; positions of failing jobs count from the first waiting job."""
    heads = (queue.next_job(now) for _, queue in embeddings.chosen(None))
    first_job = min((job for job in heads if job is not None), default=embeddings.next_job)
    embeddings.restart(now, policy._replace(first_job=first_job))


def step(embeddings: Embeddings, most: int, now: int, space_id: str | None = None) -> int:
    """End the next `most` attempts now, oldest jobs first; returns how many ended."""
    done = 0
    while done < most:
        heads = [(queue.next_job(now), name) for name, queue in embeddings.chosen(space_id)]
        waiting = sorted((number, name) for number, name in heads if number is not None)
        if not waiting:
            break
        name = waiting[0][1]
        below = waiting[1][0] if len(waiting) > 1 else embeddings.next_job
        queue, count = embeddings.queues[name].stepped(most - done, below, now, embeddings.policy)
        embeddings.queues = embeddings.queues.set(name, queue)
        done += count
    return done


def find_job(embeddings: Embeddings, number: int, now: int) -> Job | None:
    """Job of this number; None if there is none."""
    for space_id, queue in embeddings.chosen(None):
        for _, batch in queue.planned.batches:
            place = number - batch.first_job
            if 0 <= place < len(batch.keys) and place not in batch.removed:
                job: Job = next(batch.jobs(space_id, now, place))[1]
                return job
    return None


def end_job(embeddings: Embeddings, job: Job, state: str, now: int) -> None:
    """End a job as `completed` or `failed`, for good."""
    embeddings.remove_message(job.space_id, job.thread_id, job.key, now)
    queue = embeddings.queues[job.space_id]
    batch = Batch(queue.next_batch, job.thread_id, SortedKeys([job.key]), job.number, job.queued_at)
    batch = batch.with_end(state, max(job.attempts, 1), now)
    embeddings.queues = embeddings.queues.set(job.space_id, queue.with_batch(batch, later=True))


def retry_job(embeddings: Embeddings, job: Job, now: int) -> None:
    """Queue a job again behind the waiting ones, with the same number."""
    embeddings.remove_message(job.space_id, job.thread_id, job.key, now)
    embeddings.add_messages(job.space_id, job.thread_id, [job.key], now, job.number)
