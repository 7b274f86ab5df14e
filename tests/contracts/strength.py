"""Measures which check catches each mutant of the mock, and writes docs/contract-strength.md."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from contracts.behaviour import memory, stream_control
from contracts.checks.check import Check
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.safety.ledger import Ledger
from contracts.settings import PROFILES, SEED, RunSettings
from contracts.suite import CHECKS, selected
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.runner import judge
from mockserver.app import MockServer, create_app
from mockserver.http.log import RequestLog
from mockserver.settings import Settings as MockSettings
from tests.contracts.mutants import MUTANTS, Mutant, damaged
from tests.contracts.mutants.source import broken_code, fingerprint
from tests.contracts.mutants.stream_control import LATE
from tests.contracts.test_layers import graph, modules

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "contract-strength.md"
KEPT = Path(__file__).with_name("strength.json")
SHARES = Path(__file__).with_name("shares.json")
_RANK = ("", "assumption", "broken")
PLAIN = Path(__file__).with_name("plain.json")
ASKED = 1_000_000
"""Model calls, which cost nothing here."""
LAYERS = ("behaviour", "lockstep", "operations")
"""Cheapest first."""


def _waits(check: Check) -> bool:
    """Whether the check waits for embedding or for the clock."""
    return "createResponse" in check.operations or check.id == "a-patch-moves-updated-at"


CHEAPEST_FIRST = sorted(selected(()), key=lambda check: (_waits(check), LAYERS.index(check.layer)))
BEHAVIOUR = [check for check in CHEAPEST_FIRST if check.layer == "behaviour"]
assert {check.layer for check in CHECKS} == set(LAYERS)


class Bite(NamedTuple):
    """Result for one mutant."""

    mutant: Mutant | None
    caught: Outcome | None
    seconds: float


def fresh_app() -> MockServer:
    """Mock that embeds quickly and logs nowhere."""
    settings = MockSettings(quiet=True, embedding_seconds=0.02)
    return create_app(settings, log=RequestLog(io.StringIO(), quiet=True))


def run_on(app: MockServer, model_calls: int = ASKED) -> Run:
    """Run on the mock with the demo keys, in profile ci."""
    return Run(
        InProcess(app),
        DEMO,
        DEMO_ORGANIZATION,
        ledger=Ledger(),
        run_id="bite",
        model_calls=model_calls,
        settings=RunSettings(SEED, PROFILES["ci"], closed=True),
    )


def bite(app: MockServer, mutant: Mutant | None, first: str | None = None, *, alone: bool = False) -> Bite:
    """Run the checks until one is broken, or until an assumption fails if that suffices.

    `first` is tried before the others, or `alone`.
    """
    enough = {Verdict.BROKEN, *([Verdict.ASSUMPTION] if mutant is None or mutant.assumed else [])}
    started = time.monotonic()
    caught = None
    with damaged(app, mutant), pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "PATIENCE", 0.6)
        patch.setattr(stream_control, "LATE", LATE)
        run = run_on(app)
        for check in sorted(CHEAPEST_FIRST, key=lambda check: check.id != first)[: 1 if alone else None]:
            outcome = judge(check, run)
            if outcome.verdict in enough:
                caught = outcome
                break
    return Bite(mutant, caught, time.monotonic() - started)


@cache
def catcher(check_id: str) -> str:
    """Hash of what a check's verdict depends on: its file, and the files of its layer imported there.

    The whole suite for a mutant that nothing caught.
    """
    check = next((check for check in CHECKS if check.id == check_id), None)
    if check is None:
        files = {*(ROOT / "contracts").rglob("*.py"), ROOT / "openapi.yaml"}
    elif check.layer == "behaviour":
        files = {modules()[name] for name in _behind(check.function.__module__.removeprefix("contracts."))}
    elif check.layer == "lockstep":
        files = {*(ROOT / "contracts" / check.layer).glob("*.*")}
    else:
        files = {*(ROOT / "contracts" / "generated").glob("*.py"), ROOT / "openapi.yaml"}
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:16]


def _behind(module: str) -> set[str]:
    """Module of the behaviour layer with those that it imports."""
    others = {name for name in graph()[module] if name.startswith("behaviour.")}
    return {module}.union(*map(_behind, others))


def rows(file: Path = KEPT) -> dict[str, Any]:
    """Measurements by mutant."""
    found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return found


def known() -> dict[str, str]:
    """Check that caught each mutant, from the stored measurements."""
    return {name: row["by"] for name, row in rows().items()}


def measured(app: MockServer, mutant: Mutant, before: dict[str, Any]) -> dict[str, Any]:
    """Row of a mutant; keeps the stored time if the same check still catches it."""
    if before.get("by"):
        again = bite(app, mutant, before["by"], alone=True)
        if again.caught is not None:
            return {**before, "verdict": verdict_of(again.caught), **key(app, mutant, before["by"])}
    found = bite(app, mutant)
    row = {"seconds": round(found.seconds, 1), "by": "", "layer": "", "verdict": ""}
    if found.caught is not None:
        check = found.caught.check
        row |= {"by": check.id, "layer": check.layer, "verdict": verdict_of(found.caught)}
    return {**row, **key(app, mutant, str(row["by"]))}


def verdict_of(caught: Outcome) -> str:
    """Class of a caught mutant: `broken` or `assumption`."""
    return "broken" if caught.verdict is Verdict.BROKEN else "assumption"


def key(app: MockServer, mutant: Mutant, by: str) -> dict[str, str]:
    """Hashes that a row depends on: the mutant, the mock's code that it breaks, and its check."""
    return {"source": fingerprint(mutant), "breaks": broken_code(app, mutant), "check": catcher(by)}


HEAD = """# Faults found by the contract suite

Each row is the mock with one deliberate fault (a mutant), checked by the suite in profile `ci`, in this
process and through HTTP only. The layers run from cheap to expensive: behaviour, lockstep,
operations, and last the checks that wait for embeddings. The table names the first check that
fails, and fails again when it is repeated, with the seconds until then. If a mutant breaks only an
assumption, an assumption that does not hold counts as caught. `make mutants` writes this page.

A table of known faults says little about unknown ones. So authors who had not read the checks wrote two
sets of fifteen mutants. At first the suite caught 6 of 15 (the author knew the names of the checks) and 4
of 15 (the author knew nothing of them). For each survivor a check of its class was added, so all thirty are
caught now. Forty more were then written from the mock and the pages about its API alone. The suite noticed
19: 16 broke the contract, 3 an assumption. Their classes were then added to lock step and the derived checks,
which notice 33. Of the other seven one changes no answer, one needs a user in two organizations, and two a
request that is never sent. The next forty were written in the same way by somebody else. The suite noticed
34: 28 broke the contract, 6 an assumption; of the 30 that contradict a source, 22 broke the contract. Their
classes were then added to lock step, which notices five of the six that it had missed; the last needs a
request that the suite never sends. Of forty more, by somebody else again, the suite noticed 37: 32 broke the
contract, 5 were told as a difference; of the 33 that contradict a source, 27 broke the contract.
"""


def table() -> Iterator[str]:
    """Lines of docs/contract-strength.md."""
    found, plain = rows(), rows(PLAIN)
    tried = [mutant.name for mutant in MUTANTS if mutant.name in plain]
    caught = sum(bool(found[mutant.name]["by"]) for mutant in MUTANTS)
    yield HEAD
    yield f"**{caught} of {len(MUTANTS)} are caught.** The correct mock passes every check."
    yield ""
    count = sum(bool(plain[name]["found"]) for name in tried)
    yield "**Plain Schemathesis** (`st run` with its defaults and the demo owner's key, in this process)"
    part = "all" if len(tried) == len(MUTANTS) else len(tried)
    yield f"ran on {part} of them and caught **{count}**. Only failures count that it does not report for"
    false = len(plain.get("no mutant", {}).get("found", ()))
    yield f"the correct mock, where it reports {false}."
    if len(tried) < len(MUTANTS):
        yield "`-` was not tried."
    yield ""
    yield "| layer | catches first |"
    yield "|---|---|"
    for layer in LAYERS:
        yield f"| {layer} | {sum(found[mutant.name]['layer'] == layer for mutant in MUTANTS)} |"
    yield ""
    yield from _shares(plain)
    yield "| mutant | what it does | caught by | layer | verdict | seconds | plain `st run` | its seconds |"
    yield "|---|---|---|---|---|---|---|---|"
    for mutant in MUTANTS:
        row = found[mutant.name]
        by = f"`{row['by']}`" if row["by"] else "**nothing**"
        beside = "- | -"
        if mutant.name in plain:
            verdict = "caught" if plain[mutant.name]["found"] else "missed"
            beside = f"{verdict} | {plain[mutant.name]['seconds']:.0f}"
        sentence = mutant.sentence.replace("|", "\\|")
        yield (
            f"| `{mutant.name}` | {sentence} | {by} | {row['layer']} | {row['verdict']} "
            f"| {row['seconds']:.1f} | {beside} |"
        )


def _shares(plain: dict[str, Any]) -> Iterator[str]:
    """Lines about what each layer notices alone, of a sample; none before it was measured."""
    found = rows(SHARES)
    if not found:
        return
    yield f"Each layer alone, as in profile `ci` without questions to a model, on {len(found)} of the mutants"
    yield "that a seed chose (`python -m tests.contracts.shares`). Plain Schemathesis stands beside it, with"
    yield "those of them that it was tried on:"
    yield ""
    yield "| layer | tried on | a claim breaks | only an assumption | nothing |"
    yield "|---|---|---|---|---|"
    for layer in LAYERS:
        counts = Counter(row[layer] for row in found.values())
        yield f"| {layer} | {len(found)} | {counts['broken']} | {counts['assumption']} | {counts['']} |"
    best = Counter(max((row[each] for each in LAYERS), key=_RANK.index) for row in found.values())
    yield f"| all three | {len(found)} | {best['broken']} | {best['assumption']} | {best['']} |"
    beside = [bool(plain[name]["found"]) for name in found if name in plain]
    yield f"| plain `st run` | {len(beside)} | {sum(beside)} | - | {len(beside) - sum(beside)} |"
    yield ""


def keep(file: Path, found: dict[str, Any]) -> None:
    """Write rows, one per line."""
    lines = (f" {json.dumps(name)}: {json.dumps(found[name], sort_keys=True)}" for name in sorted(found))
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def main() -> int:
    """Measure changed mutants and write the table; 1 if one survives."""
    gc.set_threshold(100_000, 20, 20)
    app, found = fresh_app(), rows()
    for mutant in MUTANTS:
        row = found.get(mutant.name, {})
        if not {*key(app, mutant, row.get("by", "")).items()} <= {*row.items()}:
            found[mutant.name] = row = measured(app, mutant, row)
            keep(KEPT, found)
            print(f"{row['seconds']:6.1f}", mutant.name, row["by"] or "SURVIVES", flush=True)
    names = {mutant.name for mutant in MUTANTS}
    keep(KEPT, {name: row for name, row in found.items() if name in names})
    TABLE.write_text("\n".join([*table(), ""]), "utf-8")
    return any(not row["by"] for name, row in found.items() if name in names)


if __name__ == "__main__":
    sys.exit(main())
