"""A mock in a child process, on a free port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

from mockserver.client import tokens

SHUTDOWN_SECONDS = 30.0
"""Seconds to wait on shutdown before the process is killed; it may have a large state to write."""


class Child:
    """Child process with these flags of `serve`, or of another command; `options` are those of Popen.

    It ends with this process, however that ends. Signals of the terminal, such as Ctrl-C, do not reach it.
    """

    def __init__(self, *flags: str, command: str = "serve", **options: Any) -> None:
        words, hidden = tokens.split(flags)
        line = [sys.executable, "-m", "mockserver", command, "--port", "0", "--end-with-stdin", *words]
        options["env"] = {**options.get("env", os.environ), **hidden}
        self.process = subprocess.Popen(  # noqa: S603 - our own
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            **options,
        )
        os.register_at_fork(after_in_child=self._close)  # else a forked process would keep the mock alive
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        self.ready: dict[str, Any] | None = json.loads(first) if first else None
        """First line of the mock: url, port, pid, …; None if it did not start."""

    def end(self) -> None:
        """End the process and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
