"""Read-only checks of spaces that existed before the run."""

from __future__ import annotations

from contracts.behaviour.pages import space_with_threads
from contracts.behaviour.shapes import SPACE, typed
from contracts.behaviour.vendor_documents import THREAD
from contracts.checks.check import check, equal
from contracts.checks.errors import Untested
from contracts.checks.evidence import Evidence
from contracts.http.run import Run

MAX_SINGLE_STEPS = 30
"""Largest space that is listed one thread at a time."""


def spaces_to_read(run: Run) -> list[str]:
    """Spaces of --space-id; without any, one that the run creates."""
    if not run.space_ids and run.read_only:
        raise Untested("it reads existing spaces: pass some with --space-id")
    return list(run.space_ids) or [space_with_threads(run, 8)[0]]


@check("listSpaceThreads", evidence=Evidence.DOCUMENTED)
def a_space_that_is_there_lists_the_same_by_any_size(run: Run) -> None:
    """Listing a space by 100, by 7 and by 1 gives the same threads, each once, in the same order."""
    for space_id in spaces_to_read(run):
        whole = run.owner.threads_of(space_id, 100)
        equal(len(set(whole)), len(whole), f"threads of {space_id}, each once")
        equal(run.owner.threads_of(space_id, 7), whole, f"{space_id} by 7")
        if len(whole) <= MAX_SINGLE_STEPS:
            equal(run.owner.threads_of(space_id, 1), whole, f"{space_id} by 1")


@check("listSpaceThreads", evidence=Evidence.DOCUMENTED)
def a_space_that_is_there_lists_threads_as_documented(run: Run) -> None:
    """Each thread that a space lists has the sixteen documented fields with their types."""
    for space_id in spaces_to_read(run):
        body = run.owner.get(f"/v1/spaces/{space_id}/threads", limit=100).body
        for number, thread in enumerate(body["data"]):
            typed(thread, THREAD, f"/data/{number}")


@check("getSpace", "listSpaces", evidence=Evidence.PUBLISHED)
def a_space_that_is_there_is_listed_as_it_reads(run: Run) -> None:
    """A space has its published fields, and is in its organization's list once, with the same name."""
    for space_id in spaces_to_read(run):
        space = run.owner.get(f"/v1/spaces/{space_id}").body
        typed(space, SPACE, "")
        entries = [listed for listed in run.owner.spaces() if listed["id"] == space_id]
        equal([listed["name"] for listed in entries], [space["name"]], f"{space_id} in the list")
