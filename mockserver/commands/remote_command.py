"""Options and errors that all commands for a running mock have in common."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from inspect import cleandoc
from typing import Any

import click

from mockserver.client.control import Control, Refused, Unreachable
from mockserver.commands import health

NO = 1
"""Exit code if no mock answers, or it refuses the call."""
_EXITS = "Exit codes: 0 success; 1 no mock answers, or it refuses the call; 2 usage error."


def _default_url() -> str:
    host, port = health.address(os.environ)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def remote_command(
    sandbox: str = "Name of the sandbox; `default` by default. [MOCK_SANDBOX]",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator that adds the connection options, prints the result as JSON, and exits with 1 on failure.

    `sandbox`: help of the option.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.option(
            "--url",
            envvar="MOCK_URL",
            help="URL of the mock; by default this machine, at MOCK_PORT or 4010. [MOCK_URL]",
        )
        @click.option("--sandbox", envvar="MOCK_SANDBOX", help=sandbox)
        @click.option(
            "--token",
            envvar="MOCK_ADMIN_TOKEN",
            help="Admin token, if the mock requires one. [MOCK_ADMIN_TOKEN]",
        )
        @wraps(command)
        def run(url: str | None, sandbox: str | None, token: str | None, **options: Any) -> None:
            try:
                control = Control(url or _default_url(), sandbox=sandbox or None, token=token or None)
                answer = command(control, **options)
            except (health.Unknown, Refused, Unreachable, OSError) as error:
                click.echo("mockserver: " + " ".join(str(error).split()), err=True)
                sys.exit(NO)
            except KeyboardInterrupt:
                sys.exit(0)
            if answer is not None:
                click.echo(json.dumps(answer, indent=2, ensure_ascii=False))

        run.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\n\b\n{_EXITS}"  # 3.13 dedents it itself
        return run

    return decorate
