"""Commands for a running mock: each but `health` is one call of the control API."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from mockserver.client.control import Control
from mockserver.commands import health
from mockserver.commands.journal import logs, requests
from mockserver.commands.lines import scenario_text
from mockserver.commands.remote_command import remote_command


@click.command("reset")
@click.option("--to", metavar="WHERE", help="empty, scenario:NAME or snapshot:NAME; default: the start.")
@click.option("--keep", multiple=True, help="journal, faults or clock; may be repeated.")
@remote_command()
def reset(control: Control, to: str | None, keep: tuple[str, ...]) -> Any:
    """Reset a sandbox of a running mock.

    \b
    Examples:
      mockserver reset
      mockserver reset --to empty --keep journal
      mockserver reset --sandbox ci-42
    """
    return control.reset(to, keep)


@click.command("state")
@click.option(
    "--load", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Import this state document."
)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the state to this file.")
@click.option(
    "--as-scenario",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.yaml",
    help="Write the data to this file as a scenario.",
)
@remote_command()
def state(control: Control, load: Path | None, save: Path | None, as_scenario: Path | None) -> Any:
    """Export or import the state of a sandbox.

    Without an option the state is printed to stdout. What a scenario can't hold is told on stderr.

    \b
    Examples:
      mockserver state --save before.json
      mockserver state --load before.json
      mockserver state --as-scenario world.yaml
    """
    from mockserver.files import read_whole, write_whole

    if as_scenario is not None:
        exported = control.scenario()
        write_whole(as_scenario, scenario_text(exported["scenario"]))
        for line in exported["left_out"]:
            click.echo(f"left out: {line}", err=True)
        return None
    if load is not None:
        try:
            document = json.loads(read_whole(load).decode("utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or error
            raise click.UsageError(f"--load {load}: {reason}") from None
        return control.restore(document)
    answer = control.state()
    if save is None:
        return answer
    write_whole(save, json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
    return None


@click.command("snapshot")
@click.argument("action", type=click.Choice(["list", "save", "restore", "delete"]))
@click.argument("name", required=False)
@remote_command()
def snapshot(control: Control, action: str, name: str | None) -> Any:
    """List, save, restore or delete snapshots.

    \b
    Examples:
      mockserver snapshot save before
      mockserver snapshot restore before
    """
    if action == "list":
        return control.snapshots.list()
    return getattr(control.snapshots, action)(_needed(name, f"snapshot {action} needs a NAME"))


@click.command("clock")
@click.argument("action", type=click.Choice(["show", "freeze", "advance", "resume"]), default="show")
@click.argument("value", required=False)
@remote_command()
def clock(control: Control, action: str, value: str | None) -> Any:
    """Show the clock, freeze it at an instant, advance it by seconds or a duration, or let it run.

    \b
    Examples:
      mockserver clock
      mockserver clock freeze 2026-02-26T10:30:00Z
      mockserver clock advance PT1H
    """
    if action in ("freeze", "advance"):
        text = _needed(value, f"clock {action} needs a VALUE")
        return control.clock.freeze(text) if action == "freeze" else control.clock.advance(_number(text))
    return control.clock.resume() if action == "resume" else control.clock.get()


@click.command("faults")
@click.argument("action", type=click.Choice(["list", "add", "release", "remove", "clear"]), default="list")
@click.argument("what", required=False)
@remote_command()
def faults(control: Control, action: str, what: str | None) -> Any:
    """List, add, release, remove or clear fault rules.

    WHAT is a rule as JSON or a profile to add (slow, flaky, brownout, rate-limited, offline), or an id to
    release what the rule holds, or to remove it.

    \b
    Examples:
      mockserver faults add flaky
      mockserver faults add '{"operation": "createSpace", "times": 1, "error": {"status": 503}}'
      mockserver faults clear
    """
    if action in ("add", "release", "remove"):
        text = _needed(what, f"faults {action} needs an argument: WHAT")
        return control.faults.add(**_rule(text)) if action == "add" else getattr(control.faults, action)(text)
    return control.faults.clear() if action == "clear" else control.faults.list()


def _needed(argument: str | None, usage: str) -> str:
    if argument is None:
        raise click.UsageError(usage)
    return argument


def _number(text: str) -> float | str:
    with suppress(ValueError):
        return float(text)
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
@click.option("--host", help=f"Host of the mock ({health.HOST} by default). [MOCK_HOST]")
@click.option("--port", metavar="N", help=f"Its port ({health.PORT} by default). [MOCK_PORT, or PORT]")
def ask_health(**flags: Any) -> None:
    """Check whether a mock on this machine is ready; for HEALTHCHECK in containers.

    Reads the same variables as `mockserver serve`, including MOCK_PORT_FILE. Without a flag it takes hardly
    longer than Python itself.

    \b
    Examples:
      mockserver health
      mockserver health --port 8080

    \b
    Exit codes: 0 ready; 1 not ready, or no mock answers; 2 port unknown. The reason is one line on stderr.
    """
    variables = {f"MOCK_{name.upper()}": value for name, value in flags.items() if value is not None}
    sys.exit(health.main({**os.environ, **variables}))


COMMANDS = (reset, state, snapshot, clock, faults, requests, logs, ask_health)
