"""What was asked and answered: one exchange, and its line on stderr."""

from __future__ import annotations

import io
import sys
import threading
import traceback
from collections import deque
from dataclasses import dataclass
from typing import TextIO

import orjson

WAITING_LINES = 10_000
"""Lines kept while nobody reads stderr; older ones are dropped, and the drop is told."""


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
        self._wake = threading.Event()
        self._writer: threading.Thread | None = None

    def exchange(self, exchange: Exchange) -> None:
        """Log one exchange, unless quiet."""
        if not self._quiet:
            self._say(_as_json(exchange) if self._json else _as_text(exchange))

    def failure(self, error: BaseException, exchange: Exchange) -> None:
        """Log a failure of our own with its traceback, quiet or not."""
        text = io.StringIO()
        traceback.print_exception(error, file=text)
        about = {"error": str(error), "operation": exchange.operation, "traceback": text.getvalue()}
        self._say(orjson.dumps(about).decode() if self._json else text.getvalue().rstrip())

    def _say(self, line: str) -> None:
        if len(self._lines) == WAITING_LINES:
            self._dropped += 1
        self._lines.append(line)
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="request-log", daemon=True)
            self._writer.start()
        self._wake.set()

    def _write(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        if self._dropped:
            lines.append(f"({self._dropped} lines dropped: nobody read stderr)")
            self._dropped = 0
        if lines:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()


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
