"""Reporter of a run: progress, then terminal output, report files and annotations."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from contracts.checks.spec import document
from contracts.report import coverage
from contracts.report.data import Data, as_data
from contracts.report.documents import junit, page, step_summary
from contracts.report.exercised import Recorder
from contracts.report.github import workflow_commands
from contracts.report.har import har
from contracts.report.live import Live
from contracts.report.redact import Redactor
from contracts.report.run_info import RunInfo
from contracts.report.terminal import print_report
from contracts.session import Session
from contracts.verdict import baseline
from contracts.verdict.failure import Outcome
from contracts.verdict.result import Judgement, judgement


class RunReporter:
    """Reports a run from its first check to its exit."""

    def __init__(
        self,
        console: Console,
        session: Session,
        flags: Mapping[str, Any],
        folder: Path,
        checks: int,
        known: Sequence[baseline.KnownFailure] = (),
    ) -> None:
        self._console, self._folder, self._known = console, folder, known
        self._about = RunInfo(session, flags, folder, datetime.now(UTC), time.monotonic())
        self._recorder = Recorder(document())
        session.run.on_exchange = self._recorder.note
        self._redact = Redactor(session.access.keys)
        self._live = Live(console, checks, self._recorder, self._redact, self._marked)

    @contextmanager
    def live(self, outcomes: list[Outcome]) -> Iterator[Live]:
        """Show progress while the checks run, and collect them in `outcomes` even if interrupted."""
        self._live.outcomes = outcomes
        with self._live.progress:
            yield self._live
        self._recorder.check = "(cleaning up)"

    def _marked(self, outcome: Outcome) -> Outcome:
        """Outcome with the known failures marked."""
        return baseline.mark_known([outcome], self._known)[0]

    def end(
        self,
        outcomes: Sequence[Outcome],
        update: Path | None = None,
        *,
        stopped: bool = False,
        crash: str = "",
    ) -> Judgement:
        """Write the reports and print the result."""
        info = self._about._replace(seconds=time.monotonic() - self._about.clock, crash=crash)
        known, generator = self._known, f"{info.flags['profile']} {info.flags['seed']}"
        gone = baseline.no_longer(outcomes, known, generator)
        if update is not None:
            known = baseline.updated(outcomes, known, generator)
            baseline.write(update, known, self._redact)
        outcomes = baseline.mark_known(outcomes, known)
        strict, least = info.flags["strict_assumptions"], info.flags["min_coverage"]
        judged = judgement(outcomes, strict=strict, min_coverage=least, stopped=stopped, crash=crash)
        conditions = coverage.RunConditions(
            info.session.access.missing, info.flags["read_only"], info.flags["with_model"] > 0
        )
        covered = coverage.as_data(coverage.coverage(self._recorder, outcomes, conditions))
        data = as_data(outcomes, info, judged.as_data(), covered, [baseline.as_data(one) for one in gone])
        write(self._folder, data)
        print_report(self._console, data, self._folder)
        if update is not None:
            click.echo(f"baseline       {len(known)} known in {update}, {len(gone)} no longer")
        for line in workflow_commands(data, step_summary(data), os.environ):
            click.echo(line)
        return judged


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
