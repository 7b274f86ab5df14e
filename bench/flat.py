"""Whether the mock's memory stays flat: under many requests, and under many short-lived sandboxes.

Run by hand: `make bench-flat`. Requests are WSGI calls within this process, each as a server would make it,
then some over HTTP. It also weighs an entry of the journal against what the budget takes it for, and compares
the time of a request with the journal on and off.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import re
import statistics
import time
import tracemalloc
from pathlib import Path
from typing import Any

from bench.load import PAGE, load
from bench.servers import memory, mock
from mockserver.app import MockServer, create_app
from mockserver.journal.journal import OVERHEAD
from mockserver.settings import Settings

KEY = "ak_demo_owner"
PATHS = ("/v1/spaces/space_team/threads", "/v1/threads", "/v1/spaces/space_abc123", "/v1/spaces/")
HEADERS = {
    "HTTP_HOST": "127.0.0.1:4010",
    "HTTP_USER_AGENT": "bench/1 (a client with a name of the usual length)",
    "HTTP_ACCEPT": "application/json, text/plain, */*",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9,de;q=0.8",
    "HTTP_X_API_KEY": KEY,
    "HTTP_CONNECTION": "keep-alive",
}


def rss() -> float:
    """MiB that this process holds."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def asked(app: MockServer, number: int, sandbox: str = "") -> None:
    """One request with strings of its own, as a server makes them."""
    path = PATHS[number % len(PATHS)]
    environ: dict[str, Any] = {name: value + str(number)[:0] for name, value in HEADERS.items()}
    environ |= {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": f"organization_id=org_abc123&limit=20&number={number}",
        "wsgi.input": io.BytesIO(b""),
        "HTTP_X_NUMBER": f"number {number}",
    }
    if sandbox:
        environ["HTTP_X_MOCK_SANDBOX"] = sandbox
    for _ in app.wsgi_app(environ, lambda *_: _nothing):
        ...


def _nothing(_data: bytes) -> object:
    return None


def weighed(entries: int) -> float:
    """Bytes that an entry takes besides its texts."""
    app = create_app(Settings(quiet=True, journal_entries=entries, journal_mb=1024))
    for number in range(100):
        asked(app, number)
    journal = app.sandboxes.get().journal
    journal.reset()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(entries):
        asked(app, number)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    texts = journal.bytes - OVERHEAD * entries
    return (after - before - texts) / entries


def cost(rounds: int = 15, each: int = 300) -> dict[str, float]:
    """Microseconds of a request with the journal on and off, in turns; medians."""
    apps = {n: create_app(Settings(quiet=True, journal_entries=n)) for n in (1000, 0)}
    times: dict[int, list[float]] = {n: [] for n in apps}
    for _ in range(rounds):
        for n, app in apps.items():
            started = time.perf_counter()
            for number in range(each):
                asked(app, number)
            times[n].append((time.perf_counter() - started) / each * 1e6)
    return {"on": statistics.median(times[1000]), "off": statistics.median(times[0])}


def flat(app: MockServer, requests: int, sandboxes: int, parts: int) -> list[tuple[str, float]]:
    """MiB after each part of the requests, and of the sandboxes with three requests each."""
    found = [("at rest", rss())]
    for part in range(1, parts + 1):
        for number in range(requests // parts):
            asked(app, number)
        found.append((f"{part * requests // parts:,} requests", rss()))
    for part in range(1, parts + 1):
        for number in range(sandboxes // parts):
            for _ in range(3):
                asked(app, number, sandbox=f"s-{part}-{number}")
        found.append((f"{part * sandboxes // parts:,} sandboxes", rss()))
    return found


def over_http(seconds: int) -> list[tuple[str, float]]:
    """The same of a mock in a process of its own, under load."""
    with mock("--quiet") as (pid, url):
        found = [("over HTTP, at rest", memory(pid))]
        done = 0.0
        for _ in range(4):
            done += load(url, PAGE, 16, seconds).per_second * seconds
            found.append((f"over HTTP, {done:,.0f} requests", memory(pid)))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--sandboxes", type=int, default=10_000)
    parser.add_argument("--parts", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    given = parser.parse_args()
    started = time.perf_counter()
    print(f"an entry takes {weighed(2000):,.0f} bytes besides its texts; the budget counts {OVERHEAD:,}")
    times = cost()
    ratio = times["on"] / times["off"]
    print(f"a request takes {times['on']:.0f} µs with the journal, {times['off']:.0f} without: {ratio:.3f}")
    app = create_app(Settings(quiet=True))
    found = flat(app, given.requests, given.sandboxes, given.parts) + over_http(given.seconds)
    for name, size in found:
        print(f"{name:34}{size:>8.1f} MiB")
    print(f"\n{time.perf_counter() - started:.0f} s", json.dumps(dict(found)), sep="\n\n")


if __name__ == "__main__":
    main()
