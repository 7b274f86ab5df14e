"""Resolution of $ref."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Pointer = tuple[str | int, ...]


def find(document: Mapping[str, Any], ref: Any) -> Any:
    """Target of `#/components/section/name`; None if there is none."""
    if not isinstance(ref, str):
        return None
    node: Any = document
    for step in ref.removeprefix("#/").split("/"):
        node = node.get(step) if isinstance(node, dict) else None
    return node


def resolved(document: Mapping[str, Any], node: Any) -> Any:
    """`node`, or the target of its $ref."""
    while isinstance(node, dict) and "$ref" in node:
        node = find(document, node["$ref"])
    return node


def examples_in(document: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and value of the examples of a media type, parameter or header; `example` has no name."""
    for name, outer in node.get("examples", {}).items():
        yield name, resolved(document, outer)["value"]
    if "example" in node:
        yield "", node["example"]


def leads_in_a_circle(document: Mapping[str, Any], node: Any) -> bool:
    """Whether a chain of $refs is circular."""
    seen: set[str] = set()
    while isinstance(node, dict) and "$ref" in node:
        if node["$ref"] in seen:
            return True
        seen.add(node["$ref"])
        node = find(document, node["$ref"])
    return False
