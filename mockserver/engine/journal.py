"""What was asked and answered: one exchange, and its line on stderr."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import UnsupportedOperation
from typing import TextIO

import orjson

WAITING_LINES = 10_000
"""Lines kept while nobody reads stderr; older ones are dropped, and the drop is told."""
PATIENCE = 0.3
"""Seconds that the last lines get to be written when the mock ends."""


@dataclass(slots=True)
class Exchange:
    """One request and its answer; never a header, a body or a query, so never a secret."""

    method: str
    path: str
    sandbox: str = "-"
    operation: str = "-"
    caller: str = "-"
    status: int = 0
    reason: str = ""
    milliseconds: float = 0.0


class RequestLog:
    """One line for each exchange, written by a thread of its own.

    A reader that stops reading our stderr (a test that never drains its pipe) must not stop the mock.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._json = not self._stream.isatty()
        self._quiet = quiet
        self._lines: deque[str] = deque(maxlen=WAITING_LINES)
        self._dropped = 0
        self._changed = threading.Condition()
        self._writer: threading.Thread | None = None
        self._writing = False

    def exchange(self, exchange: Exchange) -> None:
        """Log one exchange, unless quiet."""
        if not self._quiet:
            self._say(_as_json(exchange) if self._json else _as_text(exchange))

    def failure(self, error: BaseException, exchange: Exchange, masked: Callable[[str], str]) -> None:
        """Log a failure of our own with its traceback, quiet or not."""
        text = masked("".join(traceback.format_exception(error)).rstrip())
        about = {"error": masked(str(error)), "operation": exchange.operation, "traceback": text}
        self._say(json.dumps(about) if self._json else text)

    def flush(self) -> None:
        """Wait until everything is written, but not long: perhaps nobody reads."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lines and not self._writing, PATIENCE)

    def _say(self, line: str) -> None:
        with self._changed:
            if len(self._lines) == WAITING_LINES:
                self._dropped += 1
            self._lines.append(line)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="request-log", daemon=True)
                self._writer.start()
            self._changed.notify()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines)
                self._writing = True
                lines = [*self._lines]
                self._lines.clear()
                if self._dropped:
                    note = "lines were dropped: nobody read stderr"
                    lines.insert(0, json.dumps({"dropped": self._dropped, "reason": note}))
                    self._dropped = 0
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
    if exchange.reason:
        entry["reason"] = exchange.reason
    return orjson.dumps(entry).decode()


def _as_text(exchange: Exchange) -> str:
    line = (
        f"{exchange.status} {exchange.operation:<24} {exchange.sandbox} {exchange.caller} "
        f"{exchange.milliseconds:.1f} ms  {exchange.method} {exchange.path}"
    )
    return f"{line}  ({exchange.reason})" if exchange.reason else line
