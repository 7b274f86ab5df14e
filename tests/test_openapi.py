"""Both specs are valid OpenAPI 3.1, their examples valid by a second opinion, and ours says how it knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from mockserver.openapi.keywords import objects
from mockserver.openapi.references import resolved

ROOT = Path(__file__).parent.parent
OURS = yaml.load((ROOT / "openapi.yaml").read_bytes(), yaml.CSafeLoader)
ADMIN = yaml.load((ROOT / "mockserver/admin/admin.yaml").read_bytes(), yaml.CSafeLoader)
EVIDENCE = {"documented", "published", "sdk", "observed", "assumed"}

both = pytest.mark.parametrize("document", [OURS, ADMIN], ids=["ours", "admin"])


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    """operationId and operation."""
    return (
        (found.node["operationId"], found.node) for found in objects(document) if found.kind == "operation"
    )


def examples(document: Any) -> Iterator[tuple[str, Any, Any]]:
    """Address, schema and value of every example and default."""
    for at, kind, node in objects(document):
        if not isinstance(node, dict):
            continue
        schema = node if kind == "schema" else node.get("schema")
        where = ".".join(map(str, at))
        if kind == "schema":
            yield from ((where, schema, value) for value in node.get("examples", []))
            if "default" in node:
                yield where, schema, node["default"]
        elif schema is not None:
            if "example" in node:
                yield where, schema, node["example"]
            for name, example in node.get("examples", {}).items():
                yield f"{where}.{name}", schema, resolved(document, example)["value"]


def marked(node: Any, key: str) -> Iterator[Any]:
    """Every value under `key`, wherever it stands."""
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for inner in node.values():
            yield from marked(inner, key)
    elif isinstance(node, list):
        for inner in node:
            yield from marked(inner, key)


@both
def test_it_is_valid_openapi(document: Any) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


@both
def test_every_example_is_valid_in_the_eyes_of_another_validator(document: Any) -> None:
    """jsonschema, formats checked; the mock itself uses jsonschema-rs."""
    wrong, count = [], 0
    for where, schema, value in examples(document):
        whole = {**schema, "components": document["components"]}
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        errors = jsonschema.Draft202012Validator(whole, format_checker=checker).iter_errors(value)
        wrong += [f"{where}: {error.message}" for error in errors]
        count += 1
    assert wrong == []
    assert count > 10


def test_every_operation_and_response_says_how_we_know() -> None:
    for name, operation in operations(OURS):
        assert operation["x-evidence"] in EVIDENCE, name
        for status, response in operation["responses"].items():
            assert resolved(OURS, response)["x-evidence"] in EVIDENCE, (name, status)
    marks = (mark.values() if isinstance(mark, dict) else [mark] for mark in marked(OURS, "x-evidence"))
    assert {word for words in marks for word in words} <= EVIDENCE


def test_every_assumption_is_in_the_table() -> None:
    text = (ROOT / "docs/assumptions.md").read_text("utf-8")
    known = set(re.findall(r"^\| (A\d{2,}) \|", text, re.MULTILINE))
    named = {name for names in marked(OURS, "x-assumption") for name in names}
    assert named - known == set()


@both
def test_every_operation_with_a_body_says_what_a_bad_one_gets(document: Any) -> None:
    """Else such a request would be a violation of the spec: 500."""
    for name, operation in operations(document):
        needed = {"413", "422"} if "requestBody" in operation else set()
        if document is OURS:
            needed |= {"422", "429", "500"}
            needed |= set() if operation.get("security") == [] else {"401"}
        assert needed - set(operation["responses"]) == set(), name


def test_every_answer_of_ours_has_a_request_id() -> None:
    for name, operation in operations(OURS):
        for status, response in operation["responses"].items():
            assert "x-request-id" in resolved(OURS, response)["headers"], (name, status)


MADE = {
    "createSpace": "space_id",
    "createThread": "thread_id",
    "createResponse": "thread_id",
    "createVectorStore": "vector_store_id",
}
"""What each create makes, by the name of its id elsewhere."""


@pytest.mark.parametrize(("create", "id_"), MADE.items())
def test_a_create_links_to_every_operation_that_takes_its_id(create: str, id_: str) -> None:
    """Except to those that also need a message or a file: its id comes from a list, or from an upload."""
    links = [
        link["operationId"]
        for name, operation in operations(OURS)
        for response in operation["responses"].values()
        for link in resolved(OURS, response).get("links", {}).values()
        if name == create
    ]
    taking = {name for name, operation in operations(OURS) if id_ in _taken(operation)}
    assert taking - set(links) == set()
    assert len(links) == len(set(links))


def _taken(operation: Any) -> set[str]:
    """The names of the ids that an operation takes, in its path or its body; none with a message or file."""
    path = {resolved(OURS, each)["name"] for each in operation.get("parameters", [])}
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {"schema": {}})
    body = {name.removesuffix("s") for name in resolved(OURS, media["schema"]).get("properties", {})}
    return set() if path & {"message_id", "file_id"} else path | body


def test_a_deleted_thing_is_read_again_where_one_can_be_read() -> None:
    """Each delete of a thing links to the get of it."""
    reads = {name for name, _ in operations(OURS) if name.startswith("get")}
    for name, operation in operations(OURS):
        read = name.replace("delete", "get")
        if name.startswith("delete") and read in reads:
            (done,) = (r for status, r in operation["responses"].items() if status < "300")
            assert read in {link["operationId"] for link in resolved(OURS, done)["links"].values()}, name
