"""Who may do what, wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.freddy import (
    access,
    lookup,
    messages,
    model_responses,
    shared_memory,
    spaces,
    threads,
    vector_stores,
)
from mockserver.freddy.access import Access
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.http.problems import Forbidden, Invalid
from mockserver.openapi.field_error import FieldError
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Record, Sandbox
from tests.contracts.mutants.bench import WITH_A_SPACE, Bench, Handler, add, mutant, refused

READS = ("getSpace", "listSpaceThreads", "listSpaceVectorStores")
WRITES = (
    "updateSpace",
    "deleteSpace",
    "addThreadToSpace",
    "removeThreadFromSpace",
    "addVectorStoreToSpace",
    "removeVectorStoreFromSpace",
)


def _asks_for(operation: str, level: Access) -> Callable[[Bench], None]:
    """The operation needs another level, of whatever it needs."""

    def space_for(needed: Access, call: Call, sandbox: Sandbox) -> Record:
        return lookup.space_for(min(needed, level) if call.operation == operation else needed, call, sandbox)

    return lambda bench: bench.replace(WITH_A_SPACE, "space_for", space_for)


for _operation in READS + WRITES:
    add(f"open-{_operation}", f"Everybody may {_operation}.", _asks_for(_operation, Access.NONE))
for _operation in WRITES:
    add(f"view-is-enough-for-{_operation}", f"A viewer may {_operation}.", _asks_for(_operation, Access.VIEW))
add("editors-change-access", "An editor may change who has access.", _asks_for("updateSpace", Access.EDIT))


def _too_late(operation: str) -> Callable[[Bench], None]:
    """The operation is refused once it is done."""

    def damage(bench: Bench) -> None:
        def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
            try:
                return handler(call, sandbox)
            except Forbidden as problem:
                with bench.patch.context() as inner:
                    inner.setattr(lookup, "require", lambda *_: None)
                    handler(call, sandbox)
                return refused(problem, call, sandbox)

        bench.around(operation, wrap)

    return damage


for _operation in WRITES:
    add(f"written-before-the-403-{_operation}", f"{_operation} is done, then refused.", _too_late(_operation))


def _without_rule(by: str) -> Callable[[Bench], None]:
    rules = tuple(rule for rule in access.RULES if rule.by != by)
    assert len(rules) == len(access.RULES) - 1
    return lambda bench: bench.replace([access], "RULES", rules)


add("editors-are-forgotten", "editable_by_users gives nothing.", _without_rule("editable_by_users"))
add("viewers-are-forgotten", "access_users gives nothing.", _without_rule("access_users"))
add("modes-are-forgotten", "access_mode opens nothing.", _without_rule("access_mode"))


@mutant()
def viewers_are_editors(bench: Bench) -> None:
    """Who may view may edit."""
    rules = tuple(rule._replace(level=max(rule.level, Access.EDIT)) for rule in access.RULES)
    bench.replace([access], "RULES", rules)


@mutant()
def every_member_is_a_viewer(bench: Bench) -> None:
    """Every member of the organization may view its private spaces."""
    rules = tuple(
        rule._replace(holds=lambda _, __, member: member is not None) if rule.by == "access_mode" else rule
        for rule in access.RULES
    )
    bench.replace([access], "RULES", rules)


@mutant(assumed=True)
def public_is_private(bench: Bench) -> None:
    """access_mode public opens nothing."""
    bench.replace([access], "OPEN_MODES", ("organization",))


@mutant()
def granted_for_ever(bench: Bench) -> None:
    """Access that was used once is never taken back."""
    real = access.rule_for
    known: dict[tuple[str, str], access.AccessRule] = {}

    def rule_for(space: Record, caller: Caller) -> access.AccessRule:
        found, place = real(space, caller), (space["id"], caller.user_id)
        known[place] = max(found, known.get(place, found), key=lambda rule: rule.level)
        return known[place]

    bench.replace([access, spaces, shared_memory], "rule_for", rule_for)


@mutant()
def creators_grants_are_dropped(bench: Bench) -> None:
    """createSpace ignores the access lists."""
    bench.around(
        "createSpace",
        lambda handler, call, sandbox: handler(_without_grants(call), sandbox),
    )


def _without_grants(call: Call) -> Call:
    for field in ("access_users", "editable_by_users"):
        call.body[field] = None
    return call


def _all_spaces(keep: Callable[[Record, str], bool]) -> Callable[[Bench], None]:
    """listSpaces shows what `keep` wants, whoever asks."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        organization_id = call.query["organization_id"]
        lookups = [space for space in sandbox.spaces if keep(space, organization_id)]
        reply = handler(call, sandbox)
        shown = {space["id"] for space in reply.body["spaces"]}
        more = [spaces.space_body(space, sandbox) for space in lookups if space["id"] not in shown]
        if reply.body["has_more"]:
            return reply
        return Reply(200, {**reply.body, "spaces": [*reply.body["spaces"], *more]})

    return lambda bench: bench.around("listSpaces", wrap)


add(
    "private-spaces-listed-to-everybody",
    "listSpaces shows every space of the organization.",
    _all_spaces(lambda space, organization_id: space["organization_id"] == organization_id),
)
add(
    "spaces-of-other-organizations-listed",
    "listSpaces shows the spaces of other organizations.",
    _all_spaces(lambda space, organization_id: space["organization_id"] != organization_id),
)


@mutant()
def spaces_listed_to_their_owners_alone(bench: Bench) -> None:
    """listSpaces shows the caller's own spaces only."""

    def rule_for(space: Record, caller: Caller) -> access.AccessRule:
        return access.rule_for(space, caller) if space["created_by"] == caller.user_id else access.NO_RULE

    bench.replace([spaces], "rule_for", rule_for)


def _no_member_needed(module: Any) -> Callable[[Bench], None]:
    return lambda bench: bench.replace([module], "require_member", lambda *_: None)


add("strangers-make-spaces", "Anybody makes and lists an organization's spaces.", _no_member_needed(spaces))
add("strangers-make-threads", "Anybody makes threads in any organization.", _no_member_needed(threads))
add("strangers-see-stores", "Anybody makes an organization's stores.", _no_member_needed(vector_stores))


def _open_thread(module: Any, operation: str) -> Callable[[Bench], None]:
    def own_thread(call: Call, sandbox: Sandbox) -> Record:
        thread = sandbox.threads.get(call.path["thread_id"])
        return thread if thread and call.operation == operation else lookup.own_thread(call, sandbox)

    return lambda bench: bench.replace([module], "own_thread", own_thread)


for _module, _operation in (
    (threads, "getThread"),
    (threads, "updateThread"),
    (threads, "deleteThread"),
    (messages, "listThreadMessages"),
):
    add(f"open-{_operation}", f"Everybody may {_operation}.", _open_thread(_module, _operation))


@mutant()
def threads_of_others_answer(bench: Bench) -> None:
    """A question may go into anybody's thread."""
    bench.replace([model_responses], "thread_of_caller", lambda id_, _, sandbox: sandbox.threads.get(id_))


@mutant()
def threads_of_others_listed(bench: Bench) -> None:
    """listThreads shows the threads of everybody."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        everything = sorted(sandbox.threads, key=lambda thread: str(thread["created_at"]), reverse=True)
        data = [threads.thread_body(thread, sandbox) for thread in everything[: call.query["limit"]]]
        return Reply(200, {**reply.body, "data": data})

    bench.around("listThreads", wrap)


@mutant()
def organization_is_required(bench: Bench) -> None:
    """Removing a store from a space needs `organization_id`, as on newer servers."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if call.query["organization_id"] is None and "contracts" in call.path["vector_store_id"]:
            return refused(Invalid([FieldError("query", "organization_id", "is required")]), call, sandbox)
        return handler(call, sandbox)

    bench.around("removeVectorStoreFromSpace", wrap)
