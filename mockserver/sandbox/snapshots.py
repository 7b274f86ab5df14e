"""Moments by name, kept in memory for every sandbox of the process."""

from __future__ import annotations

import threading

from mockserver.http.problems import Conflict, NotFound
from mockserver.sandbox.sandbox import Moment

MOST = 1000
"""Snapshots at the same time. What one shares with a sandbox costs nothing; what has changed since does."""


class Snapshots:
    """Named moments."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Moment] = {}

    def save(self, name: str, moment: Moment) -> bool:
        """Keep a moment, in the place of the one of this name if there is one; whether it is new."""
        with self._lock:
            is_new = name not in self._kept
            if is_new and len(self._kept) >= MOST:
                raise Conflict(
                    "Too many snapshots", reason=f"there are {MOST} snapshots, the most; delete some"
                )
            self._kept[name] = moment
            return is_new

    def get(self, name: str) -> Moment:
        """The moment of this name; NotFound if there is none."""
        found = self._kept.get(name)
        if found is None:
            raise _unknown(name)
        return found

    def delete(self, name: str) -> None:
        """Forget it; what was started from it stays."""
        with self._lock:
            if self._kept.pop(name, None) is None:
                raise _unknown(name)

    def listed(self) -> list[tuple[str, Moment]]:
        """All of them, by name."""
        with self._lock:
            return sorted(self._kept.items(), key=lambda entry: entry[0])


def _unknown(name: str) -> NotFound:
    return NotFound("Snapshot not found", reason=f"no snapshot {name[:80]!r}", snapshot=name)
