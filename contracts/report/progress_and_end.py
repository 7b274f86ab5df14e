"""Reporter of a run: progress, then terminal output, report files and annotations."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from contracts.checks.errors import Unwritable
from contracts.checks.spec import document, judged_by
from contracts.http.connection import Connection
from contracts.http.credentials import redactor
from contracts.report import coverage
from contracts.report.data import Data, as_data
from contracts.report.documents import junit, page, step_summary
from contracts.report.exercised import Recorder
from contracts.report.github import workflow_commands
from contracts.report.har import har
from contracts.report.live import Live
from contracts.report.run_info import RunInfo
from contracts.report.terminal import print_report
from contracts.session import Session
from contracts.verdict import baseline
from contracts.verdict.additions import additions_of
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
        self._redact = redactor(flags["target"], Connection.from_flags(flags), os.environ)
        self._about = RunInfo(session, flags, folder, datetime.now(UTC), time.monotonic(), self._redact)
        self._revision = document().revision
        self._recorder = Recorder(document())
        session.run.on_exchange = self._recorder.note
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
        """Write the reports and print the result.

        Unwritable, after everything is printed, if a file can't be written.
        """
        with judged_by(self._revision):
            return self._end(outcomes, update, stopped=stopped, crash=crash)

    def _end(
        self, outcomes: Sequence[Outcome], update: Path | None, *, stopped: bool, crash: str
    ) -> Judgement:
        info = self._about._replace(seconds=time.monotonic() - self._about.clock, crash=crash)
        known, generator = self._known, f"{info.flags['profile']} {info.flags['seed']}"
        gone = baseline.no_longer(outcomes, known, generator)
        if update is not None:
            known = baseline.updated(outcomes, known, generator)
            with _writing(update):
                baseline.write(update, known, self._redact)
        outcomes = baseline.mark_known(outcomes, known)
        strict, least = info.flags["strict_assumptions"], info.flags["min_coverage"]
        judged = judgement(outcomes, strict=strict, min_coverage=least, stopped=stopped, crash=crash)
        conditions = coverage.RunConditions(
            info.session.access.missing, info.flags["read_only"], info.flags["with_model"] > 0
        )
        covered = coverage.as_data(coverage.coverage(self._recorder, outcomes, conditions))
        data = as_data(
            outcomes,
            info,
            judged.as_data(),
            covered,
            [baseline.as_data(one) for one in gone],
            additions_of(info.session.run).as_data(),
            info.session.run.shared.get("unsteady", {}),
        )
        unwritten = write(self._folder, data)
        print_report(self._console, data, self._folder)
        if unwritten:
            raise Unwritable(unwritten)
        if update is not None:
            click.echo(f"baseline       {len(known)} known in {update}, {len(gone)} no longer")
        with _writing(Path(os.environ.get("GITHUB_STEP_SUMMARY", ""))):
            for line in workflow_commands(data, step_summary(data), os.environ):
                click.echo(line)
        return judged


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    """Turn a failure to write a file into Unwritable."""
    try:
        yield
    except OSError as error:
        raise Unwritable(f"{file} can't be written: {error.strerror or error}") from error


def write(folder: Path, data: Data) -> str:
    """Write every report file to the folder; returns why one can't be written, or nothing."""
    files: dict[str, Callable[[], str]] = {
        "report.json": lambda: json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "junit.xml": lambda: junit(data),
        "report.html": lambda: page(data),
        "failures.har": lambda: har(data),
    }
    for name, text in files.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, text())
        except OSError as error:
            return f"{folder / name} can't be written: {error.strerror or error}"
    return ""


def write_whole(file: Path, text: str) -> None:
    """Write a file; one that can't be written as a whole is removed."""
    try:
        file.write_text(text, "utf-8")
    except OSError:
        with suppress(OSError):
            file.unlink()
        raise
