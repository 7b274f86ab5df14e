"""Checks at start: a document that could be served only in part is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.openapi.completed import MOCK_VALUE
from mockserver.openapi.keywords import EVENT_STREAM, SECTIONS, DocumentNode, misshapen, objects
from mockserver.openapi.operation import Operation
from mockserver.openapi.references import Pointer, examples_in, find, leads_in_a_circle
from mockserver.openapi.schemas import FORMATS, Schema, Schemas
from mockserver.openapi.yaml_document import Document


def refuse_unsupported(file: Document) -> None:
    """Refuse anything but OpenAPI 3.1, unknown or missing keywords, wrong types, and dangling $refs."""
    document = file.content
    if not isinstance(document, dict) or "openapi" not in document:
        raise file.error((), "not an OpenAPI document: 'openapi' is missing at the top")
    if not str(document["openapi"]).startswith("3.1."):
        raise file.error(("openapi",), "only OpenAPI 3.1 is understood")
    for found in objects(document):
        if wrong := misshapen(found):
            raise file.error(*wrong)
    for found in objects(document):
        if reason := _unresolved(document, found) or _half_a_stream(found):
            raise file.error(found.at, reason)
    _refuse_bad_paths(file)


def _unresolved(document: Mapping[str, Any], found: DocumentNode) -> str:
    if not isinstance(found.node, dict) or "$ref" not in found.node:
        return ""
    ref = found.node["$ref"]
    if found.kind not in SECTIONS:
        return f"a {found.kind} can't be a $ref here; write it out"
    place = f"#/components/{SECTIONS[found.kind]}/"
    if find(document, ref) is None or not ref.startswith(place):
        return f"$ref {str(ref)[:80]!r} leads nowhere; only '{place}…' is understood"
    return "$ref leads in a circle" if leads_in_a_circle(document, found.node) else ""


def _half_a_stream(found: DocumentNode) -> str:
    if found.kind != "media" or (found.at[-1] == EVENT_STREAM) == ("x-event-schema" in found.node):
        return ""
    if found.at[-1] == EVENT_STREAM:
        return f"{EVENT_STREAM} needs x-event-schema, the schema of each event"
    return f"x-event-schema is only understood for {EVENT_STREAM}"


def _refuse_bad_paths(file: Document) -> None:
    if not file.content["paths"]:
        raise file.error(("paths",), "there are no paths")
    shapes: dict[str, str] = {}
    for template in file.content["paths"]:
        if not re.fullmatch(r"(/([^/{}]+|{[^/{}]+}))*/?", template) or not template:
            raise file.error(
                ("paths", template), "a path begins with '/' and each step is text or one {name}"
            )
        shape = re.sub("{[^{}]+}", "{}", template)
        if shape in shapes:
            raise file.error(("paths", template), f"means the same paths as {shapes[shape]}; merge them")
        shapes[shape] = template


def refuse_bad_links(file: Document, operations: Mapping[str, Operation]) -> None:
    """Refuse links to unknown operations or parameters."""
    for at, kind, link in objects(file.content):
        if kind != "link" or "$ref" in link:
            continue
        target = operations.get(link["operationId"])
        if target is None:
            raise file.error(at, f"its operationId {link['operationId']!r} is not an operation here")
        known = {p.name for p in target.path} | set(target.query)
        if strange := sorted(set(link.get("parameters", {})) - known):
            raise file.error(at, f"{target.id} has no parameter {strange[0]!r}")


def refuse_bad_values(file: Document, schemas: Schemas) -> None:
    """Refuse invalid schemas, and examples, defaults and streams of examples that violate theirs."""
    for found in objects(file.content):
        if isinstance(found.node, bool) or "$ref" in found.node:
            continue
        node = found.node if found.kind == "schema" else found.node.get("schema")
        if node is None:
            continue
        schema, events = _compiled(file, schemas, node, found.at), None
        if found.kind == "schema" and node.get("format", "uuid") not in FORMATS:
            raise file.error(found.at, f"format {node['format']!r} is not understood")
        if "x-event-schema" in found.node:
            events = _compiled(file, schemas, found.node["x-event-schema"], found.at)
        for name, value in _values(file.content, found):
            if reason := _bad_value(value, schema, events):
                raise file.error(found.at, f"{name} {reason}")


def _compiled(file: Document, schemas: Schemas, node: Any, at: Pointer) -> Schema:
    schema = schemas.schema(node)
    try:
        _ = schema.is_valid
    except ValueError as error:
        raise file.error(at, f"not a valid schema: {str(error).splitlines()[0]}") from error
    return schema


def _bad_value(value: Any, schema: Schema, events: Schema | None) -> str:
    pointer, message = schema.first_error(value)
    if message:
        return f"is not valid at {pointer or '/'}: {message}"
    return "" if events is None else _bad_event(str(value), events)


def _bad_event(text: str, schema: Schema) -> str:
    """Reason why `text` is not a valid stream; empty if it is. Non-object data is a literal line."""
    lines = [line for line in text.split("\n") if line and not line.startswith("id: ")]
    for number, line in enumerate(lines, 1):
        if not line.startswith("data: "):
            return f"is not understood: event {number} does not begin with 'data: '"
        if not line.startswith("data: {"):
            continue
        try:
            pointer, message = schema.first_error(json.loads(line.removeprefix("data: ")))
        except ValueError as error:
            return f"is not a stream: event {number} is not JSON: {error}"
        if message:
            return f"is not valid at event {number}, {pointer or '/'}: {message}"
    return ""


def _values(document: Mapping[str, Any], found: DocumentNode) -> Iterator[tuple[str, Any]]:
    node = found.node
    if found.kind == "schema":
        yield from ((f"example {number}", value) for number, value in enumerate(node.get("examples", ())))
        yield from ((word, node[word]) for word in ("default", MOCK_VALUE) if word in node)
        return
    for name, value in examples_in(document, node):
        yield f"example {name!r}" if name else "example", value
