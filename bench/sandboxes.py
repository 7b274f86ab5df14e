"""What sandboxes cost: made, reset, copied, exported and imported, with one message in them and with many.

Run by hand: `.venv/bin/python -m bench.sandboxes`. Through the whole corridor, in-process, without a socket.
The first lines are the memory of the process while sandboxes come and go; behind a large world it would not
show, for what that leaves free.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from mockserver.app import create_app
from mockserver.settings import Settings

PERSON = """
organizations: [{id: org_bench, name: Bench}]
users:
  - {id: usr_bench, name: Bench, keys: [{key: ak_bench}], member_of: [{organization: org_bench}]}
"""
TIMES = 300
"""Of what takes no time."""
KEY = {"X-API-Key": "ak_bench"}


class Bench:
    """One mock with a world of some size."""

    def __init__(self, scenario: Path, threads: int, messages: int) -> None:
        self.messages = threads * messages
        order = f"threads={threads},messages={messages},spaces=1"
        self.app = create_app(Settings(scenario=str(scenario), generate=order, quiet=True))
        gc.collect()
        gc.freeze()  # as `mockserver serve` does
        self._client = self.app.test_client()

    def ask(self, method: str, path: str, sandbox: str = "default", **sent: Any) -> Any:
        """A successful answer."""
        answer = self._client.open(path, method=method, headers={**KEY, "X-Mock-Sandbox": sandbox}, **sent)
        assert answer.status_code < 300, answer.get_data(as_text=True)[:500]
        return answer

    def times(self, name: str, work: Callable[[int], object], times: int = TIMES) -> None:
        """Print the median and the 99th percentile of a piece of work."""
        work(-1)
        taken = []
        for number in range(times):
            begin = perf_counter()
            work(number)
            taken.append((perf_counter() - begin) * 1000)
        taken.sort()
        p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
        median = statistics.median(taken)
        print(f"{name:<44}{self.messages:>9,} messages {median:10.3f} ms {p99:10.3f} ms")


def _steering(bench: Bench) -> None:
    new, ask = bench.app.sandboxes, bench.ask
    bench.times("a new sandbox, without the request", lambda n: new.enter(new.find(f"new-{n}")))
    bench.times(
        "the first request of a new sandbox", lambda n: ask("GET", "/v1/threads?limit=1", f"first-{n}")
    )
    bench.times("the second one", lambda n: ask("GET", "/v1/threads?limit=1", f"first-{n}"))
    new_thread = {"organization_id": "org_bench"}

    def reset(_: int) -> None:
        ask("POST", "/v1/threads", json=new_thread)
        ask("POST", "/__admin/reset")

    bench.times("a change and a reset", reset)
    bench.times("a reset alone", lambda _: ask("POST", "/__admin/reset"))
    bench.times("fork", lambda n: ask("POST", "/__admin/sandboxes/default/fork", json={"id": f"fork-{n}"}))
    bench.times("save a snapshot", lambda n: ask("PUT", f"/__admin/snapshots/s-{n % 50}"))
    bench.times("restore a snapshot", lambda n: ask("POST", f"/__admin/snapshots/s-{n % 50}/restore"))
    state: list[bytes] = [b""]

    def export(_: int) -> None:
        state[0] = ask("GET", "/__admin/state").data

    bench.times("export", export, 3)

    def put(_: int) -> None:
        ask("PUT", "/__admin/state", data=state[0], content_type="application/json")

    bench.times(f"import of {len(state[0]) / 1e6:.2f} MB", put, 3)


def _memory(bench: Bench, count: int) -> None:
    """Short-lived sandboxes, each with a change in it."""
    body = {"organization_id": "org_bench"}
    for number in range(count + 1):
        if number % (count // 5) == 0:
            gc.collect()
            there = len(bench.app.sandboxes.listed())
            print(f"after {number:>7,} sandboxes, {there:>5} there {_resident():9.1f} MB")
        bench.ask("POST", "/v1/threads", f"short-{number}", json=body)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandboxes", type=int, default=20_000, help="how many come and go for the memory")
    count = parser.parse_args().sandboxes
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder, "bench.yaml")
        scenario.write_text(PERSON, encoding="utf-8")
        _memory(Bench(scenario, 1, 1), count)
        print(f"{'':<62}{'median':>13} {'99 %':>13}")
        for threads, messages in ((1, 1), (10_000, 10)):
            bench = Bench(scenario, threads, messages)
            _steering(bench)


if __name__ == "__main__":
    main()
