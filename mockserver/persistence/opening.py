"""Opening of the directory of `--persist`: whose it is, and what of it can be recovered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mockserver.http.problems import Problem
from mockserver.openapi.yaml_document import DocumentError
from mockserver.persistence.directory_store import DirectoryStore
from mockserver.persistence.frames import DamagedError
from mockserver.persistence.keeper import NAMED, Keeper
from mockserver.persistence.recovery import Recovery
from mockserver.persistence.state_store import Log, StateStore
from mockserver.sandbox.gc_pause import gc_paused
from mockserver.sandbox.sandboxes import DEFAULT, Sandboxes
from mockserver.state_document.state_file import InvalidState

FAILURES = (DamagedError, InvalidState, Problem, KeyError, ValueError, TypeError, LookupError)
"""What a sandbox that can't be recovered raises."""


def open_store(folder: Path, **options: Any) -> DirectoryStore:
    """Store in a directory; DocumentError if it can't be used."""
    if folder.exists() and not folder.is_dir():
        raise DocumentError(f"--persist {folder}: is a file, and no folder; give a folder")
    try:
        return DirectoryStore(folder, **options)
    except OSError as error:
        raise DocumentError(f"--persist {folder}: {error.strerror or error}") from error


def recorded(store: StateStore) -> dict[str, Any] | None:
    """Identity of the mock whose directory it is; None if it is damaged or missing."""
    try:
        known = orjson.loads(store.read("mock.json") or b"")
    except ValueError:
        return None
    is_whole = isinstance(known, dict) and {"version", "document"} <= known.keys()
    return known if is_whole and isinstance(known.get("settings"), dict) else None


def reason_of(error: Exception) -> str:
    """Reason, in a line, why something can't be recovered."""
    return error.reason if isinstance(error, Problem) else f"{type(error).__name__}: {error}"


def names_of(entries: Iterable[bytes]) -> tuple[dict[str, tuple[str, str]], int]:
    """Snapshots by name, as `Keeper.named`, and the ordinal of generated names."""
    named, ordinal = dict[str, tuple[str, str]](), 0
    for entry in map(orjson.loads, entries):
        match entry:
            case ["saved", name, digest, by]:
                named[name] = digest, by
            case ["deleted", name]:
                named.pop(name, None)
            case ["names", number]:
                ordinal = number
    return named, ordinal


class Opening:
    """One directory that is opened for a mock."""

    def __init__(
        self, keeper: Keeper, recovery: Recovery, sandboxes: Sandboxes, notice: Callable[[str], object]
    ) -> None:
        self._keeper, self._store = keeper, keeper.store
        self._recovery, self._sandboxes, self._notice = recovery, sandboxes, notice

    def open(self, identity: Mapping[str, Any], on_mismatch: str | None) -> None:
        """Recover everything and keep it from now on; DocumentError if it belongs to another mock.

        `identity`: what the mock serves, and its `settings`; `on_mismatch`: snapshot, discard, or None to
        refuse.
        """
        known = self._store.read("mock.json")
        differing = "" if known is None and not self._store.names() else self._differing(identity)
        if differing and on_mismatch is None:
            self._store.close()
            raise DocumentError(
                f"{differing}, or add --persist-on-mismatch snapshot to go on with the last snapshots, or "
                "discard to start over"
            )
        if differing and on_mismatch == "discard":
            self._keeper.clear()
        written = orjson.dumps(identity, option=orjson.OPT_INDENT_2)
        if written != known or differing:
            self._store.write("mock.json", written)
        self._named()
        for name in self._store.names():
            if name != NAMED:
                with gc_paused():
                    self._sandbox(name, only_snapshot=bool(differing))
        if self._sandboxes.default.kept is None:
            self._keeper.adopt(self._sandboxes.default)
        self._sandboxes.keeper = self._sandboxes.snapshots.keeper = self._keeper
        self._keeper.remove_unused()

    def _differing(self, identity: Mapping[str, Any]) -> str:
        """Where the directory's mock differs, and the first thing to do; empty for the same one."""
        before = recorded(self._store)
        if before is None:
            return f"--persist {self._store.folder}: mock.json is damaged or missing; restore it"
        compared = identity.keys() - {"settings"}
        lines = "; ".join(
            f"{name} was {before.get(name)!r}, is {identity[name]!r}"
            for name in sorted(compared)
            if before.get(name) != identity[name]
        )
        return lines and f"--persist {self._store.folder} is of another mock: {lines}; start that one"

    def _named(self) -> None:
        """Recover snapshots by name, and the ordinal of generated names."""
        log, entries, names = self._read_named()
        for name, (digest, by) in list(self._keeper.named.items()):
            try:
                state = self._recovery.state(digest)
            except FAILURES as error:
                self._notice(f"snapshot {name!r} can't be recovered: {error}")
                del self._keeper.named[name]
                continue
            self._keeper.remember(state, digest)
            self._sandboxes.snapshots.save_all({name: state}, by)
        self._sandboxes.outside.ids.take("sandbox", names)
        lines = [["names", names], *(["saved", name, *each] for name, each in self._keeper.named.items())]
        pieces = [orjson.dumps(line) + b"\n" for line in lines]
        if log is None:
            log = self._store.begin(NAMED, pieces)
        elif entries:
            self._store.put_snapshot(log, self._store.rotate(log), pieces)
        self._keeper.begin(log)

    def _read_named(self) -> tuple[Log | None, int, int]:
        """Log of names if there is one, the number of its entries, and the ordinal of generated names."""
        if NAMED not in self._store.names():
            return None, 0, 0
        try:
            snapshot, entries, log, _ = self._store.load(NAMED)
        except DamagedError as error:
            self._set_aside(NAMED, "the names of snapshots", error)
            return None, 0, 0
        self._keeper.named, names = names_of([*snapshot.splitlines(), *entries])
        return log, len(entries), names

    def _sandbox(self, name: str, *, only_snapshot: bool) -> None:
        try:
            snapshot, entries, log, torn = self._store.load(name)
            sandbox = self._recovery.sandbox(name, snapshot, [] if only_snapshot else entries)
        except FAILURES as error:
            self._set_aside(name, f"sandbox {name!r}", error)
            return
        if torn:
            self._notice(f"sandbox {name!r}: the last {torn} bytes of its log were not whole, and are cut")
        self._sandboxes.recovered(sandbox)
        kept = self._keeper.attach(sandbox, log)
        kept.start = sandbox.start, orjson.loads(snapshot.partition(b"\n")[0])["start"]
        kept.is_changed = bool(entries)
        if not only_snapshot:
            self._keeper.remember(*kept.start)
        else:
            with sandbox.transaction():
                kept.start = sandbox.start, ""
                kept.whole()
            self._notice(f"sandbox {name!r} goes on with its snapshot; {len(entries)} later changes are lost")

    def _set_aside(self, name: str, what: str, error: Exception) -> None:
        folder = self._store.set_aside(name)
        fresh = " and starts over" if name == DEFAULT else ""
        self._notice(f"{what} can't be recovered{fresh}; it is set aside in {folder}: {reason_of(error)}")
