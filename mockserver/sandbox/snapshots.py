"""Snapshots: named states of sandboxes, in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any

from mockserver.http.problems import Conflict, NotFound, nearest
from mockserver.sandbox.sandbox import SandboxState

MOST_SNAPSHOTS = 1000
"""Most snapshots at a time. Data shared with a sandbox costs nothing; later changes do."""


class Snapshots:
    """Named states, for all sandboxes of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, SandboxState] = {}
        self._by: dict[str, str] = {}
        """Snapshot -> sandbox that saved it."""
        self.keeper: Any = None
        """Keeps snapshots beyond the process; None without `--persist`."""

    def save(self, name: str, state: SandboxState, by: str) -> bool:
        """Save a state of the sandbox `by` under a name, replacing an older one; whether the name is new."""
        is_new = name not in self._kept
        self.save_all({name: state}, by)
        return is_new

    def save_all(self, states: Mapping[str, SandboxState], by: str) -> None:
        """Save states of a sandbox under their names, or none of them: Conflict if there are too many."""
        with self._lock:
            if len({*self._kept, *states}) > MOST_SNAPSHOTS:
                raise Conflict(
                    "Too many snapshots",
                    reason=f"the limit of {MOST_SNAPSHOTS} snapshots is reached; delete some",
                )
            if self.keeper is not None:
                self.keeper.saved(states, by)
            self._kept.update(states)
            self._by.update(dict.fromkeys(states, by))

    def get(self, name: str) -> SandboxState:
        """State of this name; NotFound if there is none."""
        found = self._kept.get(name)
        if found is None:
            raise _unknown_snapshot(name, self._kept)
        return found

    def delete(self, name: str) -> None:
        """Delete a snapshot; sandboxes created from it stay."""
        with self._lock:
            if name not in self._kept:
                raise _unknown_snapshot(name, self._kept)
            if self.keeper is not None:
                self.keeper.deleted(name)
            del self._kept[name], self._by[name]

    def listed(self) -> list[tuple[str, SandboxState]]:
        """All snapshots by name."""
        with self._lock:
            return sorted(self._kept.items(), key=lambda entry: entry[0])

    def of(self, sandbox: str) -> dict[str, SandboxState]:
        """Snapshots that a sandbox saved."""
        return {name: state for name, state in self.listed() if self._by.get(name) == sandbox}


def _unknown_snapshot(name: str, known: Collection[str]) -> NotFound:
    reason = f"no snapshot {name[:80]!r}{nearest(name, known)}"
    return NotFound("Snapshot not found", reason=reason, snapshot=name)
