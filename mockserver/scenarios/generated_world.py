"""Generated spaces, threads and messages, in any number.

A record depends on (seed, kind, ordinal) alone: neither the order of creation nor the number of steps changes
it. The records belong to the existing users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from mockserver.sandbox import records
from mockserver.sandbox.clock import as_text, instant
from mockserver.sandbox.directory import Directory
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Sandbox
from mockserver.scenarios.generated_size import WorldSize
from mockserver.scenarios.phrases import ANSWERS, QUESTIONS, SPACES, TITLES, phrases

_BEGIN = instant("2025-01-06T08:00:00Z")
_SECOND = 1_000_000
_DAYS = 400
"""Days over which the records are spread, before the date of the documents' examples."""
_AT_ONCE = 1000
"""Threads whose messages are loaded together."""
_NO_METADATA: Record = {}
_MODELS = ("gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet")


_TITLES, _ASKED = 8192, 4096
"""Numbers of distinct titles and questions; there are 65,536 answers."""


class GeneratedIds(NamedTuple):
    """Ids of the generated records."""

    spaces: list[str]
    threads: list[str]


@gc_paused()
def generate(sandbox: Sandbox, size: WorldSize, seed: int) -> GeneratedIds:
    """Add generated data to a sandbox; ValueError if no user belongs to an organization."""
    people = _people(sandbox.directory)
    if not people and any(size):
        raise ValueError("the scenario has no user who belongs to an organization")
    maker = _Maker(seed, people)
    first_space = sandbox.ids.take(f"generated/{seed}/space", size.spaces)
    first_thread = sandbox.ids.take(f"generated/{seed}/thread", size.threads)
    spaces = [maker.space(first_space + number) for number in range(size.spaces)]
    for space in spaces:
        sandbox.spaces.put(space["id"], space)
        sandbox.vector_stores.put(space["vector_store_id"], records.dedicated_store(space))
    threads: list[str] = []
    for first in range(first_thread, first_thread + size.threads, _AT_ONCE):
        ordinals = range(first, min(first + _AT_ONCE, first_thread + size.threads))
        made = [maker.thread(ordinal, size.messages, spaces) for ordinal in ordinals]
        _put(sandbox, made)
        threads += [thread["id"] for thread, _, _ in made]
    return GeneratedIds([space["id"] for space in spaces], threads)


_Thread: TypeAlias = tuple[Record, list[Record], Record | None]
"""Thread, its messages, and its link to a space."""
_Person: TypeAlias = tuple[str, str]
"""Ids of a user and of one of the user's organizations."""


def _people(directory: Directory) -> list[_Person]:
    """Possible owners with their organizations, in a deterministic order."""
    return [
        (user_id, organization_id)
        for user_id in sorted(directory.users)
        for organization_id in sorted(directory.users[user_id].memberships)
    ]


def _put(sandbox: Sandbox, made: Sequence[_Thread]) -> None:
    links = [link for _, _, link in made if link is not None]
    sandbox.threads.load_new((thread["id"], thread) for thread, _, _ in made)
    sandbox.messages.load_new((message["id"], message) for _, messages, _ in made for message in messages)
    sandbox.space_threads.load_new(((link["space_id"], link["thread_id"]), link) for link in links)
    latest: dict[str, str] = {}
    for link in links:
        sandbox.embeddings.add_embedded(
            link["space_id"], link["thread_id"], sandbox.messages.keys("thread", link["thread_id"])
        )
        latest[link["space_id"]] = max(latest.get(link["space_id"], ""), link["added_at"])
    for space_id, last in latest.items():
        space = sandbox.spaces.record(space_id)
        sandbox.spaces.put(
            space_id, {**space, "last_activity_at": max(space["last_activity_at"] or "", last)}
        )


class _Maker:
    """Creates records by ordinal."""

    def __init__(self, seed: int, people: Sequence[_Person]) -> None:
        self._people = people
        self._phrases = phrases(seed)
        self._bytes: Callable[[str], bytes] = lambda what: blake2b(
            f"{seed}/generated/{what}".encode(), digest_size=24
        ).digest()

    def space(self, ordinal: int) -> Record:
        """Space of some user; one in three is private."""
        picked = self._bytes(f"space/{ordinal}")
        user_id, organization_id = self._people[picked[20] % len(self._people)]
        return records.space(
            f"space_{picked[:16].hex()}",
            organization_id=organization_id,
            created_by=user_id,
            name=self._phrases.say(SPACES, ordinal),
            vector_store_id=f"vs_{picked[:16].hex()}",
            access_mode="private" if picked[21] % 3 == 0 else "organization",
            created_at=as_text(_BEGIN + ordinal * 3600 % (_DAYS * 86_400) * _SECOND),
        )

    def thread(self, ordinal: int, messages: int, spaces: Sequence[Record]) -> _Thread:
        """Thread of some user, in one of the spaces if there are any."""
        picked = self._bytes(f"thread/{ordinal}")
        space = spaces[int.from_bytes(picked[22:24], "big") % len(spaces)] if spaces else None
        user_id, organization_id = self._owner(picked[20], space)
        id_ = f"thrd_{picked[:16].hex()}"
        begin = _BEGIN + ordinal * 307 % (_DAYS * 86_400) * _SECOND
        said = list(self._messages(id_, begin, messages))
        created_at = as_text(begin)
        last = said[-1]["created_at"] if said else created_at
        record = records.thread(
            id_,
            organization_id=organization_id,
            user_id=user_id,
            created_at=created_at,
            updated_at=last,
            last_message_at=last,
            title=self._phrases.say(TITLES, _number(picked) % _TITLES),
            message_count=messages,
            metadata=_NO_METADATA,
            last_model_used=_MODELS[picked[21] % len(_MODELS)] if said else None,
        )
        if space is None:
            return record, said, None
        return record, said, {"space_id": space["id"], "thread_id": id_, "added_at": last}

    def _owner(self, picked: int, space: Record | None) -> _Person:
        """Some user of the space's organization, not necessarily its creator."""
        if space is None:
            return self._people[picked % len(self._people)]
        there = [person for person in self._people if person[1] == space["organization_id"]]
        return there[picked % len(there)]

    def _messages(self, thread_id: str, at: int, count: int) -> Iterator[Record]:
        """Alternating questions and answers, 15 seconds to some minutes apart."""
        for number in range(count):
            picked = self._bytes(f"message/{thread_id}/{number}")
            asks, drawn = number % 2 == 0, _number(picked)
            if number:
                at += (15 + picked[20] % 240) * _SECOND
            yield records.message(
                f"msg_{picked[:16].hex()}",
                thread_id=thread_id,
                role="user" if asks else "assistant",
                content=self._phrases.say(*((QUESTIONS, drawn % _ASKED) if asks else (ANSWERS, drawn))),
                created_at=as_text(at),
            )


def _number(picked: bytes) -> int:
    """Number of a sentence, up to 65,535."""
    return picked[16] << 8 | picked[17]
