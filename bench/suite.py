"""How long the contract suite takes, in-process and over HTTP."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.rows import Effort, NotAvailable, Result, row
from bench.servers import ROOT, environment, mock


def _run(target: str, profile: str, most: float) -> Result:
    """Seconds of the whole command; green, or it does not count. It is ended well past the target."""
    command = [sys.executable, "-m", "contracts", "run", "--target", target, "--profile", profile]
    started = time.perf_counter()
    limit = 1.5 * most + 15
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return Result(f"not ended after {limit:.0f} s", False, {"seconds": None})
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise NotAvailable(f"exit code {done.returncode}: {lines[-1][:120] if lines else ''}")
    words = f"{seconds:.0f} s" + ("" if done.returncode == 0 else ", and it found something")
    return Result(words, seconds < most and done.returncode == 0, {"seconds": seconds})


@row("contracts-quick", "`contracts run`, profile quick, in-process", "under 10 s")
def quick(_: Effort) -> Result:
    """A fresh mock in the same process."""
    return _run("mock", "quick", 10)


@row("contracts-ci", "`contracts run`, profile ci, in-process", "under 60 s")
def ci(_: Effort) -> Result:
    """Likewise."""
    return _run("mock", "ci", 60)


@row("contracts-quick-http", "`contracts run`, profile quick, over HTTP", "under 30 s")
def quick_http(_: Effort) -> Result:
    """A mock in another process."""
    with mock() as server:
        return _run(server.url, "quick", 30)


@row("contracts-ci-http", "`contracts run`, profile ci, over HTTP", "under 180 s")
def ci_http(_: Effort) -> Result:
    """Likewise."""
    with mock() as server:
        return _run(server.url, "ci", 180)
