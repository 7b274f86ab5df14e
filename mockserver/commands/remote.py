"""Commands for a mock that runs already: each but `health` is one call of its control API."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from mockserver.client.control import Control, Refused, Unreachable
from mockserver.commands import health

NO = 1
"""Exit code where no mock answers, or it refuses."""
_EXITS = "Exit codes: 0 done; 1 no mock answers, or it refuses; 2 wrong usage."


def _default_url() -> str:
    host, port = health.address(os.environ)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _steering(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that lead to a mock; print what it returns; end with 1 where that fails."""

    @click.option(
        "--url",
        envvar="MOCK_URL",
        help="The mock; on this machine at MOCK_PORT or 4010 by default. [MOCK_URL]",
    )
    @click.option(
        "--sandbox", envvar="MOCK_SANDBOX", help="The sandbox; `default` unless named. [MOCK_SANDBOX]"
    )
    @click.option(
        "--token", envvar="MOCK_ADMIN_TOKEN", help="Where the mock asks for one. [MOCK_ADMIN_TOKEN]"
    )
    @wraps(command)
    def steer(url: str | None, sandbox: str | None, token: str | None, **given: Any) -> None:
        try:
            control = Control(url or _default_url(), sandbox=sandbox or None, token=token or None)
            answer = command(control, **given)
        except (health.Unknown, Refused, Unreachable) as error:
            click.echo("mockserver: " + " ".join(str(error).split()), err=True)
            sys.exit(NO)
        if answer is not None:
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))

    steer.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\n\b\n{_EXITS}"  # from 3.13 on it is clean already
    return steer


@click.command("reset")
@click.option("--to", metavar="WHERE", help="empty, scenario:NAME or snapshot:NAME; the start by default.")
@click.option("--keep", multiple=True, help="journal, faults or clock; may be repeated.")
@_steering
def reset(control: Control, to: str | None, keep: tuple[str, ...]) -> Any:
    """Put a running mock back to its start.

    \b
    Examples:
      mockserver reset
      mockserver reset --to empty --keep journal
      mockserver reset --sandbox ci-42
    """
    return control.reset(to, keep)


@click.command("state")
@click.option(
    "--load", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Put this file back in."
)
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), help="Write it there, whole or not at all."
)
@_steering
def state(control: Control, load: Path | None, save: Path | None) -> Any:
    """Take the whole state out of a running mock, or put one in.

    Without an option it goes to stdout.

    \b
    Examples:
      mockserver state --save before.json
      mockserver state --load before.json
    """
    if load is not None:
        try:
            document = json.loads(load.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise click.UsageError(f"--load {load}: {error}") from None
        return control.restore(document)
    answer = control.state()
    if save is None:
        return answer
    from mockserver.files import write_whole

    write_whole(save, json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
    return None


@click.command("snapshot")
@click.argument("order", type=click.Choice(["list", "save", "restore", "delete"]))
@click.argument("name", required=False)
@_steering
def snapshot(control: Control, order: str, name: str | None) -> Any:
    """List, save, restore or delete states with a NAME.

    \b
    Examples:
      mockserver snapshot save before
      mockserver snapshot restore before
    """
    if order == "list":
        return control.snapshots.list()
    if name is None:
        raise click.UsageError(f"snapshot {order} needs a NAME")
    return getattr(control.snapshots, order)(name)


@click.command("clock")
@click.argument("order", type=click.Choice(["show", "freeze", "advance", "resume"]), default="show")
@click.argument("value", required=False)
@_steering
def clock(control: Control, order: str, value: str | None) -> Any:
    """Show the clock, freeze it at an instant, advance it by seconds or PT1H, or let it run on.

    \b
    Examples:
      mockserver clock
      mockserver clock freeze 2026-02-26T10:30:00Z
      mockserver clock advance PT1H
    """
    if order in ("freeze", "advance") and value is None:
        raise click.UsageError(f"clock {order} needs a VALUE")
    if order == "freeze":
        return control.clock.freeze(str(value))
    if order == "advance":
        return control.clock.advance(_number(str(value)))
    return control.clock.resume() if order == "resume" else control.clock.get()


@click.command("faults")
@click.argument("order", type=click.Choice(["list", "add", "remove", "clear"]), default="list")
@click.argument("what", required=False)
@_steering
def faults(control: Control, order: str, what: str | None) -> Any:
    """List the rules, add one, remove one by its id, or clear them.

    WHAT to add is a rule as JSON, or the name of a profile: slow, flaky, brownout, rate-limited, offline.

    \b
    Examples:
      mockserver faults add flaky
      mockserver faults add '{"operation": "createSpace", "times": 1, "error": {"status": 503}}'
      mockserver faults clear
    """
    if order in ("add", "remove") and what is None:
        raise click.UsageError(f"faults {order} needs to know what")
    if order == "add":
        return control.faults.add(**_rule(str(what)))
    if order == "remove":
        return control.faults.remove(str(what))
    return control.faults.clear() if order == "clear" else control.faults.list()


@click.command("requests")
@click.argument("order", type=click.Choice(["list", "count", "find", "clear"]), default="list")
@click.option("--operation", help="Only this operationId.")
@click.option("--status", type=int, help="Only answers with this status.")
@click.option("--limit", type=click.IntRange(1), help="How many to list.")
@_steering
def requests(
    control: Control, order: str, operation: str | None, status: int | None, limit: int | None
) -> Any:
    """List, count or find what was asked of the mock, or forget it.

    \b
    Examples:
      mockserver requests --operation createSpace
      mockserver requests count --status 403
    """
    criteria = {"operation": operation, "status": status}
    criteria = {name: value for name, value in criteria.items() if value is not None}
    if order == "count":
        return {"count": control.requests.count(**criteria)}
    if order == "find":
        return control.requests.find(**criteria)
    return control.requests.clear() if order == "clear" else control.requests.list(**criteria, limit=limit)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _rule(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{"):
        return {"profile": text}
    try:
        rule: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"faults add: not valid JSON: {error}") from None
    return rule


@click.command("health")
@click.option("--host", help=f"Where the mock is ({health.HOST} by default). [MOCK_HOST]")
@click.option("--port", metavar="N", help=f"Its port ({health.PORT} by default). [MOCK_PORT, or PORT]")
def ask_health(**flags: Any) -> None:
    """Say whether a mock on this machine is ready; for HEALTHCHECK, which starts it again and again.

    It reads the variables that `mockserver serve` reads, MOCK_PORT_FILE too. Without a flag it takes hardly
    longer than Python itself.

    \b
    Examples:
      mockserver health
      mockserver health --port 8080

    \b
    Exit codes: 0 it is; 1 it is not, or not yet; 2 the port is unknown. One line on stderr says why.
    """
    given = {f"MOCK_{name.upper()}": value for name, value in flags.items() if value is not None}
    sys.exit(health.main({**os.environ, **given}))


COMMANDS = (reset, state, snapshot, clock, faults, requests, ask_health)
