"""Shared memory that forgets, remembers too long, or tells the wrong people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mockserver.embeddings.queues import Embeddings
from mockserver.freddy import model_responses, shared_memory, space_threads
from mockserver.freddy.lookup import Call
from mockserver.freddy.shared_memory import FoundMessage
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, mutant


@mutant()
def backfill_lost(bench: Bench) -> None:
    """What a thread holds when it is added is never embedded."""
    bench.replace([Embeddings], "add_thread", lambda *_: None)


@mutant()
def later_messages_not_embedded(bench: Bench) -> None:
    """What comes after a thread was added is never embedded."""
    bench.replace([Embeddings], "add_messages", lambda *_: None)


@mutant()
def never_embedded(bench: Bench) -> None:
    """No message is ever found."""
    bench.replace([Embeddings], "is_embedded", lambda *_: False)


@mutant()
def found_after_removal(bench: Bench) -> None:
    """What a thread held is still found after its removal."""
    ghosts: list[tuple[str, str]] = []
    search, remove = shared_memory.search, shared_memory.remove_thread

    def removed(space_id: str, thread_id: str, sandbox: Sandbox) -> bool:
        ghosts.append((space_id, thread_id))
        return remove(space_id, thread_id, sandbox)

    def haunted(question: str, spaces: Sequence[str], sandbox: Sandbox) -> list[FoundMessage]:
        mark = sandbox.versions()
        for space_id, thread_id in ghosts:
            if space_id in spaces and (space_id, thread_id) not in sandbox.space_threads:
                link = {"space_id": space_id, "thread_id": thread_id}
                sandbox.space_threads.put((space_id, thread_id), link)
                keys = sandbox.messages.keys("thread", thread_id)
                sandbox.embeddings.add_embedded(space_id, thread_id, keys)
        found = search(question, spaces, sandbox)
        sandbox.restore_versions(mark)
        return found

    bench.replace([space_threads], "remove_thread", removed)
    bench.replace([model_responses], "search", haunted)


@mutant()
def found_from_another_space(bench: Bench) -> None:
    """A question finds what any space remembers."""
    bench.replace(
        [model_responses], "spaces_to_search", lambda *given: [space["id"] for space in given[-1].spaces]
    )


@mutant(assumed=True)
def found_without_access(bench: Bench) -> None:
    """A question finds what spaces remember that the caller may not view."""

    def searched(thread: Any, space_id: str | None, caller: object, sandbox: Sandbox) -> list[str]:
        found = [space for space, _ in sandbox.space_threads.ids("thread", thread["id"])] if thread else []
        return found + ([space_id] if space_id not in (None, *found) else [])  # type: ignore[list-item]

    bench.replace([model_responses], "spaces_to_search", searched)


@mutant(assumed=True)
def question_finds_itself(bench: Bench) -> None:
    """The question itself is among the results."""
    search = shared_memory.search

    def asked(question: str, spaces: Sequence[str], sandbox: Sandbox) -> list[FoundMessage]:
        return search(f"{question} Tell me.", spaces, sandbox)

    bench.replace([model_responses], "search", asked)


@mutant(assumed=True)
def edited_message_found_as_it_was(bench: Bench) -> None:
    """An edited message is found with its old text."""
    old: dict[str, Any] = {}

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        message = sandbox.messages.get(call.path["message_id"])
        if message is not None:
            old.setdefault(message["id"], message["content"])
        return handler(call, sandbox)

    bench.around("updateThreadMessage", wrap)

    def stale(body: Any) -> None:
        for hit in body.get("file_search", {}).get("results", ()) if isinstance(body, dict) else ():
            hit["text"] = old.get(hit["message_id"], hit["text"])

    bench.body("createResponse", stale)


@mutant(assumed=True)
def deleted_message_found(bench: Bench) -> None:
    """A deleted message is still found."""
    gone: list[Any] = []

    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        message = sandbox.messages.get(call.path["message_id"])
        reply = handler(call, sandbox)
        gone.append(message)
        return reply

    def haunted(body: Any) -> None:
        if "file_search" in body:
            hits = [{"thread_id": m["thread_id"], "text": m["content"], "score": 0.5} for m in gone]
            body["file_search"]["results"] += hits

    bench.around("deleteThreadMessage", wrap)
    bench.body("createResponse", haunted)


@mutant()
def question_is_not_stored(bench: Bench) -> None:
    """A turn stores the answer alone."""
    append = shared_memory.append

    def half(thread: Any, drafts: list[Any], sandbox: Sandbox, **more: Any) -> Any:
        return append(thread, drafts[-1:], sandbox, **more) * len(drafts)

    bench.replace([model_responses], "append", half)


@mutant()
def messages_come_in_reverse(bench: Bench) -> None:
    """A thread's messages are listed the wrong way round."""
    bench.body("listThreadMessages", lambda body: body["data"].reverse())


@mutant()
def messages_are_not_counted(bench: Bench) -> None:
    """message_count stays 0."""
    bench.body("getThread", lambda body: body.update(message_count=0))
