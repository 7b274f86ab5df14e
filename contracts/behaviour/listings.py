"""Lists paginated by anchors, and vector stores: filters, order, totals."""

from __future__ import annotations

from contracts.checks.check import check, equal
from contracts.checks.errors import Broken, Untested
from contracts.http.run import Run


def _three_turns(run: Run) -> str:
    """Path of the messages of a new thread with six messages."""
    thread_id = run.owner.new_thread()["id"]
    for number in range(3):
        equal(run.owner.ask_model(f"Number {number}.", thread_id=thread_id).status, 200, "asking")
    return f"/v1/threads/{thread_id}/messages"


@check("listThreads")
def a_total_counts_more_than_the_page(run: Run) -> None:
    """include_total returns the number of threads, whatever the size of the page."""
    run.owner.new_threads(3)
    bodies = [run.owner.get("/v1/threads", limit=limit, include_total="true").body for limit in (1, 2)]
    totals = [body.get("total") for body in bodies]
    equal(totals[0], totals[1], "the totals beside pages of 1 and of 2", "/total")
    if not isinstance(totals[0], int) or totals[0] < 3:
        raise Broken("the total is less than what was just made", expected=3, got=totals[0], pointer="/total")


@check("listThreads")
def threads_come_by_their_last_activity(run: Run) -> None:
    """Unpinned threads come with the latest activity first, and with order=asc in reverse."""
    run.owner.new_thread()
    listed: dict[str, list[str]] = {}
    for order, newest_first in (("desc", True), ("asc", False)):
        body = run.owner.get("/v1/threads", limit=100, order=order, is_pinned="false").body
        activity = [thread["last_message_at"] or thread["created_at"] for thread in body["data"]]
        equal(
            activity, sorted(activity, reverse=newest_first), f"the last activity with order={order}", "/data"
        )
        listed[order] = [thread["id"] for thread in body["data"]]
    if body["has_more"] and listed["asc"] == listed["desc"]:
        raise Broken("both orders give the same first page", got=listed["asc"][:3], pointer="/data")


@check("listThreads")
def a_page_before_a_thread_ends_just_before_it(run: Run) -> None:
    """`before` returns the threads just before the anchor, in the order of the list."""
    run.owner.new_threads(5)
    whole = run.owner.ids("/v1/threads", limit=5)
    before = run.owner.get("/v1/threads", limit=2, before=whole[4]).body["data"]
    equal([thread["id"] for thread in before], whole[2:4], "the two before the fifth", "/data")


@check("listThreadMessages", "createResponse")
def a_page_before_a_message_ends_just_before_it(run: Run) -> None:
    """`before` returns the messages just before the anchor, in the order of the list."""
    path = _three_turns(run)
    whole = run.owner.ids(path)
    before = run.owner.get(path, limit=2, before=whole[4]).body["data"]
    equal([message["id"] for message in before], whole[2:4], "the two before the fifth", "/data")


@check("listThreads")
def walking_threads_by_their_last_skips_none(run: Run) -> None:
    """Three pages of two threads, linked by `after`, equal one page of six."""
    run.owner.new_threads(6)
    whole = run.owner.ids("/v1/threads", limit=6)
    equal(walk_anchors(run, "/v1/threads", 3), whole, "three pages of two", "/data")


@check("listThreadMessages", "createResponse")
def walking_messages_by_their_last_skips_none(run: Run) -> None:
    """Pages of two messages, linked by `after`, equal the whole list; order=desc reverses it."""
    path = _three_turns(run)
    whole = run.owner.ids(path)
    equal(walk_anchors(run, path, 3), whole, "three pages of two", "/data")
    turned = run.owner.ids(path, order="desc")
    equal(turned, whole[::-1], "the messages with order=desc", "/data")


def walk_anchors(run: Run, path: str, pages: int) -> list[str]:
    """Ids on this many pages of two, linked by `after`."""
    seen: list[str] = []
    for _ in range(pages):
        page = run.owner.get(path, limit=2, after=seen[-1] if seen else None).body["data"]
        if len(page) > 2:
            raise Broken("a page has more items than its limit", expected=2, got=len(page), pointer="/data")
        seen += [entry["id"] for entry in page]
    return seen


@check("listThreads", "createThread", "deleteThread")
def threads_are_listed_by_assistant_and_deleted_ones_on_demand(run: Run) -> None:
    """assistant_id lists only its threads; deleted threads are listed only with include_deleted."""
    assistant = run.unknown_id("asst")
    created = [run.owner.new_thread(assistant_id=assistant)["id"] for _ in range(2)]
    run.owner.new_thread()
    equal(run.owner.ask("DELETE", f"/v1/threads/{created[0]}").status, 204, "deleting one")
    for deleted, expected in (("false", created[1:]), ("true", created)):
        listed = run.owner.get("/v1/threads", assistant_id=assistant, include_deleted=deleted)
        equal(listed.status, 200, "status")
        ids = sorted(thread["id"] for thread in listed.body["data"])
        equal(ids, sorted(expected), f"the assistant's threads with include_deleted={deleted}", "/data")


@check("listThreads", "createThread")
def hidden_threads_are_listed_on_demand(run: Run) -> None:
    """visible_in_ui=false lists hidden threads; no other value does."""
    hidden, visible = (run.owner.new_thread(visible_in_ui=flag)["id"] for flag in (False, True))
    for flag, expected in (("false", [hidden]), ("true", [visible]), (None, [visible])):
        listed = run.owner.get("/v1/threads", limit=10, visible_in_ui=flag).body["data"]
        ids = [thread["id"] for thread in listed if thread["id"] in (hidden, visible)]
        equal(ids, expected, f"with visible_in_ui={flag}", "/data")


@check("listVectorStores", "createVectorStore")
def stores_are_searched_sorted_and_paged(run: Run) -> None:
    """Stores can be searched by name, filtered by access_mode, sorted and paged with skip and take."""
    word = f"{run.name('needle')}."
    run.owner.new_vector_store()
    for letter, mode in (("b", "private"), ("d", "organization"), ("a", "private"), ("c", "organization")):
        run.owner.new_vector_store(name=f"{word} {letter}", access_mode=mode)

    def letters(**query: object) -> str:
        answer = run.owner.get(run.owner.stores, **{"search": word, "sort": "name", "order": "asc", **query})
        equal(answer.status, 200, "status")
        return "".join(store["name"].removeprefix(f"{word} ") for store in answer.body["data"])

    equal(letters(), "abcd", "by name", "/data")
    equal(letters(order="desc"), "dcba", "by name, turned round", "/data")
    equal(letters(access_mode="private"), "ab", "private ones", "/data")
    equal(letters(skip=1, take=2), "bc", "skipped and taken", "/data")


@check("listVectorStores", "createVectorStore")
def stores_are_listed_by_workflow_and_project(run: Run) -> None:
    """flow_id and flowplate_project_id list only the stores that have them."""
    flow, project = run.unknown_id("flow"), run.unknown_id("project")
    one, other = {"flow_id": flow}, {"flowplate_project_id": project}
    made = [run.owner.new_vector_store(**fields)["id"] for fields in (one, other, {**one, **other})]
    for query, expected in ((one, [made[0], made[2]]), (other, made[1:]), ({**one, **other}, made[2:])):
        listed = run.owner.get(run.owner.stores, **query).body["data"]
        ids = sorted(store["id"] for store in listed)
        equal(ids, sorted(expected), f"the stores with {' and '.join(query)}", "/data")


@check("listSpaceThreads", "removeThreadFromSpace")
def a_removal_leaves_the_others_in_their_order(run: Run) -> None:
    """After a thread is removed, the others are listed in the order that they had, whichever it is."""
    space_id = run.owner.space_with(*run.owner.new_threads(4))
    before = run.owner.threads_of(space_id)
    if run.owner.threads_of(space_id) != before:
        raise Untested("two reads of the same list have another order")
    equal(run.owner.remove_thread(space_id, before[1]).status, 204, "removing the second")
    left = [thread for thread in before if thread != before[1]]
    equal(run.owner.threads_of(space_id), left, "the others", "/data")
