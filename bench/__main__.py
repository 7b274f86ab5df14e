"""`python -m bench`: measure the rows of the table, print them, and write the results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from bench import beside, generated, listing, page, scale, starting, suite, threads
from bench.load import PINNED, wrk_version
from bench.peers import versions
from bench.rows import ROWS, Effort, NotAvailable, Result, Row
from bench.servers import ROOT
from mockserver.settings import Settings

RESULTS, PAGE = ROOT / "bench" / "results.json", ROOT / "docs" / "benchmarks.md"
GROUPS = [
    part.__name__.rpartition(".")[2] for part in (listing, starting, scale, generated, beside, suite, threads)
]
"""In the order of the table; importing them registered their rows."""


def main() -> None:
    """Measure, print, write."""
    signal.signal(signal.SIGTERM, _stop)
    given = _arguments()
    every = sorted(ROWS, key=lambda row: GROUPS.index(row.group))
    rows = [row for row in every if not given.only or given.only & {row.group, row.key}]
    if given.list:
        for row in every:
            print(f"{row.group:<10} {row.key:<22} {row.what}")
        return
    if given.only and not rows:
        sys.exit(f"bench: no row is called {' or '.join(sorted(given.only))}; --list names them")
    try:
        wrk = wrk_version()
    except NotAvailable as error:
        sys.exit(f"bench: {error}")
    started = time.perf_counter()
    effort = Effort(given.rounds, given.seconds, given.connections, given.threads)
    results: dict[str, Any] = {"about": _about(wrk), "effort": effort._asdict(), "rows": {}}
    for row in rows:
        results["rows"][row.key] = _measured(row, effort)
    results["seconds"] = time.perf_counter() - started
    print(f"\n{page.table(results)}\n{results['seconds']:.0f} s in all")
    if given.write or not given.only:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        page.write(results, PAGE)
        print(f"written: {RESULTS.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", type=lambda text: set(text.split(",")), help="groups and rows, with commas")
    parser.add_argument("--list", action="store_true", help="name the groups and rows")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of load on each server")
    parser.add_argument("--seconds", type=int, default=2, help="of each round")
    parser.add_argument("--connections", type=int, default=16)
    default = Settings.model_fields["threads"].default
    parser.add_argument("--threads", type=int, default=default, help="blocking threads of ours")
    parser.add_argument("--write", action="store_true", help="write the results of a partial run, too")
    return parser.parse_args()


def _measured(row: Row, effort: Effort) -> dict[str, Any]:
    print(f"{row.key} … ", end="", flush=True)
    started = time.perf_counter()
    try:
        result = row.measure(effort)
    except NotAvailable as error:
        result = Result(f"not available: {error}", None, {})
    except Exception as error:  # one row that fails must not hide the others
        result = Result(f"not available: {type(error).__name__}: {error}", None, {})
    seconds = time.perf_counter() - started
    words = result.measured.replace(str(ROOT), ".")
    print(f"{words}  ({seconds:.0f} s)", flush=True)
    return {
        "what": row.what,
        "target": row.target,
        "measured": words,
        "met": result.met,
        "numbers": result.numbers,
        "seconds": seconds,
    }


def _about(wrk: str) -> dict[str, Any]:
    cpus = Path("/proc/cpuinfo")
    cpu = re.search(r"model name\s*: (.+)", cpus.read_text("utf-8")) if cpus.exists() else None
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _said("git", "rev-parse", "--short", "HEAD"),
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "wrk": wrk if wrk == PINNED else f"{wrk} (not {PINNED})",
        "node": _said("node", "--version").removeprefix("v"),
        "peers": versions(),
    }


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return "missing"
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _stop(*_: int | FrameType | None) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    main()
