"""Detection of a frozen clock on the target, on which delayed effects never happen."""

from __future__ import annotations

import time

from contracts.checks.errors import Untested
from contracts.http.run import Run


def require_running_clock(run: Run) -> None:
    """Raise Untested if two errors more than a second apart have the same timestamp."""
    before = _timestamp(run)
    time.sleep(1.2)
    if before is not None and _timestamp(run) == before:
        raise Untested("the target's clock is frozen; let it run, and try again")


def _timestamp(run: Run) -> object:
    return run.owner.get(f"/v1/spaces/{run.unknown_id('space')}").error.get("timestamp")
