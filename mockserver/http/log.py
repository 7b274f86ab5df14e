"""One exchange in short, and its line on stderr."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import UnsupportedOperation
from time import perf_counter
from typing import Any, TextIO

import orjson

from mockserver.http.problems import SpecViolation

WAITING_LINES = 10_000
"""Lines kept while nobody reads stderr; older ones are dropped, and the drop is told."""
MOMENT = 0.01
"""Seconds in which lines gather before they are written."""
PATIENCE = 0.3
"""Seconds that the last lines get to be written when the mock ends."""


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its answer; never a header, a body or a query, so never a secret."""

    method: str
    path: str
    sandbox: str = "-"
    operation: str = "-"
    caller: str = "-"
    status: int = 0
    reason: str = ""
    """Why it was refused, or failed."""
    rule: str = ""
    """What decided that: a Problem's `rule`."""
    code: str = ""
    """Of the problem, if it was answered with one."""
    fault: str = ""
    """What was ordered to go wrong."""
    violations: tuple[Mapping[str, Any], ...] = ()
    """What in the answer the spec forbids."""
    source: str = "state"
    """Where the answer comes from: state, fault, example or generated."""
    instant: int = 0
    """When it happens, in microseconds by the sandbox's clock: in its transaction, at entry if it has none.

    What is sent later, by a stream or after a wait, belongs to the same instant.
    """
    started: float = field(default_factory=perf_counter)
    milliseconds: float = 0.0

    def refused(self, rule: str, code: str, reason: str) -> None:
        """Note why; `reason` as a header may show it."""
        self.rule, self.code, self.reason = rule, code, reason

    def note(self, error: Exception) -> None:
        """Note what in the answer the document forbids, if that is the failure."""
        if isinstance(error, SpecViolation):
            self.violations = (*self.violations, error.details)

    def stop_watch(self) -> None:
        """Note how long it took."""
        self.milliseconds = (perf_counter() - self.started) * 1000


class RequestLog:
    """One line for each exchange, written by a thread of its own.

    A reader that stops reading our stderr (a test that never drains its pipe) must not stop the mock. The
    writer takes what came in a moment together: to wake it for each line would cost more than the line.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._json = not self._stream.isatty()
        self._quiet = quiet
        self._waiting: deque[Exchange | str] = deque(maxlen=WAITING_LINES)
        self._dropped = 0
        self._lock = threading.Lock()
        self._wake, self._hurry, self._idle = threading.Event(), threading.Event(), threading.Event()
        self._idle.set()
        self._writer: threading.Thread | None = None

    def exchange(self, exchange: Exchange) -> None:
        """Log one exchange, unless quiet."""
        if not self._quiet:
            self._say(exchange)

    def notice(self, text: str) -> None:
        """Log what a user should know, quiet or not."""
        self._say(json.dumps({"notice": text}) if self._json else f"mockserver: {text}")

    def failure(self, error: BaseException, exchange: Exchange, masked: Callable[[str], str]) -> None:
        """Log a failure of our own with its traceback, quiet or not."""
        text = masked("".join(traceback.format_exception(error)).rstrip())
        about = {"error": masked(str(error)), "operation": exchange.operation, "traceback": text}
        self._say(json.dumps(about) if self._json else text)

    def flush(self) -> None:
        """Wait until everything is written, but not long: perhaps nobody reads."""
        self._hurry.set()
        self._idle.wait(PATIENCE)
        self._hurry.clear()

    def _say(self, entry: Exchange | str) -> None:
        with self._lock:
            if self._waiting:
                self._dropped += len(self._waiting) == WAITING_LINES
            else:
                self._idle.clear()
            self._waiting.append(entry)
        if not self._wake.is_set():
            self._wake.set()
            if self._writer is None:
                self._start()

    def _start(self) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="request-log", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        while True:
            self._wake.wait()
            self._hurry.wait(MOMENT)
            self._wake.clear()  # before the lines are taken: what comes later wakes it again
            with self._lock:
                taken, dropped = [*self._waiting], self._dropped
                self._waiting.clear()
                self._dropped = 0
            self._put_down(taken, dropped)
            with self._lock:
                if not self._waiting:
                    self._idle.set()

    def _put_down(self, taken: list[Exchange | str], dropped: int) -> None:
        as_line = _as_json if self._json else _as_text
        lines = [entry if isinstance(entry, str) else as_line(entry) for entry in taken]
        if dropped:
            note = "lines were dropped: nobody read stderr"
            lines.insert(0, json.dumps({"dropped": dropped, "reason": note}))
        if lines:
            with suppress(OSError, ValueError):  # stderr is closed: there is nobody to tell
                _put(self._stream, "\n".join(lines) + "\n")


def _put(stream: TextIO, text: str) -> None:
    """Past the stream's own buffer if it has a file: its lock would keep the process from ending."""
    try:
        file = stream.fileno()
    except UnsupportedOperation:
        stream.write(text)
        return
    data = text.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(file, data) :]


def _as_json(exchange: Exchange) -> str:
    entry = {
        "status": exchange.status,
        "operation": exchange.operation,
        "sandbox": exchange.sandbox,
        "caller": exchange.caller,
        "ms": round(exchange.milliseconds, 2),
        "method": exchange.method,
        "path": exchange.path,
    }
    if exchange.fault:
        entry["fault"] = exchange.fault
    if exchange.reason:
        entry["reason"] = exchange.reason
    return orjson.dumps(entry).decode()


def _as_text(exchange: Exchange) -> str:
    line = (
        f"{exchange.status} {exchange.operation:<24} {exchange.sandbox} {exchange.caller} "
        f"{exchange.milliseconds:.1f} ms  {exchange.method} {exchange.path}"
    )
    if exchange.fault:
        line += f"  fault: {exchange.fault}"
    return f"{line}  ({exchange.reason})" if exchange.reason else line
