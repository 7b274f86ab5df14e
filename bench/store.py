"""What --store costs.

Run by hand: `.venv/bin/python -m bench.store [socket|forwarded|redis|rates]`.

- `socket`: an added and removed thread by one client, with and without the store
- `forwarded`: a listing that the owner answers, and one that it answers for another replica
- `redis`: bytes that Redis holds for a sandbox
- `rates`: listings per second of 1, 2 and 3 replicas, each client at the owner of its sandboxes, and of one
  mock that is bound to one core
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.persist import LINK, Socket, compared
from tests.replicas.cluster import Cluster, Replica, cluster

SANDBOXES = 16
SECONDS = 8
LIST = "/v1/spaces/space_abc123/threads?limit=20"
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")


class _Client(Socket):
    """One client of a replica."""

    def __init__(self, replica: Replica) -> None:
        self.child = replica.child
        super().connect(int(replica.url.rpartition(":")[2]))


def socket(made: Cluster) -> None:
    """A write by one client over a socket."""
    plain, kept = Socket(), _Client(made.replica())
    compared("a write over a socket", plain.ask, kept.ask)
    plain.end()


def forwarded(made: Cluster) -> None:
    """A listing, at the owner and at another replica."""
    owner, other = _Client(made.replica()), _Client(made.replica())

    def ask(client: _Client, method: str) -> Callable[[str], Any]:
        return lambda _: client.ask(method, LIST, sandbox="mine")

    owner.ask("GET", LIST, sandbox="mine")
    compared("a listing passed on", ask(owner, "GET"), ask(other, "GET"))
    compared(
        "a write passed on",
        lambda method: owner.ask(method, LINK, sandbox="mine"),
        lambda method: other.ask(method, LINK, sandbox="mine"),
    )


def redis(made: Cluster) -> None:
    """Bytes of a sandbox in Redis, new and after 100 writes."""
    client, store = _Client(made.replica()), made.redis.client

    def size(pattern: str) -> int:
        return sum(store.memory_usage(key, samples=0) for key in store.keys(f"freddy:{pattern}"))

    client.ask("GET", LIST, sandbox="one")
    print(f"a sandbox that was only read: {size('sandbox:one:*'):,} bytes")
    for _ in range(50):
        client.ask("POST", LINK, sandbox="one")
        client.ask("DELETE", LINK, sandbox="one")
    print(f"after 100 writes: {size('sandbox:one:*'):,} bytes")
    print(f"the state that all start from: {size('state:*'):,} bytes")
    print(f"it expires in {store.ttl('freddy:sandbox:one:owner'):,} seconds")


def _rate(urls: list[str]) -> float:
    """Requests per second of mocks, each of which is asked about its own sandboxes."""
    script, children = str(Path(__file__).parent / "many.lua"), []
    for number, url in enumerate(urls):
        names = [f"{len(urls)}-{number}-{each}" for each in range(SANDBOXES // len(urls))]
        command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", script, url, "--", *names]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    said = [child.communicate()[0] for child in children]
    assert not any("Non-2xx" in text for text in said), said
    return sum(float(found[1]) for text in said if (found := RATE.search(text)))


def _bind(process: int, core: int) -> None:
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def rates(made: Cluster) -> None:
    """Requests per second; replicas are bound to the cores in turn."""
    cores, plain = sorted(os.sched_getaffinity(0)), Socket()
    replicas = [made.replica() for _ in range(3)]
    _bind(plain.child.process.pid, cores[0])
    for number, replica in enumerate(replicas):
        _bind(replica.child.process.pid, cores[number % len(cores)])
    assert plain.child.ready is not None
    sides = {"one mock": [plain.child.ready["url"]]}
    sides |= {f"{count} replicas": [each.url for each in replicas[:count]] for count in (1, 2, 3)}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(3):
        for name, urls in sides.items():
            found[name].append(_rate(urls))
    base = statistics.median(found["one mock"])
    for name, values in found.items():
        rate = statistics.median(values)
        print(f"{name}: {rate:,.0f} requests/s, {rate / base:.2f} times")
    plain.end()


def main() -> None:
    """Run the parts that are named, or all."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parts = {"socket": socket, "forwarded": forwarded, "redis": redis, "rates": rates}
    parser.add_argument("parts", nargs="*", choices=[*parts, []])
    for name in parser.parse_args().parts or parts:
        with cluster("everysec") as made:
            parts[name](made)


if __name__ == "__main__":
    main()
