"""Faults that no promise is about: rare values, shapes beside the documents' operations, and long sequences.

Only requests that nobody wrote reach them: those that are made up, the workflows, and the model's scenarios.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mockserver.freddy.lookup import Call
from mockserver.http import wire
from mockserver.http.calls import Reply
from mockserver.http.context import RequestContext
from mockserver.http.upload import BodyLimits
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.schemas import Schema
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.model_mutants import BUGS
from tests.contracts.mutants.bench import Bench, Handler, add, mutant


def _damage(bug: Callable[[pytest.MonkeyPatch], None]) -> Callable[[Bench], None]:
    return lambda bench: bug(bench.patch)


for _bug in BUGS:
    _words = _bug.__name__.replace("_", " ")
    add(f"deep-{_words.replace(' ', '-')}", f"{_words.capitalize()}.", _damage(_bug))


def _when(bench: Bench, operation: str, rare: Any, answer: Any) -> None:
    """Let `answer(reply)` stand for the reply to a call that is `rare`."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        return answer(reply) if rare(call) else reply

    bench.around(operation, wrap)


def _crash(_: Reply) -> Reply:
    raise ZeroDivisionError


@mutant()
def undocumented_status_for_two_filters(bench: Bench) -> None:
    """listThreads with is_pinned and order=asc answers 206."""
    rare = lambda call: call.query.get("is_pinned") is not None and call.query["order"] == "asc"  # noqa: E731
    _when(bench, "listThreads", rare, lambda reply: replace(reply, status=206))


@mutant()
def crash_on_a_name_of_254(bench: Bench) -> None:
    """A name of 254 characters is a 500, and one of 255 is not."""
    _when(bench, "createSpace", lambda call: len(call.body["name"]) == 254, _crash)


@mutant()
def crash_on_99_stores(bench: Bench) -> None:
    """listVectorStores with take=99 is a 500."""
    _when(bench, "listVectorStores", lambda call: call.query["take"] == 99, _crash)


@mutant()
def crash_on_an_empty_description(bench: Bench) -> None:
    """createVectorStore with an empty description is a 500."""
    _when(bench, "createVectorStore", lambda call: call.body.get("description") == "", _crash)


@mutant()
def crash_on_empty_metadata(bench: Bench) -> None:
    """updateThread with metadata of no pairs is a 500."""
    _when(bench, "updateThread", lambda call: call.body.get("metadata") == {}, _crash)


@mutant()
def store_with_another_field(bench: Bench) -> None:
    """updateVectorStore shows a field that no store has."""
    bench.body("updateVectorStore", lambda body: body["data"].update(shard=3))


@mutant()
def stores_without_a_message(bench: Bench) -> None:
    """listVectorStores leaves its message out."""
    bench.body("listVectorStores", lambda body: body.pop("message"))


@mutant()
def store_counts_are_text(bench: Bench) -> None:
    """getVectorStore shows its file_count as text."""
    bench.body("getVectorStore", lambda body: body["data"].update(file_count="0"))


@mutant()
def threads_without_has_more(bench: Bench) -> None:
    """listThreads leaves has_more out."""
    bench.body("listThreads", lambda body: body.pop("has_more"))


@mutant()
def messages_of_another_object(bench: Bench) -> None:
    """An empty list of messages calls itself null."""
    bench.body("listThreadMessages", lambda body: body.update(object="list" if body["data"] else None))


@mutant()
def unknown_fields_of_spaces_are_taken(bench: Bench) -> None:
    """createSpace takes fields that it does not know."""
    _unread(bench, "createSpace")


class _Careless(Schema):
    """A schema that does not mind fields that it does not know."""

    def __init__(self, strict: Schema) -> None:
        self.strict = strict
        self.is_valid = lambda value: not self.errors(value, "body")

    def errors(self, value: Any, place: str, name: str = "") -> list[FieldError]:
        found = self.strict.errors(value, place, name)
        return [each for each in found if each.message != "is not a known field"]


def _unread(bench: Bench, operation: str) -> None:
    """Let the operation not mind what it does not know."""
    inner = wire.read

    def damaged(context: RequestContext, limits: BodyLimits) -> Call:
        strict = context.matched
        if strict.id == operation and strict.body is not None:
            careless = replace(strict.body, schema=_Careless(strict.body.schema))
            context.operation = replace(strict, body=careless)
        return inner(context, limits)

    bench.replace([wire], "read", damaged)


@mutant()
def attached_stores_can_not_be_read(bench: Bench) -> None:
    """getVectorStore of a store that is attached to a space is a 500."""
    _after(bench, "addVectorStoreToSpace", "vector_store_id", "getVectorStore")


@mutant()
def removed_threads_can_not_be_changed(bench: Bench) -> None:
    """updateThread of a thread that was taken out of a space is a 500."""
    _after(bench, "removeThreadFromSpace", "thread_id", "updateThread")


@mutant()
def messages_of_added_threads_can_not_be_read(bench: Bench) -> None:
    """listThreadMessages of a thread that was added to a space answers 206."""
    added: set[str] = set()
    _remember(bench, "addThreadToSpace", "thread_id", added)
    _when(
        bench,
        "listThreadMessages",
        lambda call: call.path["thread_id"] in added,
        lambda reply: replace(reply, status=206),
    )


@mutant()
def changed_stores_can_not_be_deleted(bench: Bench) -> None:
    """deleteVectorStore of a store that was changed is a 500."""
    _after(bench, "updateVectorStore", "vector_store_id", "deleteVectorStore")


def _remember(bench: Bench, operation: str, name: str, seen: set[str]) -> None:
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        seen.add(call.path[name])
        return reply

    bench.around(operation, wrap)


def _after(bench: Bench, first: str, name: str, then: str) -> None:
    """Let one operation crash on what another one was called with."""
    seen: set[str] = set()
    _remember(bench, first, name, seen)
    _when(bench, then, lambda call: call.path[name] in seen, _crash)
