"""The `mockserver` command."""

import gc
import io
import os
import signal
import sys


def main() -> None:
    """Run the command. A plain `mockserver health` skips all other imports: a tenth of the time."""
    if os.getpid() == 1:
        # The first process of a container gets no signal without a handler, and none is installed
        # before the mock is up.
        signal.signal(signal.SIGTERM, _exit_by_signal)
    for stream in (sys.stdout, sys.stderr):  # whatever the locale is; None if closed
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.argv[1:] == ["health"]:
        from mockserver.commands import health

        sys.exit(health.main(os.environ))
    if any(word.partition("=")[0].endswith("-token") for word in sys.argv):
        from mockserver.client import tokens

        tokens.hide()
    gc.disable()  # garbage collection takes a sixth of the start; `serve` enables it again
    # The mock uses no pydantic plugins, and searching for some takes 20 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from mockserver.commands.cli import main as command

    command(prog_name="mockserver")


def _exit_by_signal(number: int, _: object) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
