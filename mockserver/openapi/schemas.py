"""Compiled JSON schemas, and validation errors as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from mockserver.openapi.beginning import beginning, count
from mockserver.openapi.completed import Completion
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.references import resolved

MOST_ERRORS = 1000
"""Most errors listed one by one; a body of megabytes can be wrong in every line."""
EXPLAINED = 5000
"""Values of a body whose errors are looked for: to explain one takes 1000 times as long as to check it."""
LONGEST_MESSAGE = 200
"""Most characters of a message: it quotes the value, which can be anything."""


FORMATS = (
    "binary",
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "int64",
    "ipv4",
    "ipv6",
    "regex",
    "time",
    "uri",
    "uuid",
)
"""Formats that are checked, or say how long a value is; an unknown one would be ignored silently."""


class Schema:
    """JSON schema, compiled on first use: most of a document's schemas are never used."""

    def __init__(
        self, schema: Mapping[str, Any], named: Mapping[str, Any], *, completes: bool = False
    ) -> None:
        # `components` lets "#/components/..." resolve; only the needed ones: a validator keeps all that
        # it gets: with everything, each took half a megabyte.
        self._whole = {**schema, "components": {"schemas": _needed(schema, named)}}
        self._completes = completes

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(self._whole, validate_formats=True)

    @cached_property
    def is_valid(self) -> Callable[[Any], bool]:
        """Whether a decoded JSON value is allowed; ValueError says what is wrong with the schema."""
        return self._validator.is_valid

    def completed(self, value: Any) -> tuple[Any, list[str]]:
        """Value with the required fields that it lacks, as far as the schema has values, and their names."""
        completion = Completion(self._whole["components"]["schemas"])
        return completion.completed(value, self._whole), completion.filled

    def forbids(self, field: str) -> bool:
        """Whether an object of this schema can't have the field."""
        whole = self._whole
        node = resolved(whole, whole)
        return node.get("additionalProperties", True) is False and field not in node.get("properties", {})

    def replied(self, value: Any) -> Any:
        """Value of a reply, completed if the document has overlays: no handler knows what they require."""
        return self.completed(value)[0] if self._completes else value

    def errors(self, value: Any, place: str, name: str = "") -> list[FieldError]:
        """Errors of `value`, one for each address, at most one more than MOST_ERRORS.

        Of a value that holds more than EXPLAINED values: those in its first invalid part of that size.
        """
        try:
            each = (one for error in self._errors(value) for one in _field_errors(error))
            found = list(islice(each, MOST_ERRORS + 1))
        except (ValueError, RecursionError):  # any depth is validated, at most 255 levels are explained
            found = [("", "is not valid, and nested too deeply to say where")]
        return [FieldError(place, ".".join(filter(None, (name, at))), text) for at, text in found]

    def places(self, value: Any) -> Iterator[list[str | int]]:
        """Path of each invalid, unknown or incomplete value, as far as `errors` looks."""
        for error in self._errors(value):
            yield from _places(error)

    @cached_property
    def _has_scalars(self) -> bool:
        """Whether a value of it may be a number or a boolean."""
        return bool(_types_in(self._whole) & {"integer", "number", "boolean"})

    def wrong_types(self, value: Any) -> Iterator[tuple[list[str | int], frozenset[str]]]:
        """Path of each value of a wrong type, with its types; none of a schema without scalars."""
        for error in self._errors(value) if self._has_scalars else ():
            for leaf in _leaves(error):
                if isinstance(leaf.kind, jsonschema_rs.ValidationErrorKind.Type):
                    yield list(leaf.instance_path), frozenset(leaf.kind.types)

    def _errors(self, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
        if count(value, EXPLAINED + 1) <= EXPLAINED:
            return self._validator.iter_errors(value)
        if self.is_valid(value):
            return iter(())
        # The validator finds all errors before it returns the first one: so it gets the beginning of the
        # value, up to EXPLAINED values after the first error.
        valid, invalid = 0, count(value)
        while invalid - valid > EXPLAINED:
            middle = (valid + invalid) // 2
            if self.is_valid(beginning(value, middle)):
                valid = middle
            else:
                invalid = middle
        return self._validator.iter_errors(beginning(value, invalid))

    def first_error(self, value: Any) -> tuple[str, str]:
        """JSON pointer and message of the first error; ("", "") if there is none."""
        for error in self._errors(value):
            return _pointer(error.instance_path), _short(error.message)
        return "", ""


class Schemas:
    """All schemas of a document, each once."""

    def __init__(self, components: Mapping[str, Any], *, completes: bool = False) -> None:
        """`completes`: whether replies are completed by these schemas."""
        self._named: Mapping[str, Any] = components.get("schemas", {})
        self._completes = completes
        self._known: dict[bytes, Schema] = {}

    def schema(self, node: Mapping[str, Any]) -> Schema:
        """The schema `node`."""
        key = orjson.dumps(node, option=orjson.OPT_SORT_KEYS)
        if key not in self._known:
            self._known[key] = Schema(node, self._named, completes=self._completes)
        return self._known[key]


def _needed(schema: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    """Named schemas that this one references, directly or not."""
    needed: dict[str, Any] = {}
    ahead = [schema]
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            ahead += node.values()
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in named and name not in needed:
                needed[name] = named[name]
                ahead.append(named[name])
        elif isinstance(node, list):
            ahead += node
    return needed


def _types_in(schema: Any) -> set[str]:
    """All types that a schema and those in it name."""
    found: set[str] = set()
    ahead = [schema]
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            kind = node.get("type", ())
            found.update(
                [kind] if isinstance(kind, str) else filter(lambda each: isinstance(each, str), kind)
            )
            ahead += node.values()
        elif isinstance(node, list):
            ahead += node
    return found


def _leaves(error: jsonschema_rs.ValidationError) -> Iterator[jsonschema_rs.ValidationError]:
    """The error, or those inside of the `anyOf` branch that was meant."""
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.AnyOf):
        depth = len(error.instance_path)
        # A branch that names another kind of object was not meant. Of the rest, the one that got furthest
        # was: `null` never gets far.
        meant = [errors for errors in error.kind.context if not any(_names_another(e, depth) for e in errors)]
        best = max(meant or error.kind.context, key=lambda errors: max(len(e.instance_path) for e in errors))
        if len(best[0].instance_path) > depth or (len(meant) == 1 and len(error.kind.context) > 1):
            for inner in best:
                yield from _leaves(inner)
            return
    yield error


def _names_another(error: jsonschema_rs.ValidationError, depth: int) -> bool:
    """Whether a field of the value at this depth has not the constant that a branch requires."""
    kinds = (jsonschema_rs.ValidationErrorKind.Constant, jsonschema_rs.ValidationErrorKind.Enum)
    return isinstance(error.kind, kinds) and len(error.instance_path) > depth


def _field_errors(error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str]]:
    for leaf in _leaves(error):
        path = [str(step) for step in leaf.instance_path]
        match leaf.kind:
            case jsonschema_rs.ValidationErrorKind.Required(property=name):
                yield ".".join([*path, name]), "is required"
            case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=names):
                yield from ((".".join([*path, name]), "is not a known field") for name in names)
            case jsonschema_rs.ValidationErrorKind.AnyOf(context=branches):
                texts = [_short(e.message) for errors in branches for e in errors]
                yield ".".join(path), " or ".join(dict.fromkeys(texts))
            case _:
                yield ".".join(path), _short(leaf.message)


def _places(error: jsonschema_rs.ValidationError) -> Iterator[list[str | int]]:
    for leaf in _leaves(error):
        path = list(leaf.instance_path)
        if isinstance(leaf.kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
            yield from ([*path, name] for name in leaf.kind.unexpected)
        else:
            yield path


def _short(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"


def _pointer(path: list[str | int]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
