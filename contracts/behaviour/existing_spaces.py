"""What can be promised of a space that was there before: it is looked at and never written to."""

from __future__ import annotations

from contracts.behaviour.pages import filled
from contracts.behaviour.shapes import SPACE, typed
from contracts.behaviour.vendor_documents import THREAD
from contracts.checks.check import equal, promise
from contracts.checks.errors import Untested
from contracts.checks.evidence import Evidence
from contracts.http.run import Team

ENOUGH = 30
"""Threads up to which a space is walked one by one."""


def looked_at(team: Team) -> list[str]:
    """The spaces of --space-id; without any, one that the run makes."""
    if not team.space_ids and team.read_only:
        raise Untested("it looks at spaces that are there: name some with --space-id")
    return list(team.space_ids) or [filled(team, 8)[0]]


@promise("listSpaceThreads", evidence=Evidence.DOCUMENTED)
def a_space_that_is_there_lists_the_same_by_any_size(team: Team) -> None:
    """Walking a space by 100, by 7 and by 1 gives the same threads, each once, in the same order."""
    for space_id in looked_at(team):
        whole = team.owner.threads_of(space_id, 100)
        equal(len(set(whole)), len(whole), f"threads of {space_id}, each once")
        equal(team.owner.threads_of(space_id, 7), whole, f"{space_id} by 7")
        if len(whole) <= ENOUGH:
            equal(team.owner.threads_of(space_id, 1), whole, f"{space_id} by 1")


@promise("listSpaceThreads", evidence=Evidence.DOCUMENTED)
def a_space_that_is_there_lists_threads_as_documented(team: Team) -> None:
    """Each thread that a space lists has the sixteen documented fields with their types."""
    for space_id in looked_at(team):
        body = team.owner.get(f"/v1/spaces/{space_id}/threads", limit=100).body
        for number, thread in enumerate(body["data"]):
            typed(thread, THREAD, f"/data/{number}")


@promise("getSpace", "listSpaces", evidence=Evidence.PUBLISHED)
def a_space_that_is_there_is_listed_as_it_reads(team: Team) -> None:
    """A space has its published fields, and is in its organization's list once, with the same."""
    for space_id in looked_at(team):
        space = team.owner.get(f"/v1/spaces/{space_id}").body
        typed(space, SPACE, "")
        shown = [listed for listed in team.owner.spaces() if listed["id"] == space_id]
        equal([listed["name"] for listed in shown], [space["name"]], f"{space_id} in the list")
