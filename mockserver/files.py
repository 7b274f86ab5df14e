"""Whole files: read only where they are regular files, and never left half written."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from contextlib import suppress
from glob import escape
from pathlib import Path
from time import monotonic_ns
from typing import BinaryIO

_IN_PLACE = (errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV, errno.ENAMETOOLONG)
"""Errors of a file that can't be replaced but perhaps written, such as one that is mounted by itself."""


def read_whole(path: Path, most: int | None = None) -> bytes:
    """Content of a regular file of at most `most` bytes; OSError for others.

    A device may have no end, and a FIFO no writer.
    """
    with _opened(path) as source:
        status = os.fstat(source.fileno())
        _require_regular(status)
        if most is not None and status.st_size > most:
            raise OSError(errno.EFBIG, f"is larger than {most:,} bytes")
        try:
            return source.read()
        except MemoryError:
            raise OSError(errno.EFBIG, "does not fit into memory") from None


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace the content of a file atomically; OSError if it can't be written.

    A symlink and the file's mode stay. A file that can't be replaced, such as a mount, is written in place.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        with suppress(FileNotFoundError):
            _require_regular(path.stat())
        target = path.resolve()
        try:
            _replace(target, data)
        except OSError as error:
            if error.errno not in _IN_PLACE or not target.exists():
                raise
            with target.open("r+b") as sink:
                _put(sink, data)
                sink.truncate()
    except OSError as error:
        raise OSError(f"{path}: {error.strerror or error}") from error


def require_writable(path: Path) -> None:
    """OSError unless `write_whole` can write here; removes temporary files of processes that were killed."""
    with suppress(FileNotFoundError):
        _require_regular(path.stat())
    target = path.resolve()
    if not os.access(target.parent, os.W_OK) and not (target.is_file() and os.access(target, os.W_OK)):
        raise OSError(errno.EACCES, "is not writable")
    _remove_leftovers(target)


def _opened(path: Path) -> BinaryIO:
    """The file to read; of a FIFO nobody waits for the writer."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is a device or a pipe, and no regular file")


def _replace(target: Path, data: bytes) -> None:
    _remove_leftovers(target)
    before = target.stat() if target.exists() else None
    fresh, sink = _temporary(target, 0o666 if before is None else stat.S_IMODE(before.st_mode))
    try:
        with sink:
            if before is not None:
                with suppress(OSError):
                    os.fchown(sink.fileno(), before.st_uid, before.st_gid)
                os.fchmod(sink.fileno(), stat.S_IMODE(before.st_mode))
            _put(sink, data)
            fresh.replace(target)  # before the file is closed, which unlocks it
    finally:
        fresh.unlink(missing_ok=True)


def _temporary(target: Path, mode: int) -> tuple[Path, BinaryIO]:
    """New file beside `target`, locked as long as its writer lives."""
    while True:
        fresh = target.with_name(f".{target.name}.{threading.get_native_id()}-{monotonic_ns()}.mockserver")
        sink = os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(sink, fcntl.LOCK_EX)
        if os.fstat(sink.fileno()).st_nlink:
            return fresh, sink
        sink.close()  # another process removed it before it was locked


def _put(sink: BinaryIO, data: bytes) -> None:
    sink.write(data)
    sink.flush()
    os.fsync(sink.fileno())


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of this target whose writer was killed: nobody holds their lock."""
    with suppress(OSError):
        for left in target.parent.glob(f".{escape(target.name)}.*.mockserver"):
            with suppress(OSError), _opened(left) as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
