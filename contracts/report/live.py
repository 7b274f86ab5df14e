"""Progress of a run: live on a terminal, one line per check elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

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
from contracts.report.colours import COLOURS
from contracts.report.exercised import Recorder
from contracts.verdict.diff import cut
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.fingerprint import cause


class Live:
    """Progress display; without a terminal it prints one line per check."""

    def __init__(
        self,
        console: Console,
        checks: int,
        record: Recorder,
        redact: Redactor,
        marked: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    ) -> None:
        self._console, self._recorder, self._redact, self._marked = console, record, redact, marked
        self._counts: Counter[str] = Counter()
        self._named: dict[object, str] = {}
        """Cause -> the first check that met it."""
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
        self.outcomes.append(outcome)
        outcome = self._marked(outcome)
        verdict = outcome.verdict
        self._counts[verdict] += 1
        self.progress.update(self._task, advance=1)
        detail = self._detail(outcome)
        again = detail.startswith("as ") and outcome.skipped is not None
        if self._console.is_terminal and (verdict is Verdict.PASSED or again):
            return
        text = Text()
        text.append(f"{verdict.removesuffix(' does not hold here'):<15}", COLOURS[verdict])
        text.append(outcome.check.id)
        if verdict is not Verdict.PASSED:
            text.append("  " + cut(self._redact.text(detail), 200), "dim")
        # A wrapped line would tear the progress bar.
        self._console.print(text, soft_wrap=not self._console.is_terminal, no_wrap=True, overflow="ellipsis")

    def _detail(self, outcome: Outcome) -> str:
        """Brief of the outcome; for a cause that another check met, the name of the check."""
        met: object = outcome.skipped.cause if outcome.skipped is not None else None
        if outcome.skipped is None and outcome.worst is not None:
            met = cause(outcome.worst.fingerprint)
        first = self._named.setdefault(met, outcome.check.id)
        return outcome.brief if first == outcome.check.id else f"as {first}"

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
