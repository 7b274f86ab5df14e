"""Cold start, and memory before any load, beside Prism."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from bench import peers
from bench.rows import Effort, NotAvailable, Result, row, spread
from bench.servers import cold_start, free_port, holds, memory, mock, mock_command

STARTS = 6
LAZY = ("faker",)
"""What the mock must not import before it is needed."""


@row("cold-start", "process spawn to the first 200, .pyc warm", "half of Prism's at the most, under 0.8 s")
def cold(_effort: Effort) -> Result:
    """By turns; the first start of each writes caches and does not count."""
    ours: list[float] = []
    theirs: list[float] = []
    with peers.prepared() as (spec, _answer):
        for _ in range(STARTS):
            port, other = free_port(), free_port()
            ours.append(cold_start(mock_command("--port", str(port)), port))
            theirs.append(cold_start(peers.PEERS["Prism"].serving(spec, other), other))
    mine, prism = spread(ours[1:]), spread(theirs[1:])
    ratio = mine.median / prism.median
    words = f"{mine.median / 1000:.2f} s, {ratio:.2f} of Prism's {prism.median / 1000:.2f} s"
    numbers = {"milliseconds": {"mock": mine._asdict(), "Prism": prism._asdict()}}
    return Result(words, ratio <= 0.5 and mine.median < 800, numbers)


@cache
def _peer(name: str) -> float:
    with peers.prepared() as (spec, _), peers.serving(name, spec) as server:
        time.sleep(1)
        return memory(server.pid)


@row(
    "memory-at-rest",
    "memory before load, PSS over the process tree",
    "under half of Prism's; Faker not imported",
)
def at_rest(_: Effort) -> Result:
    """After the first answer, and a second of rest."""
    with mock() as server:
        time.sleep(1)
        ours = memory(server.pid)
        early = [module for module in LAZY if holds(server.pid, module)]
    mib: dict[str, Any] = {"mock": ours}
    for name in peers.PEERS:
        try:
            mib[name] = _peer(name)
        except NotAvailable as error:
            mib[name] = str(error)
    if isinstance(mib["Prism"], str):
        raise NotAvailable(f"the mock takes {ours:.0f} MiB; Prism: {mib['Prism']}")
    ratio = ours / mib["Prism"]
    words = f"{ours:.0f} MiB, {ratio:.2f} of Prism's {mib['Prism']:.0f} MiB"
    words += f"; already imported: {', '.join(early)}" if early else ""
    return Result(words, ratio < 0.5 and not early, {"mib": mib, "imported": early})
