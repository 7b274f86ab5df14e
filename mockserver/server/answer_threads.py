"""The threads that answer: one at a time, and another in place of each that is held up.

Python runs one of them at a time. The more there are that could go on, the longer each waits for its turn, so
the slowest answers of sixteen busy clients took three times as long with four threads as with one.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any

FREE = 1
"""Threads that answer, besides those that are held up."""
LOOK = 0.05
"""Seconds between two looks at who is held up without having said so."""

Held = AbstractContextManager[None]
"""Entered by an answer for as long as it does nothing but wait."""
Answer = Callable[[Any, dict[str, Any], Held], None]


class Workers:
    """At most `most` threads that call `answer` for each request, in the order in which they came."""

    def __init__(self, answer: Answer, most: int) -> None:
        self.answer = answer
        self.requests: SimpleQueue[tuple[Any, dict[str, Any]]] = SimpleQueue()
        self._most = most
        self._lock = threading.Lock()
        self._all: set[_Worker] = set()
        self._held = 0
        """Those that have said that they wait."""
        self._late = 0
        """Those that seem to wait, though they have not said so."""
        self._replace()

    def give(self, proto: Any, scope: dict[str, Any]) -> None:
        """One more request; returns at once."""
        self.requests.put((proto, scope))

    def held(self, more: int) -> None:
        """So many more of them wait, fewer if it is negative."""
        with self._lock:
            self._held += more
            self._replace()

    def look(self) -> None:
        """Take for held up who answers the same request as at the last look, and has not said so.

        At a standstill every request that waits gets a thread of its own. Once started, these go one by one.
        """
        with self._lock:
            late = [worker.is_late() for worker in self._all]
            found = sum(late)
            if found and found + self._held >= len(late):
                found += self.requests.qsize()
            self._late = max(found, self._late - 1)
            self._replace()

    def leaves(self, worker: _Worker) -> bool:
        """Whether this one is not needed any more; asked after each answer."""
        if len(self._all) <= self._wanted:
            return False
        with self._lock:
            if len(self._all) <= self._wanted:
                return False
            self._all.remove(worker)
            return True

    def _replace(self) -> None:
        self._wanted = min(self._most, FREE + self._held + self._late)
        while len(self._all) < self._wanted:
            worker = _Worker(self)
            self._all.add(worker)
            threading.Thread(target=worker.work, name="worker", daemon=True).start()


class _Worker:
    """One thread; entered by its answer for as long as that only waits."""

    def __init__(self, house: Workers) -> None:
        self._house = house
        self._request: object = None
        self._seen: object = None
        self._waits = False

    def work(self) -> None:
        house, next_request = self._house, self._house.requests.get
        while True:
            proto, scope = self._request = next_request()
            try:
                house.answer(proto, scope, self)
            except Exception:
                traceback.print_exc(file=sys.stderr)
                proto.response_bytes(500, [], b"")  # nothing happens if an answer has begun
            del proto, scope
            self._request = None
            if house.leaves(self):
                return

    def is_late(self) -> bool:
        """Whether it has been at the same request since this was last asked, and not as one that waits."""
        before, self._seen = self._seen, self._request
        return self._seen is not None and self._seen is before and not self._waits

    def __enter__(self) -> None:
        self._waits = True
        self._house.held(+1)

    def __exit__(self, *_: object) -> None:
        self._waits = False
        self._house.held(-1)
