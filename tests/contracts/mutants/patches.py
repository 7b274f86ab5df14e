"""PATCH that changes too much, too little, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mockserver.freddy import threads
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, add, mutant


def _with_body(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Bench], None]:
    """updateSpace takes another body than was sent."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        return handler(replace(call, body=change(call.body)), sandbox)

    return lambda bench: bench.around("updateSpace", wrap)


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


add(
    "patch-resets-the-description",
    "PATCH of a space clears the description unless it is sent.",
    _with_body(lambda body: {"description": None, **body}),
)
add(
    "patch-resets-the-access",
    "PATCH of a space forgets its viewers unless they are sent.",
    _with_body(lambda body: {"access_users": None, **body}),
)
add(
    "patch-ignores-null",
    "PATCH of a space keeps what null should clear.",
    _with_body(_without_nulls),
    assumed=True,
)
add(
    "patch-ignores-the-description",
    "PATCH of a space changes everything but the description.",
    _with_body(lambda body: {name: value for name, value in body.items() if name != "description"}),
)


@mutant()
def patch_answers_the_old_space(bench: Bench) -> None:
    """PATCH of a space answers what was there before."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        mark = sandbox.versions()
        handler(call, sandbox)
        done = sandbox.versions()
        sandbox.restore_versions(mark)
        before = handler(replace(call, body={}), sandbox)
        sandbox.restore_versions(done)
        return before

    bench.around("updateSpace", wrap)


@mutant(assumed=True)
def patch_keeps_updated_at(bench: Bench) -> None:
    """PATCH of a space leaves updated_at."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        before = sandbox.spaces.get(call.path["space_id"])
        reply = handler(call, sandbox)
        assert before is not None
        after = sandbox.spaces.record(before["id"])
        sandbox.spaces.put(before["id"], {**after, "updated_at": before["updated_at"]})
        return Reply(200, {**reply.body, "updated_at": before["updated_at"]})

    bench.around("updateSpace", wrap)


@mutant(assumed=True)
def adding_moves_updated_at(bench: Bench) -> None:
    """Adding a thread to a space moves its updated_at and not its last_activity_at."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        space = sandbox.spaces.record(call.path["space_id"])
        after = {**space, "last_activity_at": None, "updated_at": "2030-01-01T00:00:00Z"}
        sandbox.spaces.put(space["id"], after)
        return reply

    bench.around("addThreadToSpace", wrap)


@mutant()
def updated_before_it_was_created(bench: Bench) -> None:
    """updated_at lies before created_at."""
    bench.shown_space(lambda space: space.update(updated_at="2000-01-01T00:00:00Z"))


@mutant()
def metadata_is_replaced(bench: Bench) -> None:
    """PATCH of a thread replaces its metadata."""
    bench.replace([threads], "merged_metadata", lambda old, new: new.get("metadata", old["metadata"]))


@mutant()
def thread_title_is_reset(bench: Bench) -> None:
    """PATCH of a thread clears its title unless it is sent."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        return handler(replace(call, body={"title": None, **call.body}), sandbox)

    bench.around("updateThread", wrap)


@mutant()
def names_are_trimmed(bench: Bench) -> None:
    """A name loses the blanks around it."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        name = call.body["name"].strip() or call.body["name"]
        return handler(replace(call, body={**call.body, "name": name}), sandbox)

    bench.around("createSpace", wrap)


@mutant()
def names_are_cut(bench: Bench) -> None:
    """A name loses what is behind its hundredth character."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        return handler(replace(call, body={**call.body, "name": call.body["name"][:100]}), sandbox)

    bench.around("createSpace", wrap)
