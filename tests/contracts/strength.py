"""Holds the contract suite against every mutant of the mock, and writes down what caught it."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from contracts import behaviour
from contracts.behaviour import memory
from contracts.check import CHECKS
from contracts.keys import DEMO, DEMO_ORGANIZATION
from contracts.ledger import Ledger
from contracts.runner import Outcome, Verdict, judge
from contracts.target import InProcess
from contracts.team import Team
from mockserver.app import MockServer, create_app
from mockserver.engine.log import RequestLog
from mockserver.settings import Settings
from tests.contracts.mutants import MUTANTS, Mutant, damaged

TABLE = Path(__file__).parents[2] / "docs" / "contract-strength.md"
ASKED = 1_000_000
"""Questions to the model, which cost nothing here."""
assert behaviour  # its checks are registered by importing it
BEHAVIOUR = sorted(
    (check for check in CHECKS if check.layer == "behaviour"),
    key=lambda check: "createResponse" in check.operations,
)
"""Those that wait for something to be embedded come last."""


class Bite(NamedTuple):
    """What became of one mutant."""

    mutant: Mutant | None
    caught: Outcome | None
    seconds: float


def fresh_app() -> MockServer:
    """A mock that is quick to embed; what it tells of its failures goes nowhere."""
    return create_app(Settings(quiet=True, embedding_seconds=0.02), log=RequestLog(io.StringIO(), quiet=True))


def team_for(app: MockServer) -> Team:
    """The callers, with the demo scenario's keys; they see HTTP alone."""
    return Team(InProcess(app), DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="bite", model_calls=ASKED)


def bite(app: MockServer, mutant: Mutant | None, first: str | None = None) -> Bite:
    """Try every check until one is broken for certain, or, where that is enough, an assumption fails.

    `first` is tried before the others.
    """
    enough = {Verdict.BROKEN, *([Verdict.ASSUMPTION] if mutant is None or mutant.assumed else [])}
    started = time.monotonic()
    caught = None
    with damaged(app, mutant), pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "PATIENCE", 0.6)
        team = team_for(app)
        for check in sorted(BEHAVIOUR, key=lambda check: check.id != first):
            outcome = judge(check, team)
            if outcome.verdict in enough:
                caught = outcome
                break
    return Bite(mutant, caught, time.monotonic() - started)


def known() -> dict[str, str]:
    """What caught each mutant when the table was written."""
    rows = TABLE.read_text("utf-8").splitlines() if TABLE.exists() else []
    cells = [[cell.strip() for cell in row.split("|")] for row in rows if row.startswith("| `")]
    return {row[1].strip("`"): row[3].strip("`") for row in cells}


def table(bites: list[Bite]) -> str:
    """The bites as a document."""
    caught = sum(bite.caught is not None for bite in bites)
    lines = [
        "# What the contract suite catches",
        "",
        "Each row is the mock with one fault in it, held against the checks of `contracts/behaviour`, which",
        "see nothing but HTTP. The first check that is broken in three tries of three is named; where the",
        "fault is against an assumption alone, one that does not hold is enough. `make mutants` writes this.",
        "",
        f"**{caught} of {len(bites)} are caught.** The correct mock passes every check.",
        "Not measured: which of them a plain run of Schemathesis catches.",
        "",
        "| mutant | what it does | caught by | layer | verdict | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for found in bites:
        assert found.mutant is not None
        by, layer, verdict = "**nothing**", "", ""
        if found.caught is not None:
            by, layer = f"`{found.caught.check.id}`", found.caught.check.layer
            verdict = "broken" if found.caught.verdict is Verdict.BROKEN else "assumption"
        name, sentence = found.mutant.name, found.mutant.sentence.replace("|", "\\|")
        lines.append(f"| `{name}` | {sentence} | {by} | {layer} | {verdict} | {found.seconds:.1f} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Try every mutant, write the table; 1 if one survives."""
    app = fresh_app()
    bites = []
    for mutant in MUTANTS:
        bites.append(bite(app, mutant))
        print("caught  " if bites[-1].caught else "SURVIVES", mutant.name, flush=True)
    TABLE.write_text(table(bites), "utf-8")
    return any(found.caught is None for found in bites)


if __name__ == "__main__":
    sys.exit(main())
