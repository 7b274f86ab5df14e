"""What follows when messages come and go: counts, activity, jobs; and finding them again in a space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mockserver.embeddings.search import Hit, Source, nearest, wording
from mockserver.freddy.access import Access, rule_for
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.records import Record, message
from mockserver.sandbox.sandbox import Sandbox
from mockserver.store.sorted_keys import Key

MOST_RESULTS = 10
"""Of one search (A34)."""


class Draft(NamedTuple):
    """A message that is not stored yet."""

    role: str
    content: str
    metadata: Record | None = None


class Found(NamedTuple):
    """A message that a search brought up."""

    message: Record
    thread: Record
    score: float


def message_key(message_id: str, sandbox: Sandbox) -> Key:
    """The message's key in its thread."""
    position = sandbox.messages.position("thread", message_id)
    assert position is not None
    return (*position, message_id)


def spaces_of(thread_id: str, sandbox: Sandbox) -> list[str]:
    """The spaces that the thread is in, in the order in which it was added to them."""
    return [space_id for space_id, _ in sandbox.space_threads.ids("thread", thread_id)]


def touch(space_id: str, sandbox: Sandbox) -> None:
    """Note that something happened in the space (A16)."""
    space = sandbox.spaces.get(space_id)
    assert space is not None
    sandbox.spaces.put(space_id, {**space, "last_activity_at": sandbox.now()})


def append(
    thread: Record, drafts: Sequence[Draft], sandbox: Sandbox, *, model: str | None = None
) -> list[Record]:
    """Store messages at the end of a thread and queue them in every space that the thread is in."""
    now = sandbox.now()
    messages = [
        message(sandbox.ids.new("msg"), thread_id=thread["id"], created_at=now, **draft._asdict())
        for draft in drafts
    ]
    for new in messages:
        sandbox.messages.put(new["id"], new)
    thread = {
        **thread,
        "message_count": thread["message_count"] + len(messages),
        "last_message_at": now,
        "updated_at": now,
        "last_model_used": model or thread["last_model_used"],
    }
    sandbox.threads.put(thread["id"], thread)
    keys = [message_key(new["id"], sandbox) for new in messages]
    for space_id in spaces_of(thread["id"], sandbox):
        sandbox.embeddings.add_messages(space_id, thread["id"], keys, sandbox.clock.now())
        touch(space_id, sandbox)
    return messages


def add_thread(space_id: str, thread_id: str, sandbox: Sandbox) -> Record:
    """Put a thread into a space and queue all its messages; the link."""
    link: Record = {"space_id": space_id, "thread_id": thread_id, "added_at": sandbox.now()}
    sandbox.space_threads.put((space_id, thread_id), link)
    keys = sandbox.messages.keys("thread", thread_id)
    sandbox.embeddings.add_thread(space_id, thread_id, keys, sandbox.clock.now())
    touch(space_id, sandbox)
    return link


def remove_thread(space_id: str, thread_id: str, sandbox: Sandbox) -> bool:
    """Take a thread out of a space, with its jobs and vectors; whether it was in it."""
    if sandbox.space_threads.remove((space_id, thread_id)) is None:
        return False
    sandbox.embeddings.remove_thread(space_id, thread_id, sandbox.clock.now())
    touch(space_id, sandbox)
    return True


def searched(thread: Record | None, space_id: str | None, caller: Caller, sandbox: Sandbox) -> list[str]:
    """The spaces that a question draws on: the thread's that the caller may view, and the one named."""
    found: list[str] = []
    for candidate in spaces_of(thread["id"], sandbox) if thread is not None else ():
        space = sandbox.spaces.get(candidate)
        if space is not None and rule_for(space, caller).level >= Access.VIEW:
            found.append(candidate)
    if space_id is not None and space_id not in found:
        found.append(space_id)
    return found


def search(question: str, spaces: Sequence[str], sandbox: Sandbox) -> list[Found]:
    """The spaces' embedded messages nearest to the question, best first; never the question itself,
    whoever asked it before (A34)."""
    if not spaces:
        return []
    now = sandbox.clock.now()
    homes: dict[str, list[str]] = {}
    for space_id in spaces:
        for _, thread_id in sandbox.space_threads.ids("space", space_id):
            homes.setdefault(thread_id, []).append(space_id)

    asked = wording(question)

    def is_found(hit: Hit) -> bool:
        if wording(sandbox.messages.record(hit.key[-1])["content"]) == asked:
            return False
        return any(
            sandbox.embeddings.is_embedded(space_id, hit.thread_id, hit.key, now)
            for space_id in homes[hit.thread_id]
        )

    threads = ((thread_id, sandbox.messages.keys("thread", thread_id)) for thread_id in homes)
    messages = sandbox.messages
    source = Source(messages.version, messages.get, lambda message_id: message_key(message_id, sandbox))
    hits = nearest(question, threads, source, is_found, MOST_RESULTS)
    return [
        Found(sandbox.messages.record(hit.key[-1]), sandbox.threads.record(hit.thread_id), hit.score)
        for hit in hits
    ]
