"""What --persist costs, and whether it keeps its word.

Run by hand: `.venv/bin/python -m bench.persist [writes|socket|wait|ready|kill]`.

- `writes`: an added and removed thread within this process; `socket`: the same by one client
- `wait`: the longest request while a snapshot of a world of 100,000 messages is written
- `ready`: a start with 1,000 sandboxes that have 100,000 messages in all, with at most 256 descriptors
- `kill`: 16 clients, and a mock that is killed at random moments (`--rounds`, `--seed`)
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.servers import ROOT
from mockserver.app import MockServer, create_app
from mockserver.client.child import Child
from mockserver.settings import Settings
from tests.killing import Killing

LINK = "/v1/spaces/space_abc123/threads/thrd_def456"
TURNS = 10
"""Requests of a measurement; each side has its turn after the other, so that other load meets both."""
PAIRS = 600


def _asked(app: MockServer, method: str) -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": LINK,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "4010",
        "CONTENT_LENGTH": "0",
        "HTTP_X_API_KEY": "ak_demo_owner",
        "wsgi.input": io.BytesIO(b""),
    }
    for _ in app.wsgi_app(environ, lambda *_: io.BytesIO().write):
        pass


def _turn(ask: Callable[[str], None]) -> float:
    """Microseconds of a write."""
    begin = time.perf_counter()
    for _ in range(TURNS // 2):
        ask("POST")
        ask("DELETE")
    return (time.perf_counter() - begin) / TURNS * 1e6


def compared(what: str, plain: Callable[[str], None], kept: Callable[[str], None]) -> None:
    """Print what a write takes on either side, and the ratio."""
    pairs = [(_turn(plain), _turn(kept)) for _ in range(PAIRS)]
    without, with_ = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for other, one in pairs)
    print(f"{what}: {without:.0f} µs without, {with_:.0f} µs with, {ratio:.2f} times")


def writes(folder: Path) -> None:
    """A write in-process."""
    plain = create_app(Settings(quiet=True))
    kept = create_app(Settings(quiet=True, persist=folder / "writes"))
    compared("a write in-process", lambda m: _asked(plain, m), lambda m: _asked(kept, m))
    kept.keeper.close()


class Socket:
    """One client of a child process."""

    def __init__(self, *flags: str, **options: Any) -> None:
        begin = time.perf_counter()
        self.child = Child("--quiet", *flags, cwd=ROOT, **options)
        self.seconds = time.perf_counter() - begin
        assert self.child.ready is not None
        self.connect(self.child.ready["port"])

    def connect(self, port: int) -> None:
        """Open the connection."""
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, method: str, path: str = LINK, body: Any = None, sandbox: str = "default") -> Any:
        """A successful answer."""
        headers = {"X-API-Key": "ak_demo_owner", "X-Mock-Sandbox": sandbox}
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status < 300, content[:300]
        return json.loads(content) if content else None

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it with a signal."""
        self.connection.close()
        self.child.process.send_signal(number)
        self.child.process.wait(120)
        self.child.end()


def socket(folder: Path) -> None:
    """A write by one client over a socket."""
    plain, kept = Socket(), Socket("--persist", str(folder / "socket"))
    compared("a write over a socket", plain.ask, kept.ask)
    plain.end()
    kept.end()


def wait(folder: Path) -> None:
    """The longest request while a large snapshot is written."""
    world = "threads=1000,messages=100,spaces=1"
    mock = Socket("--generate", world, "--persist", str(folder / "wait"), "--persist-mb", "4096")
    text, taken = "x" * 2_000, list[float]()
    begin = time.perf_counter()
    size = len(list((folder / "wait" / "sandboxes").glob("*.state")))
    while time.perf_counter() - begin < 12:
        start = time.perf_counter()
        mock.ask("POST", "/__admin/threads/thrd_def456/messages", {"role": "user", "content": text})
        taken.append(time.perf_counter() - start)
    names = sorted(file.name for file in (folder / "wait" / "sandboxes").glob("default.*.state"))
    taken.sort()
    p99 = taken[int(len(taken) * 0.99)] * 1000
    print(f"100,000 messages: longest write {taken[-1] * 1000:.0f} ms, p99 {p99:.1f} ms, of {len(taken)}")
    print(f"  snapshots: {size} before, now {names}")
    begin = time.perf_counter()
    mock.end()
    print(f"  ended in {time.perf_counter() - begin:.1f} s")


def ready(folder: Path) -> None:
    """A start with many sandboxes."""

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    flags = ("--persist", str(folder / "ready"), "--max-sandboxes", "2000", "--scenario", "empty")
    mock = Socket(*flags, preexec_fn=few)
    for number in range(1000):
        name = f"s-{number}"
        organization = {"organization_id": "org_abc123"}
        thread = mock.ask("POST", "/v1/threads", organization, name)["id"]
        for _ in range(100):
            said = {"role": "user", "content": "The launch is on 14 April in the Lindenhof Forum."}
            mock.ask("POST", f"/__admin/threads/{thread}/messages", said, name)
    mock.end(signal.SIGKILL)
    for what in ("after SIGKILL", "after SIGTERM"):
        mock = Socket(*flags, preexec_fn=few)
        count = len(mock.ask("GET", "/__admin/sandboxes?limit=1000")["sandboxes"])
        begin = time.perf_counter()
        print(f"1,000 sandboxes {what}: ready in {mock.seconds:.1f} s, {count} listed", end="")
        mock.end()
        print(f", ended in {time.perf_counter() - begin:.1f} s")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.persist")
    parser.add_argument("what", nargs="*", default=["writes", "socket", "wait", "ready", "kill"])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for what in given.what:
            if what == "kill":
                kill(Path(place) / "kill", given.rounds, given.seed)
            else:
                {"writes": writes, "socket": socket, "wait": wait, "ready": ready}[what](Path(place))


def kill(folder: Path, rounds: int, seed: int) -> None:
    """Kills at random moments."""
    killing, begin = Killing(folder, seed), time.perf_counter()
    killing.start()
    for number in range(rounds):
        if wrong := killing.round():
            print(f"round {number}: {'; '.join(wrong[:5])}")
            sys.exit(1)
        if number % 20 == 19:
            print(f"{number + 1} kills, {killing.calls:,} answers", flush=True)
    seconds = time.perf_counter() - begin
    slowest = max(killing.ready_seconds)
    print(f"{rounds} kills, {killing.calls:,} answers, nothing lost or invented, in {seconds:.0f} s")
    print(f"  slowest start {slowest:.1f} s")


if __name__ == "__main__":
    main()
