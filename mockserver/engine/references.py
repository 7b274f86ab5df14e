"""Walking an OpenAPI document: $ref and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Pointer = tuple[str | int, ...]


def find(document: Mapping[str, Any], ref: Any) -> Any:
    """What `#/components/…` leads to; None if it leads nowhere or elsewhere."""
    if not isinstance(ref, str) or not ref.startswith("#/components/"):
        return None
    node: Any = document
    for step in ref[2:].split("/"):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def resolved(document: Mapping[str, Any], node: Any) -> Any:
    """`node` itself, or what its $ref leads to."""
    while isinstance(node, Mapping) and "$ref" in node:
        node = find(document, node["$ref"])
    return node


def references(node: Any, at: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:
    """Pointer and text of every $ref."""
    if isinstance(node, Mapping):
        if "$ref" in node:
            yield at, node["$ref"]
        for key, value in node.items():
            yield from references(value, (*at, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from references(value, (*at, index))


def holding(node: Any, key: str, at: Pointer = ()) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    """Every object that has `key`, examples' own content left out."""
    if isinstance(node, Mapping):
        if key in node:
            yield at, node
        for name, value in node.items():
            if name not in ("example", "examples", "value", "properties"):
                yield from holding(value, key, (*at, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from holding(value, key, (*at, index))
