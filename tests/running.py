"""The mock as a child process on a free port, for tests that want a real socket."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FROZEN = "2026-02-26T10:30:00Z"
"""The instant of the documents' answers."""


@contextmanager
def mock(*flags: str, errors: Path | None = None, **environment: str) -> Iterator[str]:
    """The URL of a mock that runs until the end of the block; its stderr goes to the file `errors`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))}
    clean.pop("PORT", None)
    with (
        (errors or Path(os.devnull)).open("wb") as sink,
        subprocess.Popen(
            [sys.executable, "-m", "mockserver", "serve", "--port", "0", *flags],
            cwd=ROOT,
            env={**clean, **environment},
            stdout=subprocess.PIPE,
            stderr=sink,
        ) as child,
    ):
        try:
            assert child.stdout is not None
            yield json.loads(child.stdout.readline())["url"]
        finally:
            child.kill()
