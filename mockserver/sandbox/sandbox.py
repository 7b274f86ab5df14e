"""A sandbox: everything that is isolated together."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from mockserver.engine.problems import BadSandbox
from mockserver.sandbox.clock import Clock
from mockserver.sandbox.directory import Directory
from mockserver.sandbox.embedding import Embeddings
from mockserver.sandbox.ids import Ids
from mockserver.sandbox.policy import Policy
from mockserver.sandbox.records import Record
from mockserver.sandbox.store import Collection, Index

Link = tuple[str, str]
"""(space id, what is linked to it)"""


__all__ = ["Link", "Record", "Sandbox", "Sandboxes", "Transaction", "World", "collections"]
DEFAULT = Policy()


class Journal(Protocol):
    """Where a sandbox's exchanges are kept, by somebody who knows what they are."""

    def record(self, exchange: Any, request: Any, answer: Any, trace_id: str, at: str) -> None:
        """Keep what was asked and answered."""

    def close(self, exchange: Any) -> None:
        """A stream that was recorded has ended."""

    def reset(self) -> None:
        """Forget everything."""


class NoJournal:
    """Keeps nothing."""

    def record(self, exchange: Any, request: Any, answer: Any, trace_id: str, at: str) -> None:
        """Nothing."""

    def close(self, exchange: Any) -> None:
        """Nothing."""

    def reset(self) -> None:
        """Nothing."""


class World(NamedTuple):
    """A starting state: who is who, the content of every collection, and what is embedded."""

    name: str
    directory: Directory
    marks: Mapping[str, Any]
    """By collection name, and `embeddings`; each is what that one's `back_to` takes."""


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
        self,
        name: str,
        world: World,
        *,
        policy: Policy = DEFAULT,
        new_clock: Callable[[], Clock] = Clock,
        journal: Journal | None = None,
        faults: Any = None,
    ) -> None:
        """`policy` says how the embedding queue behaves, and holds the seed of the ids."""
        self.name = name
        self.world = world
        self.journal: Journal = journal or NoJournal()
        self._policy = policy
        self._new_clock = new_clock
        self._lock = threading.Lock()
        self._collections = collections()
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
        self.embeddings = Embeddings(policy)
        self.faults = faults
        """The engine's: what a tester ordered to fail. Nothing in here looks into it."""
        self.reset()

    @property
    def directory(self) -> Directory:
        """Who is who."""
        return self.world.directory

    def reset(self) -> None:
        """Back to the starting state: data, ids, clock and faults, and an empty journal."""
        self.clock = self._new_clock()
        self.ids = Ids(self._policy.seed)
        self._back_to(self.world.marks)
        self.journal.reset()
        if self.faults is not None:
            self.faults.reset(self.instant())

    def now(self) -> str:
        """The sandbox's time as the API writes it."""
        return self.clock.text()

    def instant(self) -> int:
        """The sandbox's time in microseconds since 1970."""
        return self.clock.now()

    def trace_id(self) -> str:
        """The next request's id."""
        return self.ids.trace()

    def transaction(self) -> Transaction:
        """Alone in here until it ends; an exception undoes every change made within."""
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

    __slots__ = ("_clock", "_ids", "_marks", "_sandbox")

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __enter__(self) -> None:
        sandbox = self._sandbox
        sandbox._lock.acquire()
        self._marks = sandbox._mark()
        self._ids = sandbox.ids, sandbox.ids.mark()
        self._clock = sandbox.clock, sandbox.clock.mark()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sandbox = self._sandbox
        if kind is not None:
            sandbox._back_to(self._marks)
            sandbox.ids, ids = self._ids
            sandbox.ids.back_to(ids)
            sandbox.clock, clock = self._clock
            sandbox.clock.back_to(clock)
        sandbox._lock.release()


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class Sandboxes:
    """Every sandbox by name."""

    def __init__(self, new: Callable[[str], Sandbox]) -> None:
        self._new = new
        self.lobby = new("-")
        """Where a request is answered that may not enter the sandbox it names."""
        self._lock = threading.Lock()
        self._open: dict[str, Sandbox] = {}

    def enter(self, name: str | None) -> Sandbox:
        """The sandbox that a request names, the default one for None; BadSandbox if none can be called so."""
        if name is None:
            return self.get()
        if not _NAME.fullmatch(name):
            allowed = "1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit"
            raise BadSandbox("Bad sandbox name", reason=f"{name[:80]!r} is no name of a sandbox: {allowed}")
        return self.get(name)

    def get(self, name: str = "default") -> Sandbox:
        """The sandbox of this name, made on first use."""
        sandbox = self._open.get(name)
        if sandbox is None:
            with self._lock:
                sandbox = self._open.get(name) or self._open.setdefault(name, self._new(name))
        return sandbox
