"""Handlers of the embedding queue: jobs, policy, single steps, the outcome of one job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockserver.admin.paging import Call, ControlContext
from mockserver.embeddings.batch import LONG_AGO, EndedAttempt, Job, TimedAttempt
from mockserver.embeddings.policy import Policy
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import BadCursor, Conflict, Invalid, NotFound
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.clock import LAST, as_text
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.collection import cursor, decode_cursor, page
from mockserver.store.sorted_keys import Key

_ALL_ATTEMPTS = 1_000_000
"""More attempts than any policy allows."""
_ACTIONS: Mapping[str, tuple[Sequence[str], str | None]] = {
    "fail": (("pending", "processing"), "failed"),
    "complete": (("pending", "processing", "failed"), "completed"),
    "retry": (("failed",), None),
}
"""Action -> job states that it accepts, and the state that it ends the job in."""


@handles("listEmbeddings")
def list_embeddings(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Counts and one page of jobs, in queue order."""
    query, now = call.query, sandbox.clock.now()
    scope = ["listEmbeddings", *(str(query[name]) for name in ("space_id", "thread_id", "state"))]
    after = ("", 0, -1)
    if query["cursor"] is not None:
        position = decode_cursor(query["cursor"], *scope, shape=(str, int, int))
        if position is None:
            raise BadCursor
        after = (position[0], position[1], position[2])
    jobs = sandbox.embeddings.jobs(
        now, space_id=query["space_id"], thread_id=query["thread_id"], state=query["state"], after=after
    )
    found, has_more = page(jobs, query["limit"])
    counts = sandbox.embeddings.counts(now, query["space_id"], query["thread_id"])
    return Reply(
        200,
        {
            "now": as_text(now),
            "counts": counts._asdict(),
            "jobs": [job_body(job) for _, job in found],
            "has_more": has_more,
            "next_cursor": cursor(found[-1][0], *scope) if has_more else None,
        },
    )


@handles("drainEmbeddings")
def drain_embeddings(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Finish everything in the queue, without moving the clock."""
    now = sandbox.clock.now()
    sandbox.embeddings.drain(now)
    return Reply(200, {"now": as_text(now), "counts": sandbox.embeddings.counts(now)._asdict()})


@handles("getEmbeddingPolicy")
def get_policy(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Current policy of the queue."""
    return Reply(200, _policy_body(sandbox))


@handles("putEmbeddingPolicy")
def put_policy(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Replace the policy; omitted values are those that the mock was started with."""
    body, own = call.body, sandbox.embeddings.own_policy
    fail: dict[str, Any] = body.get("fail", {})
    timed = body["mode"] == "timed"
    if "seconds" in body and not timed:
        raise Invalid([FieldError("body", "seconds", "goes with mode timed alone")])
    policy = own._replace(
        duration=round(body["seconds"] * 1_000_000) if "seconds" in body else own.duration if timed else 0,
        slots=body.get("slots", own.slots),
        retries=body.get("retries", own.retries),
        manual=body["mode"] == "manual",
        failure_rate=fail.get("rate", own.failure_rate),
        failing_every=fail.get("every", 0),
        failing_turns=tuple(fail.get("nth", ())),
        failing_keys=_keys(fail.get("message_ids", ()), sandbox),
        failing_attempts=fail.get("attempts", _ALL_ATTEMPTS),
    )
    sandbox.embeddings.change_policy(policy, sandbox.clock.now())
    return Reply(200, _policy_body(sandbox))


@handles("stepEmbeddings")
def step(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """End the next attempts now."""
    now, query = sandbox.clock.now(), call.query
    ended = sandbox.embeddings.step(query["n"], now, query["space_id"])
    counts = sandbox.embeddings.counts(now, query["space_id"])
    return Reply(200, {"now": as_text(now), "ended": ended, "counts": counts._asdict()})


@handles("failEmbedding")
def fail_job(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Fail a job for good."""
    return _act("fail", call, sandbox)


@handles("completeEmbedding")
def complete_job(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Complete a job."""
    return _act("complete", call, sandbox)


@handles("retryEmbedding")
def retry_job(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Queue a failed job again, with all its attempts."""
    return _act("retry", call, sandbox)


def attempt_body(ended: EndedAttempt) -> Record:
    """Ended attempt as the control API returns it."""
    return {**ended._asdict(), "at": as_text(ended.at)}


def job_body(job: Job) -> Record:
    """Job as the control API returns it."""
    return {
        "id": str(job.number),
        "space_id": job.space_id,
        "thread_id": job.thread_id,
        "message_id": job.key[-1],
        "state": job.state,
        "begun": job.attempts,
        "attempts": [_timed_body(each) for each in job.timeline],
        "queued_at": None if job.queued_at == LONG_AGO else as_text(job.queued_at),
    }


def _timed_body(attempt: TimedAttempt) -> Record:
    starts, ends = min(attempt.starts, LAST), min(attempt.ends, LAST)  # a plan can pass the last year
    return {"starts_at": as_text(starts), "ends_at": as_text(ends), "outcome": attempt.outcome}


def _act(action: str, call: Call, sandbox: Sandbox) -> Reply:
    """Apply the action to the job in the path; NotFound or Conflict if it can't be."""
    id_, queue, now = call.path["job_id"], sandbox.embeddings, sandbox.clock.now()
    job = queue.find_job(int(id_), now) if id_.isdecimal() else None
    if job is None:
        raise NotFound("Job not found", reason=f"no job {id_!r} in the queue; see GET /__admin/embeddings")
    allowed, outcome = _ACTIONS[action]
    if job.state not in allowed:
        raise Conflict("Wrong state", reason=f"job {id_} is {job.state}, not {' or '.join(allowed)}")
    if outcome is None:
        queue.retry_job(job, now)
    else:
        queue.end_job(job, outcome, now)
    changed = queue.find_job(job.number, now)
    assert changed is not None
    return Reply(200, job_body(changed))


def _keys(message_ids: list[str], sandbox: Sandbox) -> tuple[Key, ...]:
    errors, keys = [], []
    for place, id_ in enumerate(message_ids):
        tables = sandbox.messages, sandbox.file_pieces
        position = next(filter(None, (table.position("thread", id_) for table in tables)), None)
        if position is None:
            errors.append(FieldError("body", f"fail.message_ids.{place}", f"message {id_!r} does not exist"))
        else:
            keys.append((*position, id_))
    if errors:
        raise Invalid(errors)
    return tuple(keys)


def _policy_body(sandbox: Sandbox) -> Record:
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
