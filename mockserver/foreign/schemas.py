"""Schemas of a foreign document in JSON Schema 2020-12, made and compiled when they are first used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.foreign import keywords
from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.patterns import is_pattern
from mockserver.openapi.schemas import Schema

MOST = 400
"""Most schemas that are kept compiled."""
REQUEST, ANSWER = "readOnly", "writeOnly"
"""What a request, or an answer, need not have."""


class ForeignSchemas:
    """Compiled schemas of a document."""

    def __init__(self, document: ForeignDocument) -> None:
        self._document = document
        self._known: dict[tuple[int, str], tuple[Mapping[str, Any], Schema, Any]] = {}
        """By identity of the node, which is kept with them."""

    def schema(self, node: Any, optional: str) -> tuple[Mapping[str, Any], Schema]:
        """The schema as JSON Schema, and compiled; `optional`: REQUEST or ANSWER."""
        key = (id(node), optional)
        found = self._known.get(key)
        if found is None:
            whole = _Conversion(self._document, optional).whole(node)
            found = whole, Schema(whole, {}), node
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = found
        return found[0], found[1]


class _Conversion:
    """Conversion of one schema, with those that it refers to under `$defs`."""

    def __init__(self, document: ForeignDocument, optional: str) -> None:
        self._document, self._optional = document, optional
        self._names: dict[str, str] = {}
        self._ahead: list[tuple[str, Any]] = []

    def whole(self, node: Any) -> dict[str, Any]:
        """The schema, which needs nothing else."""
        root = self._converted(node)
        defs: dict[str, Any] = {}
        while self._ahead:
            name, target = self._ahead.pop()
            defs[name] = self._converted(target)
        top = root if isinstance(root, dict) else ({} if root else {"not": {}})
        return {**top, "$defs": defs}

    def _name(self, ref: Any) -> str:
        """Name of what is referred to, under `$defs`."""
        if ref not in self._names:
            name = str(ref).rpartition("/")[2].replace("~", "-").replace("%", "-") or "all"
            while name in self._names.values():
                name += "_"
            self._names[ref] = name
            target = self._document.target(ref)
            self._ahead.append((name, {} if target is None else target))
        return self._names[ref]

    def _converted(self, node: Any) -> Any:
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            return {}
        if "$ref" in node and self._document.is_old:
            return {"$ref": f"#/$defs/{self._name(node['$ref'])}"}
        made: dict[str, Any] = {}
        for key, value in node.items():
            self._keyword(key, value, made)
        self._discriminate(node, made)
        if "required" in made:
            properties = node.get("properties")
            inner = properties if isinstance(properties, dict) else {}
            names = dict.fromkeys(made["required"])
            made["required"] = [name for name in names if not self._is_optional(inner.get(name))]
        self._nullable(node, made)
        return made

    def _keyword(self, key: str, value: Any, made: dict[str, Any]) -> None:
        if key == "$ref":
            made["$ref"] = f"#/$defs/{self._name(value)}"
        elif key in keywords.ONE:
            is_tuple = isinstance(value, list)
            made["prefixItems" if is_tuple else key] = (
                [self._converted(each) for each in value] if is_tuple else self._converted(value)
            )
        elif key in keywords.MANY and isinstance(value, list) and value:
            made[key] = [self._converted(each) for each in value]
        elif key in keywords.NAMED and isinstance(value, dict):
            made[key] = {str(name): self._converted(each) for name, each in value.items()}
        elif (
            (key in keywords.NUMBERS and _is_bound(key, value))
            or (key in keywords.OTHERS and _is_meant(key, value))
            or key in keywords.HINTS
        ):
            made[key] = value

    def _nullable(self, node: Mapping[str, Any], made: dict[str, Any]) -> None:
        """Keywords of 3.0 that 3.1 has no more."""
        for bound, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if node.get(strict) is True and bound in made:
                made[strict] = made.pop(bound)
        if node.get("nullable") is not True:
            return  # without a type it means nothing to some: an answer has no null then
        if self._optional == REQUEST and "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        elif (
            self._optional == REQUEST
            and any(key in made for key in ("allOf", "anyOf", "oneOf", "$ref"))
            and "type" not in made
        ):
            hints: dict[str, Any] = {
                key: made.pop(key) for key in ("example", "readOnly", "writeOnly") if key in made
            }
            inside = dict(made)
            made.clear()
            made.update({**hints, "anyOf": [inside, {"type": "null"}]})

    def _discriminate(self, node: Mapping[str, Any], made: dict[str, Any]) -> None:
        """A discriminator names branches by the text that stands for them."""
        told = made.pop("discriminator", None)
        if not isinstance(told, dict) or not isinstance(told.get("propertyName"), str):
            return
        mapping = told.get("mapping") or {}
        words: dict[str, str] = {}
        for word, ref in mapping.items():
            target = ref if "#" in str(ref) or "/" in str(ref) else f"#/components/schemas/{ref}"
            if self._document.target(target) is not None:
                words[self._name(target)] = str(word)
        for branch in (*node.get("oneOf", ()), *node.get("anyOf", ())):
            if isinstance(branch, dict) and "$ref" in branch:
                words.setdefault(self._name(branch["$ref"]), str(branch["$ref"]).rpartition("/")[2])
        made["discriminator"] = {"propertyName": told["propertyName"], "words": words}
        if self._optional == REQUEST and "oneOf" in made and "anyOf" not in made:
            made["anyOf"] = made.pop("oneOf")  # the discriminator decides, should a body fit several

    def _is_optional(self, node: Any) -> bool:
        if not isinstance(node, dict):
            return False
        return node.get(self._optional) is True or self._document.resolved(node).get(self._optional) is True


def _is_bound(key: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value > 0 if key == "multipleOf" else key[3:4] not in "LIPC" or value >= 0


def _is_meant(key: str, value: Any) -> bool:
    """Whether the value of a keyword can be read: what can't be is no assertion."""
    match key:
        case "type":
            names = value if isinstance(value, list) else [value]
            return bool(names) and all(isinstance(name, str) and name in keywords.TYPES for name in names)
        case "enum":
            return isinstance(value, list) and bool(value)
        case "required":
            return isinstance(value, list) and all(isinstance(name, str) for name in value)
        case "uniqueItems":
            return isinstance(value, bool)
        case "pattern":
            return isinstance(value, str) and is_pattern(value)
        case "format":
            return isinstance(value, str)
        case "dependentRequired":
            return isinstance(value, dict)
        case _:
            return True
