"""A mock in a child process, on a free port."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SHUTDOWN_SECONDS = 5.0
"""Seconds to wait on shutdown before the process is killed."""


class Child:
    """Child process with these flags of `serve`; `options` are those of Popen."""

    def __init__(self, *flags: str, **options: Any) -> None:
        command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, **options)  # noqa: S603 - our own
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.ready: dict[str, Any] | None = json.loads(line) if line else None
        """First line of the mock: url, port, pid, …; None if it did not start."""

    def end(self) -> None:
        """End the process and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
