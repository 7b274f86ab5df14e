"""Supported subset of OpenAPI 3.1; anything else in a document is refused at start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.openapi.references import Pointer

METHODS = ("get", "put", "post", "patch", "delete", "head", "options", "trace")

EVENT_STREAM = "text/event-stream"

PLAIN: Mapping[str, type] = {"text": str, "flag": bool, "list": list, "object": dict, "any": object}
"""Plain values, whose contents are not checked."""


class Place(NamedTuple):
    """What a key of an object may hold."""

    kind: str
    """Kind of GRAMMAR, or of PLAIN."""
    within: type | None
    """dict or list for a map or list of that kind."""
    required: bool


def _places(text: str) -> dict[str, Place]:
    """Parse `key:kind`; `key!` is required, `{kind}` is a map, `[kind]` a list."""
    places = {}
    for entry in text.split():
        key, kind = entry.split(":")
        within = {"{": dict, "[": list}.get(kind[0])
        places[key.removesuffix("!")] = Place(kind.strip("{}[]"), within, key.endswith("!"))
    return places


GRAMMAR: Mapping[str, Mapping[str, Place]] = {
    kind: _places(text)
    for kind, text in {
        "document": """openapi!:text info!:info servers:list tags:list security:list externalDocs:object
            paths!:{path} components:components""",
        "info": "title!:text version!:text summary:text description:text license:object contact:object",
        "components": """schemas:{schema} parameters:{parameter} headers:{header} responses:{response}
            links:{link} examples:{example} securitySchemes:object""",
        "path": "summary:text description:text parameters:[parameter] "
        + " ".join(f"{method}:operation" for method in METHODS),
        "operation": """operationId!:text summary:text description:text tags:list parameters:[parameter]
            requestBody:body responses!:{response} security:list deprecated:flag""",
        "parameter": """name!:text in!:text required:flag description:text schema!:schema example:any
            examples:{example} deprecated:flag""",
        "body": "description:text required:flag content!:{media}",
        "response": "description!:text headers:{header} content:{media} links:{link}",
        "header": "description:text required:flag schema!:schema example:any",
        "media": "schema!:schema example:any examples:{example} x-event-schema:schema",
        "example": "summary:text description:text value!:any",
        "link": "operationId!:text parameters:object requestBody:any description:text",
        "schema": """type:any properties:{schema} required:list additionalProperties:schema
            propertyNames:schema minProperties:any maxProperties:any items:schema minItems:any maxItems:any
            uniqueItems:flag enum:list const:any pattern:text format:text minLength:any maxLength:any
            minimum:any maximum:any exclusiveMinimum:any exclusiveMaximum:any anyOf:[schema] oneOf:[schema]
            not:schema default:any description:text examples:list title:text readOnly:flag
            contentMediaType:text""",
    }.items()
}
"""Kind of object -> its keys."""

SECTIONS: Mapping[str, str] = {
    place.kind: section for section, place in GRAMMAR["components"].items() if place.within is dict
}
"""Kind of object -> section of `components` that its $refs point to."""


class DocumentNode(NamedTuple):
    """Object in a document; a schema may be a boolean."""

    at: Pointer
    kind: str
    node: Any


def objects(node: Any, kind: str = "document", at: Pointer = ()) -> Iterator[DocumentNode]:
    """Every object of the document, outer ones first.

    The contents of an object are walked only after it was yielded: a caller that checks each object with
    `misshapen` before it goes on never meets a value of the wrong type.
    """
    ahead = [DocumentNode(at, kind, node)]
    while ahead:
        found = ahead.pop()
        yield found
        if isinstance(found.node, bool) or "$ref" in found.node:
            continue
        inner: list[DocumentNode] = []
        for key, value in found.node.items():
            place = GRAMMAR[found.kind].get(key)
            if place is None or place.kind in PLAIN:
                continue
            if place.within is None:
                inner.append(DocumentNode((*found.at, key), place.kind, value))
            else:
                named = value.items() if place.within is dict else enumerate(value)
                inner += [DocumentNode((*found.at, key, name), place.kind, member) for name, member in named]
        ahead += reversed(inner)


def misshapen(found: DocumentNode) -> tuple[Pointer, str] | None:
    """Where and why an object is not supported; None if it is."""
    at, kind, node = found
    if kind == "schema" and isinstance(node, bool) and at[-1] == "additionalProperties":
        return None
    if not isinstance(node, dict):
        return at, f"expected an object ({kind}), found {_name(node)}"
    if "$ref" in node:
        extra = sorted(set(node) - {"$ref"})
        return (at, f"{extra[0]!r} beside $ref would be ignored; remove it") if extra else None
    for key, place in GRAMMAR[kind].items():
        if place.required and key not in node:
            return at, f"{key!r} is missing in this {kind}"
    for key, value in node.items():
        if key.startswith("x-"):
            continue
        if key not in GRAMMAR[kind]:
            return (*at, key), f"unknown keyword {key!r} in {kind}; the engine does not understand it"
        place = GRAMMAR[kind][key]
        wanted = place.within or PLAIN.get(place.kind, object)
        if not isinstance(value, wanted):
            return (*at, key), f"expected {_TYPES[wanted]}, found {_name(value)}"
    return None


_TYPES = {str: "text", bool: "true or false", list: "a list", dict: "an object"}


def _name(value: Any) -> str:
    return "nothing" if value is None else _TYPES.get(type(value), f"{value!r:.40}")
