"""openapi.yaml as the suite reads it: what an answer has to look like, and how well that is founded."""

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
_OPINION = ("pattern", "format", "enum", "const", "minLength", "maxLength", "minItems", "maxItems", "anyOf")
"""Keywords that say how a value is written, which is what an assumption on a small schema is about."""
_PROPERTY = re.compile(r"""^"([^"]+)" is a required property|\('([^']+)' (?:was|were) unexpected""")


class Flaw(NamedTuple):
    """Where an answer is not as its schema says."""

    pointer: str
    """In the answer, with a star for every index."""
    keyword: str
    message: str
    marks: tuple[Mapping[str, Any], ...]
    """The parts of the document that the failed keyword belongs to, the outermost first."""

    @property
    def property(self) -> str:
        """The property that is missing or too much, if it is about one."""
        found = _PROPERTY.search(self.message)
        return (found[1] or found[2]) if found else ""


class Operation(NamedTuple):
    """One operation of the document."""

    id: str
    method: str
    path: str
    raw: Mapping[str, Any]

    @property
    def label(self) -> str:
        """As Schemathesis names it."""
        return f"{self.method.upper()} {self.path}"

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method != "get"


class Document:
    """The contract."""

    def __init__(self, text: str) -> None:
        self.raw: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        self.raw.pop("servers", None)  # so that nothing can go out to the vendor's by mistake
        self._known = Assumptions()

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """All operations by their label."""
        found = (
            Operation(item[method]["operationId"], method, path, item[method])
            for path, item in self.raw["paths"].items()
            for method in METHODS
            if method in item
        )
        return {operation.label: operation for operation in found}

    def by_id(self, id_: str) -> Operation:
        """One operation."""
        return next(o for o in self.operations.values() if o.id == id_)

    def at(self, method: str, path: str) -> Operation | None:
        """The operation that a request is for; None if it is for no documented one."""
        parts = path.partition("?")[0].split("/")
        for spelled, operation in self._by_shape.get((method, len(parts)), ()):
            if all(part if mine is None else mine == part for mine, part in zip(spelled, parts, strict=True)):
                return operation
        return None

    @cached_property
    def _by_shape(self) -> dict[tuple[str, int], list[tuple[list[str | None], Operation]]]:
        shapes: dict[tuple[str, int], list[tuple[list[str | None], Operation]]] = {}
        for operation in self.operations.values():
            parts = [None if part[:1] == "{" else part for part in operation.path.split("/")]
            shapes.setdefault((operation.method.upper(), len(parts)), []).append((parts, operation))
        return shapes

    def resolved(self, node: Any) -> Any:
        """What a reference points to; anything else as it is."""
        while isinstance(node, Mapping) and "$ref" in node:
            path, node = node["$ref"], self.raw
            for part in path.removeprefix("#/").split("/"):
                node = node[part]
        return node

    def response(self, operation: Operation, status: int) -> Mapping[str, Any]:
        """What the operation says about a status; empty if nothing."""
        found: Mapping[str, Any] = self.resolved(operation.raw["responses"].get(str(status), {}))
        return found

    def codes(self, operation: Operation, status: int) -> list[str]:
        """The error codes that the examples of a response show."""
        media = self.response(operation, status).get("content", {}).values()
        examples = [self.resolved(example) for each in media for example in each.get("examples", {}).values()]
        bodies = [example.get("value") for example in examples]
        codes = [body["error"].get("code") for body in bodies if isinstance(body, dict) and "error" in body]
        return list(dict.fromkeys(code for code in codes if isinstance(code, str)))

    def fields(self, operation: Operation) -> list[str]:
        """The fields that a body of the operation may have."""
        content = self.resolved(operation.raw.get("requestBody", {})).get("content", {})
        schemas = [self.resolved(media["schema"]) for media in content.values()]
        return list(dict.fromkeys(name for schema in schemas for name in schema.get("properties", {})))

    def flaws(self, operation: Operation, status: int, body: Any) -> Iterator[Flaw]:
        """Everything in which the JSON body of an answer is not as documented."""
        content = self.response(operation, status).get("content", {})
        if "application/json" not in content:
            return
        schema = {**content["application/json"]["schema"], "components": self.raw["components"]}
        for error in jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(body):
            path = [*error.schema_path]
            marks, node = [], schema
            for part in path[:-1]:
                node = node[part]
                if isinstance(node, Mapping) and ("x-assumption" in node or "x-evidence" in node):
                    marks.append(node)
            pointer = "".join(f"/{'*' if isinstance(p, int) else p}" for p in error.instance_path)
            yield Flaw(pointer, str(path[-1]), error.message, tuple(marks))

    def evidence(self, operation: Operation, status: int, flaw: Flaw | None = None) -> Evidence:
        """The weakest mark on the operation, the response and the schema that failed."""
        marks: list[Mapping[str, Any]] = [operation.raw, self.response(operation, status)]
        marks += flaw.marks if flaw is not None else ()
        given = [Evidence[m["x-evidence"].upper()] for m in marks if "x-evidence" in m]
        return min(given, default=Evidence.ASSUMED)

    def resting(self, operation: Operation, status: int) -> str | None:
        """The first assumption that a response rests on."""
        return next(iter(self.response(operation, status).get("x-assumption", ())), None)

    def assumed(self, flaw: Flaw) -> str | None:
        """The assumption that a flaw contradicts, if it is about how a value is written."""
        if flaw.keyword not in _OPINION or not flaw.marks:
            return None
        return next(iter(flaw.marks[-1].get("x-assumption", ())), None)

    def header(self, operation: Operation, status: int, message: str) -> str | None:
        """The assumption that a header rests on, which the message names; the last is that it is sent."""
        for name, header in self.response(operation, status).get("headers", {}).items():
            if name.lower() in message.lower():
                ids: list[str] = self.resolved(header).get("x-assumption", [])
                return ids[-1 if "missing" in message.lower() else 0] if ids else None
        return None

    def allowing(self, operation: Operation, status: int) -> str | None:
        """An assumption that the operation rests on, whose alternatives include a status."""
        named = [self.response(operation, 422), *self._request(operation, "")]
        named += [operation.raw, *(self.response(operation, int(s)) for s in operation.raw["responses"])]
        named.append(self.raw["info"])
        return self._first(named, status)

    def accepting(self, operation: Operation, status: int, message: str) -> str | None:
        """An assumption that lets the faulty part of a request, which the message names, be accepted."""
        return self._first(self._request(operation, message), status)

    def tolerates(self, assumption: str, status: int) -> bool:
        """Whether a status is an alternative of an assumption."""
        return status in self._known.alternatives(assumption, "status")

    def _request(self, operation: Operation, message: str) -> list[Mapping[str, Any]]:
        parameters = [self.resolved(p) for p in operation.raw.get("parameters", ())]
        content = operation.raw.get("requestBody", {}).get("content", {})
        bodies = [self.resolved(media["schema"]) for media in content.values()]
        return [p for p in parameters if not message or f"`{p['name']}`" in message] + bodies

    def _first(self, nodes: list[Mapping[str, Any]], status: int) -> str | None:
        ids = (id_ for node in nodes for id_ in node.get("x-assumption", ()))
        return next((id_ for id_ in ids if self.tolerates(id_, status)), None)


@cache
def document() -> Document:
    """The contract."""
    return Document(our_spec().read_text("utf-8"))
