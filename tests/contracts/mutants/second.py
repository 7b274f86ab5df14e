"""Faults that a backend gets by accident, written from the documents without a look at the checks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from typing import Any

from mockserver.freddy import access, messages, model_responses, stream_events, threads
from mockserver.freddy.access import OVERRIDE, AccessRule
from mockserver.freddy.anchor_paging import Anchor, Listing
from mockserver.freddy.lookup import MOST_METADATA, Call, merged_metadata
from mockserver.freddy.shared_memory import message_key, spaces_of
from mockserver.freddy.space_vector_stores import MOST_STORES
from mockserver.http.calls import Reply
from mockserver.http.event_stream import Stream
from mockserver.http.problems import Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.store.collection import Page, page
from mockserver.store.sorted_keys import Key
from tests.contracts.mutants.bench import Bench, Handler, mutant

VIEW_LISTS = ("access_users", "access_departments", "visible_to_roles")
WITH_METADATA = (threads, messages)
"""Where `merged_metadata` is looked up."""


@mutant()
def users_are_matched_by_a_part_of_their_id(bench: Bench) -> None:
    """Who has an id that is a part of one in `access_users` or `editable_by_users` has access too."""

    # Published: the users named. As LIKE '%id%' over a joined column does it.
    def named(caller: Caller, users: list[str] | None) -> bool:
        return any(caller.user_id in user for user in users or ())

    bench.named_users(named)


@mutant(assumed=True)
def override_reaches_into_other_organizations(bench: Bench) -> None:
    """`override_all_permissions` in one organization makes an owner of every organization's spaces."""

    # A46: callers of another organization are outsiders.
    def holds(_: Record, caller: Caller, __: Any) -> bool:
        return any(OVERRIDE in member.capabilities for member in caller.memberships.values())

    rules = [rule._replace(holds=holds) if rule.by == OVERRIDE else rule for rule in access.RULES]
    bench.replace([access], "RULES", tuple(rules))


@mutant()
def viewers_list_beats_the_editors_list(bench: Bench) -> None:
    """Who is in `access_users` may only view, even if `editable_by_users` or a role lets them edit."""

    # Published: edit includes view, and the highest that applies counts.
    def order(rule: AccessRule) -> int:
        return 0 if rule.level == access.Access.OWNER else 1 if rule.by == "access_users" else 2

    bench.replace([access], "RULES", tuple(sorted(access.RULES, key=order)))


@mutant()
def opening_a_space_forgets_who_was_named(bench: Bench) -> None:
    """PATCH of `access_mode` to something other than private clears the view lists that were not sent."""

    # Published: only the fields that are sent change.
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if call.body.get("access_mode") in access.OPEN_MODES:
            call = replace(call, body={**dict.fromkeys(VIEW_LISTS), **call.body})
        return handler(call, sandbox)

    bench.around("updateSpace", wrap)


@mutant()
def empty_metadata_clears(bench: Bench) -> None:
    """PATCH of a thread or a message with `metadata: {}` clears its metadata as null does."""

    # Published: metadata is merged; A61: null clears. As `if not metadata` does it.
    def merged(record: Record, changes: Record, cleared: Record | None) -> Record | None:
        return cleared if changes.get("metadata") == {} else merged_metadata(record, changes, cleared)

    bench.replace(WITH_METADATA, "merged_metadata", merged)


@mutant()
def full_metadata_cannot_be_changed(bench: Bench) -> None:
    """Pairs kept and pairs sent are counted before the merge, so a pair of a full set can't change."""

    # Published: at most 16 pairs; A32: after the merge.
    def merged(record: Record, changes: Record, cleared: Record | None) -> Record | None:
        if len(record["metadata"] or ()) + len(changes.get("metadata") or ()) > MOST_METADATA:
            raise Invalid([FieldError("body", "metadata", f"{MOST_METADATA} pairs are the most")])
        return merged_metadata(record, changes, cleared)

    bench.replace(WITH_METADATA, "merged_metadata", merged)


@mutant()
def cursor_keeps_the_first_limit(bench: Bench) -> None:
    """With a cursor a space's threads come in pages of the size that the cursor's own page had."""
    sizes: dict[str, int] = {}

    # Documented: `limit` is the most that a page holds. As a cursor with the limit inside does it.
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        limit = sizes.get(call.query["cursor"], call.query["limit"])
        reply = handler(replace(call, query={**call.query, "limit": limit}), sandbox)
        if reply.body["next_cursor"] is not None:
            sizes[reply.body["next_cursor"]] = limit
        return reply

    bench.around("listSpaceThreads", wrap)


class _FromTheFarEnd(Listing):
    """A list whose page before an anchor is taken from its beginning."""

    def window(
        self, limit: int, after: Anchor | None, before: Anchor | None, keep: Callable[[Key], bool]
    ) -> Page:
        if before is None or after is not None:
            return super().window(limit, after, before, keep)
        places = takewhile(lambda place: self.precedes(place, before), self.places(True, None))
        return page((key for _, key in places), limit, keep)


@mutant(assumed=True)
def page_before_a_message_starts_at_the_first(bench: Bench) -> None:
    """`before` gives the first messages of the thread, not those just before the one that it names."""
    # A62: the page that ends just before the anchor. As WHERE id < x ORDER BY id LIMIT n does it.
    bench.replace([messages], "Listing", _FromTheFarEnd)


@mutant(assumed=True)
def thread_returns_to_its_old_place(bench: Bench) -> None:
    """A thread that was removed from a space and is added again stands where it stood before."""
    places: dict[tuple[str, str], int] = {}

    # A04: in the order in which they were added. As a link that is only marked as deleted does it.
    def remove(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        link = (call.path["space_id"], call.path["thread_id"])
        place = sandbox.space_threads.position("space", link)
        reply = handler(call, sandbox)
        assert place is not None
        places[link] = place[-1]
        return reply

    def add(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        link = (call.path["space_id"], call.path["thread_id"])
        is_new = link not in sandbox.space_threads
        reply = handler(call, sandbox)
        if is_new and link in places:
            record = sandbox.space_threads.remove(link)
            assert record is not None
            sandbox.space_threads.put(link, record, places[link])
        return reply

    bench.around("removeThreadFromSpace", remove)
    bench.around("addThreadToSpace", add)


@mutant()
def leaving_one_space_is_forgotten_in_all(bench: Bench) -> None:
    """Removing a thread from one space drops its vectors in the other spaces that it is in."""

    # A15: a thread in two spaces is embedded in both. As a DELETE by thread alone does it.
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        for space_id in spaces_of(call.path["thread_id"], sandbox):
            sandbox.embeddings.remove_thread(space_id, call.path["thread_id"], sandbox.clock.now())
        return reply

    bench.around("removeThreadFromSpace", wrap)


@mutant()
def streamed_answer_is_not_remembered(bench: Bench) -> None:
    """An answer that was streamed into a thread is stored, but never embedded."""

    # Documented: later messages are embedded; A33: both. As two code paths for one thing do it.
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        thread_id = call.body["thread_id"]
        if isinstance(reply.body, Stream) and thread_id is not None:
            *_, answer = sandbox.messages.ids("thread", thread_id)
            for space_id in spaces_of(thread_id, sandbox):
                key = message_key(answer, sandbox)
                sandbox.embeddings.remove_message(space_id, thread_id, key, sandbox.clock.now())
        return reply

    bench.around("createResponse", wrap)


@mutant(assumed=True)
def line_breaks_get_lost_in_a_stream(bench: Bench) -> None:
    """The pieces of a streamed answer have blanks where the whole answer has line breaks."""
    # docs/shared-memory.md: all pieces joined are the answer. As split() and " ".join() do it.
    whole = stream_events.deltas_of
    bench.replace([model_responses], "deltas_of", lambda text: whole(text.replace("\n", " ")))


@mutant(assumed=True)
def detached_stores_still_count(bench: Bench) -> None:
    """A store that was detached still counts among the 20 that a space may have."""
    attached: Counter[str] = Counter()

    # SDK: at most 20 stores; A17: a 21st is 422. As a count over links marked as deleted does it.
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        space_id = call.path["space_id"]
        is_new = (space_id, call.path["vector_store_id"]) not in sandbox.space_vector_stores
        reply = handler(call, sandbox)
        if is_new and attached[space_id] >= MOST_STORES:
            raise Invalid([FieldError("path", "vector_store_id", f"the space has {MOST_STORES} stores")])
        attached[space_id] += is_new
        return reply

    bench.around("addVectorStoreToSpace", wrap)


@mutant(assumed=True)
def question_searches_spaces_closed_to_its_author(bench: Bench) -> None:
    """A question draws on every space that its thread is in, also on those that its author may not view."""

    # docs/shared-memory.md: the spaces of the thread that the caller may view.
    def searched(thread: Record | None, space_id: str | None, _: Caller, sandbox: Sandbox) -> list[str]:
        found = [] if thread is None else spaces_of(thread["id"], sandbox)
        return found if space_id is None or space_id in found else [*found, space_id]

    bench.replace([model_responses], "spaces_to_search", searched)


@mutant(concurrent=True)
def counts_of_questions_asked_at_once_get_lost(bench: Bench) -> None:
    """Questions in one thread at the same time all add to the `message_count` from before them."""
    early = threading.local()

    # Published: the number of messages. As a count that is read outside the transaction does it.
    def read(corridor: Any, environ: Any, start_response: Any) -> Any:
        early.rows = bench.app.sandboxes.get().threads.content.rows
        if environ["PATH_INFO"] == "/v1/model/response":
            time.sleep(0.01)
        return corridor(environ, start_response)

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        thread_id = call.body["thread_id"]
        before = sandbox.threads.get(thread_id)
        reply = handler(call, sandbox)
        if before is not None and thread_id in early.rows:
            late = before["message_count"] - early.rows[thread_id][1]["message_count"]
            thread = sandbox.threads.record(thread_id)
            changed = {**thread, "message_count": thread["message_count"] - late}
            sandbox.threads.put(thread_id, changed)
        return reply

    bench.wsgi(read)
    bench.around("createResponse", wrap)
