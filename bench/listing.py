"""How fast the mock lists a space's threads, beside a bare Flask route that sends the same bytes.

Run by hand: `make bench-listing`. Both run on the same server with as many threads; rounds alternate, so that
a busy machine slows both. The load comes from wrk if it is installed, else from threads in here.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

PATH = "/v1/spaces/space_team/threads?limit=50"
KEY = {"X-API-Key": "ak_demo_owner"}
THREADS = 512
MOCK = [sys.executable, "-m", "mockserver", "serve", "--threads", str(THREADS)]
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Round(NamedTuple):
    """One round of load on one server."""

    per_second: float
    p50_ms: float
    p99_ms: float


def bare_route(answer: Path) -> None:
    """Serve the prepared bytes from one Flask route, and print the port."""
    from flask import Flask, Response

    from mockserver import serve

    app, data = Flask("bare", static_folder=None), answer.read_bytes()

    @app.get("/v1/spaces/<_space_id>/threads")
    def threads(_space_id: str) -> Response:
        return Response(data, content_type="application/json")

    listener = serve.bind("127.0.0.1", 0)
    ready = json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"})
    serve.serve(
        app, listener, stopping=threading.Event(), threads=THREADS, on_ready=lambda: print(ready, flush=True)
    )
    serve.leave(0)


@contextmanager
def child(command: list[str]) -> Iterator[tuple[int, str]]:
    """A server in a process of its own: its pid and URL. Its log goes nowhere."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    ) as process:
        assert process.stdout is not None
        try:
            yield process.pid, json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def environment() -> dict[str, str]:
    """Ours, without what would change the mock."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MOCK_")}
    clean.pop("PORT", None)
    return clean


def fetched(url: str) -> bytes:
    """The answer that is measured."""
    with urlopen(Request(url + PATH, headers=KEY)) as response:
        data: bytes = response.read()
        return data


def load(url: str, connections: int, seconds: float) -> Round:
    """One round by wrk, or by threads of ours."""
    return (_wrk if shutil.which("wrk") else _threads)(url, connections, seconds)


def _wrk(url: str, connections: int, seconds: float) -> Round:
    headers = [part for name, value in KEY.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", *headers, url + PATH]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"wrk saw errors:\n{text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert rate is not None
    shares = dict(re.findall(r"^\s+(\d+)%\s+([\d.]+[a-z]+)$", text, re.MULTILINE))
    return Round(float(rate[1]), _milliseconds(shares["50"]), _milliseconds(shares["99"]))


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)([a-z]+)", text)
    assert match is not None
    return float(match[1]) * _UNITS[match[2]]


def _threads(url: str, connections: int, seconds: float) -> Round:
    times: list[float] = []
    host, until = urlsplit(url).netloc, time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection(host)
        while (started := time.perf_counter()) < until:
            connection.request("GET", PATH, headers=KEY)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise SystemExit(f"status {response.status}")
            times.append(time.perf_counter() - started)
        connection.close()

    crowd = [threading.Thread(target=client) for _ in range(connections)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    shares = statistics.quantiles(times, n=100)
    return Round(len(times) / seconds, shares[49] * 1000, shares[98] * 1000)


def cold_start() -> float:
    """Milliseconds from the spawn to the end of the first 200, asked every millisecond."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = time.perf_counter()
    with subprocess.Popen(
        [*MOCK, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as process:
        try:
            while process.poll() is None:
                try:
                    fetched(f"http://127.0.0.1:{port}")
                except OSError:
                    time.sleep(0.001)
                else:
                    return (time.perf_counter() - started) * 1000
            raise SystemExit("the mock ended before it answered")
        finally:
            process.terminate()


def memory(pid: int) -> float:
    """MiB of a process and its descendants, shared pages divided among their users (PSS); Linux only."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    own = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
    assert own is not None
    children = Path(f"/proc/{pid}/task").glob("*/children")
    below = sum(memory(int(inner)) for file in children for inner in file.read_text(encoding="ascii").split())
    return int(own[1]) / 1024 + below


def medians(rounds: list[Round]) -> Round:
    """The median of each number."""
    return Round(*(statistics.median(numbers) for numbers in zip(*rounds, strict=True)))


def measured(rounds: int, seconds: float, connections: int) -> dict[str, Any]:
    """All numbers."""
    with tempfile.TemporaryDirectory() as folder, child([*MOCK, "--port", "0"]) as (pid, mock):
        at_rest = memory(pid) if Path(f"/proc/{pid}/smaps_rollup").exists() else None
        answer = Path(folder) / "answer.json"
        answer.write_bytes(fetched(mock))
        bare = [sys.executable, __file__, "--bare", str(answer)]
        with child([*MOCK, "--port", "0", "--quiet"]) as (_, quiet), child(bare) as (_, route):
            urls = {"mock": mock, "mock --quiet": quiet, "bare route": route}
            if len({fetched(url) for url in urls.values()}) != 1:
                raise SystemExit("the servers do not send the same bytes")
            for url in urls.values():
                load(url, connections, seconds)
            results: dict[str, list[Round]] = {name: [] for name in urls}
            for _ in range(rounds):
                for name, url in urls.items():
                    results[name].append(load(url, connections, seconds))
        size, after_load = answer.stat().st_size, None if at_rest is None else memory(pid)
    starts = [cold_start() for _ in range(8)][1:]  # the first one may write .pyc files
    return {
        "load": "wrk" if shutil.which("wrk") else "threads",
        "rounds": rounds,
        "seconds": seconds,
        "connections": connections,
        "answer_bytes": size,
        "servers": {name: medians(found)._asdict() for name, found in results.items()},
        "requests_per_second": {
            name: [round(r.per_second) for r in found] for name, found in results.items()
        },
        "cold_start_ms": {"median": statistics.median(starts), "all": starts},
        "memory_mib": {"at_rest": at_rest, "after_load": after_load},
    }


def table(numbers: dict[str, Any]) -> str:
    """What a person wants to see."""
    bare = numbers["servers"]["bare route"]
    lines = [
        f"{numbers['connections']} connections, {numbers['rounds']} rounds of {numbers['seconds']:g} s by "
        f"{numbers['load']}, {numbers['answer_bytes']} bytes an answer; medians",
        "",
        f"{'':14}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}   beside the bare route",
    ]
    for name, found in numbers["servers"].items():
        ratios = [found[field] / bare[field] for field in Round._fields]
        lines.append(
            f"{name:14}{found['per_second']:>10.0f}{found['p50_ms']:>10.2f}{found['p99_ms']:>10.2f}   "
            + "  ".join(f"{ratio:.2f}" for ratio in ratios)
        )
    memory_ = numbers["memory_mib"]
    lines += ["", f"cold start  {numbers['cold_start_ms']['median']:.0f} ms from spawn to the first 200"]
    if memory_["at_rest"] is not None:
        lines.append(
            f"memory      {memory_['at_rest']:.1f} MiB at rest, {memory_['after_load']:.1f} after load"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        bare_route(given.bare)
        return
    numbers = measured(given.rounds, given.seconds, given.connections)
    print(table(numbers), json.dumps(numbers), sep="\n\n")


if __name__ == "__main__":
    main()
