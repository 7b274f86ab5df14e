"""How far a run is: live on a terminal, a line for each check elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

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
from contracts.report.exercised import Record
from contracts.report.redact import Redactor
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
    """Tells how far a run is; on anything but a terminal a line for each check."""

    def __init__(self, console: Console, checks: int, record: Record, redact: Redactor) -> None:
        self._console, self._record, self._redact = console, record, redact
        self._counts: Counter[str] = Counter()
        self.outcomes: list[Outcome] = []
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            _Told(self),
            TimeElapsedColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=checks)

    @contextmanager
    def __call__(self) -> Iterator[Live]:
        """While the checks run."""
        with self._progress:
            yield self

    def begin(self, check: Check) -> None:
        """A check begins."""
        self._record.check = check.id
        self._progress.update(self._task, description=f"[dim]{check.layer}[/] {check.id}")

    def tell(self, outcome: Outcome) -> None:
        """A check has ended."""
        verdict = outcome.verdict
        self.outcomes.append(outcome)
        self._counts[verdict] += 1
        self._progress.update(self._task, advance=1)
        if self._console.is_terminal and verdict is Verdict.PASSED:
            return
        text = Text()
        text.append(f"{verdict.partition(' ')[0]:<15}", COLOURS[verdict])
        text.append(outcome.check.id)
        if verdict is not Verdict.PASSED:
            text.append("  " + cut(self._redact.text(outcome.message), 200), "dim")
        # What runs beside the progress has to be on one line, or it would be torn.
        self._console.print(text, soft_wrap=not self._console.is_terminal, no_wrap=True, overflow="ellipsis")

    def told(self) -> str:
        """What is known until now, with rich's markup."""
        failed = self._counts[Verdict.BROKEN]
        words = f"[bold red]{failed} broken[/]" if failed else "[green]0 broken[/]"
        return f"{words}, {self._record.requests} requests"


class _Told(ProgressColumn):
    """Counts, as they are whenever the line is drawn."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live

    def render(self, _: Task) -> Text:
        return Text.from_markup(self._live.told())
