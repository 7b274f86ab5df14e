"""A body without its faulty values: what is dropped, and what can't be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.openapi.field_error import FieldError
from mockserver.openapi.lenient_body import drop_invalid
from mockserver.openapi.schemas import Schema

SCHEMA = Schema(
    {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "color": {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "place": {
                "type": "object",
                "required": ["x"],
                "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
            },
            "inputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["role"],
                    "properties": {"role": {"enum": ["user"]}, "note": {"type": "string"}},
                },
            },
        },
    },
    {},
)


@pytest.mark.parametrize(
    ("sent", "kept", "dropped"),
    [
        ({"name": "a", "color": 5}, {"name": "a"}, ["color"]),
        ({"name": "a", "strange": 1, "more": 2}, {"name": "a"}, ["more", "strange"]),
        ({"name": "a", "place": {"x": 1, "y": "?"}}, {"name": "a", "place": {"x": 1}}, ["place.y"]),
        ({"name": "a", "place": {"y": 1}}, {"name": "a"}, ["place"]),
        ({"name": "a", "place": {"x": "?"}}, {"name": "a"}, ["place", "place.x"]),
        ({"name": "a", "tags": ["t", 5]}, {"name": "a"}, ["tags"]),
        (
            {"name": "a", "inputs": [{"role": "user", "note": 1}]},
            {"name": "a", "inputs": [{"role": "user"}]},
            ["inputs.0.note"],
        ),
        ({"name": "a"}, {"name": "a"}, []),
    ],
)
def test_the_smallest_optional_member_around_a_fault_is_dropped(
    sent: dict[str, Any], kept: dict[str, Any], dropped: list[str]
) -> None:
    gone: list[FieldError] = []
    before = repr(sent)
    assert drop_invalid(SCHEMA, sent, gone) == (kept, [])
    assert sorted(each.name for each in gone) == dropped
    assert repr(sent) == before


@pytest.mark.parametrize(
    ("sent", "name", "said"),
    [
        ({}, "name", "is required"),
        ({"color": 5}, "name", "is required"),
        ({"name": 5}, "name", 'is not of type "string"'),
        ([], "", 'is not of type "object"'),
    ],
)
def test_what_is_needed_is_still_asked_for(sent: Any, name: str, said: str) -> None:
    gone: list[FieldError] = []
    _, (each,) = drop_invalid(SCHEMA, sent, gone)
    assert each.name == name
    assert said in each.message
    assert gone == []


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "color", "place", "x", "y", "inputs", "role"]), inner)
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_what_is_left_is_valid_or_refused(sent: Any) -> None:
    kept, left = drop_invalid(SCHEMA, sent, [])
    assert SCHEMA.is_valid(kept) is (left == [])


@given(ANYTHING)
def test_an_object_with_what_is_needed_always_gets_through(sent: Any) -> None:
    extra = sent if isinstance(sent, dict) else {"inputs": sent}
    kept, left = drop_invalid(SCHEMA, {**extra, "name": "a"}, [])
    assert left == []
    assert kept["name"] == "a"
