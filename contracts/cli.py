"""The `contracts` command."""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from contracts import behaviour, generated, model
from contracts.check import CHECKS, Check
from contracts.keys import Access, open_target
from contracts.ledger import Ledger
from contracts.report import line, summary, tell_failures, write
from contracts.runner import Verdict
from contracts.runner import run as run_checks
from contracts.settings import PROFILES, SEED, Settings
from contracts.target import Http, InProcess, Limit, Transport, Unreachable
from contracts.team import Team

HOLDS, BROKEN, USAGE, UNTESTABLE = 0, 1, 2, 3
assert all((behaviour, generated, model))  # their checks are registered by importing them


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Hold a deployment of the Freddy spaces API to its contract.

    \b
    Keys come from the environment: CONTRACTS_OWNER_KEY (or FREDDY_API_KEY), CONTRACTS_EDITOR_KEY,
    CONTRACTS_VIEWER_KEY, CONTRACTS_OUTSIDER_KEY, CONTRACTS_FOREIGN_KEY, and CONTRACTS_ORGANIZATION_ID.
    A mock needs none: there they default to its demo keys.
    """


@main.command("run")
@click.option(
    "--target", required=True, metavar="mock|URL", help="What to test: a fresh mock, or a deployment."
)
@click.option("--read-only", is_flag=True, help="Send GET, HEAD and OPTIONS alone; what writes is untested.")
@click.option("--only", metavar="CHECK|OPERATION|LAYER", multiple=True, help="Only these; may be repeated.")
@click.option("--rate-limit", metavar="N/s", help="At most so many requests a second.")
@click.option("--max-requests", type=click.IntRange(1), metavar="N", help="At most so many requests in all.")
@click.option("--max-time", metavar="10m", help="What is not tried by then is reported as untested.")
@click.option(
    "--with-model", type=click.IntRange(0), default=0, help="How many questions to the model, 0 by default."
)
@click.option(
    "--report-dir", type=click.Path(path_type=Path), help="Where report.json, junit.xml and the ledger go."
)
@click.option(
    "--seed", type=click.IntRange(0), default=SEED, metavar="N", help="What generated scenarios grow from."
)
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="quick", help="How many scenarios, and how long."
)
@click.option("--strict-assumptions", is_flag=True, help="An assumption that does not hold fails the run.")
def run(**options: Any) -> None:
    """Try every check, remove what was made, and say what broke.

    \b
    Exit codes: 0 the contract holds; 1 it is broken; 2 wrong usage; 3 the target can't be tested
    (unreachable, not this API, credentials refused, nothing was executed).
    """
    console = Console(highlight=False)
    checks = _selected(options["only"])
    until = time.monotonic() + _seconds(options["max_time"]) if options["max_time"] else None
    with ExitStack() as stack:
        try:
            transport = _transport(options)
            stack.enter_context(closing(transport))
            access = open_target(transport, os.environ)
            team = _team(transport, access, options)
            _announce(console, transport, access, team, len(checks))
            try:
                outcomes = run_checks(
                    checks,
                    team,
                    tell=lambda outcome: console.print(line(outcome), soft_wrap=True),
                    until=until,
                )
            finally:
                for left in team.clean_up():
                    console.print(f"[yellow]left behind[/]  {escape(left)}")
        except Unreachable as error:
            _end(UNTESTABLE, str(error))
    tell_failures(console, outcomes)
    if options["report_dir"]:
        write(options["report_dir"], outcomes, {"target": transport.url, "run": team.run_id})
    console.print(summary(outcomes))
    if all(outcome.verdict is Verdict.UNTESTED for outcome in outcomes):
        _end(UNTESTABLE, "nothing was executed")
    fatal = {Verdict.BROKEN, *([Verdict.ASSUMPTION] if options["strict_assumptions"] else [])}
    sys.exit(BROKEN if any(outcome.verdict in fatal for outcome in outcomes) else HOLDS)


@main.command("list")
def list_() -> None:
    """Every check: its id, the sentence that it asserts, and how well that is founded."""
    for check in CHECKS:
        founded = f"{check.evidence}{f' ({check.assumption})' if check.assumption else ''}"
        click.echo(f"{check.id}\n    {check.sentence}\n    {founded}; {', '.join(check.operations)}")


@main.command()
@click.option("--target", required=True, metavar="mock|URL", help="What to look at.")
def doctor(target: str) -> None:
    """Say whether a target can be tested, as whom, and what would be skipped. Touches nothing.

    \b
    Exit codes: 0 it can; 3 it can't.
    """
    try:
        with closing(_transport({"target": target})) as transport:
            access = open_target(transport, os.environ)
    except Unreachable as error:
        _end(UNTESTABLE, str(error))
    click.echo(f"target        {transport.url}{' (a mock)' if access.mock else ''}")
    click.echo(f"organization  {access.organization_id}")
    click.echo(f"keys          {', '.join(access.keys)}")
    for role in access.missing:
        click.echo(f"skipped       what needs the {role}: set CONTRACTS_{role.upper()}_KEY")


@main.command()
@click.argument("ledger", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", required=True, metavar="URL", help="Where the run was.")
def cleanup(ledger: Path, target: str) -> None:
    """Remove what a killed run left behind, by its ledger.

    \b
    Exit codes: 0 nothing is left; 1 something is, and is listed; 3 the target can't be reached.
    """
    try:
        with closing(_transport({"target": target})) as transport:
            access = open_target(transport, os.environ)
            read = Ledger.read(ledger)
            team = Team(transport, access.keys, access.organization_id, ledger=read, run_id="cleanup")
            left = team.clean_up()
    except Unreachable as error:
        _end(UNTESTABLE, str(error))
    for entry in left:
        click.echo(f"left behind  {entry}")
    for intent in read.unanswered:
        click.echo(
            f"unsure       a {intent['kind']} named {intent['name']!r} may have been made; look for it"
        )
    sys.exit(BROKEN if left or read.unanswered else HOLDS)


def _transport(options: dict[str, Any]) -> Transport:
    limit = Limit(_rate(options.get("rate_limit")), options.get("max_requests"))
    if options["target"] == "mock":
        return InProcess()
    return Http(options["target"], limit)


def _team(transport: Transport, access: Access, options: dict[str, Any]) -> Team:
    run_id = secrets.token_hex(4)
    folder: Path | None = options["report_dir"]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return Team(
        transport,
        access.keys,
        access.organization_id,
        ledger=Ledger(folder / f"ledger-{run_id}.jsonl" if folder is not None else None),
        run_id=run_id,
        read_only=options["read_only"],
        model_calls=options["with_model"],
        settings=Settings(options["seed"], PROFILES[options["profile"]]),
    )


def _selected(only: tuple[str, ...]) -> list[Check]:
    known = {name for check in CHECKS for name in (check.id, check.layer, *check.operations)}
    for name in only:
        if name not in known:
            _end(USAGE, f"--only {name}: no such check, operation or layer; see `contracts list`")
    return [check for check in CHECKS if not only or {check.id, check.layer, *check.operations} & set(only)]


def _announce(console: Console, transport: Transport, access: Access, team: Team, count: int) -> None:
    console.print(
        f"[bold]{count} checks[/] on {transport.url}{' (a mock)' if access.mock else ''}, run {team.run_id}"
    )
    for role in access.missing:
        console.print(f"[cyan]no key[/]     for the {role}: set CONTRACTS_{role.upper()}_KEY")


def _rate(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)/(s|m)", text)
    if match is None or float(match[1]) == 0:
        _end(USAGE, f"--rate-limit {text}: give it like 50/s or 600/m")
    return float(match[1]) / (1 if match[2] == "s" else 60)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)(s|m|h)", text)
    if match is None:
        _end(USAGE, f"--max-time {text}: give it like 90s, 10m or 1h")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


def _end(code: int, message: str) -> NoReturn:
    click.echo(f"contracts: {message}", err=True)
    sys.exit(code)
