"""Shared memory of spaces: counts, activity and embedding jobs when messages change, and search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mockserver.embeddings.search import Hit, nearest, wording
from mockserver.freddy.access import Access, rule_for
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.records import Record, message
from mockserver.sandbox.sandbox import Sandbox
from mockserver.store.sorted_keys import Key

MOST_RESULTS = 10
"""Most results of a search (A34)."""


class Draft(NamedTuple):
    """Message to be stored."""

    role: str
    content: str
    metadata: Record | None = None


class FoundMessage(NamedTuple):
    """Message found by a search."""

    message: Record
    thread: Record
    score: float


def message_key(message_id: str, sandbox: Sandbox) -> Key:
    """Key of the message in its thread."""
    position = sandbox.messages.position("thread", message_id)
    assert position is not None
    return (*position, message_id)


def spaces_of(thread_id: str, sandbox: Sandbox) -> list[str]:
    """Spaces of the thread, in the order in which it was added to them."""
    return [space_id for space_id, _ in sandbox.space_threads.ids("thread", thread_id)]


def mark_active(space_id: str, sandbox: Sandbox) -> None:
    """Set the time of the last activity in a space (A16)."""
    moved = {"last_activity_at": sandbox.now()}
    if sandbox.follows("A16"):
        moved["updated_at"] = sandbox.now()
    sandbox.spaces.put(space_id, {**sandbox.spaces.record(space_id), **moved})


def append(
    thread: Record, drafts: Sequence[Draft], sandbox: Sandbox, *, model: str | None = None
) -> list[Record]:
    """Append messages to a thread and queue them in every space of the thread."""
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
        mark_active(space_id, sandbox)
    return messages


def replace_message(message: Record, sandbox: Sandbox) -> None:
    """Store an edited message; a new text is embedded again in every space of the thread (A15)."""
    before = sandbox.messages.record(message["id"])["content"]
    sandbox.messages.put(message["id"], message)
    if message["content"] != before:
        key = message_key(message["id"], sandbox)
        for space_id in spaces_of(message["thread_id"], sandbox):
            sandbox.embeddings.edit_message(space_id, message["thread_id"], key, sandbox.clock.now())


def remove_message(message: Record, sandbox: Sandbox) -> None:
    """Delete a message and its embeddings; its id still marks a position (A32)."""
    key = message_key(message["id"], sandbox)
    for space_id in spaces_of(message["thread_id"], sandbox):
        sandbox.embeddings.remove_message(space_id, message["thread_id"], key, sandbox.clock.now())
    sandbox.messages.move(message["id"], sandbox.deleted_messages)
    thread = sandbox.threads.record(message["thread_id"])
    sandbox.threads.put(thread["id"], {**thread, "message_count": thread["message_count"] - 1})


def add_thread(space_id: str, thread_id: str, sandbox: Sandbox) -> Record:
    """Add a thread to a space and queue all its messages; returns the link."""
    link: Record = {"space_id": space_id, "thread_id": thread_id, "added_at": sandbox.now()}
    sandbox.space_threads.put((space_id, thread_id), link)
    keys = sandbox.messages.keys("thread", thread_id)
    sandbox.embeddings.add_thread(space_id, thread_id, keys, sandbox.clock.now())
    mark_active(space_id, sandbox)
    return link


def remove_thread(space_id: str, thread_id: str, sandbox: Sandbox) -> bool:
    """Remove a thread from a space, with its jobs and embeddings; whether it was in it."""
    if sandbox.space_threads.remove((space_id, thread_id)) is None:
        return False
    sandbox.embeddings.remove_thread(space_id, thread_id, sandbox.clock.now())
    mark_active(space_id, sandbox)
    return True


def spaces_to_search(
    thread: Record | None, space_id: str | None, caller: Caller, sandbox: Sandbox
) -> list[str]:
    """Spaces to search for a question: those of the thread that the caller may view, and the named one."""
    candidates = spaces_of(thread["id"], sandbox) if thread is not None else []
    found = [id_ for id_ in candidates if rule_for(sandbox.spaces.record(id_), caller).level >= Access.VIEW]
    if space_id is not None and space_id not in found:
        found.append(space_id)
    return found


def search(question: str, spaces: Sequence[str], sandbox: Sandbox) -> list[FoundMessage]:
    """Embedded messages nearest to the question, best first; never the question itself (A34)."""
    if not spaces:
        return []
    now = sandbox.clock.now()
    homes: dict[str, list[str]] = {}
    for space_id in spaces:
        for _, thread_id in sandbox.space_threads.ids("space", space_id):
            homes.setdefault(thread_id, []).append(space_id)

    asked = wording(question)

    def is_found(hit: Hit) -> bool:
        thread_id: str = hit.message["thread_id"]
        return wording(hit.message["content"]) != asked and any(
            sandbox.embeddings.is_embedded(space_id, thread_id, hit.key, now) for space_id in homes[thread_id]
        )

    hits = nearest(question, [*homes], sandbox.messages, is_found, MOST_RESULTS)
    return [
        FoundMessage(dict(hit.message), sandbox.threads.record(hit.message["thread_id"]), hit.score)
        for hit in hits
    ]
