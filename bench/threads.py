"""How many blocking threads serve both throughput and p99."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from bench import peers
from bench.load import PAGE, Round, load, rounds
from bench.rows import Effort, Result, row, spread
from bench.servers import bare, mock

NUMBERS = (4, 16, 64, 256, 512)


@row("threads", "blocking threads, 4 to 512: the mock and the bare Flask route", "(none)")
def threads(effort: Effort) -> Result:
    """Every number of threads by turns, mock and bare route."""
    with ExitStack() as stack:
        _, answer = stack.enter_context(peers.prepared())
        servers = {}
        for number in NUMBERS:
            for name, server in (
                ("mock", mock("--threads", str(number))),
                ("bare Flask route", bare("flask", answer, number)),
            ):
                url = stack.enter_context(server).url
                servers[f"{name} {number}"] = partial(load, url, PAGE, effort.connections)
        found = rounds(effort._replace(rounds=min(3, effort.rounds), seconds=min(2, effort.seconds)), servers)
    numbers = {
        name: {field: spread([getattr(one, field) for one in each])._asdict() for field in Round._fields}
        for name, each in found.items()
    }
    best = min(NUMBERS, key=lambda number: numbers[f"mock {number}"]["p99_ms"]["median"])
    return Result(f"the mock's p99 is lowest with {best}", None, {"servers": numbers})
