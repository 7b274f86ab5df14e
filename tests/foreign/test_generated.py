"""Values generated for foreign schemas: valid, of a place, and like people's data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockserver.foreign.generator import Unable
from tests.foreign.beside import values

TREE = {
    "type": "object",
    "required": ["name", "children"],
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        "parent": {"$ref": "#/components/schemas/Tree"},
    },
}
HELD: dict[str, Any] = {
    "bounds": {"type": "integer", "minimum": 7, "exclusiveMaximum": 9},
    "multiples": {"type": "number", "minimum": 1, "maximum": 2, "multipleOf": 0.25},
    "pattern": {"type": "string", "pattern": r"^[A-Z]{2}-\d{4}(-[a-f]+)?$", "maxLength": 12},
    "lengths": {"type": "string", "minLength": 30, "maxLength": 32},
    "unique items": {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True},
    "tuples": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    "a closed object": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "null"}},
        "additionalProperties": False,
    },
    "a map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
    "names of a map": {
        "type": "object",
        "propertyNames": {"pattern": "^x[0-9]$"},
        "additionalProperties": {"type": "boolean"},
    },
    "patterned properties": {
        "type": "object",
        "patternProperties": {"^k[a-z]{3}$": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 1,
    },
    "allOf": {
        "allOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 5}}},
            {"type": "object", "required": ["b"], "properties": {"a": {"maximum": 6}, "b": {"const": 1}}},
        ]
    },
    "oneOf": {"oneOf": [{"type": "integer"}, {"type": "string", "format": "uuid"}]},
    "oneOf with branches that overlap": {
        "oneOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}},
            {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
        ]
    },
    "anyOf beside properties": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "two choices": {"allOf": [{"anyOf": [{"minimum": 3}]}, {"anyOf": [{"maximum": 4}]}], "type": "integer"},
    "if and then": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": ["card", "bank"]}, "iban": {"type": "string"}},
        "if": {"properties": {"kind": {"const": "bank"}}},
        "then": {"required": ["iban"]},
    },
    "recursion": {"$ref": "#/components/schemas/Tree"},
}
"""What is held -> a schema."""
FORMATS = (
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uuid",
    "regex",
)


@pytest.mark.parametrize("what", HELD)
def test_a_generated_value_holds(tmp_path: Path, what: str) -> None:
    whole = {**HELD[what], "components": {"schemas": {"Tree": TREE}}}
    judge = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for value in values(tmp_path, HELD[what], Tree=TREE):
        judge.validate(value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_generated_text_has_its_format(tmp_path: Path, name: str) -> None:
    schema = {"type": "string", "format": name}
    for value in values(tmp_path, schema):
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def test_a_pattern_of_javascript_is_held(tmp_path: Path) -> None:
    schema = {"type": "string", "pattern": r"^(?<year>\d{4})\/[^\/\s]+\u0041$"}
    assert all(re.fullmatch(r"\d{4}/[^/\s]+A", value) for value in values(tmp_path, schema))


def test_a_closed_object_gets_no_field_that_it_does_not_have(tmp_path: Path) -> None:
    assert all(set(value) == {"a", "b"} for value in values(tmp_path, HELD["a closed object"]))


def test_an_open_object_gets_no_field_that_nobody_named(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert all(set(value) == {"a"} for value in values(tmp_path, schema))


def test_required_values_that_contain_themselves_without_end_are_refused(tmp_path: Path) -> None:
    node = {
        "type": "object",
        "required": ["next"],
        "properties": {"next": {"$ref": "#/components/schemas/N"}},
    }
    with pytest.raises(Unable):
        values(tmp_path, {"$ref": "#/components/schemas/N"}, 1, N=node)


def test_a_discriminator_names_the_branch(tmp_path: Path) -> None:
    def pet(*fields: str) -> dict[str, Any]:
        inner = {name: {"type": "string"} for name in ("kind", *fields)}
        return {"type": "object", "required": ["kind", *fields], "properties": inner}

    mapping = {"feline": "#/components/schemas/Cat"}
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    found = values(tmp_path, schema, Cat=pet("claws"), Dog=pet("bark"))
    assert {(each["kind"], "claws" in each) for each in found} == {("feline", True), ("Dog", False)}


def test_an_answer_has_nothing_that_only_is_written(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "required": ["id", "password"],
        "properties": {"id": {"type": "integer", "readOnly": True}, "password": {"writeOnly": True}},
    }
    assert all(set(value) == {"id"} for value in values(tmp_path, schema))


def test_a_document_of_3_0_means_what_it_says(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {
            "a": {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 2},
            "b": {"type": "string", "nullable": True, "enum": ["x", None]},
        },
    }
    assert all(value == {"a": 2, "b": "x"} for value in values(tmp_path, schema, openapi="3.0.3"))


def test_values_look_like_peoples_data(tmp_path: Path) -> None:
    names = ("email", "first_name", "createdAt", "city", "user_id")
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    (value,) = values(tmp_path, schema, 1)
    assert "@" in value["email"]
    assert value["first_name"].istitle()
    assert value["city"][0].isupper()
    assert value["createdAt"].endswith("Z")


def test_the_same_place_has_the_same_value_whatever_was_asked_before(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"email": {"type": "string"}, "n": {"type": "integer"}}}
    one = values(tmp_path, schema, 3)
    assert values(tmp_path, schema, 10)[:3] == one
    assert len({value["email"] for value in one}) == 3
