"""openapi.yaml as the suite reads it: response schemas, and the evidence behind them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any, NamedTuple

import yaml

from contracts.checks.claims import Basis, Node, SchemaViolation, additions, basis, resolved, violations
from contracts.checks.errors import Usage
from contracts.checks.evidence import LOADER, Assumptions
from contracts.http.documents import our_spec, revisions, with_overlays

METHODS = ("get", "post", "put", "patch", "delete")
ORGANIZATION = "organization_id"
"""Query parameter that newer revisions require on every operation of a space."""
NEVER_SENT = "x-never-sent"
"""Key of an operation that the suite never sends; its value says why."""


class DocumentedOperation(NamedTuple):
    """One operation of openapi.yaml."""

    id: str
    method: str
    path: str
    raw: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Schemathesis' name of the operation."""
        return f"{self.method.upper()} {self.path}"

    @property
    def writes(self) -> bool:
        """Whether the operation may change state."""
        return self.method != "get"


class OpenApiDocument:
    """The parsed contract, indexed by operation."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        overlays: list[dict[str, str]] = []
        self.raw: dict[str, Any]
        if revision == revisions()[0]:
            self.raw = yaml.load(our_spec().read_bytes(), LOADER)  # noqa: S506 - a safe loader
        else:
            self.raw, served = with_overlays(revision)
            overlays = served["overlays"]
        sha256 = hashlib.sha256(our_spec().read_bytes()).hexdigest()
        self.named: Mapping[str, Any] = {"revision": revision, "sha256": sha256, "overlays": overlays}
        """Revision, hash of openapi.yaml, and its overlays, for reports."""
        self.raw.pop("servers", None)  # no request may reach the vendor's server by mistake
        self._assumptions = Assumptions()

    @cached_property
    def operations(self) -> dict[str, DocumentedOperation]:
        """All operations by label, without those that no run may send: no check knows of them."""
        found = (
            DocumentedOperation(item[method]["operationId"], method, path, item[method])
            for path, item in self.raw["paths"].items()
            for method in METHODS
            if method in item and NEVER_SENT not in item[method]
        )
        return {operation.label: operation for operation in found}

    def by_id(self, id_: str) -> DocumentedOperation:
        """Operation with this operationId."""
        return next(o for o in self.operations.values() if o.id == id_)

    def at(self, method: str, path: str) -> DocumentedOperation | None:
        """Operation that a request addresses; None for an undocumented route."""
        parts = path.partition("?")[0].split("/")
        for template, operation in self._by_shape.get((method, len(parts)), ()):
            if all(
                part if fixed is None else fixed == part for fixed, part in zip(template, parts, strict=True)
            ):
                return operation
        return None

    @cached_property
    def _by_shape(self) -> dict[tuple[str, int], list[tuple[list[str | None], DocumentedOperation]]]:
        shapes: dict[tuple[str, int], list[tuple[list[str | None], DocumentedOperation]]] = {}
        for operation in self.operations.values():
            parts = [None if part[:1] == "{" else part for part in operation.path.split("/")]
            shapes.setdefault((operation.method.upper(), len(parts)), []).append((parts, operation))
        for found in shapes.values():  # a fixed step such as /usage beats an id
            found.sort(key=lambda each: [part is None for part in each[0]])
        return shapes

    def resolved(self, node: Any) -> Any:
        """Target of a `$ref`; any other node unchanged."""
        return resolved(node, self.raw)

    def parameters(self, operation: DocumentedOperation) -> list[Node]:
        """Parameters of the operation."""
        return [self.resolved(parameter) for parameter in operation.raw.get("parameters", ())]

    def requires_organization(self, method: str, path: str) -> bool:
        """Whether the operation that a request addresses must name the organization in its query."""
        operation = self.at(method, path)
        named = [] if operation is None else self.parameters(operation)
        return any(p["name"] == ORGANIZATION and p["in"] == "query" and p.get("required") for p in named)

    def refuses(self, id_: str, system_message: str) -> bool:
        """Whether an answer of the operation documents this refusal."""
        responses = map(self.resolved, self.by_id(id_).raw["responses"].values())
        errors = (error for response in responses for _, error in self._errors(response))
        return any(error.get("system_message") == system_message for error in errors)

    def response(self, operation: DocumentedOperation, status: int) -> Mapping[str, Any]:
        """Response object for a status; empty if undocumented."""
        response: Mapping[str, Any] = self.resolved(operation.raw["responses"].get(str(status), {}))
        return response

    def codes(self, operation: DocumentedOperation, status: int) -> list[str]:
        """Error codes in the examples of a response."""
        codes = [error.get("code") for _, error in self._errors(self.response(operation, status))]
        return list(dict.fromkeys(code for code in codes if isinstance(code, str)))

    def fields(self, operation: DocumentedOperation) -> list[str]:
        """Fields of the operation's request body."""
        content = self.resolved(operation.raw.get("requestBody", {})).get("content", {})
        schemas = [self.resolved(media["schema"]) for media in content.values()]
        return list(dict.fromkeys(name for schema in schemas for name in schema.get("properties", {})))

    @cached_property
    def _tolerant(self) -> Any:
        """Schemas whose patterns allow the characters and patterns that their assumption leaves open."""

        def wider(node: Any) -> Any:
            if isinstance(node, list):
                return [wider(inner) for inner in node]
            if not isinstance(node, dict):
                return node
            copy = {name: wider(inner) for name, inner in node.items()}
            ids = node.get("x-assumption", ())
            further = [str(c) for id_ in ids for c in self._assumptions.alternatives(id_, "characters")]
            if further and isinstance(node.get("pattern"), str):
                copy["pattern"] = node["pattern"].replace(
                    "A-Za-z0-9_", "A-Za-z0-9_" + re.escape("".join(further))
                )
            others = [str(p) for id_ in ids for p in self._assumptions.alternatives(id_, "patterns")]
            if others and "pattern" in copy:
                copy["pattern"] = "|".join([copy["pattern"], *others])
            return copy

        return wider(self.raw["components"])

    def violations(
        self, operation: DocumentedOperation, status: int, body: Any, *, tolerant: bool = True
    ) -> Iterator[SchemaViolation]:
        """Violations of the response schema by a JSON body; tolerant: none that an assumption permits."""
        content = self.response(operation, status).get("content", {})
        if "application/json" not in content:
            return
        schema = content["application/json"]["schema"]
        root = {"components": self._tolerant if tolerant else self.raw["components"]}
        yield from violations(body, schema, root, (operation.raw, self.response(operation, status)))

    def additions(self, operation: DocumentedOperation, status: int, body: Any) -> Iterator[str]:
        """JSON pointers of the fields of a response that its schema does not have.

        None if it has no field of the schema: it is another response then, such as that of an unknown route.
        """
        schema = (
            self.response(operation, status).get("content", {}).get("application/json", {}).get("schema", {})
        )
        found = [*additions(body, schema, self.raw)]
        if not isinstance(body, dict) or sum(pointer.count("/") == 1 for pointer in found) < len(body):
            yield from found

    def basis(
        self, operation: DocumentedOperation, status: int, violation: SchemaViolation | None = None
    ) -> Basis:
        """What the claim rests on that a response violates; without a violation, that it has this status."""
        if violation is not None:
            return basis(violation.nodes, violation.keyword)
        return basis((operation.raw, self.response(operation, status)))

    def text_basis(
        self, operation: DocumentedOperation, status: int, code: object, field: str, expected: str = ""
    ) -> Basis | None:
        """What a text of an error rests on: the marks of the examples that have it; None without an example.

        `system_message` belongs to the operation, the weakest example counts; `message` to the code, wherever
        it is documented best.
        """
        operations = [operation] if field != "message" else [*self.operations.values()]
        found = [
            basis((each.raw, response, example))
            for each in operations
            for response in map(self.resolved, each.raw["responses"].values())
            for example, error in self._errors(response)
            if error.get("code") == code and error.get("status") in (status, None)
            if field == "message" or expected in ("", error.get("system_message"))
        ]
        best = max if field == "message" else min
        return best(found, default=None, key=lambda each: each.evidence)

    def _errors(self, response: Node) -> Iterator[tuple[Node, Node]]:
        """Examples of a response that are errors, each with its error."""
        for media in response.get("content", {}).values():
            for example in map(self.resolved, media.get("examples", {}).values()):
                value = example.get("value")
                if isinstance(value, dict) and isinstance(value.get("error"), dict):
                    yield example, value["error"]

    def header_assumption(self, operation: DocumentedOperation, status: int, message: str) -> str | None:
        """Assumption behind the header named in the message; the last one covers its presence."""
        for name, header in self.response(operation, status).get("headers", {}).items():
            if name.lower() in message.lower():
                ids: list[str] = self.resolved(header).get("x-assumption", [])
                return ids[-1 if "missing" in message.lower() else 0] if ids else None
        return None

    def status_assumption(self, operation: DocumentedOperation, status: int) -> str | None:
        """Assumption of the operation whose alternatives include the status."""
        named = [self.response(operation, 422), *self._request(operation, "")]
        named += [operation.raw, *(self.response(operation, int(s)) for s in operation.raw["responses"])]
        named.append(self.raw["info"])
        return self._first(named, status)

    def acceptance_assumption(self, operation: DocumentedOperation, status: int, message: str) -> str | None:
        """Assumption that permits accepting the invalid request part named in the message."""
        return self._first(self._request(operation, message), status)

    def tolerates(self, assumption: str, status: int) -> bool:
        """Whether the status is an alternative of the assumption."""
        return status in self._assumptions.alternatives(assumption, "status")

    def tolerated(self, assumptions: Iterable[str], status: int) -> bool:
        """Whether the status is an alternative of one of the assumptions."""
        return any(self.tolerates(id_, status) for id_ in assumptions)

    def _request(self, operation: DocumentedOperation, message: str) -> list[Mapping[str, Any]]:
        parameters = self.parameters(operation)
        content = operation.raw.get("requestBody", {}).get("content", {})
        bodies = [self.resolved(media["schema"]) for media in content.values()]
        return [p for p in parameters if not message or f"`{p['name']}`" in message] + bodies

    def _first(self, nodes: list[Mapping[str, Any]], status: int) -> str | None:
        ids = (id_ for node in nodes for id_ in node.get("x-assumption", ()))
        return next((id_ for id_ in ids if self.tolerates(id_, status)), None)


_judge: list[str] = []
"""Revision that judges, of nested runs the last; the first revision without any."""


@contextmanager
def judged_by(revision: str) -> Iterator[None]:
    """Judge by the document of this revision during the block; Usage for an unknown one."""
    if revision not in revisions():
        raise Usage(f"--revision {revision}: is one of {', '.join(revisions())}")
    _judge.append(revision)
    try:
        yield
    finally:
        _judge.pop()


def document() -> OpenApiDocument:
    """The contract that judges."""
    return of_revision(_judge[-1] if _judge else revisions()[0])


@cache
def of_revision(revision: str) -> OpenApiDocument:
    """The contract of a revision."""
    return OpenApiDocument(revision)
