"""Revisions of the vendor's API: what each does otherwise than 2026-02, beyond its document.

What a document says (parameters, fields, bounds) is in overlays/; handlers follow the call that it gave them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from mockserver.freddy import HANDLERS
from mockserver.freddy.lookup import Call, own_thread
from mockserver.freddy.shared_memory import spaces_of
from mockserver.freddy.space_vector_stores import attach
from mockserver.freddy.spaces import space_body
from mockserver.freddy.thread_changes import is_unread
from mockserver.http.calls import Reply
from mockserver.http.problems import Problem
from mockserver.profile.profile import DeploymentProfile, Follower
from mockserver.profile.switches import switches, text_of
from mockserver.sandbox.sandbox import Record, Sandbox

Handler: TypeAlias = Callable[[Call, Sandbox], Reply]
Difference: TypeAlias = Callable[[Handler, Call, Sandbox], Reply]
"""Answers instead of the handler, which it gets."""


def with_stores(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
    """Attach the stores of the request to the new space; refused as a whole if one can't be (A121)."""
    body = {name: value for name, value in call.body.items() if name != "vector_store_ids"}
    reply = handler(replace(call, body=body), sandbox)
    for store_id in dict.fromkeys(call.body["vector_store_ids"] or ()):
        attach(store_id, reply.body, call.caller.user_id, sandbox)
    space = space_body(sandbox.spaces.record(reply.body["id"]), sandbox)
    return replace(reply, body=_with_threads(space, sandbox))


def with_thread_ids(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
    """Name the threads of the space."""
    reply = handler(call, sandbox)
    return replace(reply, body=_with_threads(reply.body, sandbox))


def each_with_thread_ids(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
    """Name the threads of each space."""
    reply = handler(call, sandbox)
    spaces = [_with_threads(space, sandbox) for space in reply.body["spaces"]]
    return replace(reply, body={**reply.body, "spaces": spaces})


def own_threads_only(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
    """Refuse a thread of another user, after all that was refused before."""
    reply = handler(call, sandbox)
    own_thread(call, sandbox)  # what the handler changed is put back
    return reply


def of_a_space(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
    """List whole threads, with their spaces."""
    reply = handler(call, sandbox)
    threads = [{**each, "space_ids": spaces_of(each["id"], sandbox)} for each in reply.body["data"]]
    return replace(reply, body={**reply.body, "data": _with_unread(threads, call, sandbox)})


def with_unread(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
    """Say whether the thread is unread."""
    reply = handler(call, sandbox)
    return replace(reply, body=_with_unread([reply.body], call, sandbox)[0])


def each_with_unread(field: str) -> Difference:
    """Say which threads in this field of the reply are unread."""

    def each(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        reply = handler(call, sandbox)
        return replace(reply, body={**reply.body, field: _with_unread(reply.body[field], call, sandbox)})

    return each


DIFFERENCES: Mapping[str, Mapping[str, Difference]] = {
    "2026-02": {},
    "2026-05": {
        "createSpace": with_stores,
        "getSpace": with_thread_ids,
        "updateSpace": with_thread_ids,
        "listSpaces": each_with_thread_ids,
        "addThreadToSpace": own_threads_only,
        "listSpaceThreads": of_a_space,
        "getThread": with_unread,
        "updateThread": with_unread,
        "listThreads": each_with_unread("data"),
        "getThreadChanges": each_with_unread("threads"),
    },
}
"""Differences by revision and operationId."""


def handlers_of(revision: str) -> Mapping[str, Handler]:
    """Handlers by operationId."""
    differences = DIFFERENCES[revision]
    changed = {id_: partial(each, HANDLERS[id_]) for id_, each in differences.items()}
    return {**HANDLERS, **changed} if changed else HANDLERS


def following(handlers: Mapping[str, Handler], profile: DeploymentProfile) -> Mapping[str, Handler]:
    """Handlers that answer as a profile says, where it has an alternative for their operation."""
    if not profile.followed:
        return handlers
    found = {**handlers}
    for id_, alternative in profile.followed.items():
        switch = switches()[id_]
        for name in switch.behaviour.get(text_of(alternative), ()):
            found[name] = partial(_explained, found[name])
        if isinstance(alternative, dict):
            for name in (name for row in switch.successes for name in row["operations"]):
                found[name] = partial(_as_learned, found[name], id_, alternative)
    return found


def _explained(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
    """Name the alternatives that decided."""
    assert isinstance(sandbox.follows, Follower)
    decided = sandbox.follows.decided
    decided.clear()
    try:
        reply = handler(call, sandbox)
    except Problem as problem:
        if decided:
            problem.reason += f"; by the profile: {'; '.join(decided)}"
        raise
    if not decided:
        return reply
    return replace(reply, headers={**reply.headers, "X-Mock-Reason": "; ".join(dict.fromkeys(decided))})


def _as_learned(handler: Handler, id_: str, parts: Mapping[str, Any], call: Call, sandbox: Sandbox) -> Reply:
    """Answer a success with the parts that were learned."""
    reply = handler(call, sandbox)
    said = {**reply.body, **({"message": parts["message"]} if "message" in parts else {})}
    headers = {**reply.headers, "X-Mock-Reason": f"{id_} {text_of(parts)}"}
    return replace(reply, status=parts.get("status", reply.status), body=said, headers=headers)


def _with_threads(space: Record, sandbox: Sandbox) -> Record:
    threads = [thread_id for _, thread_id in sandbox.space_threads.ids("space", space["id"])]
    return {**space, "thread_ids": threads}


def _with_unread(shown: Sequence[Record], call: Call, sandbox: Sandbox) -> list[Record]:
    """Threads as they are shown, and whether each is unread, which only its owner learns (A124)."""

    def unread(thread_id: str) -> bool:
        thread = sandbox.threads.get(thread_id)
        return thread is not None and thread["user_id"] == call.caller.user_id and is_unread(thread, sandbox)

    return [{**thread, "has_unread": unread(thread["id"])} for thread in shown]
