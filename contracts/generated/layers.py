"""Layer `operations`: generated requests, checked against openapi.yaml."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from contracts.checks import requests
from contracts.checks.check import Check
from contracts.checks.claims import Basis, SchemaViolation, basis
from contracts.checks.errors import Broken, Excluded, Fingerprint, Unanswered, Untested
from contracts.checks.evidence import Evidence
from contracts.checks.spec import DocumentedOperation, document
from contracts.generated.id_rewriting import IdRewriter
from contracts.generated.types import EngineError, EngineFailure, GenerationPlan
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.http.run import Run

_WITH_MODEL = ": it asks a model, allow some questions with --with-model N"
_NAMED = re.compile(r"`([^`\s]+)`")


class Explored(NamedTuple):
    """Result of one run of the engine."""

    failures: list[Broken]
    sent: Counter[str]


def try_operation(operation: DocumentedOperation, run: Run) -> None:
    """Examples, coverage and fuzzing of one operation."""
    if operation.writes and run.read_only:
        raise Excluded("it writes, and the run is read-only")
    examples = run.settings.profile.examples
    phases = ("examples", "coverage", *(["fuzzing"] if examples else []))
    _report(run, operation, _explored(run, phases, max(1, examples), operation.id))


def _explored(run: Run, phases: tuple[str, ...], examples: int, operation: str) -> Explored:
    run.require_budget()
    from contracts.generated import schemathesis_driver  # here: Schemathesis takes a second to import

    rewriter = IdRewriter(run, {} if run.fresh_resources else run.shared.setdefault("own ids", {}))
    gateway = schemathesis_driver.Gateway(rewriter)
    plan = GenerationPlan(phases, examples, run.settings.seed, operation, run.read_only)
    found: dict[tuple[object, ...], Broken] = {}
    try:
        for failure in schemathesis_driver.explore(gateway, plan):
            for place, broken in contract_failures(failure, run):
                found.setdefault(place, broken)
    except EngineError as error:
        if not found:
            raise Untested(f"the requests could not be generated: {error}") from error
    except Unanswered:
        if not found:
            raise
    _unpin(run)
    return Explored(list(found.values()), gateway.sent)


def _unpin(run: Run) -> None:
    """Unpin what the generated requests pinned: a user has twenty pins, and other checks need some."""
    requests = {(answer.request.path, answer.request.role) for answer in run.chain if answer.status == 200}
    for path, role in sorted(requests, key=str):
        if path.endswith("/pin") and role is not None:
            run.client(role).ask("POST", path.removesuffix("/pin") + "/unpin")


def contract_failures(failure: EngineFailure, run: Run) -> Iterable[tuple[tuple[object, ...], Broken]]:
    """Contract failures of an engine failure, one for each schema violation, with their keys."""
    operation = document().operations.get(failure.label)
    if operation is None:
        return
    if failure.check == "negative_data_rejection" and requests.is_readable(
        document(), operation, failure.answer.request
    ):
        return
    status = failure.answer.status
    violations: list[SchemaViolation | None] = [None]
    if failure.check == "response_schema_conformance":
        body = failure.answer.body
        found = [*document().violations(operation, status, body)]
        violations = [each for each in found if not each.is_addition]
        if not violations and (found or any(document().violations(operation, status, body, tolerant=False))):
            return
        violations = violations or [None]
    for violation in violations:
        founded = founding(failure, operation, violation, run)
        what = " ".join(failure.message.split())[:300]
        if violation is not None:
            what = f"its {violation.pointer or 'body'}: {violation.message[:200]}"
        broken = Broken(
            f"{operation.label} answers {status}; {what}",
            got=failure.answer.text[:300],
            pointer=violation.pointer if violation is not None else "",
            evidence=founded.evidence,
            assumption=founded.assumption,
            fingerprint=_fingerprint(operation, failure, violation, founded),
            chain=(*failure.before, failure.answer),
        )
        place = (violation.pointer, violation.keyword, violation.message) if violation is not None else ()
        yield (operation.id, failure.check, status, founded.assumption, *place), broken


def _fingerprint(
    operation: DocumentedOperation, failure: EngineFailure, violation: SchemaViolation | None, founded: Basis
) -> Fingerprint:
    status = failure.answer.status
    if violation is not None:
        return Fingerprint(operation.id, status, violation.pointer, violation.keyword, violation.name)
    if failure.check == "unsupported_method":
        return Fingerprint(operation.id, status, "", failure.check, failure.answer.request.method)
    named = _NAMED.search(failure.message)
    about = named[1] if named else founded.assumption or ""
    return Fingerprint(operation.id, status, "", failure.check, about)


def founding(
    failure: EngineFailure, operation: DocumentedOperation, violation: SchemaViolation | None, run: Run
) -> Basis:
    """Basis of a failure; what nothing explains breaks the claim of the response or of its operation."""
    contract, answer = document(), failure.answer
    if violation is not None:
        return _of_response(failure, operation, violation)
    is_known = contract.at(answer.request.method, answer.request.path) is not None
    if answer.status >= 500 and (is_known or not contract.tolerates("A10", answer.status)):
        return basis((operation.raw,))
    if id_ := _alternative(failure, operation, run):
        return Basis(Evidence.ASSUMED, (id_,))
    part = None
    if failure.check == "negative_data_rejection":
        part = requests.accepted(contract, operation, answer)
        if part is None and (
            id_ := contract.acceptance_assumption(operation, answer.status, failure.message)
        ):
            part = Basis(Evidence.ASSUMED, (id_,))
    elif failure.check == "positive_data_acceptance":
        part = requests.refused(contract, operation, answer)
    return part or contract.basis(operation, answer.status)


def _of_response(failure: EngineFailure, operation: DocumentedOperation, violation: SchemaViolation) -> Basis:
    """Basis of a violated schema; a text of an error has that of its example."""
    status, field = failure.answer.status, violation.pointer.removeprefix("/error/")
    if field in ("message", "system_message") and violation.pointer != field:
        code = failure.answer.error.get("code")
        if (text := document().text_basis(operation, status, code, field)) is not None:
            return text
    return document().basis(operation, status, violation)


def _alternative(failure: EngineFailure, operation: DocumentedOperation, run: Run) -> str | None:
    """Assumption one of whose alternatives is what the target does."""
    contract, status = document(), failure.answer.status
    if contract.at(failure.answer.request.method, failure.answer.request.path) is None:
        return "A10" if contract.tolerates("A10", status) else None
    if failure.check in ("status_code_conformance", "unsupported_method"):
        return contract.status_assumption(operation, status)
    if failure.check == "response_headers_conformance":
        return contract.header_assumption(operation, status, failure.message)
    if failure.check == "has_more_goes_with_a_cursor":
        return "A08"
    if failure.check == "positive_data_acceptance" and contract.tolerates("A22", status):
        ids = [part for part in failure.answer.request.path.partition("?")[0].split("/")[3:] if part]
        named = [
            part
            for part, template in zip(ids, operation.path.split("/")[3:], strict=False)
            if template[:1] == "{"
        ]
        if any(not run.ledger.owns(part) and part != run.organization_id for part in named):
            return "A22"
    return None


def _report(run: Run, operation: DocumentedOperation, explored: Explored) -> None:
    run.chain = []
    mine = [
        broken
        for broken in explored.failures
        if broken.fingerprint is not None and broken.fingerprint.operation == operation.id
    ]
    if not mine and not explored.sent[operation.label]:
        asks = operation.id in MODEL_OPERATIONS and not run.may_ask
        few = run.settings.profile.most is not None  # requests that a profile leaves out are no gap
        raise (Excluded if asks or few else Untested)(
            f"no generated request of it was sent{_WITH_MODEL * asks}"
        )
    if mine:
        first, *more = sorted(mine, key=lambda broken: broken.evidence is Evidence.ASSUMED)
        first.more = tuple(more)
        raise first


def checks() -> Iterator[Check]:
    """One check for each operation."""
    for operation in document().operations.values():
        sentence = f"Whatever is sent to {operation.label}, right or wrong, is answered as documented."
        about = (f"operation-{operation.id}", sentence, "operations", (operation.id,))
        evidence = Evidence[operation.raw["x-evidence"].upper()]
        yield Check(*about, evidence, None, partial(try_operation, operation))
