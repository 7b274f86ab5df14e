"""Real time, which logs and events tell beside the time of the sandbox."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_STARTED = time.time() - time.perf_counter()  # noqa: TID251 - no sandbox has anything to do with it
"""Seconds since 1970 at which `perf_counter` was 0."""


def wall_time(seconds: float) -> str:
    """Real time of a value of `perf_counter`, with milliseconds."""
    text = datetime.fromtimestamp(_STARTED + seconds, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
