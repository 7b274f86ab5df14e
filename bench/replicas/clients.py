"""Clients of the replicas: each reads and writes the name of a space, in sandboxes that others use, too."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.replicas.history import INITIAL, LOST, History, Operation
from bench.replicas.processes import Replica

PATH = "/v1/spaces/space_abc123"
HEADERS = {"X-API-Key": "ak_demo_owner", "Content-Type": "application/json"}
TIMEOUT = 10.0
PAUSE = 0.02
"""Longest pause between two calls: without any, calls of a register would always overlap."""


@dataclass
class Told:
    """What the clients were told, beside the history."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: Counter[str] = field(default_factory=Counter)
    updated: dict[str, str] = field(default_factory=dict)
    """Written value -> updated_at of its answer."""
    slowest: float = 0.0
    """Seconds of the slowest call to a replica that ran all the time."""
    fault: str = ""
    """Fault that goes on, or the last one."""
    slow: list[tuple[float, str, str]] = field(default_factory=list)
    """The slowest so far, in order: seconds, status, fault."""
    late: int = 0
    """Such calls that took more than 2 s."""


class Client(threading.Thread):
    """A thread that calls random replicas until it is stopped."""

    def __init__(
        self, number: int, sandboxes: list[str], replicas: list[Replica], history: History, told: Told
    ) -> None:
        super().__init__(daemon=True)
        self._pick, self._sandboxes, self._replicas = Random(number), sandboxes, replicas
        self._history, self._told = history, told
        self._connections: dict[int, http.client.HTTPConnection] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        """Call, and pause."""
        while not self.stopping.is_set():
            self.call(self._pick.choice(self._replicas), self._pick.choice(self._sandboxes))
            time.sleep(self._pick.random() * PAUSE)

    def call(self, replica: Replica, sandbox: str, *, read: bool | None = None) -> bool:
        """Send one call; whether it was carried out."""
        is_read = self._pick.random() < 0.5 if read is None else read
        value = "" if is_read else self._history.new_value()
        changes, was_up = replica.changes, replica.is_up
        begin = time.monotonic()
        status, body = self._sent(replica, sandbox, value)
        end = time.monotonic()
        self._tell(status, end - begin if was_up and replica.is_up and replica.changes == changes else 0.0)
        if status != "200":
            if not is_read:
                self._history.add(Operation(sandbox, "write", value, begin, LOST))
            return False
        name = str(body["name"])
        if is_read:
            value = name if name.startswith("v-") else INITIAL
        else:
            with self._told.lock:
                self._told.updated[value] = body["updated_at"]
        self._history.add(Operation(sandbox, "read" if is_read else "write", value, begin, end))
        return True

    def close(self) -> None:
        """Close its connections."""
        for connection in self._connections.values():
            connection.close()

    def _sent(self, replica: Replica, sandbox: str, value: str) -> tuple[str, Any]:
        connection = self._connections.get(replica.number)
        if connection is None:
            connection = http.client.HTTPConnection(replica.host, replica.port, timeout=TIMEOUT)
            self._connections[replica.number] = connection
        body = json.dumps({"name": value}).encode() if value else None
        try:
            connection.request(
                "PATCH" if value else "GET", PATH, body, {**HEADERS, "X-Mock-Sandbox": sandbox}
            )
            response = connection.getresponse()
            return str(response.status), json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            self._connections.pop(replica.number, None)
            return type(error).__name__, {}

    def _tell(self, status: str, seconds: float) -> None:
        with self._told.lock:
            self._told.statuses[status] += 1
            if seconds > self._told.slowest:
                self._told.slowest = seconds
                self._told.slow.append((round(seconds, 2), status, self._told.fault))
            self._told.late += seconds > 2.0
