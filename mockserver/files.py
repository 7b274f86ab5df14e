"""Atomic file writes."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace the file atomically; OSError if it can't be written."""
    fresh = path.parent / f"{path.name}.{os.getpid()}.{threading.get_ident()}"
    try:
        with fresh.open("wb") as sink:
            sink.write(content.encode() if isinstance(content, str) else content)
            sink.flush()
            os.fsync(sink.fileno())
        fresh.replace(path)
    except OSError as error:
        raise OSError(f"{path}: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
