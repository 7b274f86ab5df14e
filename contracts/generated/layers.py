"""Layers 1 and 2: requests that nobody wrote, one by one and in workflows, against openapi.yaml."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple
from weakref import WeakKeyDictionary

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Fingerprint, Unanswered, Untested
from contracts.checks.evidence import Evidence
from contracts.checks.spec import Flaw, Operation, document
from contracts.generated.id_rewriting import Steer
from contracts.generated.types import EngineError, Finding, Run, Sizes
from contracts.http.run import Team

_WITH_MODEL = ": it asks a model, allow some questions with --with-model N"
_NAMED = re.compile(r"`([^`\s]+)`")


class Explored(NamedTuple):
    """What came of one run of the engine."""

    found: list[Broken]
    sent: Counter[str]


class _Known:
    """What the checks of one run share."""

    def __init__(self) -> None:
        self.mine: dict[str, str] = {}
        self.workflows: list[Explored] = []
        self.tries: dict[str, int] = {}


_known: WeakKeyDictionary[Team, _Known] = WeakKeyDictionary()


def try_operation(operation: Operation, team: Team) -> None:
    """Layer 1: examples, coverage and fuzzing of one operation."""
    if operation.writes and team.read_only:
        raise Untested("it writes, and the run is read-only")
    phases = ("examples", "coverage", "fuzzing")
    _report(team, operation, _explored(team, phases, team.settings.profile.examples, operation.id))


def try_workflow(operation: Operation, team: Team) -> None:
    """Layer 2: what went wrong at one operation in the workflows of the run, which are tried once for all."""
    if team.read_only:
        raise Untested("workflows write, and the run is read-only")
    known = _known.setdefault(team, _Known())
    turn = known.tries.get(operation.id, 0)
    known.tries[operation.id] = turn + 1
    if turn >= len(known.workflows):
        known.workflows.append(_explored(team, ("stateful",), team.settings.profile.workflows, None))
    _report(team, operation, known.workflows[min(turn, len(known.workflows) - 1)])


def _explored(team: Team, phases: tuple[str, ...], examples: int, operation: str | None) -> Explored:
    from contracts.generated import schemathesis_driver  # here: Schemathesis takes a second to import

    steer = Steer(team, {} if team.afresh else _known.setdefault(team, _Known()).mine)
    gateway = schemathesis_driver.Gateway(document(), steer)
    run = Run(phases, Sizes(examples), team.settings.seed, operation, team.read_only)
    found: dict[tuple[object, ...], Broken] = {}
    try:
        for finding in schemathesis_driver.explore(gateway, run):
            for place, broken in judged(finding, team):
                found.setdefault(place, broken)
    except EngineError as error:
        if not found:
            raise Untested(f"the requests could not be made up: {error}") from error
    except Unanswered:
        if not found:
            raise
    return Explored(list(found.values()), gateway.sent)


def judged(finding: Finding, team: Team) -> Iterable[tuple[tuple[object, ...], Broken]]:
    """What a finding is in the contract's terms: one failure for each flaw of an answer, after its place."""
    operation = document().operations.get(finding.label)
    if operation is None:
        return
    status = finding.answer.status
    flaws: list[Flaw | None] = [None]
    if finding.check == "response_schema_conformance":
        flaws = [*document().flaws(operation, status, finding.answer.body)] or flaws
    for flaw in flaws:
        assumption = _assumption(finding, operation, flaw, team)
        evidence = document().evidence(operation, status, flaw)
        if assumption is None and evidence is Evidence.ASSUMED:
            assumption = document().resting(operation, status)
        what = (
            _words(finding.message) if flaw is None else f"its {flaw.pointer or 'body'}: {flaw.message[:200]}"
        )
        broken = Broken(
            f"{operation.label} answers {status}; {what}",
            got=finding.answer.text[:300],
            pointer=flaw.pointer if flaw is not None else "",
            evidence=Evidence.ASSUMED if assumption is not None else evidence,
            assumption=assumption,
            fingerprint=_fingerprint(operation, finding, flaw),
            chain=(*finding.before, finding.answer),
        )
        place = (flaw.pointer, flaw.keyword, flaw.message) if flaw is not None else ()
        yield (operation.id, finding.check, status, *place), broken


def _fingerprint(operation: Operation, finding: Finding, flaw: Flaw | None) -> Fingerprint:
    status = finding.answer.status
    if flaw is not None:
        return Fingerprint(operation.id, status, flaw.pointer, flaw.keyword, flaw.property)
    if finding.check == "unsupported_method":
        return Fingerprint(operation.id, status, "", finding.check, finding.answer.request.method)
    named = _NAMED.search(finding.message)
    return Fingerprint(operation.id, status, "", finding.check, named[1] if named else "")


def _assumption(finding: Finding, operation: Operation, flaw: Flaw | None, team: Team) -> str | None:
    contract, status = document(), finding.answer.status
    if flaw is not None:
        return contract.assumed(flaw)
    if status >= 500:
        return None
    if finding.check in ("status_code_conformance", "unsupported_method"):
        return contract.allowing(operation, status)
    if finding.check == "negative_data_rejection":
        return contract.accepting(operation, status, finding.message)
    if finding.check == "response_headers_conformance":
        return contract.header(operation, status, finding.message)
    if finding.check == "has_more_goes_with_a_cursor":
        return "A08"
    if finding.check == "positive_data_acceptance" and contract.tolerates("A22", status):
        ids = [part for part in finding.answer.request.path.partition("?")[0].split("/")[3:] if part]
        named = [
            part
            for part, spelled in zip(ids, operation.path.split("/")[3:], strict=False)
            if spelled[:1] == "{"
        ]
        if any(not team.ledger.owns(part) and part != team.organization_id for part in named):
            return "A22"
    return None


def _words(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines)[:300]


def _report(team: Team, operation: Operation, explored: Explored) -> None:
    team.chain = []
    mine = [
        broken
        for broken in explored.found
        if broken.fingerprint is not None and broken.fingerprint.operation == operation.id
    ]
    if not mine and not explored.sent[operation.label]:
        why = _WITH_MODEL if operation.id == "createResponse" else ""
        raise Untested(f"no request of it was made up that may be sent{why}")
    if mine:
        first, *more = sorted(mine, key=lambda broken: broken.evidence is Evidence.ASSUMED)
        first.more = tuple(more)
        raise first


def checks() -> Iterator[Check]:
    """A check of each layer for each operation."""
    sentences: dict[str, tuple[Callable[[Operation, Team], None], str]] = {
        "operations": (try_operation, "Whatever is sent to {}, right or wrong, is answered as documented."),
        "workflows": (try_workflow, "{} is answered as documented in the middle of a workflow, too."),
    }
    for layer, (run, sentence) in sentences.items():
        for operation in document().operations.values():
            evidence = Evidence[operation.raw["x-evidence"].upper()]
            yield Check(
                f"{layer.removesuffix('s')}-{operation.id}",
                sentence.format(operation.label),
                layer,
                (operation.id,),
                evidence,
                None,
                partial(run, operation),
            )
