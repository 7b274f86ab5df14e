"""Hostile and random clients against a mock of its own; exit code 1 if a finding is unexplained."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.attack import clients, files
from bench.attack.watch import Watch
from bench.servers import mock

ROOT = Path(__file__).parents[2]
ADD = "/v1/spaces/space_abc123/threads/thrd_def456"
POINTS = files.attacks()
FREEZE = 2.0
"""Seconds that a small request may take beyond the machine's own delays."""


def main() -> int:
    """Attack, then check what must still hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.attack", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="of random requests (default 120)")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    findings: list[str] = []
    with mock("--quiet") as started:
        watch = Watch(started.url, started.pid)
        with watch.watching():
            for name, attack in POINTS:
                finding = attack(started.url)
                print("ok  " if finding is None else "FAIL", name, finding or "")
                findings += [] if finding is None else [f"{name}: {finding}"]
            tally = clients.attack(started.url, words.seconds, words.clients, words.seed)
        findings += tally.unexplained + watch.failed + list(broken_invariants(started.url))
    if watch.slowest - watch.idle > FREEZE:
        findings.append(
            f"the slowest health request took {watch.slowest:.1f} s, the idle loop {watch.idle:.1f} s"
        )
    curve = watch.memory[:: max(1, len(watch.memory) // 12)]
    print(f"requests    {sum(tally.statuses.values())}, unanswered connections {tally.unanswered}")
    print(f"statuses    {dict(sorted(tally.statuses.items()))}")
    print(f"slowest     {watch.slowest * 1000:.0f} ms, of it the machine's own {watch.idle * 1000:.0f} ms")
    print(f"memory      {' '.join(f'{each:.0f}' for each in curve)} MiB")
    print(f"unexplained {len(findings)}")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


def broken_invariants(url: str) -> Iterator[str]:
    """What does not hold in a fresh sandbox and in the attacked ones."""
    expected = json.loads((ROOT / "tests/documents/add_thread.201.json").read_bytes())
    path = "/__sandbox/after-the-attack"
    _ask(url, "PUT", f"{path}/__admin/clock", {"freeze": "2026-02-26T10:30:00Z"})
    if (said := _ask(url, "POST", path + ADD)) != expected:
        yield f"the documented answer is another one: {said}"
    for sandbox in [each["id"] for each in _ask(url, "GET", "/__admin/sandboxes?limit=100")["sandboxes"]]:
        state = _ask(url, "GET", f"/__sandbox/{sandbox}/__admin/state")["collections"]
        messages = [each["record"]["thread_id"] for each in state["messages"]["records"]]
        for thread in (each["record"] for each in state["threads"]["records"]):
            if thread["message_count"] != messages.count(thread["id"]):
                yield f"sandbox {sandbox}: {thread['id']} counts {thread['message_count']} messages"


def _ask(url: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": "ak_demo_owner", "Content-Type": "application/json"}
    with urlopen(Request(url + path, data, headers, method=method), timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
