"""Entry point of the `contracts` command; reports missing libraries."""

import gc
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress


def main() -> None:
    """Run the command; exit code 2 where its libraries are not installed."""
    resources = ExitStack()
    _handle(lambda number, _: _exit_while_importing(number, resources))
    for stream in (sys.stdout, sys.stderr):  # whatever the locale is; None if closed
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    gc.set_threshold(3_000_000, 20, 20)  # collecting short-lived generated data took a fifth of the time
    with resources as stack:
        # Otherwise Hypothesis writes its Unicode data to the working directory.
        from tempfile import TemporaryDirectory  # here, since signals are handled by now

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
        _handle(_exit)
        command()


def _handle(handler: Callable[[int, object], object]) -> None:
    """Handle Ctrl-C and SIGTERM, unless the process ignores them; a run has handlers of its own."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _exit_while_importing(number: int, resources: ExitStack) -> None:
    """Exit without an exception, which an import may catch or report as ignored."""
    _say_stopped()
    resources.close()
    os._exit(128 + number)


def _exit(number: int, _: object) -> None:
    _say_stopped()
    sys.exit(128 + number)


def _say_stopped() -> None:
    with suppress(OSError):  # stderr is closed
        os.write(2, b"contracts: stopped\n")  # a stream can't be written to while it is being written to


if __name__ == "__main__":
    main()
