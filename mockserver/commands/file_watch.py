"""File watcher of `--watch`."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

PAUSE = 0.5
"""Seconds between two checks of the contents: a bind mount reports no changes."""


def content_hashes(places: Iterable[Path]) -> dict[Path, str]:
    """Content hash of each file, or of a folder's YAML files; empty for an unreadable one."""
    files = [
        file for place in places for file in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])
    ]
    return {file: _content_hash(file) for file in files}


def _content_hash(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def watch(
    places: Iterable[Path], changed: Callable[[list[Path]], None], stopping: threading.Event
) -> threading.Thread:
    """Call `changed` with the changed files, in a thread, until `stopping`."""
    places = list(places)

    def look() -> None:
        known = content_hashes(places)
        while not stopping.wait(PAUSE):
            now = content_hashes(places)
            if now != known:
                files = sorted(file for file in {*known, *now} if known.get(file) != now.get(file))
                known = now
                changed(files)

    thread = threading.Thread(target=look, name="watch", daemon=True)
    thread.start()
    return thread
