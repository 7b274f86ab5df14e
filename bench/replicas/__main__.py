"""`python -m bench.replicas`: mocks over one Redis, clients, faults; then both judges, and a result as JSON.

It needs redis-server, and for --netns (connections that are cut off) root. Exit code 1: a violation.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.replicas.clients import Client, Told
from bench.replicas.faults import Faults
from bench.replicas.history import History, Operation
from bench.replicas.linearizable import by_positions, by_search
from bench.replicas.log import LogReader
from bench.replicas.patches import PATCHES, STALL
from bench.replicas.processes import Cluster

SHOWN = 5


def measured(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run clients and faults; what was seen, and the violations."""
    history, told = History(), Told()
    names = [f"s{number}" for number in range(given.sandboxes)]
    patch = (PATCHES[given.without] if given.without else "") + STALL * given.stall
    begun = time.monotonic()
    with Cluster(folder, given.replicas, patch=patch, shift=given.shift, netns=given.netns) as cluster:
        log = LogReader(cluster.redis.url)
        log.start()
        clients = [
            Client(
                number,
                [names[number % len(names)], names[(number // 2) % len(names)]],
                cluster.replicas,
                history,
                told,
            )
            for number in range(given.clients)
        ]
        for client in clients:
            client.start()
        faults = Faults(cluster, given.seed, given.longest, told)
        while history.answers < given.answers and time.monotonic() - begun < given.seconds:
            faults.one()
        faults.heal()
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(30)
        last = [clients[0].call(each, name, read=True) for name in names for each in cluster.replicas]
        for client in clients:
            client.close()
        log.finish()
    registers = history.registers()
    known = {name: log.unexplained(name, each) for name, each in registers.items()}
    violations = {
        "positions": [text for _, each in known.values() for text in by_positions(each, log.positions)],
        "search": [text for each in registers.values() for text in by_search(each)],
        "twice": log.twice,
        "time": list(backwards(told.updated, log.positions, registers)),
    }
    return {
        "seconds": round(time.monotonic() - begun),
        "answers": history.answers,
        "statuses": dict(told.statuses.most_common()),
        "faults": dict(faults.counts),
        "slowest at a running replica, seconds": round(told.slowest, 2),
        "over 2 s": told.late,
        "the slowest": told.slow[-SHOWN:],
        "last reads answered": f"{sum(last)} of {len(last)}",
        "values whose entries were gone before they were read": sum(number for number, _ in known.values()),
        "violations": {name: len(each) for name, each in violations.items()},
        "examples": [text for each in violations.values() for text in each[:SHOWN]],
    }


def backwards(
    updated: Mapping[str, str], positions: Mapping[str, int], registers: Mapping[str, Sequence[Operation]]
) -> Iterator[str]:
    """Writes of a register that have an earlier time than one before them in the log."""
    for operations in registers.values():
        written = sorted(
            (positions[each.value], each.value)
            for each in operations
            if each.kind == "write" and each.value in positions and each.value in updated
        )
        for (_, before), (_, after) in pairwise(written):
            if updated[after] < updated[before]:
                yield f"{after} at {updated[after]} comes after {before} at {updated[before]}"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Arguments of the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--sandboxes", type=int, default=16)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--answers", type=int, default=100_000, help="end after so many")
    parser.add_argument("--seconds", type=float, default=1200, help="end after so many")
    parser.add_argument("--longest", type=float, default=12, help="seconds of a long fault, more or less")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    parser.add_argument("--shift", type=int, default=300, help="seconds that one clock is off")
    parser.add_argument("--netns", action="store_true", help="cut connections off, too")
    parser.add_argument(
        "--stall", action="store_true", help="hold one write in 200 up, on its way to the store"
    )
    parser.add_argument("--without", choices=sorted(PATCHES), help="break the replicas on purpose")
    return parser.parse_args(words)


def main() -> None:
    """Print the result."""
    with tempfile.TemporaryDirectory() as folder:
        result = measured(arguments(), Path(folder))
    print(json.dumps(result, indent=1))
    sys.exit(any(result["violations"].values()))


if __name__ == "__main__":
    main()
