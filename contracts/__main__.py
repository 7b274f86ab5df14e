"""The `contracts` command, or what to install for it."""

import os
import sys
from contextlib import ExitStack, suppress
from tempfile import TemporaryDirectory


def main() -> None:
    """Run the command; exit code 2 where its libraries are not installed."""
    with ExitStack() as stack:
        # Else Hypothesis keeps what it knows of Unicode in the folder where the command is run.
        with suppress(OSError):  # a file system to read only: then it keeps nothing
            folder = TemporaryDirectory(prefix="hypothesis-", ignore_cleanup_errors=True)
            os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", stack.enter_context(folder))
        try:
            from contracts.cli import main as command
        except ModuleNotFoundError as error:
            missing = f"contracts: {error.name} is not installed; pip install 'freddy-mock[contracts]'"
            print(missing, file=sys.stderr)  # noqa: T201 - there is no library to say it with
            sys.exit(2)
        command()


if __name__ == "__main__":
    main()
