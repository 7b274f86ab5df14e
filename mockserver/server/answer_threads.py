"""Threads that answer requests: one runs at a time, and another replaces each one that waits.

Python runs one thread at a time. The more threads are runnable, the longer each waits for its turn: with four
threads, the slowest answers of sixteen busy clients took three times as long as with one.
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
"""Threads that answer, besides those that wait."""
LOOK = 0.05
"""Seconds between two checks for threads that wait without saying so."""

WaitContext = AbstractContextManager[None]
"""Context that an answer enters while it only waits."""
AnswerFunction = Callable[[Any, dict[str, Any], WaitContext], None]


class Workers:
    """Pool of at most `most` threads that call `answer` for each request, in order of arrival."""

    def __init__(
        self, answer: AnswerFunction, most: int, notice: Callable[[str], None] | None = None
    ) -> None:
        """`notice` gets a line if the process can't start so many threads."""
        self.answer = answer
        self.requests: SimpleQueue[tuple[Any, dict[str, Any]]] = SimpleQueue()
        self._most = most
        self._notice = notice
        self._lock = threading.Lock()
        self._all: set[_Worker] = set()
        self._held = 0
        """Threads in a WaitContext."""
        self._late = 0
        """Threads that seem to wait outside of one."""
        self._replace()

    def give(self, proto: Any, scope: dict[str, Any]) -> None:
        """Queue a request; returns at once."""
        self.requests.put((proto, scope))

    def held(self, more: int) -> None:
        """Change the number of waiting threads."""
        with self._lock:
            self._held += more
            self._replace()

    def look(self) -> None:
        """Count threads that still answer the same request as at the last check as waiting.

        If all of them wait, every queued request gets a thread, since any of them may unblock the others.
        """
        with self._lock:
            late = [worker.is_late() for worker in self._all]
            found = sum(late)
            if found and found + self._held >= len(late):
                found += self.requests.qsize()
            self._late = max(found, self._late - 1)
            self._replace()

    def should_end(self, worker: _Worker) -> bool:
        """Whether this thread should end; called after each answer."""
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
            try:
                threading.Thread(target=worker.work, name="worker", daemon=True).start()
            except RuntimeError:  # other processes have used up the limit since the start
                if not self._all:
                    raise
                self._most = self._wanted = len(self._all)
                if self._notice is not None:
                    self._notice(f"no more threads can be started: {self._most} answer requests from now on")
                return
            self._all.add(worker)


class _Worker:
    """One thread, and the WaitContext of its answers."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._request: object = None
        self._seen: object = None
        self._waits = False

    def work(self) -> None:
        workers, next_request = self._workers, self._workers.requests.get
        while True:
            proto, scope = self._request = next_request()
            try:
                workers.answer(proto, scope, self)
            except Exception:
                traceback.print_exc(file=sys.stderr)
                proto.response_bytes(500, [], b"")  # no effect if the answer has begun
            del proto, scope
            self._request = None
            if workers.should_end(self):
                return

    def is_late(self) -> bool:
        """Whether it has been at the same request since the last check, and is not in a WaitContext."""
        before, self._seen = self._seen, self._request
        return self._seen is not None and self._seen is before and not self._waits

    def __enter__(self) -> None:
        self._waits = True
        self._workers.held(+1)

    def __exit__(self, *_: object) -> None:
        self._waits = False
        self._workers.held(-1)
