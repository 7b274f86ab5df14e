"""Handlers of the journal: list, count, find, wait."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from mockserver.admin.journal_entries import decided_body, exchange_body, exchange_head, mask_of
from mockserver.admin.paging import Call, ControlContext
from mockserver.admin.request_matching import Criteria
from mockserver.http.calls import DeferredReply, Reply, handles
from mockserver.http.problems import NotFound
from mockserver.http.redaction import Mask
from mockserver.journal.entry import Entry
from mockserver.sandbox.sandbox import Record, Sandbox

FILTERS: Mapping[str, str] = {
    "operation": "operation",
    "caller": "caller",
    "method": "method",
    "path": "urlPath",
    "status": "status",
}
"""Query parameter -> field of the request criteria."""


@handles("listRequests")
def list_requests(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """One page of exchanges, newest first."""
    journal, query = sandbox.journal, call.query
    criteria, before = _filter(query), query["before"]
    found = [
        entry
        for entry in reversed(journal.entries())
        if (not query["violations"] or entry.exchange.violations) and criteria.fits(entry)
    ]
    older = [entry for entry in found if before is None or entry.number < before]
    page, rest = older[: query["limit"]], older[query["limit"] :]
    mask = mask_of(sandbox)
    return Reply(
        200,
        {
            "requests": [exchange_body(entry, mask) for entry in page],
            "total": len(found),
            "dropped": journal.dropped,
            "truncated": journal.dropped > 0,
            "has_more": bool(rest),
            "next_before": page[-1].number if rest else None,
        },
    )


@handles("getRequest")
def get_request(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """Newest exchange with this x-request-id, with the decision behind its answer."""
    wanted = call.path["request_id"]
    for entry in reversed(sandbox.journal.entries()):
        if wanted in (entry.id, _told_id(entry)):
            document = context.documents["openapi.json"]
            return Reply(200, decided_body(entry, mask_of(sandbox), document))
    reason = f"no exchange {wanted[:80]!r} is in the journal; it may have been dropped"
    raise NotFound("Request not found", reason=reason)


def _told_id(entry: Entry) -> str | None:
    """The x-request-id that the client got: behind a proxy the target's."""
    return next((value for name, value in entry.reply_headers if name.lower() == "x-request-id"), None)


@handles("clearRequests")
def clear_requests(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Clear the journal."""
    sandbox.journal.reset()
    return Reply(204)


@handles("countRequests")
def count_requests(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Number of exchanges that match the criteria."""
    found, truncated = _found(call, sandbox)
    return Reply(200, {"count": len(found), "truncated": truncated})


@handles("findRequests")
def find_requests(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Exchanges that match the criteria, oldest first."""
    (found, truncated), mask = _found(call, sandbox), mask_of(sandbox)
    listed = [exchange_body(entry, mask) for entry in found[: call.query["limit"]]]
    return Reply(200, {"requests": listed, "total": len(found), "truncated": truncated})


@handles("waitForRequests")
def wait_for_requests(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Wait for a number of exchanges, until the timeout."""
    journal, criteria, query = sandbox.journal, _filter(call.query), call.query

    def wait(stopping: threading.Event) -> Reply:
        until = perf_counter() + query["timeout"]
        while True:
            version = journal.version  # read before counting, so that a later exchange ends the wait
            count = sum(map(criteria.fits, journal.entries()))
            reached, left = count >= query["count"], until - perf_counter()
            if reached or left <= 0 or stopping.is_set():
                return Reply(200, {"reached": reached, "count": count, "truncated": journal.dropped > 0})
            journal.wait(version, left, stopping)

    return Reply(200, DeferredReply(wait))


@handles("listViolations")
def list_violations(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Answers that violated the spec; the count includes dropped ones."""
    journal, mask = sandbox.journal, mask_of(sandbox)
    found = [_violation(entry, mask) for entry in journal.entries() if entry.exchange.violations]
    return Reply(200, {"count": journal.broken, "violations": found[-100:]})


def _violation(entry: Entry, mask: Mask) -> Record:
    return {**exchange_head(entry, mask), "violations": exchange_body(entry, mask)["violations"]}


def _found(call: Call, sandbox: Sandbox) -> tuple[list[Entry], bool]:
    """Exchanges that match the criteria in the body, and whether some may be missing."""
    criteria, entries = Criteria(call.body), sandbox.journal.entries()
    truncated = sandbox.journal.dropped > 0 or any(map(criteria.unsure, entries))
    return list(filter(criteria.fits, entries)), truncated


def _filter(query: Mapping[str, Any]) -> Criteria:
    return Criteria({FILTERS[k]: v for k, v in query.items() if k in FILTERS and v is not None})
