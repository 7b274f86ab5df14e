"""All claims of the contract: those of openapi.yaml, where they are written, and the effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from contracts.checks.claims import Basis, Node, basis, resolved
from contracts.checks.evidence import Evidence, effects
from contracts.checks.spec import DocumentedOperation, document

SOURCES = {
    Evidence.PUBLISHED: "the vendor's public documentation",
    Evidence.SDK: "the vendor's SDK",
    Evidence.OBSERVED: "reported of the real server",
    Evidence.ASSUMED: "docs/assumptions.md",
}
DOCUMENTS = {"addThreadToSpace": "Add thread to space", "listSpaceThreads": "List space threads"}
"""The two documents, by the operation that each describes."""
KINDS = {
    "literal": ("const", "enum", "not"),
    "type": ("type",),
    "bound": (
        *("pattern", "format", "minLength", "maxLength", "minimum", "maximum"),
        *("minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems"),
    ),
}
"""Kinds of claims in a schema, with their keywords."""


class Claim(NamedTuple):
    """One thing that a response, or the acceptance of a request, must satisfy."""

    where: str
    """JSON pointer into openapi.yaml, or the id of an effect."""
    kind: str
    """One of KINDS, or `status`, `parameter`, `required`, `header`, `text`, `effect`."""
    what: str
    """The keyword with its value, or the sentence."""
    evidence: Evidence
    assumption: str | None
    source: str


@cache
def all_claims() -> tuple[Claim, ...]:
    """Every claim once; one that several operations share has the strongest evidence among them."""
    found: dict[tuple[str, str, str], Claim] = {}
    for operation in document().operations.values():
        for claim in _of_operation(operation):
            other = found.get(claim[:3])
            if other is None or claim.evidence > other.evidence:
                found[claim[:3]] = claim
    effect_claims = (
        Claim(id_, "effect", effect.sentence, effect.evidence, effect.assumption, effect.source)
        for id_, effect in effects().items()
    )
    return (*found.values(), *effect_claims)


def _claim(operation: DocumentedOperation, place: tuple[str, str, str], founded: Basis) -> Claim:
    source = SOURCES.get(founded.evidence) or DOCUMENTS.get(operation.id, "both documents")
    return Claim(*place, founded.evidence, founded.assumption, source)


def _of_operation(operation: DocumentedOperation) -> Iterator[Claim]:
    at = f"#/paths/{operation.path.replace('/', '~1')}/{operation.method}"
    for number, parameter in enumerate(operation.raw.get("parameters", ())):
        where, node = _target(parameter, f"{at}/parameters/{number}")
        around = (operation.raw, node)
        what = f"{node['in']} {node['name']}{', required' if node.get('required') else ''}"
        yield _claim(operation, (where, "parameter", what), basis(around))
        yield from _of_schema(operation, node["schema"], f"{where}/schema", around)
    where, body = _target(operation.raw.get("requestBody", {}), f"{at}/requestBody")
    yield from _of_content(operation, body, where, (operation.raw, body))
    for status, response in operation.raw["responses"].items():
        where, node = _target(response, f"{at}/responses/{status}")
        around = (operation.raw, node)
        yield _claim(operation, (f"{at}/responses/{status}", "status", status), basis(around))
        for name, header in node.get("headers", {}).items():
            _, described = _target(header, "")
            place = (f"{where}/headers/{name}", "header", name)
            yield _claim(operation, place, basis((*around, described)))
        yield from _of_content(operation, node, where, around)


def _of_content(
    operation: DocumentedOperation, node: Node, where: str, around: tuple[Node, ...]
) -> Iterator[Claim]:
    for kind, media in node.get("content", {}).items():
        at = f"{where}/content/{kind.replace('/', '~1')}"
        yield from _of_schema(operation, media.get("schema", {}), f"{at}/schema", around)
        for name, example in media.get("examples", {}).items():
            found, described = _target(example, f"{at}/examples/{name}")
            value = described.get("value")
            error = value.get("error") if isinstance(value, dict) else None
            if isinstance(error, dict):
                what = f"{error['code']}: {error['system_message']}"
                yield _claim(operation, (found, "text", what), basis((*around, described)))


def _of_schema(
    operation: DocumentedOperation,
    schema: Any,
    where: str,
    around: tuple[Node, ...],
    seen: tuple[str, ...] = (),
) -> Iterator[Claim]:
    nodes = (*around, schema)
    if "$ref" in schema:
        if (where := schema["$ref"]) in seen:
            return
        seen, schema = (*seen, where), resolved(schema, document().raw)
        nodes = (*nodes, schema)
    for kind, keyword in ((kind, word) for kind, words in KINDS.items() for word in words):
        value = schema.get(keyword)
        if value is not None and value is not True and not isinstance(value, Mapping):
            yield _claim(operation, (where, kind, f"{keyword} {value}"), basis(nodes, keyword))
    for name, inner in schema.get("properties", {}).items():
        if name in schema.get("required", ()):
            place = (f"{where}/properties/{name}", "required", name)
            yield _claim(operation, place, basis((*nodes, inner), "required"))
    for key, inner in _inner(schema):
        yield from _of_schema(operation, inner, f"{where}/{key}", nodes, seen)


def _inner(schema: Node) -> Iterator[tuple[str, Any]]:
    for name, inner in schema.get("properties", {}).items():
        yield f"properties/{name}", inner
    for key in ("anyOf", "oneOf", "allOf"):
        yield from ((f"{key}/{number}", inner) for number, inner in enumerate(schema.get(key, ())))
    if isinstance(schema.get("items"), Mapping):
        yield "items", schema["items"]


def _target(node: Node, where: str) -> tuple[str, Node]:
    """Where a node is written, and the node itself."""
    return (node["$ref"], resolved(node, document().raw)) if "$ref" in node else (where, node)
