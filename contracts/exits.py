"""Exit codes of the command, and the errors that lead to them."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from contracts.checks.errors import CleanUpStopped, TargetUnreachable, Unanswered, Usage
from contracts.verdict.resend import NotReplayable
from contracts.verdict.runner import crash

HOLDS, BROKEN, USAGE, UNTESTABLE = 0, 1, 2, 3
CRASHED = 3
INTERRUPTED, TERMINATED = 130, 143


class Commands(click.Group):
    """Command group that turns errors into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Invoke a command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Usage as error:
            end(USAGE, str(error))
        except (NotReplayable, TargetUnreachable, Unanswered) as error:
            end(UNTESTABLE, str(error))
        except CleanUpStopped as error:
            end(INTERRUPTED, str(error))
        except Exception as error:
            end(CRASHED, f"crashed: {crash(error)}")


def end(code: int, message: str) -> NoReturn:
    """Print the reason and exit."""
    click.echo(f"contracts: {message}", err=True)
    sys.exit(code)
