"""What of OpenAPI 3.1 the engine understands; anything else in a spec is refused at start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.engine.references import Pointer

METHODS = ("get", "put", "post", "patch", "delete", "head", "options", "trace")


class Kind(NamedTuple):
    """What an object of the document may hold: keys, and of what kind their values are."""

    keys: frozenset[str]
    one: Mapping[str, str] = {}
    """key -> kind of the object there"""
    each: Mapping[str, str] = {}
    """key -> kind of every object in the map or list there"""


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS: Mapping[str, Kind] = {
    "document": Kind(
        _keys("openapi info servers tags security paths components externalDocs"),
        one={"components": "components"},
        each={"paths": "path"},
    ),
    "components": Kind(
        _keys("schemas parameters headers responses securitySchemes links examples"),
        each={
            "schemas": "schema",
            "parameters": "parameter",
            "headers": "header",
            "responses": "response",
            "links": "link",
            "examples": "example",
        },
    ),
    "path": Kind(
        _keys("summary description parameters " + " ".join(METHODS)),
        one=dict.fromkeys(METHODS, "operation"),
        each={"parameters": "parameter"},
    ),
    "operation": Kind(
        _keys("operationId summary description tags parameters requestBody responses security deprecated"),
        one={"requestBody": "body"},
        each={"parameters": "parameter", "responses": "response"},
    ),
    "parameter": Kind(
        _keys("name in required description schema example examples deprecated"),
        one={"schema": "schema"},
        each={"examples": "example"},
    ),
    "body": Kind(_keys("description required content"), each={"content": "media"}),
    "response": Kind(
        _keys("description headers content links"),
        each={"headers": "header", "content": "media", "links": "link"},
    ),
    "header": Kind(_keys("description required schema example"), one={"schema": "schema"}),
    "media": Kind(_keys("schema example examples"), one={"schema": "schema"}, each={"examples": "example"}),
    "example": Kind(_keys("summary description value")),
    "link": Kind(_keys("operationId parameters requestBody description")),
    "schema": Kind(
        _keys(
            "type properties required additionalProperties propertyNames minProperties maxProperties "
            "items minItems maxItems uniqueItems enum const pattern format minLength maxLength "
            "minimum maximum exclusiveMinimum exclusiveMaximum anyOf oneOf default description "
            "examples title readOnly contentMediaType"
        ),
        one={"items": "schema", "additionalProperties": "schema", "propertyNames": "schema"},
        each={"properties": "schema", "anyOf": "schema", "oneOf": "schema"},
    ),
}


def unknown_keywords(node: Any, kind: str = "document", at: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    """Pointer and reason of everything in the document that the engine would not heed."""
    if isinstance(node, bool):  # `additionalProperties: false`
        return
    if not isinstance(node, Mapping):
        yield at, f"expected an object ({kind}), found {type(node).__name__}"
        return
    if "$ref" in node:
        if extra := sorted(set(node) - {"$ref"}):
            yield at, f"{extra[0]!r} beside $ref would be ignored; remove it"
        return
    for key, value in node.items():
        if not isinstance(key, str):
            yield at, f"key {key!r} must be a string; quote it"
        elif not key.startswith("x-"):
            yield from _inside(key, value, kind, at)


def _inside(key: str, value: Any, kind: str, at: Pointer) -> Iterator[tuple[Pointer, str]]:
    shape = KINDS[kind]
    if key not in shape.keys:
        yield (*at, key), f"unknown keyword {key!r} in {kind}; the engine does not understand it"
    elif key in shape.one:
        yield from unknown_keywords(value, shape.one[key], (*at, key))
    elif key in shape.each:
        members = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, member in members:
            yield from unknown_keywords(member, shape.each[key], (*at, key, name))
