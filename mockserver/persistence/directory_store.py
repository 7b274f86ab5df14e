"""Logs and snapshots in a directory.

    lock                        held by the process that uses the directory
    mock.json                   what the mock served
    states/SHA256               whole states, each once
    sandboxes/NAME.N.state      snapshot number N of a sandbox
    sandboxes/NAME.N.log        entries after it
    aside/NAME.…                what could not be recovered

A snapshot takes the place of the one before only when it is whole, so that a crash at any moment leaves a
whole state with all entries after it.
"""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mockserver.persistence.frames import DamagedError, frame, read_frames
from mockserver.persistence.state_store import Log
from mockserver.persistence.whole_files import WholeFiles, content, uncompressed

MOST_OPEN = 64
"""Most logs that are open at a time."""


KINDS = ("state", "log")
"""Kinds of files of a sandbox."""


class DirectoryStore(WholeFiles):
    """Store in a directory, which one process uses."""

    def __init__(
        self, folder: Path, *, most_bytes: int = 1 << 40, sync: bool = False, only_reads: bool = False
    ) -> None:
        """The same as for whole files; `sync`: flush each entry."""
        super().__init__(folder, most_bytes, only_reads=only_reads)
        self._sync, self._only_reads = sync, only_reads
        self._open: OrderedDict[Log, int] = OrderedDict()
        self._dirty: dict[Log, None] = {}
        self._unflushed: list[int] = []
        """Descriptors to flush and to close."""
        self._numbers: dict[str, set[tuple[int, str]]] = {}
        """Name -> number and kind of each file."""
        for file in (folder / "sandboxes").iterdir():
            name, number, kind = ["", "", *file.name.rsplit(".", 2)][-3:]  # NAME.NUMBER.KIND
            if name and number.isdecimal() and number.isascii() and kind in KINDS:
                self._numbers.setdefault(name, set()).add((int(number), kind))

    def names(self) -> list[str]:
        """Names of all sandboxes."""
        return sorted(name for name, files in self._numbers.items() if files)

    def load(self, name: str) -> tuple[bytes, list[bytes], Log, int]:
        """Last snapshot, entries after it, the log to continue, and bytes of a torn tail, which is cut.

        DamagedError if these are not what was written.
        """
        files = sorted(self._numbers.get(name, ()))
        snapshots = [number for number, kind in files if kind == "state"]
        if not snapshots:
            raise DamagedError("there is no snapshot")
        first = snapshots[-1]
        logs = [number for number, kind in files if kind == "log" and number >= first]
        if logs != list(range(first, first + len(logs))):
            raise DamagedError("a part of the log is missing")
        snapshot, entries, torn = uncompressed(self._file(name, first, "state")), list[bytes](), 0
        log = Log(name, logs[-1] if logs else first)
        for number in logs:
            data = content(self._file(name, number, "log"))
            found = read_frames(data)
            entries += found.entries
            log.length, log.grown = found.whole, log.grown + found.whole
            torn = len(data) - found.whole
            if torn and number != logs[-1]:
                raise DamagedError("a part of the log is torn")
        if torn and not self._only_reads:
            os.truncate(self._file(name, log.number, "log"), log.length)
        log.snapshot_bytes = self._file(name, first, "state").stat().st_size
        return snapshot, entries, log, torn

    def begin(self, name: str, pieces: Iterable[bytes]) -> Log:
        """Log of a new sandbox with its first snapshot; OSError if there is no space."""
        self._require_space(0)
        log = Log(name, 0)
        self._write(self._file(name, 0, "state"), pieces, flushed=False)
        self._numbers[name] = {(0, "state")}
        return log

    def append(self, log: Log, entry: bytes) -> None:
        """Append an entry; OSError, with the log as it was, if that fails."""
        data = frame(entry)
        with self._lock:
            if log.is_removed:
                return
            self._require_space(len(data))
            descriptor = self._opened(log)
            try:
                written = os.write(descriptor, data)
                if written < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if self._sync:
                    os.fdatasync(descriptor)
            except OSError:
                os.ftruncate(descriptor, log.length)
                raise
            log.length += len(data)
            log.grown += len(data)
            self._bytes += len(data)
            self._dirty[log] = None

    def rotate(self, log: Log) -> int:
        """Go on in a new file, in front of which a snapshot can be put: its number."""
        with self._lock:
            fresh = self._created(log.name, log.number + 1)
            if (descriptor := self._open.pop(log, None)) is not None:
                self._retire(descriptor)
            log.number, log.length = log.number + 1, 0
            self._hold(log, fresh)
            return log.number

    def put_snapshot(self, log: Log, number: int, pieces: Iterable[bytes]) -> None:
        """Put a snapshot in front of a file of the log; what is older is removed."""
        if any(each > number for each, kind in self._numbers[log.name] if kind == "state"):
            return
        file = self._file(log.name, number, "state")
        size = self._write(file, pieces)
        if log.is_removed:
            self._remove(file)
            return
        self._numbers[log.name].add((number, "state"))
        for older, kind in sorted(self._numbers[log.name]):
            if older < number:
                self._drop(log.name, older, kind)
        log.snapshot_bytes = size
        if log.number == number:
            log.grown = log.length

    def remove(self, log: Log) -> None:
        """Remove everything of a sandbox."""
        with self._lock:
            log.is_removed = True
            self._dirty.pop(log, None)
            if (descriptor := self._open.pop(log, None)) is not None:
                os.close(descriptor)
        self.remove_files(log.name)

    def remove_files(self, name: str) -> None:
        """Remove the files of a sandbox that is not in use."""
        for number, kind in sorted(self._numbers.get(name, ())):
            self._drop(name, number, kind)

    def set_aside(self, name: str) -> Path:
        """Move everything of a sandbox out of the way: the folder where it is then."""
        aside = self.folder / "aside"
        aside.mkdir(mode=0o700, exist_ok=True)
        fresh = next(path for n in range(1, 10**6) if not (path := aside / f"{name}.{n}").exists())
        fresh.mkdir(mode=0o700)
        for number, kind in sorted(self._numbers.get(name, ())):
            file = self._file(name, number, kind)
            file.rename(fresh / file.name)
        self._numbers.pop(name, None)
        return fresh

    def clear(self) -> None:
        """Remove everything but the lock."""
        super().clear()
        self._numbers.clear()

    def flush(self) -> None:
        """Flush what was appended to the disk."""
        with self._lock:
            copies = [os.dup(self._open[log]) for log in self._dirty if log in self._open]
            copies, self._unflushed = copies + self._unflushed, []
            self._dirty.clear()
        for descriptor in copies:
            with suppress(OSError):
                os.fdatasync(descriptor)
            os.close(descriptor)

    def close(self) -> None:
        """Flush everything, and let other processes use the directory."""
        self.flush()
        with self._lock:
            for descriptor in self._open.values():
                os.close(descriptor)
            self._open.clear()
        super().close()

    def bytes_of(self, name: str) -> int:
        """Bytes of the files of a sandbox."""
        files = sorted(self._numbers.get(name, ()))
        return sum(self._file(name, *each).stat().st_size for each in files)

    def _retire(self, descriptor: int) -> None:
        """Flush and close a descriptor later, unless too many wait for that."""
        self._unflushed.append(descriptor)
        if len(self._unflushed) > MOST_OPEN:
            oldest = self._unflushed.pop(0)
            with suppress(OSError):
                os.fdatasync(oldest)
            os.close(oldest)

    def _opened(self, log: Log) -> int:
        """Descriptor of the log."""
        descriptor = self._open.get(log)
        if descriptor is None:
            descriptor = self._created(log.name, log.number)
            self._hold(log, descriptor)
        else:
            self._open.move_to_end(log)
        return descriptor

    def _created(self, name: str, number: int) -> int:
        """Descriptor of a file of a log, which is created if it is missing."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self._file(name, number, "log"), flags, 0o600)
        self._numbers[name].add((number, "log"))
        return descriptor

    def _hold(self, log: Log, descriptor: int) -> None:
        """Keep a descriptor open; the one that was used least recently is closed for it."""
        if len(self._open) >= MOST_OPEN:
            self._retire(self._open.popitem(last=False)[1])
        self._open[log] = descriptor

    def _file(self, name: str, number: int, kind: str) -> Path:
        return self.folder / "sandboxes" / f"{name}.{number}.{kind}"

    def _drop(self, name: str, number: int, kind: str) -> None:
        self._remove(self._file(name, number, kind))
        self._numbers.get(name, set()).discard((number, kind))
