"""Writes files whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Whoever reads the file sees what was there before, or all of `text`; OSError if it can't be written."""
    fresh = path.parent / f"{path.name}.{os.getpid()}.{threading.get_ident()}"
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise OSError(f"{path}: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
