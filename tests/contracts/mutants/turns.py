"""Edits, branches, pins and texts as a backend gets them wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.http.problems import NotFound
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant

STARTS = ("edit_message_id", "previous_message_id")


def _with(call: Call, **body: Any) -> Call:
    return replace(call, body={**call.body, **body})


@mutant()
def edit_is_forgotten(bench: Bench) -> None:
    """edit_message_id has no effect: the inputs follow the old messages."""
    bench.around("createResponse", lambda handler, call, s: handler(_with(call, edit_message_id=None), s))


@mutant()
def edit_keeps_its_message(bench: Bench) -> None:
    """edit_message_id deletes what follows the message, and keeps the message."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if (start := call.body["edit_message_id"]) is not None and call.body["previous_message_id"] is None:
            call = _with(call, edit_message_id=None, previous_message_id=start)
        return handler(call, sandbox)

    bench.around("createResponse", wrap)


@mutant()
def branch_takes_its_message_away(bench: Bench) -> None:
    """previous_message_id deletes the message too."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if (start := call.body["previous_message_id"]) is not None and call.body["edit_message_id"] is None:
            call = _with(call, previous_message_id=None, edit_message_id=start)
        return handler(call, sandbox)

    bench.around("createResponse", wrap)


@mutant()
def branch_from_anywhere(bench: Bench) -> None:
    """A message that is not in the thread is taken as the end of the thread."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        before = sandbox.versions()
        try:
            return handler(call, sandbox)
        except NotFound as problem:
            if problem.code != "MESSAGE_NOT_FOUND":
                raise
            sandbox.restore_versions(before)
            return handler(_with(call, **dict.fromkeys(STARTS)), sandbox)

    bench.around("createResponse", wrap)


@mutant()
def edit_beats_a_branch(bench: Bench) -> None:
    """With edit_message_id and previous_message_id the second is ignored."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if call.body["edit_message_id"] is not None:
            call = _with(call, previous_message_id=None)
        return handler(call, sandbox)

    bench.around("createResponse", wrap)


@mutant()
def texts_are_stored_as_sent(bench: Bench) -> None:
    """PATCH of a message keeps the white space around the text."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        if (text := call.body.get("content")) is not None:
            record = {**sandbox.messages.record(call.path["message_id"]), "content": text}
            sandbox.messages.put(record["id"], record)
        return reply

    bench.around("updateThreadMessage", wrap)


@mutant()
def pinned_threads_come_by_their_creation(bench: Bench) -> None:
    """The pinned threads of a page come in the order in which they were made, the newest first."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        body: Any = reply.body
        pinned = [thread for thread in body["data"] if thread["is_pinned"]]
        places = {thread["id"]: sandbox.threads.position("user", thread["id"]) or () for thread in pinned}
        pinned.sort(key=lambda thread: places[thread["id"]][-1:], reverse=True)
        return replace(reply, body={**body, "data": [*pinned, *body["data"][len(pinned) :]]})

    bench.around("listThreads", wrap)


@mutant()
def metadata_is_text(bench: Bench) -> None:
    """The values of metadata are stored as text."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if pairs := call.body.get("metadata"):
            call = _with(call, metadata={name: str(value) for name, value in pairs.items()})
        return handler(call, sandbox)

    bench.around("createThread", wrap)


@mutant()
def null_shows_a_thread(bench: Bench) -> None:
    """PATCH of a thread with `visible_in_ui: null` sets it to its default."""

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        if "visible_in_ui" in call.body and call.body["visible_in_ui"] is None:
            call = _with(call, visible_in_ui=True)
        return handler(call, sandbox)

    bench.around("updateThread", wrap)
