"""Load by wrk, and single requests by hand."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bench.rows import Effort, NotAvailable

HERE = Path(__file__).parent
PINNED = "4.1.0"
"""The version of wrk that the numbers are told for; another one is named beside them."""
KEY = {"X-API-Key": "ak_demo_owner"}
PAGE = "/v1/spaces/space_team/threads?limit=50"
"""listSpaceThreads, 50 threads a page."""


class Round(NamedTuple):
    """One round of load on one server."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0
    """The server's processor time for a request; 0 if it was not looked at."""


def wrk_version() -> str:
    """The version that is installed; NotAvailable if none is."""
    if shutil.which("wrk") is None:
        raise NotAvailable("wrk is not installed: apt-get install wrk")
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"wrk (?:debian/)?(\d+(?:\.\d+)*)", said)
    return found[1] if found else "unknown"


def load(
    url: str,
    path: str,
    connections: int,
    seconds: int,
    *,
    method: str = "GET",
    script: str | None = None,
    given: Sequence[str] = (),
) -> Round:
    """One round by wrk; every answer must be a success. A script of ours may say what is asked."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(f"wrk.method = '{method}'\n")
        for name in filter(None, (script, "finish.lua")):
            lua.write((HERE / name).read_text("utf-8"))
        lua.flush()
        headers = [part for name, value in KEY.items() for part in ("-H", f"{name}: {value}")]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", lua.name]
        command += [*headers, url + path, "--", *given]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotAvailable(f"wrk: {(done.stderr + done.stdout).strip()[:120]}")
    seen = json.loads(done.stdout.splitlines()[-1])
    if seen["errors"] or not seen["requests"]:
        raise NotAvailable(f"{seen['errors']} of {seen['requests']} requests failed")
    return Round(seen["requests"] / seen["microseconds"] * 1e6, seen["p50"] / 1000, seen["p99"] / 1000)


def rounds(effort: Effort, servers: Mapping[str, Callable[[int], Round]]) -> dict[str, list[Round]]:
    """Rounds of each, by turns, so that a busy machine slows all; each is warmed up first."""
    for one in servers.values():
        one(max(1, effort.seconds // 2))
    found: dict[str, list[Round]] = {name: [] for name in servers}
    for _ in range(effort.rounds):
        for name, one in servers.items():
            found[name].append(one(effort.seconds))
    return found


class Client:
    """One connection that stays open."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        self._headers = dict(headers)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer; `body` is sent as JSON, or as it is if it is bytes."""
        given = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        self._connection.request(method, path, data, given)
        response = self._connection.getresponse()
        return response.status, response.read()

    def must(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The decoded body of a success; NotAvailable for any other answer."""
        status, data = self.ask(method, path, body, **headers)
        if not 200 <= status < 300:
            raise NotAvailable(f"{method} {path} answers {status}: {data[:120].decode('utf-8', 'replace')}")
        return json.loads(data) if data else None

    def milliseconds(self, method: str, path: str, body: Any = None, **headers: str) -> float:
        """How long a success takes."""
        started = perf_counter()
        self.must(method, path, body, **headers)
        return (perf_counter() - started) * 1000


@contextmanager
def client(url: str, **headers: str) -> Iterator[Client]:
    """A connection with the demo's key, closed at the end."""
    made = Client(url, {**KEY, **{name.replace("_", "-"): value for name, value in headers.items()}})
    try:
        yield made
    finally:
        made._connection.close()
