"""Summary of an exchange, and its line on stderr."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import UnsupportedOperation
from time import perf_counter
from typing import Any, TextIO, TypeAlias

import orjson

from mockserver.http.calls import Grant
from mockserver.http.problems import SpecViolation
from mockserver.http.wall_time import wall_time

WAITING_LINES = 10_000
"""Most lines buffered while nobody reads stderr; older ones are dropped, and counted."""
BATCH_SECONDS = 0.01
"""Seconds for which lines are collected before they are written together."""
PROBES = frozenset(("health", "ready"))
"""Operations that a supervisor calls every few seconds."""
FLUSH_SECONDS = 0.3
"""Most seconds that the last lines get on shutdown."""


@dataclass(slots=True, eq=False)
class Exchange:
    """Summary of a request and its answer; without headers, body and query, so without secrets."""

    method: str
    path: str
    sandbox: str = "-"
    operation: str = "-"
    caller: str = "-"
    status: int = 0
    reason: str = ""
    """Reason for a refusal or failure."""
    rule: str = ""
    """What decided it: the `rule` of a Problem."""
    code: str = ""
    """Error code, if a problem was answered."""
    record: str = ""
    """Id of the record that a refusal is about."""
    grants: list[Grant] = field(default_factory=list)
    """Access decisions, in order."""
    fault: str = ""
    """Injected fault."""
    ended: str = ""
    """How it ended: complete, cut, client, stopped or failed (as in admin.yaml); empty while open."""
    violations: tuple[Mapping[str, Any], ...] = ()
    """Violations of the spec in the answer."""
    source: str = "state"
    """Origin of the answer: state, fault, example, generated or extension."""
    instant: int = 0
    """Microseconds by the sandbox's clock: instant of its transaction, or of its arrival without one.

    What is sent later, by a stream or after a wait, belongs to the same instant.
    """
    secrets: Sequence[str] = ()
    """Credentials that only the served document says are some."""
    started: float = field(default_factory=perf_counter)
    milliseconds: float = 0.0

    def refused(self, rule: str, code: str, reason: str, record: str = "") -> None:
        """Record the reason of a refusal; `reason` is safe for headers."""
        self.rule, self.code, self.reason, self.record = rule, code, reason, record

    def note(self, error: BaseException) -> None:
        """Record the violation, if `error` is one."""
        if isinstance(error, SpecViolation):
            self.violations = (*self.violations, error.details)

    def stop_watch(self) -> None:
        """Record the duration."""
        self.milliseconds = (perf_counter() - self.started) * 1000


Line: TypeAlias = tuple[Exchange, Callable[[], str]]
"""Exchange, and a function that returns its query as it may be shown."""


class RequestLog:
    """One line for each exchange, written by a separate thread.

    A client that stops reading stderr (a test that never drains its pipe) must not block the mock. Lines are
    collected for a short time and written together: waking the writer for each would cost more than the line.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False, probes: bool = False) -> None:
        """`probes`: whether health probes that succeed are logged."""
        self._stream = stream or sys.stderr
        self._json = not self._stream.isatty()
        self._quiet = quiet
        self._probes = probes
        self._waiting: deque[Line | str] = deque(maxlen=WAITING_LINES)
        self._dropped = 0
        self._lock = threading.Lock()
        self._wake, self._hurry, self._idle = threading.Event(), threading.Event(), threading.Event()
        self._idle.set()
        self._writer: threading.Thread | None = None

    def exchange(self, exchange: Exchange, query: Callable[[], str] = str) -> None:
        """Log an exchange, unless quiet or a health probe that succeeded; `query`: as it may be shown."""
        is_probe = exchange.operation in PROBES and exchange.status < 400
        if not self._quiet and (self._probes or not is_probe):
            self._enqueue((exchange, query))

    def notice(self, text: str) -> None:
        """Log a notice for the user, even if quiet."""
        self._enqueue(json.dumps({"notice": text}) if self._json else f"mockserver: {text}")

    def failure(self, error: BaseException, exchange: Exchange, masked: Callable[[str], str]) -> None:
        """Log a failure of the mock with its traceback, even if quiet."""
        text = masked("".join(traceback.format_exception(error)).rstrip())
        about = {"error": masked(str(error)), "operation": exchange.operation, "traceback": text}
        self._enqueue(json.dumps(about) if self._json else text)

    def flush(self) -> None:
        """Wait for the lines to be written, for a short time: perhaps nobody reads."""
        self._hurry.set()
        self._idle.wait(FLUSH_SECONDS)
        self._hurry.clear()

    def _enqueue(self, entry: Line | str) -> None:
        with self._lock:
            self._dropped += len(self._waiting) == WAITING_LINES
            self._waiting.append(entry)
            if not self._wake.is_set():
                self._idle.clear()
                self._wake.set()
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="request-log", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        while True:
            self._wake.wait()
            self._hurry.wait(BATCH_SECONDS)
            with self._lock:
                self._wake.clear()
                taken, dropped = [*self._waiting], self._dropped
                self._waiting.clear()
                self._dropped = 0
            self._write_lines(taken, dropped)
            with self._lock:
                if not self._waiting:
                    self._idle.set()

    def _write_lines(self, taken: list[Line | str], dropped: int) -> None:
        as_line = _as_json if self._json else _as_text
        lines = [entry if isinstance(entry, str) else as_line(entry[0], entry[1]()) for entry in taken]
        if dropped:
            note = "lines were dropped because stderr was not read"
            lines.insert(0, json.dumps({"dropped": dropped, "reason": note}))
        if lines:
            with suppress(OSError, ValueError):  # stderr is closed
                _put(self._stream, "\n".join(lines) + "\n")


def _put(stream: TextIO, text: str) -> None:
    """Write past the stream's buffer, if it is a file: its lock could block the exit of the process."""
    try:
        file = stream.fileno()
    except UnsupportedOperation:
        stream.write(text)
        return
    data = text.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(file, data) :]


def _as_json(exchange: Exchange, query: str) -> str:
    entry = {
        "time": wall_time(exchange.started),
        "status": exchange.status,
        "operation": exchange.operation,
        "sandbox": exchange.sandbox,
        "caller": exchange.caller,
        "ms": round(exchange.milliseconds, 2),
        "method": exchange.method,
        "path": exchange.path,
    }
    if query:
        entry["query"] = query
    if exchange.fault:
        entry["fault"] = exchange.fault
    if exchange.reason:
        entry["reason"] = exchange.reason
    if exchange.violations:
        entry["violations"] = len(exchange.violations)
    return orjson.dumps(entry).decode()


def _as_text(exchange: Exchange, query: str) -> str:
    line = (
        f"{wall_time(exchange.started)[11:23]} {exchange.status} {exchange.operation:<24} "
        f"{exchange.sandbox} {exchange.caller} {exchange.milliseconds:.1f} ms  "
        f"{exchange.method} {exchange.path}{'?' if query else ''}{query}"
    )
    if exchange.fault:
        line += f"  fault: {exchange.fault}"
    if exchange.violations:
        line += f"  violations: {len(exchange.violations)}"
    return f"{line}  ({exchange.reason})" if exchange.reason else line
