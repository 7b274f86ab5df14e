"""Lists that go by anchors: threads, and the messages of a thread."""

from __future__ import annotations

from contracts.behaviour.memory import ask
from contracts.check import Broken, equal, promise
from contracts.evidence import Evidence
from contracts.team import Team


@promise("listThreads", evidence=Evidence.SDK)
def a_total_counts_more_than_the_page(team: Team) -> None:
    """include_total tells how many threads there are, whatever the size of the page."""
    for _ in range(3):
        team.owner.new_thread()
    bodies = [team.owner.get("/v1/threads", limit=limit, include_total="true").body for limit in (1, 2)]
    totals = [body.get("total") for body in bodies]
    equal(totals[0], totals[1], "the totals beside pages of 1 and of 2", "/total")
    if not isinstance(totals[0], int) or totals[0] < 3:
        raise Broken("the total is less than what was just made", expected=3, got=totals[0], pointer="/total")


@promise("listThreads", evidence=Evidence.SDK)
def threads_come_by_their_last_activity(team: Team) -> None:
    """Unpinned threads come with the latest activity first, and with order=asc the other way round."""
    team.owner.new_thread()
    listed: dict[str, list[str]] = {}
    for order, newest_first in (("desc", True), ("asc", False)):
        body = team.owner.get("/v1/threads", limit=100, order=order, is_pinned="false").body
        moments = [thread["last_message_at"] or thread["created_at"] for thread in body["data"]]
        equal(
            moments, sorted(moments, reverse=newest_first), f"the last activity with order={order}", "/data"
        )
        listed[order] = [thread["id"] for thread in body["data"]]
    if body["has_more"] and listed["asc"] == listed["desc"]:
        raise Broken("both orders give the same first page", got=listed["asc"][:3], pointer="/data")


@promise("listThreads", evidence=Evidence.ASSUMED, assumption="A62")
def a_page_before_a_thread_ends_just_before_it(team: Team) -> None:
    """`before` gives the threads that the list has just before the anchor, in the list's order."""
    for _ in range(5):
        team.owner.new_thread()
    whole = [thread["id"] for thread in team.owner.get("/v1/threads", limit=5).body["data"]]
    before = team.owner.get("/v1/threads", limit=2, before=whole[4]).body["data"]
    equal([thread["id"] for thread in before], whole[2:4], "the two before the fifth", "/data")


@promise("listThreadMessages", "createResponse", evidence=Evidence.ASSUMED, assumption="A62")
def a_page_before_a_message_ends_just_before_it(team: Team) -> None:
    """`before` gives the messages that the list has just before the anchor, in the list's order."""
    thread_id = team.owner.new_thread()["id"]
    for number in range(3):
        equal(ask(team.owner, team, f"Question {number}.", thread_id=thread_id).status, 200, "asking")
    path = f"/v1/threads/{thread_id}/messages"
    whole = [message["id"] for message in team.owner.get(path).body["data"]]
    before = team.owner.get(path, limit=2, before=whole[4]).body["data"]
    equal([message["id"] for message in before], whole[2:4], "the two before the fifth", "/data")
