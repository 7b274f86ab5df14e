"""openapi.yaml as the suite reads it: response schemas, and the evidence behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple

import jsonschema_rs
import yaml

from contracts.checks.evidence import Assumptions, Evidence
from contracts.http.target import our_spec

METHODS = ("get", "post", "put", "patch", "delete")
NEVER_SENT = "x-never-sent"
"""Key of an operation that the suite never sends; its value says why."""
_OPINION = ("pattern", "format", "enum", "const", "minLength", "maxLength", "minItems", "maxItems", "anyOf")
"""Keywords about the form of a value; an assumption on a small schema covers these alone."""
_PROPERTY = re.compile(r"""^"([^"]+)" is a required property|\('([^']+)' (?:was|were) unexpected""")


class SchemaViolation(NamedTuple):
    """One place where a response contradicts its schema."""

    pointer: str
    """JSON pointer into the response; list indexes are stars."""
    keyword: str
    message: str
    marks: tuple[Mapping[str, Any], ...]
    """Nodes with evidence or assumptions around the failed keyword, outermost first."""

    @property
    def property(self) -> str:
        """The missing or unexpected property; empty for other violations."""
        match = _PROPERTY.search(self.message)
        return (match[1] or match[2]) if match else ""


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

    def __init__(self, text: str) -> None:
        self.raw: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
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
        return shapes

    def resolved(self, node: Any) -> Any:
        """Target of a `$ref`; any other node unchanged."""
        while isinstance(node, Mapping) and "$ref" in node:
            path, node = node["$ref"], self.raw
            for part in path.removeprefix("#/").split("/"):
                node = node[part]
        return node

    def response(self, operation: DocumentedOperation, status: int) -> Mapping[str, Any]:
        """Response object for a status; empty if undocumented."""
        response: Mapping[str, Any] = self.resolved(operation.raw["responses"].get(str(status), {}))
        return response

    def codes(self, operation: DocumentedOperation, status: int) -> list[str]:
        """Error codes in the examples of a response."""
        media = self.response(operation, status).get("content", {}).values()
        examples = [self.resolved(example) for each in media for example in each.get("examples", {}).values()]
        bodies = [example.get("value") for example in examples]
        codes = [body["error"].get("code") for body in bodies if isinstance(body, dict) and "error" in body]
        return list(dict.fromkeys(code for code in codes if isinstance(code, str)))

    def fields(self, operation: DocumentedOperation) -> list[str]:
        """Fields of the operation's request body."""
        content = self.resolved(operation.raw.get("requestBody", {})).get("content", {})
        schemas = [self.resolved(media["schema"]) for media in content.values()]
        return list(dict.fromkeys(name for schema in schemas for name in schema.get("properties", {})))

    @cached_property
    def _tolerant(self) -> Any:
        """Schemas whose patterns allow the characters that their assumption leaves open, too."""

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
            return copy

        return wider(self.raw["components"])

    def violations(
        self, operation: DocumentedOperation, status: int, body: Any, *, tolerant: bool = True
    ) -> Iterator[SchemaViolation]:
        """Violations of the response schema by a JSON body; tolerant: none that an assumption permits."""
        content = self.response(operation, status).get("content", {})
        if "application/json" not in content:
            return
        components = self._tolerant if tolerant else self.raw["components"]
        schema = {**content["application/json"]["schema"], "components": components}
        for error in jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(body):
            path = [*error.schema_path]
            marks, node = [], schema
            for part in path[:-1]:
                node = node[part]
                if isinstance(node, Mapping) and ("x-assumption" in node or "x-evidence" in node):
                    marks.append(node)
            pointer = "".join(f"/{'*' if isinstance(p, int) else p}" for p in error.instance_path)
            yield SchemaViolation(pointer, str(path[-1]), error.message, tuple(marks))

    def evidence(
        self, operation: DocumentedOperation, status: int, violation: SchemaViolation | None = None
    ) -> Evidence:
        """Weakest evidence on the operation, the response and the violated schema."""
        marks: list[Mapping[str, Any]] = [operation.raw, self.response(operation, status)]
        marks += violation.marks if violation is not None else ()
        levels = [Evidence[m["x-evidence"].upper()] for m in marks if "x-evidence" in m]
        return min(levels, default=Evidence.ASSUMED)

    def response_assumption(self, operation: DocumentedOperation, status: int) -> str | None:
        """First assumption behind a response."""
        return next(iter(self.response(operation, status).get("x-assumption", ())), None)

    def form_assumption(self, violation: SchemaViolation) -> str | None:
        """Assumption that a violation contradicts, if it concerns the form of a value."""
        if violation.keyword not in _OPINION or not violation.marks:
            return None
        return next(iter(violation.marks[-1].get("x-assumption", ())), None)

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

    def _request(self, operation: DocumentedOperation, message: str) -> list[Mapping[str, Any]]:
        parameters = [self.resolved(p) for p in operation.raw.get("parameters", ())]
        content = operation.raw.get("requestBody", {}).get("content", {})
        bodies = [self.resolved(media["schema"]) for media in content.values()]
        return [p for p in parameters if not message or f"`{p['name']}`" in message] + bodies

    def _first(self, nodes: list[Mapping[str, Any]], status: int) -> str | None:
        ids = (id_ for node in nodes for id_ in node.get("x-assumption", ()))
        return next((id_ for id_ in ids if self.tolerates(id_, status)), None)


@cache
def assumption_texts() -> dict[str, str]:
    """What each assumption says, by its id, from docs/assumptions.md; empty if the page is not installed."""
    page = our_spec().parent / "docs" / "assumptions.md"
    lines = page.read_text("utf-8").splitlines() if page.is_file() else []
    rows = (re.fullmatch(r"\| (A\d+) \| (.+?) \| (.+) \|", line) for line in lines)
    return {row[1]: f"{row[2]}: {row[3]}".replace("`", "").replace("*", "") for row in rows if row}


@cache
def document() -> OpenApiDocument:
    """The bundled contract."""
    return OpenApiDocument(our_spec().read_text("utf-8"))
