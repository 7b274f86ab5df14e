"""`--watch`: what to do when a file of the user's changes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

PAUSE = 0.5
"""Seconds between two looks at the content: on a bind mount nothing would tell of a change."""


def prints(places: Iterable[Path]) -> dict[Path, str]:
    """Each file, of a folder its YAML files, with a hash of its content; empty if it can't be read."""
    files = [
        file for place in places for file in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])
    ]
    return {file: _print(file) for file in files}


def _print(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def watch(
    places: Iterable[Path], changed: Callable[[list[Path]], None], stopping: threading.Event
) -> threading.Thread:
    """Call `changed` with the files that are other than at the last look, in a thread, until `stopping`."""
    places = list(places)

    def look() -> None:
        known = prints(places)
        while not stopping.wait(PAUSE):
            now = prints(places)
            if now != known:
                files = sorted(file for file in {*known, *now} if known.get(file) != now.get(file))
                known = now
                changed(files)

    thread = threading.Thread(target=look, name="watch", daemon=True)
    thread.start()
    return thread
