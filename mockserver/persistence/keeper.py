"""Keeps all sandboxes and snapshots in a store; one thread flushes it and writes snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from queue import Empty, SimpleQueue
from typing import Any

import orjson

from mockserver.persistence.kept_sandbox import KeptSandbox, SnapshotMoment, pieces, state_document
from mockserver.persistence.state_store import Log, StateStore
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.sandbox import Sandbox, SandboxState
from mockserver.sandbox.transaction import ChangeNotWritten
from mockserver.state_document.pieces import in_pieces

SECONDS = 1.0
"""Seconds between two flushes."""
RECENT = 20
"""Most states whose hash is remembered."""
NAMED = "-"
"""Name of the log of what belongs to no sandbox: snapshots by name, generated names."""


class Keeper:
    """Everything that is kept."""

    def __init__(self, store: StateStore, spec: Mapping[str, Any], notice: Callable[[str], object]) -> None:
        """`spec`: what is served; `notice` gets a line for what can't be written."""
        self.store, self._spec, self._notice = store, spec, notice
        self._lock = threading.Lock()
        self._recent: dict[int, tuple[SandboxState, str]] = {}
        """Hashes of states that were asked for last."""
        self._has_unused = False
        self.named: dict[str, tuple[str, str]] = {}
        """Snapshot -> hash of its state, and the sandbox that saved it."""
        self.log: Log
        self._kept: dict[str, KeptSandbox] = {}
        self._moments: SimpleQueue[tuple[KeptSandbox, SnapshotMoment]] = SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="persist", daemon=True)

    def begin(self, log: Log) -> None:
        """Begin to flush; `log`: that of snapshots and names."""
        self.log = log
        self._thread.start()

    # Sandboxes

    def adopt(self, sandbox: Sandbox) -> None:
        """Keep a new sandbox; ChangeNotWritten if it can't be."""
        kept = self.attach(sandbox, Log(sandbox.name, 0))
        try:
            moment = kept.moment(0)._replace(state=None)
            kept.log = self.store.begin(sandbox.name, pieces(moment, self._spec))
        except OSError as error:
            self._forget(kept)
            raise ChangeNotWritten(str(error.strerror or error)) from error
        kept.is_changed = False

    def attach(self, sandbox: Sandbox, log: Log) -> KeptSandbox:
        """Keep a sandbox in a log from now on."""
        kept = KeptSandbox(sandbox, log, self.store, self._spec, self.hash_of, self._later, self._notice)
        self._kept[sandbox.name] = sandbox.kept = kept
        return kept

    def dropped(self, sandbox: Sandbox) -> None:
        """Leave nothing of a sandbox."""
        if sandbox.kept is not None:
            self.store.remove(sandbox.kept.log)
            self._forget(sandbox.kept)

    def _forget(self, kept: KeptSandbox) -> None:
        self._kept.pop(kept.sandbox.name, None)
        kept.sandbox.kept = kept.sandbox.faults.counted = kept.sandbox.faults.taken = None
        with self._lock:
            self._recent.pop(id(kept.sandbox.start), None)
        self._has_unused = True

    def kept(self) -> list[KeptSandbox]:
        """All sandboxes that are kept."""
        return list(self._kept.values())

    def named_sandbox(self, ordinal: int) -> None:
        """Keep the ordinal of a generated name."""
        self._append(["names", ordinal])

    # Snapshots by name

    def saved(self, states: Mapping[str, SandboxState], by: str) -> None:
        """Keep snapshots of a sandbox; ChangeNotWritten if they can't be."""
        for name, state in states.items():
            digest = self.hash_of(state)
            self._append(["saved", name, digest, by])
            self.named[name] = digest, by

    def deleted(self, name: str) -> None:
        """Keep that a snapshot was deleted."""
        self._append(["deleted", name])
        self.named.pop(name, None)
        self._has_unused = True

    def _append(self, entry: list[Any]) -> None:
        try:
            self.store.append(self.log, orjson.dumps(entry))
        except OSError as error:
            raise ChangeNotWritten(str(error.strerror or error)) from error

    # Whole states

    def hash_of(self, state: SandboxState) -> str:
        """Hash of a whole state, which is stored; ChangeNotWritten if it can't be."""
        with self._lock:
            known = self._recent.get(id(state))
        if known is not None:
            return known[1]
        with gc_paused():
            lines = list(in_pieces(state_document(state, self._spec)))
        digest = sha256(b"".join(lines)).hexdigest()
        try:
            for _ in range(2):  # until it is remembered, it may be removed, because nothing else has it
                if not self.store.has_state(digest):
                    self.store.write_state(digest, lines)
                self.remember(state, digest)
        except OSError as error:
            raise ChangeNotWritten(str(error.strerror or error)) from error
        return digest

    def remember(self, state: SandboxState, digest: str) -> None:
        """Remember the hash of a state."""
        with self._lock:
            if len(self._recent) >= RECENT:
                self._recent.pop(next(iter(self._recent)))
            self._recent[id(state)] = state, digest

    def clear(self) -> None:
        """Remove everything that was kept."""
        self.store.clear()
        with self._lock:
            self._recent.clear()

    def remove_unused(self) -> None:
        """Remove whole states that nothing refers to."""
        with self._lock:
            recent = {digest for _, digest in self._recent.values()}
            used = {
                *recent,
                *(digest for digest, _ in self.named.values()),
                *(kept.start[1] for kept in list(self._kept.values())),
            }
            for digest in self.store.states():
                if digest not in used:
                    self.store.remove_state(digest)

    # The thread

    def _later(self, kept: KeptSandbox, moment: SnapshotMoment) -> None:
        self._moments.put((kept, moment))

    def _run(self) -> None:
        while not self._stopping.wait(SECONDS):
            self.store.flush()
            self.write_moments()
            if self._has_unused:
                self._has_unused = False
                self.remove_unused()

    def write_moments(self) -> None:
        """Write the snapshots that were asked for."""
        with suppress(Empty):
            while True:
                kept, moment = self._moments.get_nowait()
                failure = ""
                try:
                    with gc_paused():
                        self.store.put_snapshot(kept.log, moment.number, pieces(moment, self._spec))
                except (OSError, ChangeNotWritten) as error:
                    failure = str(getattr(error, "strerror", None) or error)
                kept.written(failure)

    def close(self) -> None:
        """Write what has changed, and end; the log has everything, should that fail."""
        self._stopping.set()
        self._thread.join()
        self.write_moments()
        for kept in list(self._kept.values()):
            if kept.is_changed:
                with kept.sandbox.transaction():
                    try:
                        kept.whole()
                    except ChangeNotWritten as problem:
                        self._notice(f"no snapshot of sandbox {kept.sandbox.name!r}: {problem.reason}")
        self.remove_unused()
        self.store.close()
