"""What open streams cost the other requests: latencies beside 64 of them, printed as a table.

Run by hand: `make bench-streams`. Rounds alternate, so that a busy machine slows all; each has a mock of its
own. Nobody reads the streams: what they send fits into the sockets.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
from contextlib import ExitStack, closing
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from listing import KEY, MOCK, Round, child, load

PACES = {"no stream": None, "heartbeats alone": 60.0, "4 events a second each": 0.25}
"""What is open beside the load -> seconds between the events of each stream."""


def opened(url: str, count: int, pace: float, stack: ExitStack) -> None:
    """Open so many streams, until the stack is left."""
    order = {"text": "x", "deltas": ["x"] * 10_000, "pace": pace, "times": count}
    data = json.dumps(order).encode()
    with urlopen(Request(f"{url}/__admin/replies", data, {"Content-Type": "application/json"})):
        pass
    question = json.dumps({"stream": True, "inputs": [{"role": "user", "content": "Where is the booth?"}]})
    for _ in range(count):
        connection = stack.enter_context(closing(http.client.HTTPConnection(urlsplit(url).netloc)))
        connection.request("POST", "/v1/model/response", question, KEY)
        response = stack.enter_context(connection.getresponse())
        if response.status != 200 or not response.readline():
            raise SystemExit(f"a stream was refused: {response.status}")


def one_round(pace: float | None, given: argparse.Namespace) -> Round:
    """The load beside so many streams, after a short one to warm up."""
    with child([*MOCK, "--port", "0"]) as (_, url), ExitStack() as stack:
        if pace is not None:
            opened(url, given.streams, pace, stack)
        load(url, given.connections, 1)
        return load(url, given.connections, given.seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    rounds: dict[str, list[Round]] = {name: [] for name in PACES}
    for _ in range(given.rounds):
        for name, pace in PACES.items():
            rounds[name].append(one_round(pace, given))
    middle = {
        name: Round(*(statistics.median(numbers) for numbers in zip(*got, strict=True)))
        for name, got in rounds.items()
    }
    print(f"{given.streams} streams, {given.connections} connections, medians of {given.rounds} rounds")
    print(f"{'beside':<24}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'p99 is':>10}")
    alone = middle["no stream"].p99_ms
    for name, got in middle.items():
        share = f"{got.p99_ms / alone:9.2f}x"
        print(f"{name:<24}{got.per_second:12.0f}{got.p50_ms:10.2f}{got.p99_ms:10.2f}{share}")


if __name__ == "__main__":
    main()
