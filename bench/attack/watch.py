"""What an attack does to the mock: its memory, and the time that one small request takes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen


class Watch:
    """Samples of a running mock, ten a second."""

    def __init__(self, url: str, pid: int) -> None:
        self._url, self._pid = url, pid
        self._stop = threading.Event()
        self.memory: list[float] = []
        """MiB, each second."""
        self.slowest = 0.0
        """Seconds that the slowest health request took."""
        self.idle = 0.0
        """Seconds by which the slowest of this loop's own sleeps was too long: the machine, not the mock."""
        self.failed: list[str] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Sample until the block ends."""
        threads = [threading.Thread(target=each) for each in (self._health, self._sleep, self._weigh)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _health(self) -> None:
        while not self._stop.wait(0.1):
            before = time.monotonic()
            try:
                with urlopen(f"{self._url}/__admin/health", timeout=60) as answer:
                    answer.read()
            except (URLError, OSError) as error:
                self.failed.append(f"GET /__admin/health: {error}")
            self.slowest = max(self.slowest, time.monotonic() - before)

    def _sleep(self) -> None:
        while not self._stop.is_set():
            before = time.monotonic()
            time.sleep(0.05)
            self.idle = max(self.idle, time.monotonic() - before - 0.05)

    def _weigh(self) -> None:
        while not self._stop.wait(1):
            if (held := rss(self._pid)) is not None:
                self.memory.append(held)


def rss(pid: int) -> float | None:
    """MiB that a process holds; None if it is gone."""
    return _memory(pid, "VmRSS")


def most_memory(pid: int) -> float | None:
    """MiB that a process has held at most; None if it is gone."""
    return _memory(pid, "VmHWM")


def _memory(pid: int, name: str) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else None
