"""The embedding queue on a leash: how it goes, one step, an end for one job."""

from __future__ import annotations

from typing import Any

from mockserver.admin.paging import Call, Mock
from mockserver.embeddings import steering
from mockserver.embeddings.batch import LONG_AGO, Job
from mockserver.embeddings.policy import Policy
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Conflict, Invalid, NotFound
from mockserver.openapi.flaw import Flaw
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.sorted_keys import Key

_UNTIL_THE_LAST = 1_000_000
"""More attempts than any policy has."""
_MAY_BE = {
    "fail": ("pending", "processing"),
    "complete": ("pending", "processing", "failed"),
    "retry": ("failed",),
}
"""The states from which a job can be steered so."""


@handles("getEmbeddingPolicy")
def get_policy(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """How the queue goes."""
    return Reply(200, _shown(sandbox))


@handles("putEmbeddingPolicy")
def put_policy(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """Another policy from now on; what is left out is as the mock was started with."""
    body, own = call.body, sandbox.embeddings.own_policy
    fail: dict[str, Any] = body.get("fail", {})
    timed = body["mode"] == "timed"
    if "seconds" in body and not timed:
        raise Invalid([Flaw("body", "seconds", "goes with mode timed alone")])
    policy = own._replace(
        duration=round(body["seconds"] * 1_000_000) if "seconds" in body else own.duration if timed else 0,
        slots=body.get("slots", own.slots),
        retries=body.get("retries", own.retries),
        manual=body["mode"] == "manual",
        failure_rate=fail.get("rate", own.failure_rate),
        failing_every=fail.get("every", 0),
        failing_turns=tuple(fail.get("nth", ())),
        failing_keys=_keys(fail.get("message_ids", ()), sandbox),
        failing_attempts=fail.get("attempts", _UNTIL_THE_LAST),
    )
    steering.change_policy(sandbox.embeddings, policy, sandbox.clock.now())
    return Reply(200, _shown(sandbox))


@handles("stepEmbeddings")
def step(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """The next attempts end now."""
    now, query = sandbox.clock.now(), call.query
    ended = steering.step(sandbox.embeddings, query["n"], now, query["space_id"])
    counts = sandbox.embeddings.counts(now, query["space_id"])
    return Reply(200, {"now": as_text(now), "ended": ended, "counts": counts._asdict()})


@handles("failEmbedding")
def fail_job(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """The job has failed for good."""
    job, now = _job(call, sandbox, "fail"), sandbox.clock.now()
    steering.end_job(sandbox.embeddings, job, "failed", now)
    return _reply(job.number, sandbox)


@handles("completeEmbedding")
def complete_job(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """The message is embedded."""
    job, now = _job(call, sandbox, "complete"), sandbox.clock.now()
    steering.end_job(sandbox.embeddings, job, "completed", now)
    return _reply(job.number, sandbox)


@handles("retryEmbedding")
def retry_job(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """A failed job queues once more, with all its attempts before it."""
    job, now = _job(call, sandbox, "retry"), sandbox.clock.now()
    steering.retry_job(sandbox.embeddings, job, now)
    return _reply(job.number, sandbox)


def shown_job(job: Job) -> Record:
    """A job as the control API tells it."""
    return {
        "id": str(job.number),
        "space_id": job.space_id,
        "thread_id": job.thread_id,
        "message_id": job.key[-1],
        "state": job.state,
        "attempts": job.attempts,
        "queued_at": None if job.queued_at == LONG_AGO else as_text(job.queued_at),
    }


def _job(call: Call, sandbox: Sandbox, order: str) -> Job:
    id_ = call.path["job_id"]
    job = steering.find_job(sandbox.embeddings, int(id_), sandbox.clock.now()) if id_.isdecimal() else None
    if job is None:
        raise NotFound("Job not found", reason=f"no job {id_!r} in the queue: see GET /__admin/embeddings")
    if job.state not in _MAY_BE[order]:
        allowed = " or ".join(_MAY_BE[order])
        raise Conflict("Wrong state", reason=f"job {id_} is {job.state}, not {allowed}")
    return job


def _reply(number: int, sandbox: Sandbox) -> Reply:
    job = steering.find_job(sandbox.embeddings, number, sandbox.clock.now())
    assert job is not None
    return Reply(200, shown_job(job))


def _keys(message_ids: list[str], sandbox: Sandbox) -> tuple[Key, ...]:
    flaws, keys = [], []
    for place, id_ in enumerate(message_ids):
        position = sandbox.messages.position("thread", id_)
        if position is None:
            flaws.append(Flaw("body", f"fail.message_ids.{place}", f"there is no message {id_!r}"))
        else:
            keys.append((*position, id_))
    if flaws:
        raise Invalid(flaws)
    return tuple(keys)


def _shown(sandbox: Sandbox) -> Record:
    policy: Policy = sandbox.embeddings.policy
    mode = "manual" if policy.manual else "timed" if policy.duration else "immediate"
    return {
        "mode": mode,
        "seconds": policy.duration / 1_000_000,
        "slots": policy.slots,
        "retries": policy.retries,
        "fail": {
            "rate": policy.failure_rate,
            "every": policy.failing_every,
            "nth": list(policy.failing_turns),
            "message_ids": [key[-1] for key in policy.failing_keys],
            "attempts": min(policy.failing_attempts, policy.retries + 1),
        },
    }
