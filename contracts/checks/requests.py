"""Parts of a request: which of them break openapi.yaml, and which a refusal names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from contracts.checks import forms
from contracts.checks.claims import Basis, Node, SchemaViolation, basis, resolved, violations
from contracts.checks.evidence import Evidence
from contracts.checks.spec import DocumentedOperation, OpenApiDocument
from contracts.http.exchange import ClientRequest, ClientResponse


class Part(NamedTuple):
    """Parameter or field of the body that a request has."""

    name: str
    value: Any
    schema: Node
    around: tuple[Node, ...]
    """Nodes outside of its schema, outermost first."""


def parts(document: OpenApiDocument, operation: DocumentedOperation, request: ClientRequest) -> list[Part]:
    """Parameters and fields of the body, as far as the document knows them."""
    schema, around = _body(document, operation)
    known = schema.get("properties", {})
    fields = [(name, value) for name, value in request.fields.items() if name in known]
    in_body = [Part(name, value, known[name], (*around, schema)) for name, value in fields]
    return [*_parameters(document, operation, request), *in_body]


def _parameters(
    document: OpenApiDocument, operation: DocumentedOperation, request: ClientRequest
) -> Iterator[Part]:
    path, _, query = request.path.partition("?")
    steps = zip(operation.path.split("/"), path.split("/"), strict=False)
    sent = {("path", step[1:-1]): unquote(text) for step, text in steps if step[:1] == "{"}
    sent |= {("query", name): text for name, text in parse_qsl(query, keep_blank_values=True)}
    for node in document.parameters(operation):
        if (value := sent.get((node["in"], node["name"]))) is not None:
            decoded = _decoded(value, resolved(node["schema"], document.raw))
            yield Part(node["name"], decoded, node["schema"], (operation.raw, node))


def faults(
    document: OpenApiDocument, operation: DocumentedOperation, request: ClientRequest, *, read: bool = False
) -> Iterator[SchemaViolation]:
    """Rules of openapi.yaml that a request breaks; none for what no schema says, such as broken JSON.

    With `read` values have the forms of frameworks (A50, A102), and an empty optional parameter
    or a null for an optional body is none.
    """
    found = list(_parameters(document, operation, request))
    for part in found:
        value = part.value
        if read and value == "" and not part.around[-1].get("required"):
            continue
        if read:
            value = forms.read_all(value, part.schema, document.raw)
        yield from violations(value, part.schema, document.raw, part.around)
    for node in document.parameters(operation):
        if node.get("required") and node["name"] not in {part.name for part in found}:
            yield SchemaViolation("", "required", f"{node['name']} is missing", (operation.raw, node))
    schema, around = _body(document, operation)
    if schema and request.body is not None:
        try:
            body = json.loads(request.text)
        except ValueError:
            return
        if read and body is None and not around[-1].get("required"):
            return
        body = forms.read_all(body, schema, document.raw) if read else body
        yield from violations(body, schema, document.raw, around)


def is_readable(document: OpenApiDocument, operation: DocumentedOperation, request: ClientRequest) -> bool:
    """Whether a wrong request is right as common frameworks read it, so that it may be accepted."""
    wrong = any(faults(document, operation, request))
    return wrong and not any(faults(document, operation, request, read=True))


def accepted(
    document: OpenApiDocument, operation: DocumentedOperation, answer: ClientResponse
) -> Basis | None:
    """Basis of the rule whose violation was accepted: of several the strongest; None if no rule is known."""
    found = [basis(fault.nodes, fault.keyword) for fault in faults(document, operation, answer.request)]
    open_ = [each for each in found if not document.tolerated(each.assumptions, answer.status)]
    if found and not open_:
        return Basis(
            Evidence.ASSUMED,
            tuple(id_ for id_ in found[0].assumptions if document.tolerates(id_, answer.status)),
        )
    return max(open_, default=None, key=lambda each: each.evidence)


def refused(
    document: OpenApiDocument, operation: DocumentedOperation, answer: ClientResponse
) -> Basis | None:
    """Basis of the part that a refusal names: of several the strongest, and of its rules the weakest.

    A refusal that names no part rests on all of them. None if the request has no part.
    """
    sent = list(parts(document, operation, answer.request))
    named = names_in(answer)
    if any(part.name in named and _has_empty_text(part.value) for part in sent):
        return Basis(Evidence.ASSUMED, ("A100",))
    found = [_weakest(document, part) for part in sent if part.name in named]
    if found:
        return max(found, key=lambda each: each.evidence)
    return min((_weakest(document, part) for part in sent), default=None, key=lambda each: each.evidence)


def names_in(answer: ClientResponse) -> set[str]:
    """Names of parameters and fields in an error, in the documented form or in that of common frameworks."""
    error = answer.error or answer.fields
    found: set[str] = set()
    for fault in _objects([error.get("details"), error.get("detail")]):
        place = fault.get("name", fault.get("field", fault.get("loc")))
        steps = place if isinstance(place, list) else str(place or "").split(".")
        found.update(str(step) for step in steps)
    if found - {"", "body", "query", "path"}:
        return found
    return set(re.findall(r"\w+", answer.text))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


def _has_empty_text(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value == "" or any(map(_has_empty_text, inner))


def _weakest(document: OpenApiDocument, part: Part) -> Basis:
    """Weakest of the rules that the acceptance of a part rests on."""
    found = [basis((*part.around, *nodes), keyword) for nodes, keyword in _rules(document, part.schema, ())]
    return min(found, default=basis(part.around), key=lambda each: each.evidence)


def _rules(
    document: OpenApiDocument, node: Any, outer: tuple[Node, ...]
) -> Iterator[tuple[tuple[Node, ...], str]]:
    """Keywords of a schema and of those in it, each with the nodes around it."""
    nodes = (*outer, node)
    target = resolved(node, document.raw)
    if target is not node:
        nodes = (*nodes, target)
    if len(nodes) > 12:
        return
    for keyword, value in target.items():
        inner = value.values() if keyword == "properties" else value if keyword in ("anyOf", "oneOf") else ()
        inner = [value] if keyword == "items" else inner
        for schema in inner:
            yield from _rules(document, schema, nodes)
        if not inner and keyword not in ("description", "default", "examples", "x-evidence", "x-assumption"):
            yield nodes, keyword


def _body(document: OpenApiDocument, operation: DocumentedOperation) -> tuple[Node, tuple[Node, ...]]:
    body = resolved(operation.raw.get("requestBody", {}), document.raw)
    media = body.get("content", {}).get("application/json", {})
    return resolved(media.get("schema", {}), document.raw), (operation.raw, body)


def _decoded(text: str, schema: Node) -> Any:
    """Value of a parameter, of the type that its schema has; text if it has no such form."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text
