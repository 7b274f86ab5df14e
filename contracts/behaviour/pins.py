"""Pinned threads."""

from __future__ import annotations

from contracts.checks.check import check, equal
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.run import Run

MOST = 20
"""Pinned threads of a user in an organization."""


@check("pinThread", "unpinThread", "listThreads", evidence=Evidence.PUBLISHED)
def a_pinned_thread_is_marked_and_listed_among_the_pinned(run: Run) -> None:
    """Pinning marks a thread and lists it with is_pinned=true; unpinning removes the mark."""
    thread = run.owner.new_thread()["id"]
    for verb, pinned in (("pin", True), ("unpin", False)):
        done = run.owner.ask("POST", f"/v1/threads/{thread}/{verb}")
        equal(done.status, 200, f"status of {verb}")
        equal(done.body.get("is_pinned"), pinned, f"is_pinned after {verb}", "/is_pinned")
        read = run.owner.get(f"/v1/threads/{thread}").body
        equal(read.get("is_pinned"), pinned, f"is_pinned of the thread after {verb}", "/is_pinned")
        equal(read.get("pinned_at") is not None, pinned, f"whether pinned_at is set after {verb}")
        page = run.owner.get("/v1/threads", limit=100, is_pinned="true").body
        listed = thread in [each["id"] for each in page["data"]]
        equal(listed, pinned, f"listed among the pinned threads after {verb}", "/data")


@check("pinThread", evidence=Evidence.PUBLISHED)
def no_more_than_twenty_threads_are_pinned(run: Run) -> None:
    """A user pins at most twenty threads; a further one is 422."""
    pinned: list[str] = []
    try:
        while len(pinned) <= MOST:
            thread = run.owner.new_thread()["id"]
            status = run.owner.ask("POST", f"/v1/threads/{thread}/pin").status
            if status == 422:
                return
            equal(status, 200, "status of pin")
            pinned.append(thread)
        raise Broken(f"{len(pinned)} threads are pinned", expected=422, got=status)
    finally:
        for thread in pinned:
            run.owner.ask("POST", f"/v1/threads/{thread}/unpin")
