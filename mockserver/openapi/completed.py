"""Completion: values that a schema requires and nobody gave, taken from the schema itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.openapi.keywords import objects

MOCK_VALUE = "x-mock-value"
"""Value of a required field that nobody gives; the schema's own keywords follow."""
_NONE = object()
_TYPES: Mapping[type, tuple[str, ...]] = {
    dict: ("object",),
    list: ("array",),
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    type(None): ("null",),
}


class Completion:
    """Completes values by the named schemas of one document."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self.filled: list[str] = []
        """Address of each field that was filled in."""

    def completed(self, value: Any, schema: Any, at: str = "") -> Any:
        """Value with each missing required field that its schema has a value for.

        The same object if nothing is missing: it is never edited.
        """
        node = self._branch(value, schema)
        if isinstance(value, dict):
            return self._object(value, node, at)
        if isinstance(value, list) and "items" in node:
            items = [self.completed(item, node["items"], f"{at}{i}.") for i, item in enumerate(value)]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value

    def _object(self, value: dict[str, Any], node: Mapping[str, Any], at: str) -> dict[str, Any]:
        properties = node.get("properties", {})
        others = node.get("additionalProperties", True)
        new = {n: self.completed(v, properties.get(n, others), f"{at}{n}.") for n, v in value.items()}
        for name in node.get("required", ()):
            if name not in new and (filling := self._filling(properties.get(name, {}))) is not _NONE:
                new[name] = filling
                self.filled.append(at + name)
        return new if len(new) > len(value) or any(new[n] is not value[n] for n in value) else value

    def _filling(self, schema: Any) -> Any:
        node = self._resolved(schema)
        for word in (MOCK_VALUE, "default", "const"):
            if word in node:
                return node[word]
        branches = [self._resolved(each) for each in _branches(node)]
        if any("null" in _types(each) for each in (node, *branches)):
            return None
        if "enum" in node:
            return node["enum"][0]
        return next((f for each in branches if (f := self._filling(each)) is not _NONE), _NONE)

    def _branch(self, value: Any, schema: Any) -> Mapping[str, Any]:
        """Schema that the value was made for: of several, the first whose types and constants it has."""
        node = self._resolved(schema)
        branches = [*_branches(node)]
        if not branches:
            return node
        fitting = (each for each in branches if self._is_meant(value, self._resolved(each)))
        return self._branch(value, next(fitting, {}))

    def _is_meant(self, value: Any, node: Mapping[str, Any]) -> bool:
        if "type" in node and not {*_TYPES[type(value)]} & {*_types(node)}:
            return False
        if not isinstance(value, dict):
            return True
        known = ((value[n], self._resolved(s)) for n, s in node.get("properties", {}).items() if n in value)
        return all(v in s.get("enum", [v]) and v == s.get("const", v) for v, s in known)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        while isinstance(schema, dict) and "$ref" in schema:
            schema = self._named.get(schema["$ref"].rpartition("/")[2])
        return schema if isinstance(schema, dict) else {}


def complete_examples(document: Mapping[str, Any]) -> None:
    """Complete every example of the document, which is edited; of a stream, each event."""
    completion = Completion(document.get("components", {}).get("schemas", {}))
    examples = document.get("components", {}).get("examples", {})
    for found in objects(document):
        node = found.node
        if found.kind not in ("media", "parameter", "header") or "$ref" in node:
            continue
        holders = [(node, "example")] if "example" in node else []
        holders += [
            (examples[named["$ref"].rpartition("/")[2]] if "$ref" in named else named, "value")
            for named in node.get("examples", {}).values()
        ]
        for holder, key in holders:
            if "x-event-schema" in node:
                holder[key] = _completed_stream(str(holder[key]), node["x-event-schema"], completion)
            else:
                holder[key] = completion.completed(holder[key], node["schema"])


def _completed_stream(text: str, schema: Any, completion: Completion) -> str:
    def line(old: str) -> str:
        event = json.loads(old.removeprefix("data: "))
        new = completion.completed(event, schema)
        return old if new is event else f"data: {json.dumps(new)}"

    return "\n".join(line(each) if each.startswith("data: {") else each for each in text.split("\n"))


def _branches(node: Mapping[str, Any]) -> Iterator[Any]:
    for word in ("anyOf", "oneOf"):
        yield from node.get(word, ())


def _types(node: Mapping[str, Any]) -> list[str]:
    types = node.get("type", [])
    return [types] if isinstance(types, str) else types
