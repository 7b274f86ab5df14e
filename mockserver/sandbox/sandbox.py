"""Sandbox: everything that is isolated together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from collections.abc import Collection as AnyOf
from contextlib import AbstractContextManager
from threading import get_ident
from typing import Any, NamedTuple

from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.faults.rule_list import FaultDefaults, Faults, FaultsVersion
from mockserver.journal.journal import Journal, Journals
from mockserver.sandbox.clock import REAL_TIME, Clock, ClockStart, TimeSource
from mockserver.sandbox.directory import Directory
from mockserver.sandbox.ids import Counters, Ids
from mockserver.sandbox.records import Record
from mockserver.sandbox.transaction import VIEW_SECONDS, ChangeNotWritten, NestedTransaction, SandboxBusy
from mockserver.store.collection import Collection, Index
from mockserver.store.page_cache import PageCache
from mockserver.store.sorted_keys import Key

Link = tuple[str, str]
"""(space id, id of the linked object), or (vector store id, file id)."""

__all__ = ["Data", "Link", "Record", "Sandbox", "SandboxState", "collections"]


_NO_PROFILE: Mapping[str, Any] = {}


class Data(NamedTuple):
    """Contents of a sandbox at one instant: directory, collections, embeddings."""

    name: str
    directory: Directory
    versions: Mapping[str, Any]
    """Collection versions by name, and `embeddings`."""
    faults: tuple[Mapping[str, Any], ...] = ()
    """Faults from the start; fields of rules."""

    def emptied(self) -> Data:
        """Data with the directory alone: people, keys, roles and departments."""
        return self._replace(versions=empty_versions())


class SandboxState(NamedTuple):
    """State of a whole sandbox at one instant, immutable and shared: keeping one costs nothing."""

    data: Data
    policy: Policy = Policy()
    """Policy of the embedding queue; its seed is also the seed of the ids."""
    counters: Counters = Counters()
    clock_start: ClockStart = REAL_TIME
    origin: str = ""
    """Origin, in the syntax of `POST /__admin/reset?to=…`."""
    faults: FaultsVersion | None = None
    """Faults that a reset to it restores; None for those that the mock began with."""


class SandboxSession(NamedTuple):
    """Everything that determines the answers of a sandbox."""

    state: SandboxState
    faults: FaultsVersion | None = None
    """None: they stay."""
    start: SandboxState | None = None
    """State that a reset restores; None: it stays."""


class Collections:
    """Collections of a sandbox, by attribute."""

    def __init__(self) -> None:
        by_activity: Index[Record] = Index(
            parent=lambda thread: (thread["user_id"], thread["is_pinned"]), order=_thread_order
        )
        in_thread: Index[Record] = Index(parent=lambda message: message["thread_id"])
        in_space: Index[Record] = Index(parent=lambda link: link["space_id"])
        in_organization: Index[Record] = Index(parent=lambda record: record["organization_id"])
        self.spaces: Collection[str, Record] = Collection(organization=in_organization)
        """By id; in order of creation under their organization."""
        self.threads: Collection[str, Record] = Collection(user=by_activity)
        """By id; under (user, pinned): pinned ones in the order of pinning, others by last activity."""
        self.deleted_threads: Collection[str, Record] = Collection(user=by_activity)
        """Kept for include_deleted, and because a deleted id still marks a position (A32)."""
        self.messages: Collection[str, Record] = Collection(thread=in_thread)
        """By id; in order of arrival under their thread."""
        self.deleted_messages: Collection[str, Record] = Collection(thread=in_thread)
        """Kept because a deleted id still marks a position (A32)."""
        self.replies: Collection[str, Record] = Collection()
        """Replies for createResponse that a tester queued, in order."""
        self.vector_stores: Collection[str, Record] = Collection(organization=in_organization)
        """By id; a space's dedicated store has `space_id`."""
        self.space_threads: Collection[Link, Record] = Collection(
            space=in_space, thread=Index(parent=lambda link: link["thread_id"])
        )
        """By (space, thread); in order of addition under either."""
        self.space_vector_stores: Collection[Link, Record] = Collection(
            space=in_space, vector_store=Index(parent=lambda link: link["vector_store_id"])
        )
        """By (space, vector store); in order of addition under either."""
        self.streams: Collection[str, Any] = Collection()
        """Last stream of each thread, by the thread's id; in snapshots, but not in state documents."""
        self.files: Collection[str, Record] = Collection(organization=in_organization)
        """By id; in order of upload under their organization. `content` is shared with other sandboxes."""
        self.vector_store_files: Collection[Link, Record] = Collection(
            vector_store=Index(parent=lambda link: link["vector_store_id"]),
            file=Index(parent=lambda link: link["file_id"]),
        )
        """By (vector store, file); in order of addition under either."""
        self.file_pieces: Collection[str, Record] = Collection(thread=in_thread)
        """Pieces of text under the `vsf_` id of their file in a store; not in state documents."""
        self.foreign_rows: Collection[Link, Record] = Collection(
            collection=Index(parent=lambda row: row["collection"])
        )
        """By (collection of a document of `--also`, id); in order of creation under their collection."""
        self.extension_records: Collection[str, Record] = Collection()
        """Records of a user's views, by any key; in snapshots, but not in state documents."""


def _thread_order(thread: Record) -> Key:
    if thread["is_pinned"]:
        return thread["pinned_at"] or "", thread.get("pin_order", 0)
    return (thread["last_message_at"] or thread["created_at"],)


def collections() -> dict[str, Collection[Any, Record]]:
    """Empty collections of a sandbox, by name."""
    return dict(vars(Collections()))


def versions_of(tables: Mapping[str, Collection[Any, Record]], embeddings: Embeddings) -> dict[str, Any]:
    """Versions of these collections by name, and `embeddings`."""
    versions: dict[str, Any] = {name: table.content for name, table in tables.items()}
    versions["embeddings"] = embeddings.checkpoint()
    return versions


def empty_versions() -> dict[str, Any]:
    """Versions of empty collections."""
    return versions_of(collections(), Embeddings(Policy()))


class Sandbox(Collections):
    """Isolated data, ids, clock, faults and journal under one name."""

    def __init__(
        self,
        name: str,
        start: SandboxState,
        *,
        journal: Journal | None = None,
        faults: Faults | None = None,
        follows: Callable[[str], Any] = _NO_PROFILE.get,
    ) -> None:
        """`start`: initial state, which a reset restores; `follows`: alternative of an assumption, if any."""
        super().__init__()
        self._collections: Mapping[str, Collection[Any, Record]] = dict(vars(self))
        self.name = name
        self.start = start
        self.last_used = 0.0
        """Seconds of `elapsed`, written by Sandboxes."""
        self.data: Data
        """Directory, and the data of the last reset or restore."""
        self.source = TimeSource()
        """Time source of the sandbox's clocks; held during a transaction."""
        self.clock: Clock
        self.ids: Ids
        self.embeddings: Embeddings
        self.journal = journal or Journals().new(name)
        self._lock = threading.Lock()
        self._before: tuple[Any, ...] = ()
        """State at the beginning of the transaction."""
        self.kept: Any = None
        """What `--persist` keeps of it; None without."""
        self.view_thread: int | None = None
        """Thread of the view that is in a transaction."""
        self.space_thread_pages = PageCache(self.space_threads, self.threads)
        self.faults = faults or Faults(FaultDefaults())
        self.faults.real = self.source
        self.follows = follows
        self.restore(start)
        self._reset_faults()

    @property
    def directory(self) -> Directory:
        """Organizations, users and keys."""
        return self.data.directory

    def reset(self, to: SandboxState | None = None, keep: AnyOf[str] = ()) -> None:
        """Restore the starting state, or another one; `keep`: any of journal, faults, clock."""
        clock = self.clock
        self.restore(to or self.start)
        if "clock" in keep:
            self.clock = clock
        if "journal" not in keep:
            self.journal.reset()
        if "faults" not in keep:
            self._reset_faults()

    def _reset_faults(self) -> None:
        if self.start.faults is None:
            self.faults.reset(self.instant())
            if self.data.faults:
                self.faults.begin_with(self.data.faults, self.instant())
        else:
            self.faults.restore(self.start.faults)

    def restore(self, state: SandboxState) -> None:
        """Restore data, ids, clock and queue; a running clock continues from the saved instant."""
        self.data = state.data
        self.clock = Clock(state.clock_start.instant, self.source)
        self.clock.in_microseconds = self.follows("A21") is not None
        if not state.clock_start.frozen:
            self.clock.resume()
        self.ids = Ids(state.policy.seed, state.counters)
        self.embeddings = Embeddings(state.policy)
        self.restore_versions(state.data.versions)
        self.space_thread_pages.forget()

    def state(self, origin: str) -> SandboxState:
        """Current state; consistent only within a transaction."""
        data = self.data._replace(versions=self.versions())
        return SandboxState(
            data, self.embeddings.own_policy, self.ids.counters(), self.clock.as_start(), origin
        )

    def session(self) -> SandboxSession:
        """Everything that determines its answers; consistent only within a transaction."""
        return SandboxSession(self.state(""), self.faults.checkpoint(), self.start)

    def enter(self, session: SandboxSession) -> None:
        """Go on as the sandbox of a session."""
        self.restore(session.state)
        if session.faults is not None:
            self.faults.restore(session.faults)
        if session.start is not None:
            self.start = session.start

    @property
    def scenarios(self) -> set[str]:
        """Names of the scenarios that its data and its start come from."""
        return {self.data.name, self.start.data.name}

    def now(self) -> str:
        """Current time as the API formats it; constant within a transaction."""
        return self.clock.text()

    def text(self, instant: int) -> str:
        """Instant as the API formats it."""
        return self.clock.text(instant)

    def instant(self) -> int:
        """Current time in microseconds since 1970."""
        return self.clock.now()

    def trace_id(self, kind: str = "") -> str:
        """Id of the next request; the control API has its own counter."""
        return self.ids.trace(kind)

    def versions(self) -> dict[str, Any]:
        """Versions of the collections by name, and `embeddings`."""
        return versions_of(self._collections, self.embeddings)

    def restore_versions(self, versions: Mapping[str, Any]) -> None:
        """Restore the collections and the queue alone."""
        for name, collection in self._collections.items():
            collection.restore(versions[name])
        self.embeddings.restore(versions["embeddings"])

    def has_changed(self) -> bool:
        """Whether a collection or the queue has changed in this transaction."""
        before: Mapping[str, Any] = self._before[5]
        return any(before[name] is not version for name, version in self.versions().items())

    def transaction(self) -> AbstractContextManager[None]:
        """Exclusive access at one instant; an exception rolls back every change."""
        return self

    def wait_for_lock(self) -> None:
        """Wait for the end of another transaction; NestedTransaction or SandboxBusy if that can't come."""
        while self.view_thread != get_ident():
            if self._lock.acquire(timeout=VIEW_SECONDS):
                return
            if self.view_thread is not None:
                raise SandboxBusy(self.name)
        raise NestedTransaction(self.name)

    # Methods rather than a generator: every request enters a transaction.
    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.wait_for_lock()
        self.source.hold()
        ids, clock = self.ids, self.clock
        objects = self.data, self.start, self.embeddings, ids, clock
        faults = None if self.kept is None else self.faults.checkpoint()
        self._before = *objects, self.versions(), ids.checkpoint(), clock.checkpoint(), faults

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.data, self.start, self.embeddings, self.ids, self.clock, *others = self._before
            versions, ids, clock, faults = others
            self.restore_versions(versions)
            if faults is not None and issubclass(kind, ChangeNotWritten):
                self.faults.restore(faults)
            self.ids.restore(ids)
            self.clock.restore(clock)
        self._before = ()  # keeps nothing alive
        self.source.release()
        self._lock.release()
