"""Progress of a run: live on a terminal, one line per check elsewhere."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from contracts.checks.check import Check
from contracts.http.redact import Redactor
from contracts.report.exercised import Recorder
from contracts.verdict.diff import cut
from contracts.verdict.failure import Outcome, Verdict

COLOURS = {
    "passed": "green",
    "broken": "bold red",
    "assumption does not hold here": "yellow",
    "known": "blue",
    "order-dependent": "yellow",
    "flaky": "yellow",
    "unconfirmed": "yellow",
    "untested": "cyan",
    "no answer": "magenta",
}


class Live:
    """Progress display; without a terminal it prints one line per check."""

    def __init__(self, console: Console, checks: int, record: Recorder, redact: Redactor) -> None:
        self._console, self._recorder, self._redact = console, record, redact
        self._counts: Counter[str] = Counter()
        self.outcomes: list[Outcome] = []
        self.progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            _Counts(self),
            TimeElapsedColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self.progress.add_task("", total=checks)

    def start(self, check: Check) -> None:
        """Show the check that starts."""
        self._recorder.check = check.id
        self.progress.update(self._task, description=f"[dim]{check.layer}[/] {check.id}")

    def finish(self, outcome: Outcome) -> None:
        """Record the outcome of a check, and print it."""
        verdict = outcome.verdict
        self.outcomes.append(outcome)
        self._counts[verdict] += 1
        self.progress.update(self._task, advance=1)
        if self._console.is_terminal and verdict is Verdict.PASSED:
            return
        text = Text()
        text.append(f"{verdict.partition(' ')[0]:<15}", COLOURS[verdict])
        text.append(outcome.check.id)
        if verdict is not Verdict.PASSED:
            text.append("  " + cut(self._redact.text(outcome.message), 200), "dim")
        # A wrapped line would tear the progress bar.
        self._console.print(text, soft_wrap=not self._console.is_terminal, no_wrap=True, overflow="ellipsis")

    def status(self) -> str:
        """Counts so far, with rich markup."""
        failed = self._counts[Verdict.BROKEN]
        words = f"[bold red]{failed} broken[/]" if failed else "[green]0 broken[/]"
        return f"{words}, {self._recorder.requests} requests"


class _Counts(ProgressColumn):
    """Column with the current counts."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live

    def render(self, _: Task) -> Text:
        return Text.from_markup(self._live.status())
