"""The logs in Redis, read while they are written."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import redis

from bench.replicas.history import INITIAL, Operation

VALUE = re.compile(rb"v-\d{7}-")


class LogReader(threading.Thread):
    """A thread that gives each value that a log has its position."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._redis = redis.Redis.from_url(url, socket_timeout=5)
        self._last: dict[bytes, bytes] = {}
        self.positions: dict[str, int] = {}
        self.twice: list[str] = []
        """Values that a log has twice."""
        self.unread: Counter[str] = Counter()
        """Sandbox -> entries that a snapshot took the place of before they were read here."""
        self._stopping = threading.Event()

    def run(self) -> None:
        """Read until it is stopped; a store that does not answer is asked again."""
        while not self._stopping.wait(0.02):
            with suppress(redis.RedisError, OSError):
                self._read()

    def finish(self) -> None:
        """Stop, and read what is left."""
        self._stopping.set()
        self.join()
        self._read()
        self._redis.close()

    def unexplained(self, register: str, operations: Sequence[Operation]) -> tuple[int, list[Operation]]:
        """Number of values whose entries were not read, if it is no more than are missing, and the others."""
        values = {each.value for each in operations} - self.positions.keys() - {INITIAL}
        if len(values) > self.unread[register]:
            return 0, list(operations)
        return len(values), [each for each in operations if each.value not in values]

    def _read(self) -> None:
        for key in self._redis.scan_iter(_type="stream", count=1000):
            self._last.setdefault(key, b"0-0")
        if not self._last:
            return
        last: dict[Any, Any] = dict(self._last)
        answer: Any = self._redis.xread(last, count=10_000)
        for key, entries in answer or []:
            for id_, fields in entries:
                position, before = (int(each.partition(b"-")[0]) for each in (id_, self._last[key]))
                self.unread[key.split(b":")[-2].decode()] += position - before - 1
                self._last[key] = id_
                for found in set(VALUE.findall(b" ".join(fields.values()))):
                    value = found.decode()
                    if value in self.positions:
                        self.twice.append(value)
                    self.positions[value] = position
