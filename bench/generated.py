"""A generated world of 100,000 threads: its memory, new sandboxes in it, resets, and state in and out."""

from __future__ import annotations

import time
from functools import cache
from itertools import count
from typing import Any

from bench.load import Client, client
from bench.rows import Effort, NotAvailable, Result, at, row
from bench.servers import memory, mock

MESSAGES = 1_000_000
WORLD = ("--generate", "threads=100000,messages=10,spaces=20")
SMALLER = ("--generate", "threads=10000,messages=10,spaces=20", "--max-body-bytes", "1000000000")
"""100,000 messages; its export fits into a request."""
TRIES = 200


def _at_rest(*flags: str) -> float:
    with mock(*flags) as server:
        time.sleep(1)
        return memory(server.pid)


@row(
    "bytes-a-message",
    "memory for 100,000 threads with 10 messages each, the search's index apart",
    "under 1 KB a message",
)
def bytes_a_message(_: Effort) -> Result:
    """PSS of a mock with that world, less that of a mock with nothing; everything else counts as messages."""
    empty, full = _at_rest("--scenario", "empty"), _at_rest(*WORLD)
    each = (full - empty) * 2**20 / MESSAGES
    return Result(f"{each:.0f} bytes", each < 1024, {"mib": {"empty": empty, "full": full}, "bytes": each})


_numbers = count()


def _new_sandbox(one: Client, space: str, thread: str) -> float:
    """Milliseconds of a sandbox's creation and the first write in it, as two requests."""
    name = f"bench-{next(_numbers)}"
    made = one.milliseconds("POST", "/__admin/sandboxes", {"id": name})
    path = f"/v1/spaces/{space}/threads/{thread}"
    written = one.milliseconds("POST", path, X_Mock_Sandbox=name)
    one.must("DELETE", f"/__admin/sandboxes/{name}")
    return made + written


def _fork(one: Client) -> float:
    name = f"bench-{next(_numbers)}"
    took = one.milliseconds("POST", "/__admin/sandboxes/default/fork", {"id": name})
    one.must("DELETE", f"/__admin/sandboxes/{name}")
    return took


@cache
def _sandboxes() -> dict[str, list[float]]:
    """Milliseconds of new sandboxes with their first write, of resets after a write, and of forks."""
    with mock(*WORLD) as server, client(server.url) as one:
        space = one.must("GET", "/v1/spaces/?organization_id=org_abc123&limit=1")["spaces"][0]["id"]
        thread = one.must("GET", "/v1/threads?limit=1")["data"][0]["id"]
        path = f"/v1/spaces/{space}/threads/{thread}"
        taken: dict[str, list[float]] = {"new": [], "reset": [], "fork": []}
        for _ in range(TRIES):
            taken["new"].append(_new_sandbox(one, space, thread))
            one.must("POST", path, X_Mock_Sandbox="written")
            taken["reset"].append(one.milliseconds("POST", "/__admin/reset", X_Mock_Sandbox="written"))
            taken["fork"].append(_fork(one))
    return taken


def _told(taken: list[float]) -> Result:
    median, p99 = at(0.5, taken), at(0.99, taken)
    words = f"{median:.2f} ms; p99 {p99:.2f} ms"
    return Result(words, median < 2 and p99 < 5, {"milliseconds": {"median": median, "p99": p99}})


@row(
    "new-sandbox",
    "new sandbox from that world, its first write included (two requests)",
    "under 2 ms; p99 under 5 ms",
)
def new_sandbox(_: Effort) -> Result:
    """From the request's first byte to the answer's last."""
    return _told(_sandboxes()["new"])


@row("reset", "reset of a sandbox of that world after a write", "under 2 ms; p99 under 5 ms")
def reset(_: Effort) -> Result:
    """Likewise."""
    return _told(_sandboxes()["reset"])


@row("fork", "fork of a sandbox of that world", "(none)")
def fork(_: Effort) -> Result:
    """Likewise."""
    return _told(_sandboxes()["fork"])._replace(met=None)


@row("export-import", "export and import of 100,000 messages", "(none)")
def export_import(_: Effort) -> Result:
    """The export is imported again, as it came."""
    with mock(*SMALLER) as server, client(server.url) as one:
        started = time.perf_counter()
        status, state = one.ask("GET", "/__admin/state")
        exported = time.perf_counter() - started
        if status != 200:
            raise NotAvailable(f"GET /__admin/state answers {status}")
        imported = one.milliseconds("PUT", "/__admin/state", state) / 1000
    numbers: dict[str, Any] = {"seconds": {"export": exported, "import": imported}, "bytes": len(state)}
    return Result(f"{exported:.2f} s, {len(state) / 1e6:.0f} MB; {imported:.2f} s", None, numbers)
