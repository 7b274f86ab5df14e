"""Terminal report of a run: operations, failures, summary."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contracts.report.colours import COLOURS
from contracts.report.data import Data, counted, covered, named
from contracts.verdict.diff import cut

HEADINGS = {
    "holds": ("the contract holds", "bold green"),
    "broken": ("the contract is broken", "bold red"),
    "not judged": ("no result about the contract", "bold magenta"),
    "stopped": ("the run was stopped, so there is no result about the contract", "bold magenta"),
    "crashed": ("the run crashed, which implies nothing about the contract", "bold red"),
}
"""Heading of each result, with its style."""
EXPLANATIONS = {
    "assumption does not hold here": "assumption {assumption} does not hold here;"
    " no contract is broken{says}",
    "known": "the baseline contains it: it does not fail the run",
    "order-dependent": "it passes alone on fresh resources, and fails after the check before it: "
    "reported, not counted",
    "flaky": "it did not fail in every retry: reported, not counted",
    "unconfirmed": "it could not be retried: reported, not counted",
}
"""Explanation of a verdict."""
_COLUMNS = {"passed": "green", "broken": "bold red", "reported": "yellow", "untested": "cyan"}
"""Counts of the table of operations; what is neither passed, broken nor untested is reported."""
MAX_PER_CHECK, FIRST, LAST = 3, 4, 4
"""Failures per check, and first and last requests of a chain, that are printed in full."""


def print_report(console: Console, data: Data, folder: Path) -> None:
    """Print operations, failures and summary."""
    console.print()
    console.print(_operations(data))
    counts: Counter[str] = Counter()
    for failure in data["failures"]:
        counts[failure["check"]] += 1
        if counts[failure["check"]] <= MAX_PER_CHECK:
            _print_failure(console, failure, data["run"])
        else:
            _print_briefly(console, failure)
    if data["failures"]:
        console.rule(style="dim")
    for known in data["no_longer"]:
        words = " ".join(str(part) for part in known["fingerprint"].values() if part)
        console.print("[green]no longer[/]  a known failure did not occur: ", Text(words), soft_wrap=True)
    for operation, pointers in data["additions"].items():
        fields = cut(", ".join(pointers), 200)
        console.print(
            "[cyan]undocumented[/]   ", Text(f"{operation} answers with {fields}"), sep="", soft_wrap=True
        )
    for operation, places in data["unsteady"].items():
        text = f"{operation} changes {cut(', '.join(places), 200)} between equal reads: not compared"
        console.print("[cyan]unsteady[/]       ", Text(text), sep="", soft_wrap=True)
    for line in _skipped(data):
        console.print(line, soft_wrap=True)
    console.print(_covered(data))
    console.print(f"reports        {folder}", soft_wrap=True, markup=False)
    console.print(_summary(data))


def _operations(data: Data) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("operation", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    table.add_column("answered", overflow="fold")
    seen = data["coverage"]["exercised"]
    for operation in dict.fromkeys(op for o in data["outcomes"] for op in o["operations"]):
        mine = [o for o in data["outcomes"] if operation in o["operations"]]
        counts = Counter(o["verdict"] for o in mine)
        rows = [row for row in seen if row["operation"] == operation]
        counts["reported"] = counts.total() - sum(counts[name] for name in ("passed", "broken", "untested"))
        numbers = [
            Text(str(counts[name]), colour) if counts[name] else Text("-", "dim")
            for name, colour in _COLUMNS.items()
        ]
        table.add_row(operation, *numbers, " ".join(sorted({str(row["status"]) for row in rows})))
    return table


def _print_failure(console: Console, failure: Data, run: Data) -> None:
    verdict = failure["verdict"]
    colour = COLOURS[verdict]
    console.print()
    console.rule(
        Text(f" #{failure['id']}  {failure['check']}  {verdict} ", colour), style=colour, align="left"
    )
    console.print(Text(failure["sentence"], "bold"))
    if verdict in EXPLANATIONS:
        says = f": {cut(failure['assumed'], 200)}" if failure["assumed"] else ""
        console.print(Text(EXPLANATIONS[verdict].format(**failure, says=says), colour))
    evidence = failure["evidence"]
    if failure["assumption"]:
        assumed = f": {cut(failure['assumed'], 200)}" if failure["assumed"] and verdict == "broken" else ""
        evidence += f", assumption {failure['assumption']}{assumed}"
    print_ = failure["fingerprint"]
    where = print_["operation"] + (f", answered {print_['status']}" if print_["status"] else "")
    facts: list[tuple[str, Any]] = [
        ("evidence", evidence),
        ("where", where),
        ("failure", Text(cut(named(failure["message"], failure["names"]), 300))),
    ]
    if failure["count"] > 1:
        facts.append(
            ("found", Text(f"{failure['count']} times, by {cut(', '.join(failure['checks']), 300)}"))
        )
    if failure["difference"]:
        facts.append(("difference", _difference(failure)))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in facts:
        grid.add_row(name, fact)
    console.print(Padding(grid, (1, 0, 1, 0)))
    if failure["alone"] is False:
        console.print(Text("these requests alone did not reproduce it", "yellow"))
    _print_chain(console, failure["chain"])
    again = run["replay"].replace("#ID", f"#{failure['id']}")
    console.print(Text("again  ", "dim"), Text(again), soft_wrap=True, sep="")
    check = f"{run['again']} --only {failure['check']}"
    console.print(Text("       ", "dim"), Text(check), soft_wrap=True, sep="")


def _print_briefly(console: Console, failure: Data) -> None:
    text = Text("\n")
    text.append(f" #{failure['id']}  {failure['check']}  {failure['verdict']}  ", COLOURS[failure["verdict"]])
    text.append(named(failure["brief"], failure["names"]))
    text.append(f" ({failure['count']} times)" if failure["count"] > 1 else "", "dim")
    console.print(text, soft_wrap=True)


def _difference(failure: Data) -> Group:
    parts = []
    for each in failure["difference"]:
        parts.append(Text(each["pointer"] or failure["of"], "bold"))
        for field, sign, colour in (("expected", "-", "green"), ("got", "+", "red")):
            if field in each:
                text = named(_as_text(each[field]), failure["names"])
                parts.append(Text(f"{sign} {cut(text, 160)}", colour))
    return Group(*parts)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _print_chain(console: Console, chain: list[Data]) -> None:
    left_out = len(chain) - FIRST - LAST
    for n, exchange in enumerate(chain, 1):
        if left_out > 0 and FIRST < n <= FIRST + left_out:
            if n == FIRST + 1:
                console.print(Text(f"       … {left_out} more requests; report.html has them all", "dim"))
            continue
        last = n == len(chain)
        line = Text(f"{n:>3}  {exchange['status']}  ", "bold" if last else "dim")
        line.append(exchange["command"], "" if last else "dim")
        console.print(line, soft_wrap=True)
        if last and exchange["answer"]:
            console.print(Text(f"          {cut(exchange['answer'], 300)}", "dim"), soft_wrap=True)


def _skipped(data: Data) -> Iterator[Text]:
    """Causes of the checks without a result, each with its number of checks."""
    for verdict in ("no answer", "untested"):
        counts = Counter(o["cause"] for o in data["outcomes"] if o["verdict"] == verdict)
        for cause, count in counts.most_common():
            text = Text(f"{verdict:<15}", COLOURS[verdict])
            text.append(f"{count} checks: " if count > 1 else "1 check: ")
            yield text.append(cut(cause, 300))


def _covered(data: Data) -> Text:
    counts, never = data["coverage"]["counts"], data["coverage"]["never"]
    text = Text(f"exercised      {covered(counts)}")
    if never:
        text.append(f"; {len(never)} never, with the reasons in report.html", "dim")
    return text


def _summary(data: Data) -> Text:
    took = re.sub(r"\.0$", "", f"{data['run']['seconds']:.1f}")
    text = Text()
    text.append(*HEADINGS[data["result"]])
    text.append(f"  {counted(data['summary'])}, in {took} s")
    return text
