"""Mistakes as a backend developer makes them, thought up without a look at the checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mockserver.freddy import access, model_responses, spaces
from mockserver.freddy.access import Access
from mockserver.freddy.lookup import Call, space_for
from mockserver.freddy.stream_events import deltas_of
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant


@mutant()
def changing_access_clears_the_description(bench: Bench) -> None:
    """A PATCH of access_mode clears the description, which it did not name."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if "access_mode" in call.body and "description" not in call.body:
            call = replace(call, body={**call.body, "description": None})
        return handler(call, sandbox)

    bench.around("updateSpace", wrap)


@mutant(assumed=True)
def null_does_not_clear_the_description(bench: Bench) -> None:
    """A PATCH with description null leaves it as it is (A18)."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        body = {
            name: value for name, value in call.body.items() if value is not None or name != "description"
        }
        return handler(replace(call, body=body), sandbox)

    bench.around("updateSpace", wrap)


@mutant(assumed=True)
def an_editor_may_change_who_has_access(bench: Bench) -> None:
    """Whoever may edit a space may change its access lists (A39)."""
    less = lambda needed, call, sandbox: space_for(min(needed, Access.EDIT), call, sandbox)  # noqa: E731
    bench.replace([spaces], "space_for", less)


@mutant()
def deleting_a_space_deletes_attached_stores(bench: Bench) -> None:
    """With a space the stores that are attached to it are deleted."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        space_id = call.path["space_id"]
        attached = [store for _, store in sandbox.space_vector_stores.ids("space", space_id)]
        reply = handler(call, sandbox)
        for store in attached:
            sandbox.vector_stores.remove(store)
        return reply

    bench.around("deleteSpace", wrap)


@mutant()
def a_full_page_of_a_hundred_lacks_its_last(bench: Bench) -> None:
    """limit=100 gives 99 of a space's threads at most, and the next page goes on behind the hundredth."""

    def cut(body: Any) -> None:
        if len(body["data"]) == 100:
            body["data"].pop()

    bench.body("listSpaceThreads", cut)


@mutant(assumed=True)
def a_removed_anchor_starts_over(bench: Bench) -> None:
    """A cursor whose thread left the space begins at the first page (A06)."""
    seen: dict[str, str] = {}

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        anchor = seen.get(call.query["cursor"] or "")
        if anchor is not None and (call.path["space_id"], anchor) not in sandbox.space_threads:
            call = replace(call, query={**call.query, "cursor": None})
        reply = handler(call, sandbox)
        if reply.body["next_cursor"]:
            seen[reply.body["next_cursor"]] = reply.body["data"][-1]["id"]
        return reply

    bench.around("listSpaceThreads", wrap)


@mutant()
def an_empty_title_comes_back_as_null(bench: Bench) -> None:
    """A thread whose title is cleared, or has one letter, is titled Untitled."""

    def name(body: Any) -> None:
        if not body["title"] or len(body["title"]) == 1:
            body["title"] = "Untitled"

    bench.body("updateThread", name)


@mutant()
def metadata_of_many_pairs_is_replaced(bench: Bench) -> None:
    """A PATCH of metadata merges into up to three pairs, and replaces more."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        thread = sandbox.threads.get(call.path["thread_id"])
        if thread is not None and len(thread["metadata"] or {}) > 3 and call.body.get("metadata"):
            sandbox.threads.put(thread["id"], {**thread, "metadata": {}})
        return handler(call, sandbox)

    bench.around("updateThread", wrap)


@mutant()
def total_counts_a_page(bench: Bench) -> None:
    """include_total tells how many threads are on the page, not how many there are."""

    def count(body: Any) -> None:
        if body["total"] is not None:
            body["total"] = len(body["data"])

    bench.body("listThreads", count)


@mutant()
def only_the_first_user_of_a_list_has_access(bench: Bench) -> None:
    """Of access_users and editable_by_users the first name alone counts."""
    bench.named_users(lambda caller, users: caller.user_id in (users or ())[:1])


@mutant(assumed=True)
def everybody_is_everybody_of_every_organization(bench: Bench) -> None:
    """editable_by_users "*" lets users of other organizations edit, too (A45)."""
    real = access.rule_for

    def damaged(space: Any, caller: Any) -> Any:
        rule = real(space, caller)
        star = next(rule for rule in access.RULES if '"*"' in rule.by)
        return star if rule.level < star.level and "*" in (space["editable_by_users"] or ()) else rule

    bench.replace([access, spaces], "rule_for", damaged)


@mutant()
def a_store_is_attached_by_the_spaces_owner(bench: Bench) -> None:
    """added_by of an attached store is who made the space, whoever attached it."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        space = space_for(Access.VIEW, call, sandbox)
        reply = handler(call, sandbox)
        stores = [{**store, "added_by": space["created_by"]} for store in reply.body["vector_stores"]]
        return Reply(reply.status, {"vector_stores": stores})

    bench.around("listSpaceVectorStores", wrap)


@mutant()
def pinned_threads_are_never_turned_round(bench: Bench) -> None:
    """order=asc lists threads like desc where one of them is pinned."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        pinned = any(thread["is_pinned"] for thread in sandbox.threads)
        query = {**call.query, "order": "desc"} if pinned and call.query["order"] == "asc" else call.query
        return handler(replace(call, query=query), sandbox)

    bench.around("listThreads", wrap)


@mutant()
def a_stream_loses_its_last_piece(bench: Bench) -> None:
    """The last delta of a streamed answer is not sent."""
    whole = deltas_of
    bench.replace([model_responses], "deltas_of", lambda text: whole(text)[:-1])


@mutant()
def a_deleted_message_is_still_counted(bench: Bench) -> None:
    """Deleting a message leaves message_count of its thread as it was."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        before = sandbox.threads.get(call.path["thread_id"])
        reply = handler(call, sandbox)
        if before is not None:
            after = sandbox.threads.record(before["id"])
            sandbox.threads.put(before["id"], {**after, "message_count": before["message_count"]})
        return reply

    bench.around("deleteThreadMessage", wrap)
