"""Pages made from the claims: docs/evidence.md, docs/effects.md, and the tables that other pages show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from contracts.checks.claim_list import Claim, all_claims
from contracts.checks.evidence import Evidence, assumptions
from contracts.checks.spec import document

LEVELS = sorted(Evidence, reverse=True)


CLAIMS = """# Claims of openapi.yaml

Each claim that a response, or the acceptance of a request, must satisfy, with its evidence in the words of
[assumptions.md](assumptions.md). `contracts list --claims` prints one claim after the other, with its place
and source. What calls do to other responses: [effects.md](effects.md). `python -m tests.reference` makes this
page.
"""
EFFECTS = """# Effects

What a call does to other responses, and what holds between responses (`contracts/effects.yaml`). A check
names its effect. Documented sentences are the vendor's own. `python -m tests.reference` makes it.

| effect | sentence | evidence | source |
|---|---|---|---|
"""


def evidence_page() -> str:
    """Claims of openapi.yaml by the part that makes them, those of one evidence in one row."""
    lines = [CLAIMS, *counts(), "", "| part | evidence | claims |", "|---|---|---|"]
    rows: dict[tuple[str, str], dict[str, list[str]]] = {}
    for claim in all_claims():
        if claim.kind != "effect":
            part, place = _place(claim)
            said = rows.setdefault((part, _evidence(claim)), {}).setdefault(place, [])
            word = claim.what if claim.kind in ("status", "text", "parameter") else _word(claim)
            said.append(word)
    for (part, evidence), places in sorted(rows.items(), key=lambda row: row[0][0]):
        claims = "; ".join(f"{place}: {', '.join(dict.fromkeys(said))}" for place, said in places.items())
        lines.append(f"| {part} | {evidence} | {_cell(claims)} |")
    return "\n".join([*lines, ""])


def effects_page() -> str:
    """Effects with sentence and source."""
    found = sorted((c for c in all_claims() if c.kind == "effect"), key=lambda claim: -claim.evidence)
    rows = (
        f"| `{each.where}` | {_cell(each.what)} | {_evidence(each)} | {each.source} |\n" for each in found
    )
    return EFFECTS + "".join(rows)


def counts() -> Iterator[str]:
    """Number of claims by kind and evidence."""
    found = Counter((claim.kind, claim.evidence) for claim in all_claims())
    yield f"| kind | {' | '.join(map(str, LEVELS))} |"
    yield "|---" * (len(LEVELS) + 1) + "|"
    for kind in dict.fromkeys(claim.kind for claim in all_claims()):
        yield f"| {kind} | {' | '.join(str(found[kind, level]) for level in LEVELS)} |"
    totals = (sum(found[kind, level] for kind, _ in found if _ is level) for level in LEVELS)
    yield f"| all | {' | '.join(map(str, totals))} |"


def assumption_table() -> Iterator[str]:
    """The table of docs/assumptions.md."""
    yield "| id | point | decision |"
    yield "|---|---|---|"
    for id_, each in sorted(assumptions().items(), key=lambda item: int(item[0][1:])):
        yield f"| {id_} | {each.about} | {each.decision} |"


def _place(claim: Claim) -> tuple[str, str]:
    """Part of openapi.yaml that a claim belongs to, and its place there."""
    steps = [step.replace("~1", "/") for step in claim.where.split("/")[1:]]
    if steps[0] == "components":
        part, rest = f"{steps[1][:-1]} `{steps[2]}`", steps[3:]
    else:
        operation = next(
            o for o in document().operations.values() if (o.path, o.method) == (steps[1], steps[2])
        )
        part, rest = f"`{operation.id}`", steps[3:]
    words = [s for s in rest if s not in ("properties", "content", "application/json", "schema", "examples")]
    return part, ".".join(re.sub(r"^(anyOf|oneOf|allOf)$", "or", word) for word in words) or "itself"


def _word(claim: Claim) -> str:
    return "required" if claim.kind == "required" else claim.what.partition(" ")[0]


def _evidence(claim: Claim) -> str:
    return f"{claim.evidence}{f' ({claim.assumption})' if claim.assumption else ''}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", chr(92) + "|")
