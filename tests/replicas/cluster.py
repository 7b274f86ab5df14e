"""A Redis and replicas of the mock, on loopback, for tests that stop and kill them."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis

from mockserver.client.child import Child
from tests.running import ROOT, eventually

KEY = {"X-API-Key": "ak_demo_owner"}
TOKEN = "a-token-of-replicas"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisServer:
    """A Redis that a test may stop, kill and start again."""

    def __init__(self, folder: Path, fsync: str) -> None:
        self._folder, self._fsync, self.port = folder, fsync, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client: Any = Redis(port=self.port, decode_responses=True)
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        options += ["--appendonly", "yes", "--appendfsync", self._fsync, "--loglevel", "warning"]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)

        def answers() -> bool:
            try:
                return bool(self.client.ping())
            except Exception:
                return False

        assert eventually(answers)

    def end(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()

    def log(self, sandbox: str) -> list[str]:
        """Entries of a sandbox's log."""
        return [fields["entry"] for _, fields in self.client.xrange(f"freddy:sandbox:{sandbox}:log")]


class Replica:
    """A replica that a test may stop and kill."""

    def __init__(self, store: str, *flags: str, **environment: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        flags = ("--port", str(port), "--store", store, "--advertise", self.url, *flags)
        clean = {"PATH": "/usr/bin:/bin", "MOCK_REPLICA_TOKEN": TOKEN, **environment}
        self.child = Child(*flags, "--quiet", cwd=ROOT, env=clean)
        assert self.child.ready is not None
        self.session = requests.Session()

    def call(self, method: str, path: str, sandbox: str = "s", **options: Any) -> requests.Response:
        headers = {**KEY, "X-Mock-Sandbox": sandbox, **options.pop("headers", {})}
        return self.session.request(method, self.url + path, headers=headers, timeout=10, **options)

    def create(self, sandbox: str = "s", name: str = "x") -> requests.Response:
        """Create a space."""
        body = {"name": name, "organization_id": "org_abc123"}
        return self.call("POST", "/v1/spaces", sandbox, json=body)

    def names(self, sandbox: str = "s") -> requests.Response:
        """List spaces."""
        return self.call("GET", "/v1/spaces?organization_id=org_abc123&limit=100", sandbox)

    def signal(self, number: int) -> None:
        self.child.process.send_signal(number)

    def end(self) -> None:
        self.session.close()
        self.child.process.kill()
        self.child.end()


class Cluster:
    """A Redis and its replicas."""

    def __init__(self, stack: ExitStack, folder: Path, fsync: str) -> None:
        self._stack = stack
        self.redis = RedisServer(folder, fsync)
        stack.callback(self.redis.end)

    def replica(self, *flags: str, **environment: str) -> Replica:
        made = Replica(self.redis.url, *flags, **environment)
        self._stack.callback(made.end)
        return made


@contextmanager
def cluster(fsync: str = "always") -> Iterator[Cluster]:
    """A Redis, in a folder of its own; `fsync`: when it flushes what it has taken to the disk."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        yield Cluster(stack, Path(folder), fsync)


def wait(seconds: float) -> None:
    """Wait for a lease to end."""
    time.sleep(seconds)


STOP, CONTINUE, KILL, END = signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL, signal.SIGTERM
