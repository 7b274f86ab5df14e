"""Reporter of a run: progress, then terminal output, report files and annotations."""

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
from contracts.http.run import Run
from contracts.report import coverage
from contracts.report.data import Data, as_data
from contracts.report.exercised import Recorder
from contracts.report.github import step_summary, workflow_commands
from contracts.report.har import har
from contracts.report.html import page
from contracts.report.junit import junit
from contracts.report.live import Live
from contracts.report.redact import Redactor
from contracts.report.run_info import RunInfo
from contracts.report.terminal import print_report
from contracts.session import Session
from contracts.verdict import baseline
from contracts.verdict.failure import Outcome


class RunReporter:
    """Reports a run from its first check to its exit."""

    def __init__(self, console: Console, info: RunInfo, folder: Path, checks: int) -> None:
        self._console, self._about, self._folder = console, info, folder
        self._recorder = Recorder(document())
        self._redact = Redactor(info.keys)
        self._live = Live(console, checks, self._recorder, self._redact)

    @contextmanager
    def live(self, outcomes: list[Outcome]) -> Iterator[Live]:
        """Show progress while the checks run, and collect them in `outcomes` even if interrupted."""
        self._live.outcomes = outcomes
        with self._live():
            yield self._live
        self._recorder.check = "(cleaning up)"

    def watch(self, run: Run) -> None:
        """Count every exchange of a run."""
        run.on_exchange = self._recorder.note

    def end(
        self,
        outcomes: Sequence[Outcome],
        known: Sequence[baseline.KnownFailure],
        update: Path | None = None,
        crash: str = "",
    ) -> bool:
        """Write the reports and print the result; returns whether the contract holds."""
        info = self._about._replace(seconds=time.monotonic() - self._about.clock, crash=crash)
        gone = baseline.no_longer(outcomes, known)
        if update is not None:
            new = baseline.updated(outcomes, known)
            baseline.write(update, new, self._redact)
            known = new
        outcomes = baseline.mark_known(outcomes, known)
        conditions = coverage.RunConditions(info.missing, info.read_only, info.with_model > 0)
        covered = coverage.as_data(coverage.coverage(self._recorder, outcomes, conditions))
        data = as_data(outcomes, info, covered, [baseline.as_data(one) for one in gone])
        write(self._folder, data)
        print_report(self._console, data, self._folder)
        if update is not None:
            click.echo(f"baseline       {len(known)} known in {update}, {len(gone)} no longer")
        for line in github_annotations(data, os.environ, _lines(Path("openapi.yaml"))):
            click.echo(line)
        return bool(data["holds"])


def run_info(session: Session, options: Mapping[str, Any], folder: Path) -> RunInfo:
    """Description of a run, from its session and options."""
    access = session.access
    return RunInfo(
        target=session.transport.url,
        given=options["target"],
        run_id=session.run.run_id,
        organization_id=access.organization_id,
        started=datetime.now(UTC),
        clock=time.monotonic(),
        mock=access.mock,
        keys=access.keys,
        missing=access.missing,
        report=str(folder / "report.json"),
        **{name: options[name] for name in RunInfo._fields if name in options and name != "target"},
    )


def _lines(spec: Path) -> dict[str, int]:
    """Line of each operation in openapi.yaml, if the working directory has it."""
    if not spec.is_file():
        return {}
    lines = spec.read_text("utf-8", "replace").splitlines()
    matches = ((n, re.match(r"\s+operationId: (\w+)", line)) for n, line in enumerate(lines, 1))
    return {match[1]: n for n, match in matches if match}


def write(folder: Path, data: Data) -> None:
    """Write every report file to the folder."""
    files = {
        "report.json": json.dumps(data, indent=1, ensure_ascii=False) + "\n",
        "junit.xml": junit(data),
        "report.html": page(data),
        "failures.har": har(data),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def github_annotations(data: Data, environ: Mapping[str, str], lines: Mapping[str, int]) -> list[str]:
    """Append the step summary, and return the annotations; empty outside GitHub Actions."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return []
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(step_summary(data))
    return list(workflow_commands(data, lines))
