"""Mocks with one bug each that needs several steps to show."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from mockserver.app import MockServer, create_app
from mockserver.freddy import HANDLERS, access, space_threads, threads
from mockserver.freddy.access import rule_for
from mockserver.freddy.lookup import Call
from mockserver.freddy.shared_memory import add_thread, remove_thread, spaces_of
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from mockserver.settings import Settings
from mockserver.store.collection import Collection


@cache
def _app() -> MockServer:
    return create_app(Settings(quiet=True))


def fresh() -> MockServer:
    """One mock for all tests, reset to its start; it looks up handlers for each request."""
    _app().sandboxes.get().reset()
    return _app()


Around = Callable[[Any, Call, Sandbox], Reply]
Mutant = Callable[[pytest.MonkeyPatch], None]


def around(operation: str) -> Callable[[Around], Mutant]:
    """Handler of an operation, wrapped."""

    def mutant(wrapper: Around) -> Mutant:
        def apply(patch: pytest.MonkeyPatch) -> None:
            inner = HANDLERS[operation]
            patch.setitem(HANDLERS, operation, lambda call, sandbox: wrapper(inner, call, sandbox))

        apply.__name__ = wrapper.__name__
        return apply

    return mutant


def held(call: Call, sandbox: Sandbox) -> list[str]:
    """The threads of the space in the path."""
    return [thread for _, thread in sandbox.space_threads.ids("space", call.path["space_id"])]


@around("removeThreadFromSpace")
def a_removal_after_the_third_thread_is_ignored(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
    if call.path["thread_id"] in held(call, sandbox)[3:]:
        return Reply(204)
    return inner(call, sandbox)  # type: ignore[no-any-return]


def a_thread_added_twice_is_listed_twice_among_more_than_two(patch: pytest.MonkeyPatch) -> None:
    twice: set[tuple[str, str]] = set()

    def remember(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        if call.path["thread_id"] in held(call, sandbox):
            twice.add((call.path["space_id"], call.path["thread_id"]))
        return inner(call, sandbox)  # type: ignore[no-any-return]

    def doubled(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        reply = inner(call, sandbox)
        if len(held(call, sandbox)) > 2:
            data = reply.body["data"]
            data += [thread for thread in data if (call.path["space_id"], thread["id"]) in twice]
        return reply  # type: ignore[no-any-return]

    around("addThreadToSpace")(remember)(patch)
    around("listSpaceThreads")(doubled)(patch)


def a_deleted_space_leaves_its_links(patch: pytest.MonkeyPatch) -> None:
    """In a thread's space_ids the space stays."""
    gone: dict[str, list[str]] = {}

    def remember(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        inside = held(call, sandbox)
        reply = inner(call, sandbox)
        for thread in inside:
            gone.setdefault(thread, []).append(call.path["space_id"])
        return reply  # type: ignore[no-any-return]

    around("deleteSpace")(remember)(patch)
    patch.setattr(threads, "spaces_of", lambda id_, sandbox: spaces_of(id_, sandbox) + gone.get(id_, []))


def a_name_patched_twice_resets_the_description(patch: pytest.MonkeyPatch) -> None:
    counts: dict[str, int] = {}

    def reset(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        reply = inner(call, sandbox)
        space_id = call.path["space_id"]
        counts[space_id] = counts.get(space_id, 0) + 1 if "name" in call.body else 0
        if counts[space_id] == 2:
            sandbox.spaces.put(space_id, {**sandbox.spaces.record(space_id), "description": None})
        return reply  # type: ignore[no-any-return]

    around("updateSpace")(reset)(patch)


def the_order_is_unstable_after_a_removal(patch: pytest.MonkeyPatch) -> None:
    disturbed: set[str] = set()

    def disturb(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        reply = inner(call, sandbox)
        disturbed.add(call.path["space_id"])
        return reply  # type: ignore[no-any-return]

    def shuffled(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        reply = inner(call, sandbox)
        if call.path["space_id"] in disturbed:
            reply.body["data"].reverse()
        return reply  # type: ignore[no-any-return]

    around("removeThreadFromSpace")(disturb)(patch)
    around("listSpaceThreads")(shuffled)(patch)


@around("listSpaceThreads")
def has_more_is_wrong_at_exact_multiples(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
    reply = inner(call, sandbox)
    data = reply.body["data"]
    if len(data) == call.query["limit"] > 1 and not reply.body["has_more"]:
        reply.body["has_more"] = True
    return reply  # type: ignore[no-any-return]


def a_patch_of_the_name_shuts_the_viewers_out(patch: pytest.MonkeyPatch) -> None:
    shut: set[str] = set()

    def remember(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        reply = inner(call, sandbox)
        if "name" in call.body:
            shut.add(call.path["space_id"])
        return reply  # type: ignore[no-any-return]

    def narrowed(space: Any, caller: Any) -> Any:
        return rule_for({**space, "access_users": None} if space["id"] in shut else space, caller)

    around("updateSpace")(remember)(patch)
    patch.setattr(access, "rule_for", narrowed)


def a_removed_thread_cant_come_back(patch: pytest.MonkeyPatch) -> None:
    removed: set[tuple[str, str]] = set()

    def remember(inner: Any, call: Call, sandbox: Sandbox) -> Reply:
        reply = inner(call, sandbox)
        removed.add((call.path["space_id"], call.path["thread_id"]))
        return reply  # type: ignore[no-any-return]

    def ignored(space_id: str, thread_id: str, sandbox: Sandbox) -> Any:
        link = add_thread(space_id, thread_id, sandbox)
        if (space_id, thread_id) in removed:
            sandbox.space_threads.remove((space_id, thread_id))
        return link

    around("removeThreadFromSpace")(remember)(patch)
    patch.setattr(space_threads, "add_thread", ignored)


def a_deleted_thread_stays_in_its_second_space(patch: pytest.MonkeyPatch) -> None:
    """Its link stays, and so does the record that the list shows."""
    left: set[str] = set()

    def once(space_id: str, thread_id: str, sandbox: Sandbox) -> bool:
        if thread_id in left:
            return False
        left.add(thread_id)
        return remove_thread(space_id, thread_id, sandbox)

    patch.setattr(threads, "remove_thread", once)
    known: dict[str, Any] = {}

    def records(self: Any, ids: Any) -> Any:
        for id_ in (found := list(ids)):
            known[id_] = self.get(id_) or known[id_]
        return [known[id_] for id_ in found]

    patch.setattr(Collection, "records", records)


BUGS: tuple[Mutant, ...] = (
    a_removal_after_the_third_thread_is_ignored,
    a_thread_added_twice_is_listed_twice_among_more_than_two,
    a_deleted_space_leaves_its_links,
    a_name_patched_twice_resets_the_description,
    the_order_is_unstable_after_a_removal,
    has_more_is_wrong_at_exact_multiples,
    a_patch_of_the_name_shuts_the_viewers_out,
    a_removed_thread_cant_come_back,
    a_deleted_thread_stays_in_its_second_space,
)
