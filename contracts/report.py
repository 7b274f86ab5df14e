"""What a run says: on a terminal, as JSON, as JUnit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from rich.console import Console
from rich.markup import escape

from contracts.runner import Outcome, Verdict

COLOURS = {
    Verdict.PASSED: "green",
    Verdict.BROKEN: "bold red",
    Verdict.ASSUMPTION: "yellow",
    Verdict.FLAKY: "yellow",
    Verdict.UNTESTED: "cyan",
    Verdict.UNANSWERED: "magenta",
}


def line(outcome: Outcome) -> str:
    """One check in one line, with rich's markup."""
    colour = COLOURS[outcome.verdict]
    reason = (
        f"  {escape(outcome.message)}" if outcome.verdict in (Verdict.UNTESTED, Verdict.UNANSWERED) else ""
    )
    return f"[{colour}]{outcome.verdict:<9.9}[/] {outcome.check.id}{reason}"


def tell_failures(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Each failure on a screen of its own: what broke, how well it is founded, how to see it again."""
    for outcome in outcomes:
        if outcome.verdict not in (Verdict.BROKEN, Verdict.ASSUMPTION, Verdict.FLAKY):
            continue
        check = outcome.check
        console.rule(f"[{COLOURS[outcome.verdict]}]{check.id}[/]")
        console.print(escape(check.sentence), style="bold")
        founded = f"{outcome.evidence}" + (f", assumption {outcome.assumption}" if outcome.assumption else "")
        console.print(f"  founded on  {founded}")
        if outcome.verdict is Verdict.ASSUMPTION:
            console.print(
                f"  so          assumption {outcome.assumption} does not hold here; no contract is broken"
            )
        if outcome.verdict is Verdict.FLAKY:
            console.print("  but         it passed when it was tried again: reported, not counted")
        console.print(f"  what broke  {escape(outcome.message)}")
        if outcome.failure is not None and outcome.failure.pointer:
            console.print(f"  at          {escape(outcome.failure.pointer)}")
        console.print("  to see it   " + escape(_chain(outcome)), soft_wrap=True)


def _chain(outcome: Outcome) -> str:
    shown = outcome.chain[-6:]
    lines = [f"(and {len(outcome.chain) - 6} requests before)"] if len(outcome.chain) > 6 else []
    lines += [f"{a.request.as_curl()}   # {a.status} {a.text[:160]}" for a in shown]
    return ("\n" + " " * 14).join(lines)


def summary(outcomes: Sequence[Outcome]) -> str:
    """The counts in one line."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])


def as_json(outcomes: Sequence[Outcome], about: dict[str, Any]) -> dict[str, Any]:
    """The whole run for programs."""
    return {
        **about,
        "outcomes": [
            {
                "id": o.check.id,
                "sentence": o.check.sentence,
                "layer": o.check.layer,
                "operations": list(o.check.operations),
                "evidence": str(o.evidence),
                "assumption": o.assumption,
                "verdict": o.verdict.value,
                "message": o.message,
                "pointer": o.failure.pointer if o.failure else "",
                "seconds": round(o.seconds, 3),
                "chain": [
                    {"curl": a.request.as_curl(), "status": a.status, "body": a.text[:2000]} for a in o.chain
                ],
            }
            for o in outcomes
        ],
    }


def write(folder: Path, outcomes: Sequence[Outcome], about: dict[str, Any]) -> None:
    """report.json and junit.xml in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(as_json(outcomes, about), indent=1, ensure_ascii=False)
    (folder / "report.json").write_text(text + "\n", "utf-8")
    suite = Xml.Element("testsuite", name="contracts", tests=str(len(outcomes)))
    for o in outcomes:
        case = Xml.SubElement(
            suite, "testcase", classname=o.check.layer, name=o.check.id, time=f"{o.seconds:.3f}"
        )
        if o.verdict is Verdict.BROKEN:
            Xml.SubElement(case, "failure", message=o.message).text = _chain(o)
        elif o.verdict is not Verdict.PASSED:
            Xml.SubElement(case, "skipped", message=f"{o.verdict}: {o.message}")
    Xml.ElementTree(suite).write(folder / "junit.xml", encoding="unicode", xml_declaration=True)
