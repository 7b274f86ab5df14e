"""Processes under test: one Redis and several mocks, which can be stopped, killed and cut off."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

TOKEN = "replicas"
SHIFTED = "import time; _t, _n = time.time, time.time_ns; time.time = lambda: _t() + {0}; " + (
    "time.time_ns = lambda: _n() + {0} * 10**9; "
)
"""Real time of a process, so many seconds off."""
MAIN = "import sys; from mockserver.__main__ import main; sys.argv[0] = 'mockserver'; main()"
BRIDGE, NETWORK = "freddybr", "10.77.0"


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


class Redis:
    """A Redis that forgets nothing when it is killed."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.host, self.port, self._folder = host, free_port(host), folder
        self.url = f"redis://{host}:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ["--bind", self.host, "--port", str(self.port), "--dir", str(self._folder), "--save", ""]
        words += ["--appendonly", "yes", "--appendfsync", "always", "--protected-mode", "no"]
        self.process = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL)
        for _ in range(500):
            with suppress(OSError), socket.create_connection((self.host, self.port), 1) as ours:
                ours.sendall(b"PING\r\n")
                if ours.recv(64).startswith(b"+PONG"):
                    return
            time.sleep(0.02)
        raise RuntimeError("redis-server does not answer")

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        self.process.kill()
        self.process.wait()


class Replica:
    """One mock over the store, at an address that it keeps."""

    def __init__(self, number: int, store: str, *, flags: tuple[str, ...], patch: str, netns: bool) -> None:
        self.number, self._patch, self._netns = number, patch, f"freddy{number}" if netns else ""
        self.host = f"{NETWORK}.{10 + number}" if netns else "127.0.0.1"
        self.port = 4010 if netns else free_port()
        self.url = f"http://{self.host}:{self.port}"
        self.is_up, self.changes = False, 0
        """Whether it runs, and how often that has changed."""
        self._flags = ["--store", store, "--advertise", self.url, "--replica-token", TOKEN, *flags]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        within = ["ip", "netns", "exec", self._netns] if self._netns else []
        command = [*within, sys.executable, "-c", self._patch + MAIN, "serve", "--quiet", *self._flags]
        clean = {name: text for name, text in os.environ.items() if not name.startswith("MOCK_")}
        self.process = subprocess.Popen(
            [*command, "--host", self.host, "--port", str(self.port)],
            env={**clean, "MOCK_ADMIN_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise RuntimeError(f"replica {self.number} does not start")
        self._is(up=True)

    def _is(self, *, up: bool) -> None:
        self.is_up, self.changes = up, self.changes + 1

    def pause(self) -> None:
        """Stop it in the middle of whatever it does."""
        self._is(up=False)
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)
        self._is(up=True)

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        self._is(up=False)
        self.process.kill()
        self.process.communicate()

    def end(self) -> None:
        """Ask it to end, and wait for that."""
        self._is(up=False)
        self.process.terminate()
        self.process.communicate(timeout=30)

    def cut(self, store: Redis, *, off: bool) -> None:
        """Drop its packets to the store, or no longer; its clients reach it as before."""
        rule = ["-p", "tcp", "-d", store.host, "--dport", str(store.port), "-j", "DROP"]
        within = ["ip", "netns", "exec", self._netns, "iptables"]
        subprocess.run([*within, "-A" if off else "-D", "OUTPUT", *rule], check=True)


class Cluster:
    """A Redis and its replicas; with `netns` each in a network namespace of its own, which needs root."""

    def __init__(
        self,
        folder: Path,
        count: int,
        *,
        flags: tuple[str, ...] = (),
        patch: str = "",
        shift: int = 0,
        netns: bool = False,
    ) -> None:
        """`patch`: Python that each replica runs first; `shift`: seconds that the last one's clock is off."""
        if not shutil.which("redis-server"):
            raise RuntimeError("redis-server is not installed")
        self.netns, self._count = netns, count
        if netns:
            self._network()
        self.redis = Redis(folder, f"{NETWORK}.1" if netns else "127.0.0.1")
        self.replicas = [
            Replica(
                number,
                self.redis.url,
                flags=flags,
                patch=patch + (SHIFTED.format(shift) if shift and number == count - 1 else ""),
                netns=netns,
            )
            for number in range(count)
        ]

    def _network(self) -> None:
        for line in [
            f"link add {BRIDGE} type bridge",
            f"addr add {NETWORK}.1/24 dev {BRIDGE}",
            f"link set {BRIDGE} up",
            *(
                line.format(n=number, address=f"{NETWORK}.{10 + number}")
                for number in range(self._count)
                for line in (
                    "netns add freddy{n}",
                    "link add freddyv{n} type veth peer name eth0 netns freddy{n}",
                    f"link set freddyv{{n}} master {BRIDGE} up",
                    "-n freddy{n} addr add {address}/24 dev eth0",
                    "-n freddy{n} link set lo up",
                    "-n freddy{n} link set eth0 up",
                )
            ),
        ]:
            subprocess.run(["ip", *line.split()], check=True)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: Any) -> None:
        for process in [*(each.process for each in self.replicas), self.redis.process]:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.communicate()
        if self.netns:
            for number in range(self._count):
                subprocess.run(["ip", "netns", "del", f"freddy{number}"], check=False)
            subprocess.run(["ip", "link", "del", BRIDGE], check=False)
