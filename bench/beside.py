"""What slow answers, open streams and the journal cost the other requests."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from urllib.parse import urlsplit

from bench.load import KEY, PAGE, Round, client, load, rounds
from bench.rows import Effort, Result, at, row, spread
from bench.servers import mock

SLOW = {"operation": "getSpace", "delay": 2000}
"""A fault: so many milliseconds before the answer."""
WAITING, STREAMS = 32, 64


@contextmanager
def _slow_clients(url: str) -> Iterator[None]:
    """So many connections, each of which always waits for a slow answer."""
    stop = threading.Event()

    def wait() -> None:
        with client(url) as one:
            while not stop.is_set():
                one.ask("GET", "/v1/spaces/space_abc123")

    crowd = [threading.Thread(target=wait) for _ in range(WAITING)]
    for each in crowd:
        each.start()
    try:
        yield
    finally:
        stop.set()
        for each in crowd:
            each.join()


@row(
    "slow-answers",
    f"the others' p99 while {WAITING} connections wait for answers that take 2 s",
    "less than 1.5 times what it is without",
)
def slow_answers(effort: Effort) -> Result:
    """Rounds with and without, by turns, on one mock."""
    with mock("--threads", str(effort.threads)) as server:
        with client(server.url) as one:
            one.must("POST", "/__admin/faults", SLOW)
            took = one.milliseconds("GET", "/v1/spaces/space_abc123")
        assert took >= 1900, f"the fault slowed nothing: {took:.0f} ms"

        alone = partial(load, server.url, PAGE, effort.connections)

        def beside(seconds: int) -> Round:
            with _slow_clients(server.url):
                return alone(seconds)

        found = rounds(effort, {"alone": alone, "beside": beside})
    p99 = {name: spread([one.p99_ms for one in each]) for name, each in found.items()}
    ratio = p99["beside"].median / p99["alone"].median
    numbers = {"p99_ms": {name: one._asdict() for name, one in p99.items()}}
    words = f"{ratio:.2f} times ({p99['alone'].median:.1f} ms without)"
    return Result(words, ratio < 1.5, numbers)


@contextmanager
def _idle_streams(url: str) -> Iterator[None]:
    """Streams of which nothing but heartbeats comes. Nobody reads them: it fits into the sockets."""
    order = {"text": "x", "deltas": ["x"] * 100, "pace": 60, "times": STREAMS}
    question = json.dumps({"stream": True, "inputs": [{"role": "user", "content": "Where is the booth?"}]})
    quiet = {**KEY, "X-Mock-Sandbox": "quiet", "Content-Type": "application/json"}
    with client(url, X_Mock_Sandbox="quiet") as one, ExitStack() as stack:
        one.must("POST", "/__admin/replies", order)
        for _ in range(STREAMS):
            connection = stack.enter_context(closing(http.client.HTTPConnection(urlsplit(url).netloc)))
            connection.request("POST", "/v1/model/response", question, quiet)
            response = stack.enter_context(connection.getresponse())
            assert response.status == 200, f"a stream was refused: {response.status}"
            assert response.readline()
        yield


@row(
    "idle-streams",
    f"requests per second beside {STREAMS} idle event streams in another sandbox",
    "less than 10% fewer",
)
def idle_streams(effort: Effort) -> Result:
    """Two mocks, one with the streams; rounds by turns."""
    flags = ("--threads", str(effort.threads))
    with mock(*flags) as alone, mock(*flags) as beside, _idle_streams(beside.url):
        servers = {
            name: partial(load, server.url, PAGE, effort.connections)
            for name, server in (("alone", alone), ("beside", beside))
        }
        found = rounds(effort, servers)
    rate = {name: spread([one.per_second for one in each]) for name, each in found.items()}
    ratio = rate["beside"].median / rate["alone"].median
    numbers = {"per_second": {name: one._asdict() for name, one in rate.items()}}
    return Result(f"{ratio:.2f} of what they are without", ratio > 0.9, numbers)


@row("journal-off", "requests per second with the journal off, beside on", "(none)")
def journal_off(effort: Effort) -> Result:
    """listSpaceThreads, by turns."""
    flags = ("--threads", str(effort.threads))
    with mock(*flags, "--journal-entries", "0") as off, mock(*flags) as on:
        servers = {
            name: partial(load, server.url, PAGE, effort.connections)
            for name, server in (("on", on), ("off", off))
        }
        found = rounds(effort, servers)
    rate = {name: at(0.5, [one.per_second for one in each]) for name, each in found.items()}
    words = f"{rate['off'] / rate['on']:.2f} times as many"
    return Result(words, None, {"per_second": rate})
