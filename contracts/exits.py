"""The exit codes of the command, and what ends with which."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from contracts.checks.errors import Unanswered, Unreachable, Usage
from contracts.verdict.resend import NoReplay
from contracts.verdict.runner import crash

HOLDS, BROKEN, USAGE, UNTESTABLE = 0, 1, 2, 3
CRASHED = 3
INTERRUPTED, TERMINATED = 130, 143


class Commands(click.Group):
    """Commands of which none ends with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run one."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Usage as error:
            end(USAGE, str(error))
        except (NoReplay, Unreachable, Unanswered) as error:
            end(UNTESTABLE, str(error))
        except Exception as error:
            end(CRASHED, f"crashed: {crash(error)}")


def end(code: int, message: str) -> NoReturn:
    """Say why in one line, and end."""
    click.echo(f"contracts: {message}", err=True)
    sys.exit(code)
