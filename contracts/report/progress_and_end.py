"""All that a run tells, while it goes and at its end."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from contracts.checks.spec import document
from contracts.http.run import Team
from contracts.report import coverage
from contracts.report.data import Data, as_data
from contracts.report.exercised import Record
from contracts.report.github import step_summary, workflow_commands
from contracts.report.har import har
from contracts.report.html import page
from contracts.report.junit import junit
from contracts.report.live import Live
from contracts.report.redact import Redactor
from contracts.report.run_info import About
from contracts.report.terminal import tell
from contracts.session import Session
from contracts.verdict import baseline
from contracts.verdict.failure import Outcome


class Telling:
    """From the first check to the last line."""

    def __init__(self, console: Console, about: About, folder: Path, checks: int) -> None:
        self._console, self._about, self._folder = console, about, folder
        self._record = Record(document())
        self._redact = Redactor(about.keys)
        self._live = Live(console, checks, self._record, self._redact)

    @contextmanager
    def live(self, outcomes: list[Outcome]) -> Iterator[Live]:
        """While the checks run: tells each, and keeps it in `outcomes`, however the run ends."""
        self._live.outcomes = outcomes
        with self._live():
            yield self._live
        self._record.check = "(cleaning up)"

    def watch(self, team: Team) -> None:
        """See every exchange of a team."""
        team.watch = self._record.note

    def end(
        self,
        outcomes: Sequence[Outcome],
        known: Sequence[baseline.Known],
        update: Path | None = None,
        crash: str = "",
    ) -> bool:
        """Write the artifacts and tell what came of the run; whether the contract holds."""
        about = self._about._replace(seconds=time.monotonic() - self._about.clock, crash=crash)
        gone = baseline.no_longer(outcomes, known)
        if update is not None:
            new = baseline.updated(outcomes, known)
            baseline.write(update, new, self._redact)
            known = new
        outcomes = baseline.marked(outcomes, known)
        terms = coverage.Terms(about.missing, about.read_only, about.with_model > 0)
        covered = coverage.as_data(coverage.coverage(self._record, outcomes, terms))
        data = as_data(outcomes, about, covered, [baseline.as_data(one) for one in gone])
        write(self._folder, data)
        tell(self._console, data, self._folder)
        if update is not None:
            click.echo(f"baseline       {len(known)} known in {update}, {len(gone)} no longer")
        for line in on_github(data, os.environ, _lines(Path("openapi.yaml"))):
            click.echo(line)
        return bool(data["holds"])


def about(session: Session, options: Mapping[str, Any], folder: Path) -> About:
    """Which run it is, and on what terms it goes."""
    access = session.access
    return About(
        target=session.transport.url,
        given=options["target"],
        run_id=session.team.run_id,
        organization_id=access.organization_id,
        started=datetime.now(UTC),
        clock=time.monotonic(),
        mock=access.mock,
        keys=access.keys,
        missing=access.missing,
        report=str(folder / "report.json"),
        **{name: options[name] for name in About._fields if name in options and name != "target"},
    )


def _lines(spec: Path) -> dict[str, int]:
    """Where each operation is described, if the document lies where the run was started."""
    if not spec.is_file():
        return {}
    lines = spec.read_text("utf-8", "replace").splitlines()
    found = ((n, re.match(r"\s+operationId: (\w+)", line)) for n, line in enumerate(lines, 1))
    return {match[1]: n for n, match in found if match}


def write(folder: Path, data: Data) -> None:
    """Every artifact, in the folder."""
    files = {
        "report.json": json.dumps(data, indent=1, ensure_ascii=False) + "\n",
        "junit.xml": junit(data),
        "report.html": page(data),
        "failures.har": har(data),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def on_github(data: Data, environ: Mapping[str, str], lines: Mapping[str, int]) -> list[str]:
    """Append the step's summary, and answer the annotations to print; nothing elsewhere."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return []
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(step_summary(data))
    return list(workflow_commands(data, lines))
