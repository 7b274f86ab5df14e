"""Cursor pagination: every item once, for any page size and with changes between pages."""

from __future__ import annotations

from functools import partial

from contracts.behaviour.shapes import SPACE, THREAD, typed
from contracts.checks.check import check, equal
from contracts.checks.errors import Broken, Excluded, Untested
from contracts.checks.evidence import Evidence
from contracts.http.exchange import ClientResponse
from contracts.http.role_client import RoleClient
from contracts.http.run import Run

MAX_SINGLE_STEPS = 30
"""Largest space that is listed one thread at a time."""


def space_with_threads(run: Run, count: int) -> tuple[str, list[str]]:
    """New space with `count` threads, and their ids in order of addition."""
    threads = run.owner.new_threads(count)
    return run.owner.space_with(*threads), threads


def page(client: RoleClient, space_id: str, **query: object) -> ClientResponse:
    """One page of a space's threads."""
    answer = client.get(f"/v1/spaces/{space_id}/threads", **query)
    equal(answer.status, 200, "status")
    return answer


def ids(answer: ClientResponse) -> list[str]:
    """Thread ids on a page."""
    return [thread["id"] for thread in answer.body["data"]]


def following_ids(client: RoleClient, space_id: str, first: ClientResponse) -> list[str]:
    """Thread ids on all pages after this one."""
    cursor = first.body["next_cursor"]
    pages = client.pages(f"/v1/spaces/{space_id}/threads", limit=2, cursor=cursor) if cursor else ()
    return [id_ for page in pages for id_ in ids(page)]


@check("listSpaceThreads", claim="threads-are-paginated")
def walking_by_any_size_gives_the_same_list(run: Run) -> None:
    """Page sizes 1, 3, 7 and 100 give every thread once, in the same order, and end."""
    space_id, threads = space_with_threads(run, 8)
    whole = run.owner.threads_of(space_id, 100)
    equal(sorted(whole), sorted(threads), "the threads of the space")
    for size in (1, 3, 7):
        equal(run.owner.threads_of(space_id, size), whole, f"walking by {size}")


@check("listSpaceThreads", claim="a-page-is-limited")
def a_page_has_at_most_limit_items(run: Run) -> None:
    """A page has `limit` items if there are as many, and has_more says whether more follow."""
    space_id, _ = space_with_threads(run, 4)
    for limit, length, more in ((1, 1, True), (3, 3, True), (4, 4, False), (5, 4, False)):
        answer = page(run.owner, space_id, limit=limit)
        equal(len(ids(answer)), length, f"items for limit={limit}", "/data")
        equal(answer.body["has_more"], more, f"has_more for limit={limit}", "/has_more")


@check("listSpaceThreads", claim="a-page-is-limited")
def each_page_of_threads_has_its_own_limit(run: Run) -> None:
    """A page requested by cursor has its own limit, not that of the page before."""
    space_id, _ = space_with_threads(run, 6)
    whole = run.owner.threads_of(space_id, 100)
    for first, then in ((3, 1), (1, 3)):
        cursor = page(run.owner, space_id, limit=first).body["next_cursor"]
        following = ids(page(run.owner, space_id, limit=then, cursor=cursor))
        equal(
            following, whole[first : first + then], f"limit={then} behind a page with limit={first}", "/data"
        )


@check("listSpaceThreads", claim="a-page-has-fifty-threads")
def the_page_size_is_fifty_by_default(run: Run) -> None:
    """A page has fifty items by default and a hundred with limit=100; the next page continues after them."""
    space_id, threads = space_with_threads(run, 101)
    answer = page(run.owner, space_id)
    equal(len(ids(answer)), 50, "items without a limit", "/data")
    equal(answer.body["has_more"], True, "has_more", "/has_more")
    equal(len(ids(page(run.owner, space_id, limit=100))), 100, "items with limit=100", "/data")
    equal(sorted(run.owner.threads_of(space_id, 100)), sorted(threads), "walking by 100")


@check("listSpaceThreads")
def has_more_goes_with_a_cursor(run: Run) -> None:
    """has_more is false exactly when next_cursor is null."""
    space_id, _ = space_with_threads(run, 3)
    for limit in (1, 2, 3, 100):
        body = page(run.owner, space_id, limit=limit).body
        equal(
            body["next_cursor"] is not None, body["has_more"], f"a cursor for limit={limit}", "/next_cursor"
        )


@check("listSpaceThreads")
def threads_come_in_the_order_of_adding(run: Run) -> None:
    """The threads of a space are listed in the order in which they were added, oldest first."""
    space_id, threads = space_with_threads(run, 4)
    equal(run.owner.threads_of(space_id), threads, "the order")
    run.owner.remove_thread(space_id, threads[0])
    run.owner.add(space_id, threads[0])
    again = [*threads[1:], threads[0]]
    equal(run.owner.threads_of(space_id), again, "the order after the first was added again")


@check("listSpaceThreads", "addThreadToSpace")
def a_walk_survives_inserts(run: Run) -> None:
    """Threads added between two pages cause no skipped and no repeated thread."""
    space_id, threads = space_with_threads(run, 5)
    first = page(run.owner, space_id, limit=2)
    late = run.owner.new_thread()["id"]
    run.owner.add(space_id, late)
    seen = ids(first) + following_ids(run.owner, space_id, first)
    equal([t for t in seen if t != late], [t for t in ordered(seen, threads) if t != late], "the walk")
    equal(len(seen), len(set(seen)), "items, each once")
    if not set(threads) <= set(seen):
        raise Broken("the walk skipped a thread", expected=threads, got=seen)


@check("listSpaceThreads", "removeThreadFromSpace")
def a_walk_survives_the_removal_of_its_anchor(run: Run) -> None:
    """Removing the last thread of a page before reading the next skips and repeats nothing."""
    space_id, threads = space_with_threads(run, 5)
    first = page(run.owner, space_id, limit=2)
    gone = ids(first)[-1]
    equal(run.owner.remove_thread(space_id, gone).status, 204, "removing the anchor")
    seen = ids(first) + following_ids(run.owner, space_id, first)
    equal(sorted(seen), sorted(threads), "every thread once")


@check("listSpaceThreads", "removeThreadFromSpace")
def a_walk_survives_removals_beside_its_anchor(run: Run) -> None:
    """Removing threads before and after the current position skips and repeats no other thread."""
    space_id, _ = space_with_threads(run, 6)
    whole = run.owner.threads_of(space_id)
    first = page(run.owner, space_id, limit=2)
    for gone in (whole[0], whole[4]):  # one already listed, one not yet
        equal(run.owner.remove_thread(space_id, gone).status, 204, "removing")
    seen = ids(first) + following_ids(run.owner, space_id, first)
    remaining = [thread for thread in seen if thread not in (whole[0], whole[4])]
    equal(remaining, [whole[1], whole[2], whole[3], whole[5]], "the walk, but for what was removed")


@check("listSpaceThreads")
def a_cursor_of_another_space_is_refused(run: Run) -> None:
    """A cursor is valid for the space that returned it, and 422 for another."""
    one, _ = space_with_threads(run, 2)
    other, _ = space_with_threads(run, 2)
    cursor = page(run.owner, one, limit=1).body["next_cursor"]
    if cursor is None:
        raise Untested("the first page gave no cursor")
    equal(run.owner.get(f"/v1/spaces/{other}/threads", cursor=cursor).status, 422, "status")


@check("listSpaceThreads")
def a_made_up_cursor_is_refused(run: Run) -> None:
    """An invalid cursor is 422, never a 500 and never the first page."""
    space_id, _ = space_with_threads(run, 1)
    for cursor in ("0", "bm9uc2Vuc2U", "%00"):
        equal(run.owner.get(f"/v1/spaces/{space_id}/threads", cursor=cursor).status, 422, f"cursor={cursor}")


@check("listSpaceThreads")
def a_limit_out_of_range_is_refused(run: Run) -> None:
    """A limit below 1, above 100 or not an integer is 422."""
    space_id = run.owner.new_space()["id"]
    for limit in ("0", "-1", "101", "1.5", "ten", ""):
        equal(run.owner.get(f"/v1/spaces/{space_id}/threads", limit=limit).status, 422, f"limit={limit!r}")
    for limit in ("1", "100"):
        equal(run.owner.get(f"/v1/spaces/{space_id}/threads", limit=limit).status, 200, f"limit={limit}")


@check("listSpaces", "createSpace")
def walking_the_spaces_finds_every_one_once(run: Run) -> None:
    """Listing an organization's spaces by 2 gives each one once, and none of another organization."""
    created = [run.owner.new_space()["id"] for _ in range(3)]
    seen: list[str] = []
    for answer in run.owner.pages("/v1/spaces/", organization_id=run.organization_id, limit=2):
        ids_on_page = [space["id"] for space in answer.body["spaces"]]
        if len(ids_on_page) > 2:
            what = "a page has more items than its limit"
            raise Broken(what, expected=2, got=len(ids_on_page), pointer="/spaces")
        seen += ids_on_page
        homes = {space["organization_id"] for space in answer.body["spaces"]}
        equal(homes - {run.organization_id}, set(), "other organizations in the list")
    equal(len(seen), len(set(seen)), "spaces, each once")
    listed = [id_ for id_ in seen if id_ in created]
    equal(sorted(listed), sorted(created), "the spaces that were made")
    if listed != created:
        what = "the spaces are listed in another order"
        raise Broken(what, expected=created, got=listed, evidence=Evidence.ASSUMED, assumption="A05")


@check("listSpaces")
def each_page_of_spaces_has_its_own_limit(run: Run) -> None:
    """A page of spaces requested by cursor has its own limit, and skips none."""
    for _ in range(4):
        run.owner.new_space()
    of_this = partial(run.owner.get, "/v1/spaces/", organization_id=run.organization_id)
    one, four = (of_this(limit=limit).body for limit in (1, 4))
    following = of_this(limit=3, cursor=one["next_cursor"]).body["spaces"]
    walks = [[space["id"] for space in spaces] for spaces in ([*one["spaces"], *following], four["spaces"])]
    equal(walks[0], walks[1], "a page of one and one of three, beside a page of four", "/spaces")


def ordered(seen: list[str], threads: list[str]) -> list[str]:
    """Threads in the order of the walk, missing ones last."""
    return sorted(threads, key=lambda t: seen.index(t) if t in seen else len(seen))


def spaces_to_read(run: Run) -> list[str]:
    """Spaces of --space-id; without any, one that the run creates."""
    if not run.space_ids and run.read_only:
        raise Excluded("it reads existing spaces: pass some with --space-id")
    return list(run.space_ids) or [space_with_threads(run, 8)[0]]


@check("listSpaceThreads", claim="threads-are-paginated")
def a_space_that_is_there_lists_the_same_by_any_size(run: Run) -> None:
    """Listing a space by 100, by 7 and by 1 gives the same threads, each once, in the same order."""
    for space_id in spaces_to_read(run):
        whole = run.owner.threads_of(space_id, 100)
        equal(len(set(whole)), len(whole), f"threads of {space_id}, each once")
        equal(run.owner.threads_of(space_id, 7), whole, f"{space_id} by 7")
        if len(whole) <= MAX_SINGLE_STEPS:
            equal(run.owner.threads_of(space_id, 1), whole, f"{space_id} by 1")


@check("listSpaceThreads", claim="a-list-of-threads")
def a_space_that_is_there_lists_threads_as_documented(run: Run) -> None:
    """Each thread that a space lists has the sixteen documented fields with their types."""
    for space_id in spaces_to_read(run):
        body = run.owner.get(f"/v1/spaces/{space_id}/threads", limit=100).body
        for number, thread in enumerate(body["data"]):
            typed(thread, THREAD, f"/data/{number}")


@check("getSpace", "listSpaces")
def a_space_that_is_there_is_listed_as_it_reads(run: Run) -> None:
    """A space has its published fields, and is in its organization's list once, with the same name."""
    for space_id in spaces_to_read(run):
        space = run.owner.get(f"/v1/spaces/{space_id}").body
        typed(space, SPACE, "")
        entries = [listed for listed in run.owner.spaces() if listed["id"] == space_id]
        equal([listed["name"] for listed in entries], [space["name"]], f"{space_id} in the list")
