"""Handlers of the embedding queue: list and drain."""

from __future__ import annotations

from itertools import islice

from mockserver.admin.embedding_control import job_body
from mockserver.admin.paging import Call, ControlContext
from mockserver.embeddings.batch import EndedAttempt
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import BadCursor
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.collection import cursor, decode_cursor


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
    found = list(islice(jobs, query["limit"] + 1))
    page, has_more = found[: query["limit"]], len(found) > query["limit"]
    counts = sandbox.embeddings.counts(now, query["space_id"], query["thread_id"])
    return Reply(
        200,
        {
            "now": as_text(now),
            "counts": counts._asdict(),
            "jobs": [job_body(job) for _, job in page],
            "has_more": has_more,
            "next_cursor": cursor(page[-1][0], *scope) if has_more else None,
        },
    )


@handles("drainEmbeddings")
def drain_embeddings(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Finish everything in the queue, without moving the clock."""
    now = sandbox.clock.now()
    sandbox.embeddings.drain(now)
    return Reply(200, {"now": as_text(now), "counts": sandbox.embeddings.counts(now)._asdict()})


def attempt_body(ended: EndedAttempt) -> Record:
    """Ended attempt as the control API returns it."""
    return {**ended._asdict(), "at": as_text(ended.at)}
