"""The `contracts` command."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from contracts.calibrate import command as calibrate
from contracts.checks.claim_list import all_claims
from contracts.checks.errors import CleanUpStopped, Crashed, TargetUnreachable
from contracts.checks.revision import address_by
from contracts.doctor import faults, report
from contracts.exits import (
    BROKEN,
    CRASHED,
    HOLDS,
    INTERRUPTED,
    TERMINATED,
    UNTESTABLE,
    USAGE,
    Commands,
    end,
    printable,
    say,
)
from contracts.http.connection import FRESH, TargetUrl
from contracts.http.run import Run
from contracts.options import PROFILE_FILE, REVISION, SPACE_ID, TARGET, WITH_MODEL, connection
from contracts.report import drift
from contracts.report.progress_and_end import RunReporter
from contracts.safety.ledger import Ledger
from contracts.safety.unanswered import reconcile
from contracts.session import Options, opened, reached
from contracts.settings import PROFILES, SEED
from contracts.start import announce, fitted
from contracts.suite import CHECKS, selected
from contracts.verdict import baseline
from contracts.verdict.crash import crash
from contracts.verdict.failure import Outcome
from contracts.verdict.replay import exchange_line, load_failure, result_line, still_broken
from contracts.verdict.replay import replay as replay_failure
from contracts.verdict.result import MIN_COVERAGE, Judgement, Result
from contracts.verdict.runner import run_checks


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Check a deployment of the Freddy spaces API against its contract.

    \b
    Keys come from the environment: CONTRACTS_OWNER_KEY (or FREDDY_API_KEY), CONTRACTS_EDITOR_KEY,
    CONTRACTS_VIEWER_KEY, CONTRACTS_OUTSIDER_KEY, CONTRACTS_FOREIGN_KEY, CONTRACTS_ADMIN_KEY, and
    CONTRACTS_ORGANIZATION_ID.
    A mock needs none: its demo keys are the default.

    \b
    Ctrl-C ends each command with exit code 130, and SIGTERM with 143.
    """


main.add_command(calibrate)


@main.command("run")
@TARGET
@click.option(
    "--read-only", is_flag=True, help="Send GET, HEAD and OPTIONS only; checks that write are untested."
)
@SPACE_ID
@click.option(
    "--only", metavar="CHECK|OPERATION|LAYER", multiple=True, help="Select checks; may be repeated."
)
@click.option(
    "--skip",
    metavar="CHECK|OPERATION|LAYER",
    multiple=True,
    help="Leave out checks, which are untested then; may be repeated.",
)
@click.option("--max-requests", type=click.IntRange(1), metavar="N", help="Maximum number of requests.")
@click.option("--max-time", metavar="10m", help="Maximum duration; later checks are untested.")
@WITH_MODEL
@REVISION
@PROFILE_FILE
@connection
@click.option(
    "--drift",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Record the differences of lock step in this ledger.",
)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    help="Folder for reports and ledger; a temporary folder by default.",
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of known failures, which are reported and do not fail the run.",
)
@click.option("--update-baseline", is_flag=True, help="Write the current failures to the --baseline.")
@click.option("--seed", type=click.IntRange(0), default=SEED, metavar="N", help="Seed of generated data.")
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="quick", help="Amount of generated data."
)
@click.option("--strict-assumptions", is_flag=True, help="Count assumptions that do not hold as failures.")
@click.option("--closed", is_flag=True, help="Count undocumented fields of responses as failures.")
@click.option(
    "--min-coverage",
    type=click.IntRange(0, 100),
    default=MIN_COVERAGE,
    metavar="PERCENT",
    help=f"Checks to try, of those that keys and options allow, for a result; {MIN_COVERAGE} by default.",
)
def run(**options: Any) -> None:
    """Run every check, delete the created resources, and report the failures.

    \b
    Exit codes: 0 the contract holds; 1 it is broken; 2 wrong usage; 3 no result: the target can't be
    tested (unreachable, not this API, a key is refused or read-only), checks got no answer, too few
    were tried, or the suite itself crashed, see the last line and the reports;
    130 and 143 the run was stopped by Ctrl-C or SIGTERM, and its resources were deleted.
    """
    gc.freeze()  # libraries stay: a collection need not look at them
    console = Console(highlight=False)
    outcomes: list[Outcome] = []
    stopped, crashed = 0, ""
    known = baseline.load(options["baseline"], update=options["update_baseline"])
    drift.known(options["drift"] or Path(os.devnull))  # a wrong file is reported before anything is sent
    checks, reporter = selected(options["only"], options["skip"], options["profile"]), None
    try:
        with opened(Options.from_flags(options), checks, os.environ, say(console)) as session:
            checks = fitted(session, checks, options)
            announce(console, session, checks, options["profile"])
            folder = session.folder or Path(tempfile.mkdtemp(prefix="contracts-"))
            reporter = RunReporter(console, session, options, folder, len(checks), known)
            try:
                with reporter.live(outcomes) as live:
                    run_checks(
                        checks,
                        session.run,
                        on_outcome=live.finish,
                        on_start=live.start,
                        until=session.until,
                        signals=session.signals,
                    )
            except KeyboardInterrupt:
                stopped = TERMINATED if session.signals[:1] == [signal.SIGTERM] else INTERRUPTED
                console.print("stopped: deleting the created resources")
            except Crashed as error:
                crashed = str(error)
                console.print("crashed: deleting the created resources")
    except Exception as error:
        if reporter is None or isinstance(error, TargetUnreachable | CleanUpStopped):
            raise
        crashed = f"deleting the created resources: {crash(error)}"
    gc.freeze()  # the process ends soon: skip the last collection
    update = options["baseline"] if options["update_baseline"] else None
    new = None if stopped or crashed else update
    if options["drift"] is not None:
        seen = drift.record(options["drift"], outcomes, time.strftime("%Y-%m-%d", time.gmtime()))
        words = f"drift          {seen.new} new, {seen.known} known: {options['drift']}"
        console.print(printable(words), soft_wrap=True, markup=False)
    _end_with(reporter.end(outcomes, new, stopped=bool(stopped), crash=crashed), stopped)


def _end_with(judged: Judgement, stopped: int) -> NoReturn:
    """Exit with the code of the result; without one its reason is the last line."""
    if judged.result in (Result.HOLDS, Result.BROKEN):
        sys.exit(HOLDS if judged.result is Result.HOLDS else BROKEN)
    if judged.result is Result.CRASHED:
        end(CRASHED, f"crashed in {judged.reason}")
    end(stopped or UNTESTABLE, judged.reason)


@main.command()
@click.argument("failure", metavar="REPORT#ID")
@click.option(
    "--target", metavar="mock|mock-http|URL", help="Target; by default a fresh mock, if the report is of one."
)
@WITH_MODEL
@REVISION
@PROFILE_FILE
@click.option("--strict-assumptions", is_flag=True, help="Count assumptions that do not hold as failures.")
@connection
def replay(failure: str, target: str | None, strict_assumptions: bool, **flags: Any) -> None:
    """Replay a recorded failure three times, and report FIXED, FAILED or FLAKY.

    \b
    REPORT is a report.json or its folder, ID the number of the failure in it.
    Exit codes: 0 fixed, flaky, or only an assumption fails; 1 it still fails; 2 no such failure;
    3 the target can't be tested, or a key or a question to the model is missing.
    """
    console = Console(highlight=False)
    what = load_failure(failure)
    settings = {name: what.run_data[name] for name in ("seed", "profile")}
    recorded = what.run_data["given"]
    if target is None and recorded not in FRESH:
        end(USAGE, f"keys are sent only where you say: pass --target, as the report has it: {recorded}")
    judge = flags["revision"] or what.run_data.get("contract", {}).get("revision")
    options = Options.from_flags({**flags, **settings, "target": target or recorded, "revision": judge})
    with opened(options, [*CHECKS], os.environ, say(console)) as session:
        passes = replay_failure(
            session.run,
            CHECKS,
            what,
            lambda *sent: console.print(printable(exchange_line(*sent)), soft_wrap=True),
        )
    console.print(printable(result_line(what, passes)))
    sys.exit(BROKEN if still_broken(what, passes, strict=strict_assumptions) else HOLDS)


@main.command("list")
@click.option("--claims", is_flag=True, help="List the claims instead, with evidence and source.")
def list_(claims: bool) -> None:
    """List every check with its id, sentence and evidence."""
    for claim in all_claims() if claims else ():
        evidence = f"{claim.evidence}{f' ({claim.assumption})' if claim.assumption else ''}"
        click.echo(f"{claim.where}\n    {claim.kind} {claim.what}\n    {evidence}; {claim.source}")
    if claims:
        return
    for check in CHECKS:
        evidence = f"{check.evidence}{f' ({check.assumption})' if check.assumption else ''}"
        click.echo(f"{check.id}\n    {check.sentence}\n    {evidence}; {', '.join(check.operations)}")


@main.command()
@TARGET
@SPACE_ID
@WITH_MODEL
@REVISION
@connection
def doctor(**options: Any) -> None:
    """Report whether a target can be tested, with which roles, and what would be skipped. Writes nothing.

    \b
    Exit codes: 0 it can; 2 wrong usage; 3 it can't.
    """
    chosen = Options.from_flags(options)
    with reached(chosen, os.environ) as (transport, access, spoken):
        whom = (transport, access.keys, access.organization_id)
        run = Run(*whom, ledger=Ledger(), run_id="doctor", read_only=True)
        run.requires_organization = address_by(spoken)
        for line in report(transport, access, run, chosen, selected(()), spoken):
            click.echo(printable(line))
        if reasons := faults(run):
            end(UNTESTABLE, "; ".join(reasons))


@main.command()
@click.argument("ledger", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", metavar="URL", help="Target of the run, which the ledger must name.")
@REVISION
@connection
def cleanup(ledger: Path, target: str | None, **flags: Any) -> None:
    """Delete what a killed run left behind, from its ledger.

    \b
    Exit codes: 0 nothing remains; 1 something remains, or may, and is listed; 2 not a ledger;
    3 the target can't be reached.
    """
    read = Ledger.read(ledger)
    where = str(read.about.get("target", ""))
    if target is None or (where and TargetUrl.parse(target).url != where):
        end(USAGE, f"keys are sent only where you say: pass --target; {ledger} is of {where or 'no target'}")
    options = Options.from_flags({**flags, "target": target})
    run_id = read.about.get("run", "cleanup")
    with reached(options, os.environ, run_id) as (transport, access, spoken):
        organization = read.about.get("organization_id", access.organization_id)
        run = Run(transport, access.keys, organization, ledger=read, run_id=run_id)
        run.requires_organization = address_by(spoken)
        count = len(list(read.left()))
        left = run.clean_up()
        found = reconcile(run)
    click.echo(f"removed      {count - len(left) + len(found.removed)}")
    for entry in left:
        click.echo(printable(f"left behind  {entry}"))
    for entry in found.unsure:
        click.echo(printable(f"unsure       {entry}"))
    sys.exit(BROKEN if left or found.unsure else HOLDS)
