"""Whether time passes on the target: on a mock whose clock is frozen nothing that takes time comes about."""

from __future__ import annotations

import time

from contracts.checks.errors import Untested
from contracts.http.run import Run


def require_running_clock(run: Run) -> None:
    """Untested if two errors, more than a second apart, are of the same moment."""
    before = _told(run)
    time.sleep(1.2)
    if before is not None and _told(run) == before:
        raise Untested("the target's clock stands still; let it go, and try again")


def _told(run: Run) -> object:
    body = run.owner.get(f"/v1/spaces/{run.unknown_id('space')}").body
    return body.get("error", {}).get("timestamp") if isinstance(body, dict) else None
