"""The `mockserver` command."""

import gc
import os
import signal
import sys


def main() -> None:
    """Run it. A plain `mockserver health` ends here: it takes a tenth of the time without the rest."""
    if os.getpid() == 1:
        # The kernel keeps a signal from the first process of a container until that handles it, and
        # nothing does before the mock is up.
        signal.signal(signal.SIGTERM, _leave)
    if sys.argv[1:] == ["health"]:
        from mockserver.commands import health

        sys.exit(health.main(os.environ))
    gc.disable()  # a sixth of the start is spent on looking for garbage; `serve` puts it on again
    # None is ours, and looking for some takes 20 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from mockserver.commands.cli import main as command

    command(prog_name="mockserver")


def _leave(number: int, _: object) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
