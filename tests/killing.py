"""A mock that is killed at random moments, and clients that know what they were told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from tests.killing_clients import CLIENTS, Worker
from tests.killing_known import Client, Known
from tests.running import FROZEN, ROOT

PROGRAM = (
    "import sys; from mockserver.persistence import kept_sandbox; kept_sandbox.SMALLEST = 30_000; "
    "from mockserver.__main__ import main; sys.argv[0] = 'mockserver'; main()"
)
"""The mock, with snapshots of small logs, too."""


class Served:
    """One process of the mock over the directory."""

    def __init__(self, folder: Path, *flags: str) -> None:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))
        }
        command = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--quiet", "--freeze", FROZEN]
        self.process = subprocess.Popen(
            [*command, "--persist", str(folder), *flags],
            cwd=ROOT,
            env=clean,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.said()
        self.port: int = json.loads(line)["port"]

    def end(self, number: int) -> str:
        """End it with a signal: what it has said."""
        self.process.send_signal(number)
        return self.said()

    def said(self) -> str:
        """What it said on stderr, after it has ended."""
        _, errors = self.process.communicate(timeout=60)
        return errors.decode()


class Killing:
    """Sixteen clients, of which twelve share four sandboxes."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self._dice = folder, Random(seed)
        shared = [Known(f"shared-{number}") for number in range(4)]
        self._alone = [Known(f"alone-{number}") for number in range(4)]
        self._known = [*shared, *self._alone]
        self.calls = 0
        self.ready_seconds: list[float] = []

    def start(self) -> None:
        """Make the sandboxes: one thing in each, so that its start is empty but for the scenario."""
        served = Served(self.folder)
        ask = Client(served.port, "default")
        for known in self._known:
            ask("POST", "/__admin/sandboxes", {"id": known.name, "scenario": "empty"})
            known.view = Client(served.port, known.name).view()
        served.end(signal.SIGTERM)

    def round(self, number: int = signal.SIGKILL) -> list[str]:
        """Start, let the clients work, kill it, start again: what was lost or invented."""
        served = Served(self.folder)
        workers = [
            Worker(served.port, known, self._dice.randrange(10**9), place, alone=known in self._alone)
            for known in self._known
            for place in range(1 if known in self._alone else CLIENTS)
        ]
        for worker in workers:
            worker.start()
        time.sleep(self._dice.uniform(0.02, 0.8))
        said = served.end(number)
        for worker in workers:
            worker.join(60)
        wrong = [f"{worker.failure!r}" for worker in workers if worker.failure is not None]
        self.calls += sum(worker.calls for worker in workers)
        begun = time.perf_counter()
        again = Served(self.folder)
        self.ready_seconds.append(time.perf_counter() - begun)
        for known in self._known:
            wrong += known.differences(Client(again.port, known.name).view())
        # What it said when it recovered, and whether anything was set aside.
        more = again.end(signal.SIGTERM if self._dice.random() < 0.3 else signal.SIGKILL)
        return [*wrong, *(line for line in (said + more).splitlines() if "recovered" in line)]
