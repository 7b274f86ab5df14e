"""The `contracts` command."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from contracts.checks.errors import Crashed, Unreachable
from contracts.doctor import report
from contracts.exits import BROKEN, CRASHED, HOLDS, INTERRUPTED, TERMINATED, UNTESTABLE, USAGE, Commands, end
from contracts.http.credentials import open_target
from contracts.http.run import Team
from contracts.http.target import open_transport
from contracts.report.progress_and_end import Telling, about
from contracts.safety.ledger import Ledger
from contracts.safety.unanswered import settle
from contracts.session import Options, Session, opened
from contracts.settings import PROFILES, SEED
from contracts.suite import CHECKS, selected
from contracts.verdict import baseline
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.replay import fails, recorded, step, told
from contracts.verdict.replay import replay as replay_failure
from contracts.verdict.runner import crash
from contracts.verdict.runner import run as run_checks

_TARGET = click.option(
    "--target",
    required=True,
    metavar="mock|mock-http|URL",
    help="What to test: a fresh mock, in this process or on a free port, or a deployment.",
)
_SPACE_ID = click.option(
    "--space-id",
    multiple=True,
    metavar="ID",
    help="A space that is there already: it is looked at, and never written to. May be repeated.",
)
_WITH_MODEL = click.option(
    "--with-model", type=click.IntRange(0), default=0, help="How many questions to the model, 0 by default."
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Hold a deployment of the Freddy spaces API to its contract.

    \b
    Keys come from the environment: CONTRACTS_OWNER_KEY (or FREDDY_API_KEY), CONTRACTS_EDITOR_KEY,
    CONTRACTS_VIEWER_KEY, CONTRACTS_OUTSIDER_KEY, CONTRACTS_FOREIGN_KEY, CONTRACTS_ADMIN_KEY, and
    CONTRACTS_ORGANIZATION_ID.
    A mock needs none: there they default to its demo keys.
    """


@main.command("run")
@_TARGET
@click.option("--read-only", is_flag=True, help="Send GET, HEAD and OPTIONS alone; what writes is untested.")
@_SPACE_ID
@click.option("--only", metavar="CHECK|OPERATION|LAYER", multiple=True, help="Only these; may be repeated.")
@click.option("--rate-limit", metavar="N/s", help="At most so many requests a second.")
@click.option("--max-requests", type=click.IntRange(1), metavar="N", help="At most so many requests in all.")
@click.option("--max-time", metavar="10m", help="What is not tried by then is reported as untested.")
@_WITH_MODEL
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    help="Where the reports and the ledger go; a temporary folder if not given.",
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Failures that are known: they are told, and do not fail the run.",
)
@click.option("--update-baseline", is_flag=True, help="Write what fails now into the --baseline.")
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
    (unreachable, not this API, credentials refused, nothing was executed, no answers in the middle),
    or the suite itself crashed, which its last line and its reports say;
    130 and 143 the run was stopped by Ctrl-C or SIGTERM: what it made is removed all the same.
    """
    gc.set_threshold(3_000_000, 20, 20)  # what is made up soon goes: a fifth of the time went there
    console = Console(highlight=False)
    outcomes: list[Outcome] = []
    stopped, crashed = 0, ""
    known = baseline.asked(options["baseline"], update=options["update_baseline"])
    checks, telling = selected(options["only"]), None
    try:
        with opened(Options.among(options), checks, os.environ, _say(console)) as session:
            _announce(console, session)
            folder = session.folder or Path(tempfile.mkdtemp(prefix="contracts-"))
            telling = Telling(console, about(session, options, folder), folder, len(checks))
            telling.watch(session.team)
            try:
                with telling.live(outcomes) as live:
                    run_checks(checks, session.team, tell=live.tell, begin=live.begin, until=session.until)
            except KeyboardInterrupt:
                stopped = TERMINATED if session.terminated else INTERRUPTED
                console.print("stopped: removing what was made")
            except Crashed as error:
                crashed = str(error)
                console.print("crashed: removing what was made")
    except Exception as error:
        if telling is None or isinstance(error, Unreachable):
            raise
        crashed = f"removing what was made: {crash(error)}"
    gc.freeze()  # the process ends soon, and would look for garbage in all that was made up
    update = options["baseline"] if options["update_baseline"] else None
    held = telling.end(outcomes, known, None if stopped or crashed else update, crashed)
    if crashed:
        end(CRASHED, f"crashed in {crashed}")
    _end_with(outcomes, stopped, held)


def _end_with(outcomes: list[Outcome], stopped: int, held: bool) -> NoReturn:
    verdicts = [outcome.verdict for outcome in outcomes]
    silent = verdicts.count(Verdict.UNANSWERED)
    if stopped:
        end(stopped, f"stopped after {len(outcomes)} checks")
    if not held:
        sys.exit(BROKEN)
    if silent:
        end(UNTESTABLE, f"{silent} checks got no answer; the first: {_first_silent(outcomes)}")
    if all(verdict is Verdict.UNTESTED for verdict in verdicts):
        end(UNTESTABLE, "nothing was executed")
    sys.exit(HOLDS)


def _first_silent(outcomes: list[Outcome]) -> str:
    return next(outcome.message for outcome in outcomes if outcome.verdict is Verdict.UNANSWERED)


@main.command()
@click.argument("failure", metavar="REPORT#ID")
@click.option("--target", metavar="mock|mock-http|URL", help="Where; that of the report if not given.")
@_WITH_MODEL
@click.option("--strict-assumptions", is_flag=True, help="An assumption that does not hold fails, too.")
def replay(failure: str, target: str | None, with_model: int, strict_assumptions: bool) -> None:
    """Send the requests of a recorded failure again, three times, and say FIXED, FAILED or FLAKY.

    \b
    REPORT is a report.json or its folder, ID the number of the failure in it.
    Exit codes: 0 fixed, flaky, or no contract is broken by it; 1 it still fails; 2 no such failure;
    3 the target can't be tested, or a key or a question to the model is missing.
    """
    console = Console(highlight=False)
    what = recorded(failure)
    asked = {"with_model": with_model, "seed": what.run["seed"], "profile": what.run["profile"]}
    options = Options(target or what.run["given"], **asked)
    with opened(options, [*CHECKS], os.environ, _say(console)) as session:
        passes = replay_failure(
            session.team, CHECKS, what, lambda *sent: console.print(step(*sent), soft_wrap=True)
        )
    console.print(told(what, passes))
    sys.exit(BROKEN if fails(what, passes, strict=strict_assumptions) else HOLDS)


@main.command("list")
def list_() -> None:
    """Every check: its id, the sentence that it asserts, and how well that is founded."""
    for check in CHECKS:
        founded = f"{check.evidence}{f' ({check.assumption})' if check.assumption else ''}"
        click.echo(f"{check.id}\n    {check.sentence}\n    {founded}; {', '.join(check.operations)}")


@main.command()
@_TARGET
@_SPACE_ID
@_WITH_MODEL
def doctor(**options: Any) -> None:
    """Say whether a target can be tested, as whom, and what would be skipped. Touches nothing.

    \b
    Exit codes: 0 it can; 2 wrong usage; 3 it can't.
    """
    asked = Options.among(options)
    with closing(open_transport(asked.target)) as transport:
        access = open_target(transport, os.environ)
        whom = (transport, access.keys, access.organization_id)
        team = Team(*whom, ledger=Ledger(), run_id="doctor", read_only=True)
        for said in report(transport, access, team, asked, selected(())):
            click.echo(said)


@main.command()
@click.argument("ledger", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", metavar="URL", help="Where the run was, if not where its ledger says.")
def cleanup(ledger: Path, target: str | None) -> None:
    """Remove what a killed run left behind, by its ledger.

    \b
    Exit codes: 0 nothing is left; 1 something is, or may be, and is listed; 2 this is no ledger;
    3 the target can't be reached.
    """
    read = Ledger.read(ledger)
    where = target or read.about.get("target")
    if not where:
        end(USAGE, f"{ledger} does not say where the run was: it is no ledger, or give --target URL")
    with closing(open_transport(where)) as transport:
        run_id = read.about.get("run", "cleanup")
        access = open_target(transport, os.environ, run_id)
        organization = read.about.get("organization_id", access.organization_id)
        team = Team(transport, access.keys, organization, ledger=read, run_id=run_id)
        count = len(list(read.left()))
        left = team.clean_up()
        found = settle(team)
    click.echo(f"removed      {count - len(left) + len(found.removed)}")
    for entry in left:
        click.echo(f"left behind  {entry}")
    for entry in found.unsure:
        click.echo(f"unsure       {entry}")
    sys.exit(BROKEN if left or found.unsure else HOLDS)


def _say(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(escape(text))


def _announce(console: Console, session: Session) -> None:
    access, team = session.access, session.team
    mock = " (a mock)" if access.mock else ""
    console.print(
        f"[bold]{len(session.checks)} checks[/] on {session.transport.url}{mock}, run {team.run_id}"
    )
    if team.ledger.path is not None:
        console.print(f"ledger      {escape(str(team.ledger.path))}", soft_wrap=True)
    for role in access.missing:
        console.print(f"[cyan]no key[/]     for the {role}: set CONTRACTS_{role.upper()}_KEY")
