"""The command `contracts calibrate`."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from contracts.calibration.calibrate import AS_ASSUMED, Finding, calibrate
from contracts.calibration.profile_file import differences, read, text_of, with_answers
from contracts.checks.errors import Usage
from contracts.checks.evidence import assumptions
from contracts.exits import BROKEN, HOLDS, Command, end, printable, say, stopped_by
from contracts.http.connection import FRESH
from contracts.options import REVISION, SPACE_ID, TARGET_OR_DIFF, WITH_MODEL, connection
from contracts.report import drift
from contracts.session import Options, Session, opened

FREE_QUESTIONS = 10
"""Questions to the model of a fresh mock, which cost nothing."""
KEPT = "kept"
"""Outcome of an entry that an existing profile had before."""
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("calibrate", cls=Command)
@TARGET_OR_DIFF
@click.option("-o", "--output", type=FILE, help="File of the profile; without --only it is replaced.")
@click.option("--read-only", is_flag=True, help="Send GET, HEAD and OPTIONS only; skip probes that write.")
@click.option("--yes", is_flag=True, help="Do not ask before writing to a target that is not a mock.")
@click.option(
    "--only",
    metavar="A01",
    multiple=True,
    help="Probe only this assumption, and keep the other entries of an existing -o; may be repeated.",
)
@click.option("--diff", type=FILE, nargs=2, metavar="OLD NEW", help="Compare two profiles instead.")
@click.option(
    "--from-drift",
    type=FILE,
    metavar="FILE",
    help="Add answers from a ledger of `contracts run --drift` to the existing profile of -o instead.",
)
@SPACE_ID
@WITH_MODEL
@REVISION
@connection
def command(**options: Any) -> None:
    """Find out which alternative of each assumption a target follows, and write it as a profile.

    The mock serves a profile with `mockserver serve --profile FILE`. The command deletes everything that it
    creates on the target.

    \b
    Examples:
      contracts calibrate --target https://staging.example.com -o staging.profile.yaml
      contracts calibrate --diff old.profile.yaml staging.profile.yaml

    \b
    Exit codes: 0 the profile is written, or --diff found no change; 1 --diff found a change; 2 wrong usage;
    3 the target can't be tested; 130 and 143 stopped by Ctrl-C or SIGTERM, and nothing was written.
    """
    for mode, others in (("diff", ()), ("from_drift", ("output",))):
        if options[mode]:
            _require_alone(mode, others)
    if options["diff"]:
        old, new = (read(path) for path in options["diff"])
        changed = [*differences(old, new)]
        for line in changed or ["no change"]:
            click.echo(printable(line))
        sys.exit(BROKEN if changed else HOLDS)
    if options["from_drift"] and options["output"]:
        _learn(drift.read(options["from_drift"]), options["output"])
        return
    if options["target"] is None or options["output"] is None:
        raise Usage("pass --target URL and -o FILE, --from-drift FILE and -o FILE, or --diff OLD NEW")
    if strange := [id_ for id_ in options["only"] if id_ not in assumptions()]:
        raise Usage(f"--only {strange[0]}: no such assumption; see docs/assumptions.md")
    if options["target"] in FRESH:
        options["with_model"] = options["with_model"] or FREE_QUESTIONS
    chosen, console = Options.from_flags({**options, "only": ()}), Console(highlight=False)
    kept = read(options["output"]) if options["only"] and options["output"].exists() else {}
    with _writable(options["output"]) as file:
        findings, text = _calibrated(chosen, options, kept, console)
        file.write(printable(text))
    _summarize(console, findings, options["output"])


def _require_alone(mode: str, others: Collection[str]) -> None:
    """Refuse flags that have no effect beside --diff or --from-drift."""
    context = click.get_current_context()
    given = [
        parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name not in (mode, *others)
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise Usage(f"--{mode.replace('_', '-')} calls no target; leave out {', '.join(given)}")


def _learn(entries: Sequence[dict[str, Any]], path: Path) -> None:
    """Add the answers of a drift ledger to a profile."""
    content = read(path)
    learned, added = with_answers(content["assumptions"], drift.answers(entries))
    findings = [Finding(id_, entry, "") for id_, entry in learned.items()]
    with _writable(path) as file:
        file.write(text_of(findings, content["revision"], content["date"]))
    for line in added or ["nothing that a profile can say is new"]:
        click.echo(printable(line))


def _calibrated(
    chosen: Options, options: dict[str, Any], kept: dict[str, Any], console: Console
) -> tuple[list[Finding], str]:
    """Findings, and the profile that they make with the other entries of `kept`, an existing one."""
    try:
        with opened(chosen, [], os.environ, say(console)) as session:
            _require_consent(session, options)
            run, is_mock = session.run, session.access.mock
            if kept and kept["revision"] != run.revision:
                revisions = f"of revision {kept['revision']}, and this target of {run.revision}"
                raise Usage(f"{options['output']} is {revisions}; pass another -o")
            findings = calibrate(run, options["only"], lambda each: _say(console, each), is_mock=is_mock)
            findings = [_with_kept(found, kept, options["only"]) for found in findings]
            return findings, text_of(findings, run.revision, time.strftime("%Y-%m-%d", time.gmtime()))
    except (KeyboardInterrupt, click.Abort) as error:  # Abort: at the question
        end(stopped_by(error), "stopped; what the probes created was deleted, and nothing was written")


def _with_kept(found: Finding, kept: dict[str, Any], only: Collection[str]) -> Finding:
    """Finding, or the entry of an existing profile for what was left out."""
    entries = kept.get("assumptions", {})
    if found.assumption in only or found.assumption not in entries:
        return found
    return Finding(found.assumption, entries[found.assumption], KEPT)


@contextmanager
def _writable(path: Path) -> Iterator[Any]:
    """File that takes the place of `path` when it is complete."""
    beside = path.with_name(f"{path.name}.part")
    try:
        file = beside.open("w", encoding="utf-8")
    except OSError as error:
        raise Usage(f"{path} can't be written: {error.strerror}; pass another -o") from error
    try:
        with file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _require_consent(session: Session, options: dict[str, Any]) -> None:
    """Ask before anything is written to a target that is no mock."""
    if session.access.mock or options["read_only"] or options["yes"]:
        return
    what = f"{session.transport.url} is no mock: the probes create spaces, threads and vector stores there"
    if not sys.stdin.isatty():
        raise Usage(f"{what}, and delete them; pass --yes, or --read-only for what reads tell")
    if not click.confirm(printable(f"{what}, and delete them. Go on?"), err=True):
        raise Usage("nothing was sent that writes; --read-only probes what reads tell")


def _say(console: Console, found: Finding) -> None:
    if found.outcome in (AS_ASSUMED, "not probed"):
        return
    about, entry = assumptions()[found.assumption].about.replace("`", ""), found.entry
    words = ", ".join(f"{k} {v}" for k, v in entry.items()) if isinstance(entry, dict) else entry
    console.print(printable(f"{found.assumption:5} {words}  ({about})"), soft_wrap=True, markup=False)


def _summarize(console: Console, findings: Sequence[Finding], path: Path) -> None:
    counts = Counter(found.outcome for found in findings)
    calls, seconds = sum(f.calls for f in findings), sum(f.seconds for f in findings)
    words = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common() if outcome != KEPT)
    console.print(f"{words}; {calls} calls, {seconds:.0f} s", soft_wrap=True)
    others = f"; {counts[KEPT]} other entries of it are kept" if counts[KEPT] else ""
    console.print(printable(f"written to {path}{others}"), soft_wrap=True, markup=False)
