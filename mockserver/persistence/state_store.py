"""Interface of a store: logs, snapshots and whole states, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol


class Log:
    """Log of one sandbox since its last snapshot."""

    def __init__(self, name: str, number: int, length: int = 0) -> None:
        self.name, self.number = name, number
        self.length = length
        """Bytes of the current part."""
        self.grown = length
        """Bytes since the last snapshot."""
        self.snapshot_bytes = 0
        self.is_removed = False


class StateStore(Protocol):
    """What `--persist` needs of a store. All methods raise OSError for what can't be written.

    A log is a sequence of parts, numbered from 0. A snapshot with the number of a part stands for everything
    before that part, and takes the place of older snapshots and parts only when it is whole.
    """

    @property
    def folder(self) -> Path:
        """Place of the store, for messages."""

    def names(self) -> list[str]:
        """Names of all sandboxes."""

    def load(self, name: str) -> tuple[bytes, list[bytes], Log, int]:
        """Last snapshot, entries after it, the log to continue, and bytes of a torn tail, which is cut.

        DamagedError if these are not what was written.
        """

    def begin(self, name: str, pieces: Iterable[bytes]) -> Log:
        """Log of a new sandbox with its first snapshot."""

    def append(self, log: Log, entry: bytes) -> None:
        """Append an entry; after a failure the log is as it was."""

    def rotate(self, log: Log) -> int:
        """Begin a new part, in front of which a snapshot can be put: its number."""

    def put_snapshot(self, log: Log, number: int, pieces: Iterable[bytes]) -> None:
        """Put a snapshot in front of a part of the log; what is older is removed."""

    def remove(self, log: Log) -> None:
        """Remove everything of a sandbox."""

    def set_aside(self, name: str) -> Path:
        """Move everything of a sandbox out of the way: the place where it is then."""

    def has_state(self, digest: str) -> bool:
        """Whether there is a whole state with this hash."""

    def write_state(self, digest: str, pieces: Iterable[bytes]) -> None:
        """Write a whole state."""

    def state(self, digest: str) -> bytes:
        """A whole state; DamagedError if it is not there, or not whole."""

    def states(self) -> list[str]:
        """Hashes of all whole states."""

    def remove_state(self, digest: str) -> None:
        """Remove a whole state."""

    def read(self, name: str) -> bytes | None:
        """Content of a file about the store itself; None if there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Replace a file about the store itself."""

    def flush(self) -> None:
        """Flush what was appended to the disk."""

    def clear(self) -> None:
        """Remove everything."""

    def close(self) -> None:
        """Flush everything, and let other processes use the store."""
