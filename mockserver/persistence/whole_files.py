"""Whole files of a directory that one process uses: written beside, then put in place; counted."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import threading
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mockserver.persistence.frames import DamagedError

FOLDERS = ("states", "sandboxes")


class WholeFiles:
    """Directory of whole files, compressed if they are states, with a limit of its size."""

    def __init__(self, folder: Path, most_bytes: int, *, only_reads: bool = False) -> None:
        """OSError if the directory can't be used, or another process uses it.

        `only_reads`: for a directory that exists, in which nothing is written.
        """
        self.folder = folder
        self._most = most_bytes
        self.is_closed = False
        self._lock = threading.Lock()
        if not only_reads:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDONLY if only_reads else os.O_RDWR | os.O_CREAT
        self._held = os.open(folder / "lock", flags, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._held)
            text = "another process uses it; stop that one, or give another folder"
            raise OSError(error.errno, text) from error
        if not only_reads:
            for each in FOLDERS:
                (folder / each).mkdir(mode=0o700, exist_ok=True)
            for left in folder.glob("**/*.new"):
                left.unlink()
        self._bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def read(self, name: str) -> bytes | None:
        """Content of a file of the directory itself; None if there is none."""
        file = self.folder / name
        return file.read_bytes() if file.is_file() else None

    def write(self, name: str, data: bytes) -> None:
        """Replace a file of the directory itself."""
        self._write(self.folder / name, [data], compressed=False)

    def has_state(self, digest: str) -> bool:
        """Whether there is a whole state with this hash."""
        return (self.folder / "states" / digest).is_file()

    def write_state(self, digest: str, pieces: Iterable[bytes]) -> None:
        """Write a whole state."""
        self._require_space(0)
        self._write(self.folder / "states" / digest, pieces)

    def state(self, digest: str) -> bytes:
        """A whole state; DamagedError if it is not there, or not whole."""
        return uncompressed(self.folder / "states" / digest)

    def states(self) -> list[str]:
        """Hashes of all whole states."""
        return [file.name for file in (self.folder / "states").iterdir()]

    def remove_state(self, digest: str) -> None:
        """Remove a whole state."""
        self._remove(self.folder / "states" / digest)

    def clear(self) -> None:
        """Remove everything but the lock."""
        for each in (*FOLDERS, "aside"):
            shutil.rmtree(self.folder / each, ignore_errors=True)
        for each in FOLDERS:
            (self.folder / each).mkdir(mode=0o700)
        (self.folder / "mock.json").unlink(missing_ok=True)
        self._bytes = 0

    def close(self) -> None:
        """Let other processes use the directory."""
        os.close(self._held)
        self.is_closed = True

    def _require_space(self, more: int) -> None:
        if self._bytes + more >= self._most:
            raise OSError(errno.ENOSPC, f"the limit of {self._most >> 20} MiB (--persist-mb) is reached")

    def _write(
        self, file: Path, pieces: Iterable[bytes], *, compressed: bool = True, flushed: bool = True
    ) -> int:
        """Write a whole file, then put it in place: its size."""
        fresh, size = file.with_name(f"{file.name}.{threading.get_native_id()}.new"), 0
        packer = zlib.compressobj(1)
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
                for piece in pieces:
                    size += sink.write(packer.compress(piece) if compressed else piece)
                size += sink.write(packer.flush() if compressed else b"")
                sink.flush()
                if flushed:
                    os.fsync(sink.fileno())
            fresh.replace(file)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        if flushed:
            folder = os.open(file.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        with self._lock:
            self._bytes += size
        return size

    def _remove(self, file: Path) -> None:
        with suppress(FileNotFoundError):
            size = file.stat().st_size
            file.unlink()
            with self._lock:
                self._bytes -= size


def content(file: Path) -> bytes:
    """Content of a file; DamagedError if it can't be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise DamagedError(f"{file.name}: {error.strerror or error}") from error


def uncompressed(file: Path) -> bytes:
    """Content of a compressed file; DamagedError if it can't be read, or is not whole."""
    try:
        return zlib.decompress(content(file))
    except zlib.error as error:
        raise DamagedError(f"{file.name}: {error}") from error
