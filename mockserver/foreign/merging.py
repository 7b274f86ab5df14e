"""Schemas without $ref and allOf, and what two schemas allow together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_LARGER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SMALLER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_OF_OBJECTS = ("properties", "required", "additionalProperties", "patternProperties", "minProperties")
_OF_TEXTS = ("pattern", "minLength", "maxLength", "format")
_OF_NUMBERS = ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum")


def types_of(schema: Any) -> list[str]:
    """Types of a schema, or those that its keywords are about."""
    if not isinstance(schema, dict):
        return []
    kinds = schema.get("type")
    if kinds is not None:
        return [kinds] if isinstance(kinds, str) else list(kinds)
    if any(key in schema for key in _OF_OBJECTS):
        return ["object"]
    if "items" in schema or "prefixItems" in schema or "minItems" in schema:
        return ["array"]
    return ["number"] if any(key in schema for key in _OF_NUMBERS) else ["string"]


class Merging:
    """Merging of the schemas of one document."""

    def __init__(self, defs: Mapping[str, Any]) -> None:
        self._defs = defs

    def names(self, schema: Any) -> Iterator[str]:
        """Names of the schemas that a value of it surely has: its own, those of allOf, those of items."""
        ahead, seen = [schema], set[str]()
        while ahead:
            node = ahead.pop()
            if not isinstance(node, dict):
                continue
            ref = node.get("$ref")
            if ref is not None and ref not in seen:
                seen.add(ref)
                yield _name(ref)
                ahead.append(self._defs.get(_name(ref)))
            ahead += node.get("allOf", ())
            choices = node.get("oneOf") or node.get("anyOf") or ()
            some = [each for each in choices if types_of(each) != ["null"] or "$ref" in each]
            ahead += some if len(some) == 1 else ()
            ahead.append(node.get("items"))

    def flat(self, schema: Any, seen: tuple[str, ...] = ()) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The schema without $ref and allOf, and the names that it passed."""
        if not isinstance(schema, dict):
            return ({} if schema is not False else {"enum": []}), ()
        made = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "$defs")}
        passed: tuple[str, ...] = ()
        if "$ref" in schema and (name := _name(schema["$ref"])) not in seen:
            inner, below = self.flat(self._defs.get(name, {}), (*seen, name))
            made, passed = self.merged(made, inner), (name, *below)
        for part in schema.get("allOf", ()):
            inner, below = self.flat(part, (*seen, *passed))
            made, passed = self.merged(made, inner), (*passed, *below)
        return made, passed

    def merged(self, one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        """What both allow, as far as keywords can say it; the first one's example and pattern."""
        made = dict(one)
        for key, value in other.items():
            if key not in made:
                made[key] = value
            elif made[key] != value:
                _together(key, made, value)
        return made


def _together(key: str, made: dict[str, Any], value: Any) -> None:
    """Put what both values of a keyword allow into `made`."""
    mine = made[key]
    if key in ("oneOf", "anyOf"):
        made["more"] = [*made.get("more", ()), value]
    elif key in _TOGETHER:
        made[key] = _TOGETHER[key](mine, value)


def _both(mine: Any, value: Any) -> Any:
    if mine is True or value is False:
        return value
    return mine if mine is False or value is True else {"allOf": [mine, value]}


def _members(mine: Any, value: Any) -> Any:
    return {**mine, **value, **{name: _both(mine[name], value[name]) for name in mine if name in value}}


def _common_types(one: Any, other: Any) -> list[str]:
    mine, theirs = types_of({"type": one}), types_of({"type": other})
    if "number" in mine and "integer" in theirs:
        mine = [*mine, "integer"]
    if "number" in theirs and "integer" in mine:
        theirs = [*theirs, "integer"]
    return [each for each in mine if each in theirs]


def _name(ref: Any) -> str:
    return str(ref).removeprefix("#/$defs/")


_TOGETHER: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("properties", "patternProperties"), _members),
    **dict.fromkeys(("items", "additionalProperties", "propertyNames", "contains"), _both),
    **dict.fromkeys(_LARGER, max),
    **dict.fromkeys(_SMALLER, min),
    "required": lambda mine, value: [*dict.fromkeys([*mine, *value])],
    "type": lambda mine, value: _common_types(mine, value) or mine,
    "enum": lambda mine, value: [each for each in mine if each in value],
    "more": lambda mine, value: [*mine, *value],
    "const": lambda _, value: value,
}
"""Keyword -> what two values of it allow together; of any other keyword the first one is kept."""
