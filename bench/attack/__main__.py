"""Hostile and random clients against a mock of its own; exit code 1 if a finding is unexplained."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.attack import clients, files, limits
from bench.attack.watch import Watch, most_memory

ROOT = Path(__file__).parents[2]
ADD = "/v1/spaces/space_abc123/threads/thrd_def456"
LIST = "/v1/spaces/space_abc123/threads"
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
    with limits.limited_mock("--quiet") as started:
        watch = Watch(started.url, started.pid)
        findings += _findings(started.url, limits.before_the_watch(started))
        with watch.watching():
            findings += _findings(started.url, [*POINTS, *limits.attacks(started)])
            tally = clients.attack(started.url, words.seconds, words.clients, words.seed)
        findings += tally.unexplained + watch.failed + list(broken_invariants(started.url))
        peak = most_memory(started.pid) or 0.0
        if peak > limits.MEMORY:
            findings.append(f"it used {peak:.0f} MiB, over {limits.MEMORY:.0f}")
    if watch.slowest - watch.idle > FREEZE:
        findings.append(
            f"the slowest health request took {watch.slowest:.1f} s, the idle loop {watch.idle:.1f} s"
        )
    curve = watch.memory[:: max(1, len(watch.memory) // 12)]
    print(f"requests    {sum(tally.statuses.values())}, unanswered connections {tally.unanswered}")
    print(f"statuses    {dict(sorted(tally.statuses.items()))}")
    print(f"slowest     {watch.slowest * 1000:.0f} ms, of it the machine's own {watch.idle * 1000:.0f} ms")
    print(f"memory      {' '.join(f'{each:.0f}' for each in curve)} MiB, at most {peak:.0f}")
    print(f"unexplained {len(findings)}")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


def _findings(url: str, points: Sequence[files.Attack]) -> list[str]:
    """What each attack finds, and whether the documented pair is still answered after it."""
    found = []
    for number, (name, attack) in enumerate(points):
        finding = attack(url) or broken_pair(url, f"after-{name.replace(' ', '-').lower()[:40]}-{number}")
        print("ok  " if finding is None else "FAIL", name, finding or "", flush=True)
        found += [] if finding is None else [f"{name}: {finding}"]
    return found


def broken_pair(url: str, sandbox: str) -> str | None:
    """Add a thread to a space and list it, in a fresh sandbox; None if both are as documented."""
    expected = json.loads((ROOT / "tests/documents/add_thread.201.json").read_bytes())
    path = f"/__sandbox/{sandbox}"
    _ask(url, "PUT", f"{path}/__admin/clock", {"freeze": "2026-02-26T10:30:00Z"})
    if (said := _ask(url, "POST", path + ADD)) != expected:
        return f"the documented answer is another one: {said}"
    listed = [thread["id"] for thread in _ask(url, "GET", path + LIST)["data"]]
    return None if "thrd_def456" in listed else f"the added thread is not listed: {listed}"


def broken_invariants(url: str) -> Iterator[str]:
    """What does not hold in a fresh sandbox and in the attacked ones."""
    if (broken := broken_pair(url, "after-the-attack")) is not None:
        yield broken
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
