"""Hostile requests to foreign operations: refused with 422, never an error of the mock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.place import ForeignPlace
from tests.foreign.beside import client, of_paths, written

ANY = {"type": "object"}
DEEP = b'{"id": "1", "inner": ' + b"[" * 300 + b"]" * 300 + b"}"
FORM = "application/x-www-form-urlencoded"


def things(media_type: str) -> dict[str, Any]:
    """A document whose rows may be anything."""
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    content = {"application/json": {"schema": schema}}
    one = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}
    answer = {"description": "", "content": content}
    post = {"requestBody": {"content": {media_type: {"schema": schema}}}, "responses": {"201": answer}}
    return of_paths(
        {"/things": {"post": post}, "/things/{id}": {**one, "get": {"responses": {"200": answer}}}}
    )


def test_a_body_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    answer = client(tmp_path, things("application/json")).post(
        "/things", data=DEEP, content_type="application/json"
    )
    assert answer.status_code == 422
    assert "more than 100 levels" in answer.headers["X-Mock-Reason"]


def test_a_parameter_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    content: dict[str, Any] = {"application/json": {"schema": {}}}
    node = {"parameters": [{"name": "n", "in": "query", "content": content}], "responses": {"204": {}}}
    answer = client(tmp_path, of_paths({"/x": {"get": node}})).get("/x?n=" + "[" * 300 + "]" * 300)
    assert answer.status_code == 422
    assert "more than 100 levels" in answer.headers["X-Mock-Reason"]


def test_an_object_in_a_query_that_is_nested_too_deeply_is_no_error_of_the_mock(tmp_path: Path) -> None:
    parameter = {"name": "n", "in": "query", "style": "deepObject", "explode": True, "schema": ANY}
    node = {"parameters": [parameter], "responses": {"204": {"description": ""}}}
    answer = client(tmp_path, of_paths({"/x": {"get": node}})).get("/x?n" + "[a]" * 2000 + "=1")
    assert answer.status_code in (204, 422)


@pytest.mark.parametrize("form", ["a=1&a[b]=2", "a[b]=2&a=1", "a[b]=1&a[b][c]=2", "[=1&]=2", "a[=1&a[]=2"])
def test_fields_of_a_form_that_contradict_each_other_are_no_error_of_the_mock(
    tmp_path: Path, form: str
) -> None:
    answer = client(tmp_path, things(FORM)).post("/things", data=form, content_type=FORM)
    assert answer.status_code in (201, 422)


@pytest.mark.parametrize("ref", ["https://other.example/x", "#/components/responses/None", "#/paths/~1x/get"])
def test_a_reference_to_nothing_is_counted_wherever_it_is(tmp_path: Path, ref: str) -> None:
    loop = {"/x": {"get": {"$ref": "#/paths/~1x/get"}}, "/y": {"get": {"responses": {"200": {"$ref": ref}}}}}
    document = ForeignDocument(ForeignPlace("other", written(tmp_path, of_paths(loop)), ""))
    assert any("$ref to nothing" in each for each in document.not_understood())
