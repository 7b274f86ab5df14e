"""Missing operations: routes that the target does not have, named once each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Fingerprint, Unanswered, Untested
from contracts.checks.evidence import Evidence
from contracts.checks.spec import METHODS, DocumentedOperation, document
from contracts.http.exchange import ASKS_A_MODEL, ClientRequest, ClientResponse
from contracts.http.run import Run

REDIRECTS = (301, 302, 307, 308)
NO_ROUTE = (*REDIRECTS, 404, 405, 501)
"""Statuses of an operation that the target does not have."""
PREFIXES = {
    "space_id": "space",
    "thread_id": "thrd",
    "vector_store_id": "vs",
    "message_id": "msg",
    "file_id": "file",
}
_ID = re.compile(r"{(\w+)}")


class MissingOperation(NamedTuple):
    """Operation without a route, and the answer that shows it."""

    operation: DocumentedOperation
    answer: ClientResponse

    def __str__(self) -> str:
        request, status = self.answer.request, self.answer.status
        if status in REDIRECTS:
            where = self.answer.headers.get("location", "")
            return f"{self.operation.label} redirects ({status}) to {where[:200]}: another slash convention"
        like = ", like an unknown path" if status == 404 else ""
        return f"{self.operation.label} is missing: {request.method} {request.path} answers {status}{like}"

    def broken(self) -> Broken:
        """Failure of the contract."""
        convention = "slash" if self.answer.status in REDIRECTS else ""
        print_ = Fingerprint(self.operation.id, self.answer.status, "", "missing", convention)
        evidence = Evidence[self.operation.raw["x-evidence"].upper()]
        return Broken(str(self), evidence=evidence, fingerprint=print_, chain=(self.answer,))


def missing_operations(run: Run) -> dict[str, MissingOperation]:
    """Missing operations by id; the target is asked once, with ids that do not exist."""
    if "missing operations" not in run.shared:
        chain, run.chain = run.chain, []
        try:
            run.shared["missing operations"] = {each.operation.id: each for each in _found(run)}
        finally:
            run.chain = chain
    found: dict[str, MissingOperation] = run.shared["missing operations"]
    return found


def met(check: Check, run: Run, exchanges: Iterable[ClientResponse]) -> list[MissingOperation]:
    """Missing operations that a check ran into."""
    asked: dict[str, None] = {}
    for answer in exchanges:
        if answer.status in NO_ROUTE:
            methods = METHODS if answer.status in REDIRECTS else (answer.request.method,)
            found = (document().at(method.upper(), answer.request.path) for method in methods)
            asked.update({operation.id: None for operation in found if operation is not None})
    if not asked:
        return []
    missing = missing_operations(run)
    mine = [*(id_ for id_ in check.operations if id_ in asked), *asked]
    return [missing[id_] for id_ in dict.fromkeys(mine) if id_ in missing]


def _found(run: Run) -> Iterator[MissingOperation]:
    operations = [
        operation
        for operation in document().operations.values()
        if operation.path != ASKS_A_MODEL and not (run.read_only and operation.writes)
    ]
    answers = {}
    for operation in operations:
        try:
            answers[operation.id] = run.send(_request(operation, run))
        except (Unanswered, Untested):
            continue
    try:
        unknown = _shape(run.owner.get("/v1/nothing/here"))
    except (Unanswered, Untested):
        return
    shapes = {_shape(answer) for id_, answer in answers.items() if answer.status == 404}
    for operation in operations:
        answer = answers.get(operation.id)
        if answer is not None and _is_missing(
            operation, answer, like=unknown if shapes - {unknown} else None
        ):
            yield MissingOperation(operation, answer)


def _is_missing(operation: DocumentedOperation, answer: ClientResponse, like: object) -> bool:
    """Whether the answer is that of an unknown route; `like` is its shape, None if resources have it too."""
    if answer.status in REDIRECTS:
        location = urlsplit(answer.headers.get("location", "")).path
        asked = answer.request.path.partition("?")[0]
        return location != asked and location.rstrip("/").endswith(asked.rstrip("/"))
    if answer.status == 404:
        of_one = {*_ID.findall(operation.path)} - {"organization_id"}
        return not of_one or _shape(answer) == like
    return answer.status in NO_ROUTE


def _request(operation: DocumentedOperation, run: Run) -> ClientRequest:
    """Request that changes nothing: its ids are unknown, and its body is not an object."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        known = quote(run.organization_id) if name == "organization_id" else ""
        return known or run.unknown_id(PREFIXES.get(name, "x"))

    path = _ID.sub(value, operation.path)
    body: object = [] if "requestBody" in operation.raw else None
    return ClientRequest(operation.method.upper(), path, "owner", body)


def _shape(answer: ClientResponse) -> object:
    """Status and texts of an answer, without what differs from request to request."""
    error, body = answer.error, answer.fields
    texts = [error.get(name) for name in ("code", "message", "system_message")]
    texts += [body.get(name) for name in ("detail", "message", "code")]
    texts += [] if body else [answer.text]
    path, method = answer.request.path.partition("?")[0], answer.request.method
    return (answer.status, *(str(text).replace(path, "*").replace(method, "*") for text in texts))
