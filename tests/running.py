"""The mock as a child process on a free port, for tests that want a real socket."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mockserver.client.child import Child

ROOT = Path(__file__).resolve().parent.parent
FROZEN = "2026-02-26T10:30:00Z"
"""The instant of the documents' answers."""


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold within a minute."""
    until = time.monotonic() + 60
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.02)
    return held


@contextmanager
def mock(*flags: str, errors: Path | None = None, **environment: str) -> Iterator[str]:
    """The URL of a mock that runs until the end of the block; its stderr goes to the file `errors`."""
    with ready(*flags, errors=errors, limit=None, **environment) as line:
        yield line["url"]


@contextmanager
def ready(
    *flags: str,
    errors: Path | None = None,
    limit: Callable[[], None] | None = None,
    command: str = "serve",
    **environment: str,
) -> Iterator[dict[str, Any]]:
    """What a mock says when it is ready: its `url` and more; `limit` is run in its process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))}
    clean.pop("PORT", None)
    with (errors or Path(os.devnull)).open("wb") as sink:
        child = Child(
            *flags, command=command, cwd=ROOT, env={**clean, **environment}, stderr=sink, preexec_fn=limit
        )
        try:
            assert child.ready is not None
            yield child.ready
        finally:
            child.process.kill()
            child.end()
