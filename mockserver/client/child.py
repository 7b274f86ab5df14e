"""A mock in a process of its own, on a free port."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PATIENCE = 5.0
"""Seconds that a mock gets to end before it is killed."""


class Child:
    """Started with these flags of `serve`; `options` are those of Popen."""

    def __init__(self, *flags: str, **options: Any) -> None:
        command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, **options)  # noqa: S603 - our own
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.ready: dict[str, Any] | None = json.loads(line) if line else None
        """What the mock says once it answers: url, port, pid, …; None if it did not start."""

    def end(self) -> None:
        """Wait until it has ended."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
