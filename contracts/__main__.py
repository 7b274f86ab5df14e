"""Entry point of the `contracts` command; reports missing libraries."""

import gc
import io
import os
import sys
from contextlib import ExitStack, suppress
from tempfile import TemporaryDirectory


def main() -> None:
    """Run the command; exit code 2 where its libraries are not installed."""
    for stream in (sys.stdout, sys.stderr):  # whatever the locale is; None if closed
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    gc.set_threshold(3_000_000, 20, 20)  # collecting short-lived generated data took a fifth of the time
    with ExitStack() as stack:
        # Otherwise Hypothesis writes its Unicode data to the working directory.
        with suppress(OSError):  # on a read-only file system it stores nothing
            folder = TemporaryDirectory(prefix="hypothesis-", ignore_cleanup_errors=True)
            os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", stack.enter_context(folder))
        try:
            from contracts.cli import main as command
        except ModuleNotFoundError as error:
            missing = (
                f"contracts: {error.name} is not installed; install the wheel with its extra [contracts]"
            )
            print(missing, file=sys.stderr)  # noqa: T201 - click may be missing
            sys.exit(2)
        command()


if __name__ == "__main__":
    main()
