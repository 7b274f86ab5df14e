"""Whether time passes on the target: on a mock whose clock is frozen nothing that takes time comes about."""

from __future__ import annotations

import time

from contracts.checks.errors import Untested
from contracts.http.run import Team


def require_a_clock_that_goes(team: Team) -> None:
    """Untested if two errors, more than a second apart, are of the same moment."""
    before = _told(team)
    time.sleep(1.2)
    if before is not None and _told(team) == before:
        raise Untested("the target's clock stands still; let it go, and try again")


def _told(team: Team) -> object:
    body = team.owner.get(f"/v1/spaces/{team.invented('space')}").body
    return body.get("error", {}).get("timestamp") if isinstance(body, dict) else None
