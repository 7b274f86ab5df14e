"""A sandbox: everything that is isolated together."""

from __future__ import annotations

import threading
from collections.abc import Collection as AnyOf
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, NamedTuple

from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.faults.rule_list import Faults, Mark, Terms
from mockserver.journal.journal import Journal, Journals
from mockserver.sandbox.clock import REAL_TIME, Clock, Dial, Source
from mockserver.sandbox.directory import Directory
from mockserver.sandbox.ids import Counters, Ids
from mockserver.sandbox.records import Record
from mockserver.store.collection import Collection, Index
from mockserver.store.page_cache import Pages

Link = tuple[str, str]
"""(space id, what is linked to it)"""


__all__ = ["Link", "Moment", "Record", "Sandbox", "Transaction", "World", "collections"]


class World(NamedTuple):
    """Data at one moment: who is who, the content of every collection, and what is embedded."""

    name: str
    directory: Directory
    marks: Mapping[str, Any]
    """By collection name, and `embeddings`; each is what that one's `back_to` takes."""

    def emptied(self) -> World:
        """The people, keys, roles and departments alone."""
        return self._replace(marks=empty_marks())


class Moment(NamedTuple):
    """A whole sandbox at one moment, to start from and to go back to. To hold one costs nothing."""

    world: World
    policy: Policy = Policy()
    """How the embedding queue behaves; its seed is the ids' too."""
    counters: Counters = Counters()
    dial: Dial = REAL_TIME
    origin: str = ""
    """Where it comes from, in the words of `POST /__admin/reset?to=…`."""


def empty_marks() -> dict[str, Any]:
    """The content of a sandbox in which there is nothing."""
    marks: dict[str, Any] = {name: table.mark() for name, table in collections().items()}
    return {**marks, "embeddings": Embeddings(Policy()).mark()}


def collections() -> dict[str, Collection[Any, Record]]:
    """The empty collections of a sandbox, by name."""
    by_activity: Index[Record] = Index(
        parent=lambda thread: (thread["user_id"], thread["is_pinned"]),
        order=lambda thread: (thread["last_message_at"] or thread["created_at"],),
    )
    in_thread: Index[Record] = Index(parent=lambda message: message["thread_id"])
    return {
        "spaces": Collection(organization=Index(parent=lambda space: space["organization_id"])),
        "threads": Collection(user=by_activity),
        "deleted_threads": Collection(user=by_activity),
        "messages": Collection(thread=in_thread),
        "deleted_messages": Collection(thread=in_thread),
        "replies": Collection(),
        "vector_stores": Collection(organization=Index(parent=lambda store: store["organization_id"])),
        "space_threads": Collection(
            space=Index(parent=lambda link: link["space_id"]),
            thread=Index(parent=lambda link: link["thread_id"]),
        ),
        "space_vector_stores": Collection(
            space=Index(parent=lambda link: link["space_id"]),
            vector_store=Index(parent=lambda link: link["vector_store_id"]),
        ),
    }


class Sandbox:
    """Data, ids and clock of one name; whatever happens here is seen here alone."""

    def __init__(
        self, name: str, start: Moment, *, journal: Journal | None = None, faults: Faults | None = None
    ) -> None:
        """`start`: what it begins with, and a reset goes back to."""
        self.name = name
        self.start = start
        self.last_used = 0.0
        """Seconds of `elapsed`; the house that it stands in writes it down."""
        self.world: World
        """Who is who, and the data that it last began with."""
        self.source = Source()
        """What every clock of this sandbox ticks by; held while a transaction is open."""
        self.clock: Clock
        self.ids: Ids
        self.embeddings: Embeddings
        self.journal = journal or Journals().new()
        self._lock = threading.Lock()
        self._collections = collections()
        self._tables = list(self._collections.values())
        self.spaces: Collection[str, Record] = self._collections["spaces"]
        """By id; in order of creation under their organization."""
        self.threads: Collection[str, Record] = self._collections["threads"]
        """By id; under (user, pinned) by last activity."""
        self.deleted_threads: Collection[str, Record] = self._collections["deleted_threads"]
        """Kept for include_deleted, and because a deleted id still marks a position (A32)."""
        self.messages: Collection[str, Record] = self._collections["messages"]
        """By id; in order of arrival under their thread."""
        self.deleted_messages: Collection[str, Record] = self._collections["deleted_messages"]
        """Kept because a deleted id still marks a position (A32)."""
        self.replies: Collection[str, Record] = self._collections["replies"]
        """Answers that a tester ordered for createResponse, in order."""
        self.vector_stores: Collection[str, Record] = self._collections["vector_stores"]
        """By id; a space's own one has `space_id`."""
        self.space_threads: Collection[Link, Record] = self._collections["space_threads"]
        """By (space, thread); in order of addition under either."""
        self.space_vector_stores: Collection[Link, Record] = self._collections["space_vector_stores"]
        """By (space, vector store); in order of addition under either."""
        self.pages_of_space_threads = Pages(self.space_threads, self.threads)
        self.faults = faults or Faults(Terms())
        self._inherited: Mark | None = None
        self.go_to(start)
        self.faults.reset(self.instant())

    @property
    def directory(self) -> Directory:
        """Who is who."""
        return self.world.directory

    def reset(self, to: Moment | None = None, keep: AnyOf[str] = ()) -> None:
        """Back to the starting state, or to another; `keep` names what stays: journal, faults, clock."""
        clock = self.clock
        self.go_to(to or self.start)
        if "clock" in keep:
            self.clock = clock
        if "journal" not in keep:
            self.journal.reset()
        if "faults" not in keep:
            self.faults.reset(self.instant())
            if self._inherited is not None:
                self.faults.back_to(self._inherited)

    def inherit(self, faults: Mark) -> None:
        """Begin with these faults, which another sandbox marked; a reset brings them back."""
        self._inherited = faults
        self.faults.back_to(faults)

    def go_to(self, moment: Moment) -> None:
        """Data, ids, clock and queue as they were then; a clock that ticked goes on from there."""
        self.world = moment.world
        self.clock = Clock.of(moment.dial, self.source)
        self.ids = Ids(moment.policy.seed, moment.counters)
        self.embeddings = Embeddings(moment.policy)
        self._back_to(moment.world.marks)
        self.pages_of_space_threads.forget()

    def moment(self, origin: str) -> Moment:
        """Everything as it is now; only within a transaction it is surely of one moment."""
        world = self.world._replace(marks=self._mark())
        return Moment(world, self.embeddings.own_policy, self.ids.counters(), self.clock.dial(), origin)

    def now(self) -> str:
        """The sandbox's time as the API writes it; within a transaction always the same."""
        return self.clock.text()

    def text(self, instant: int) -> str:
        """An instant as the API writes it."""
        return self.clock.text(instant)

    def instant(self) -> int:
        """The sandbox's time in microseconds since 1970."""
        return self.clock.now()

    def trace_id(self, kind: str = "") -> str:
        """The next request's id; those of the control API are counted apart."""
        return self.ids.trace(kind)

    def transaction(self) -> AbstractContextManager[None]:
        """Alone in here until it ends, at one instant; an exception undoes every change made within."""
        return Transaction(self)

    def _mark(self) -> dict[str, Any]:
        marks: dict[str, Any] = {name: table.mark() for name, table in self._collections.items()}
        marks["embeddings"] = self.embeddings.mark()
        return marks

    def _back_to(self, marks: Mapping[str, Any]) -> None:
        for name, collection in self._collections.items():
            collection.back_to(marks[name])
        self.embeddings.back_to(marks["embeddings"])


class Transaction:
    """All or nothing: what handlers run in. A class, for it is entered on every request."""

    __slots__ = ("_clock", "_embeddings", "_ids", "_marks", "_queues", "_sandbox", "_world")

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __enter__(self) -> None:
        sandbox = self._sandbox
        sandbox._lock.acquire()
        sandbox.source.hold()
        self._world, self._embeddings = sandbox.world, sandbox.embeddings
        self._marks = [table.mark() for table in sandbox._tables]
        self._queues = sandbox.embeddings.mark()
        self._ids = sandbox.ids, sandbox.ids.mark()
        self._clock = sandbox.clock, sandbox.clock.mark()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sandbox = self._sandbox
        if kind is not None:
            sandbox.world, sandbox.embeddings = self._world, self._embeddings
            for table, mark in zip(sandbox._tables, self._marks, strict=True):
                table.back_to(mark)
            sandbox.embeddings.back_to(self._queues)
            sandbox.ids, ids = self._ids
            sandbox.ids.back_to(ids)
            sandbox.clock, clock = self._clock
            sandbox.clock.back_to(clock)
        sandbox.source.release()
        sandbox._lock.release()
