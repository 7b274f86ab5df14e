"""Exit codes of the command, and the errors that lead to them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from contracts.checks.errors import CleanUpStopped, TargetUnreachable, Unanswered, Usage
from contracts.http.connection import Connection
from contracts.http.credentials import redactor
from contracts.http.visible import visible
from contracts.verdict.crash import crash
from contracts.verdict.resend import NotReplayable

HOLDS, BROKEN, USAGE, UNTESTABLE = 0, 1, 2, 3
CRASHED = 3
INTERRUPTED, TERMINATED = 130, 143


class Command(click.Command):
    """Command that turns errors into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Invoke the command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Usage as error:
            end(USAGE, str(error))
        except (NotReplayable, TargetUnreachable, Unanswered) as error:
            end(UNTESTABLE, str(error))
        except CleanUpStopped as error:
            end(128 + error.signal, str(error))
        except KeyboardInterrupt as error:
            end(stopped_by(error), "stopped")
        except BrokenPipeError:  # nobody reads the output, as after `contracts list | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(CRASHED)
        except Exception as error:
            end(CRASHED, f"crashed: {crash(error)}")


class Commands(click.Group):
    """Group of such commands."""

    command_class = Command


def stopped_by(error: BaseException) -> int:
    """Exit code after Ctrl-C or SIGTERM, which the exception names; a prompt makes it a click.Abort."""
    cause = error.__context__ if isinstance(error, click.Abort) else error
    return TERMINATED if cause is not None and cause.args[:1] == (signal.SIGTERM,) else INTERRUPTED


def end(code: int, message: str) -> NoReturn:
    """Print the reason and exit."""
    click.echo(f"contracts: {printable(' '.join(message.split()))}", err=True)
    sys.exit(code)


def printable(text: str, flags: Mapping[str, Any] | None = None) -> str:
    """Text without the credentials of the flags, and with control characters escaped.

    The flags are those of the current command if none are given.
    """
    context = click.get_current_context(silent=True)
    if flags is None:
        flags = context.params if context is not None else {}
    try:
        connection = Connection.from_flags(flags)
    except Usage:
        connection = Connection()
    try:
        masked = redactor(flags.get("target"), connection, os.environ).text(text)
    except Usage:  # about the URL of the target, which no message repeats then
        masked = redactor(None, connection, os.environ).text(text)
    return visible(masked)


def say(console: Console) -> Callable[[str], None]:
    """Function that prints a line about the target."""
    return lambda text: console.print(escape(printable(text)), soft_wrap=True)
