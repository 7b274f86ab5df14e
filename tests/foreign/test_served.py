"""Foreign operations as they are served: parameters, bodies, credentials, examples, refusals."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockserver.app import create_app
from mockserver.settings import Settings
from tests.fences import blocks
from tests.foreign.beside import answering, client, of_paths
from tests.running import ROOT

INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
LIST = {"type": "array", "items": INTEGER}
OBJECT = {"type": "object", "properties": {"a": INTEGER, "b": TEXT}, "required": ["a"]}
NO_CONTENT = {"204": {"description": ""}}


def operation(path: str, *parameters: Any, method: str = "get", **more: Any) -> dict[str, Any]:
    """A document with one operation."""
    node = {"parameters": list(parameters), "responses": NO_CONTENT, **more}
    return of_paths({path: {method: node}})


def parameter(name: str, place: str, schema: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": schema, "required": True, **more}


READ: dict[str, tuple[dict[str, Any], str, str]] = {
    "a path": (parameter("n", "path", INTEGER), "/7", "/x"),
    "a label": (parameter("n", "path", LIST, style="label"), "/.1,2", "/.1,x"),
    "a matrix": (parameter("n", "path", LIST, style="matrix"), "/;n=1,2", "/;n=x"),
    "a query": (parameter("n", "query", INTEGER), "?n=7", "?n=x"),
    "a list": (parameter("n", "query", LIST), "?n=1&n=2", "?n=1&n=x"),
    "a list with commas": (parameter("n", "query", LIST, explode=False), "?n=1,2", "?n=1,x"),
    "a list with pipes": (
        parameter("n", "query", LIST, explode=False, style="pipeDelimited"),
        "?n=1|2",
        "?n=1|x",
    ),
    "an object": (parameter("n", "query", OBJECT), "?a=1&b=x", "?a=x"),
    "an object with commas": (parameter("n", "query", OBJECT, explode=False), "?n=a,1,b,x", "?n=b,x"),
    "a deep object": (parameter("n", "query", OBJECT, style="deepObject"), "?n[a]=1&n[b]=x", "?n[b]=x"),
    "content": (
        {"name": "n", "in": "query", "required": True, "content": {"application/json": {"schema": OBJECT}}},
        '?n={"a":1}',
        '?n={"a":"x"}',
    ),
    "what is required": (parameter("n", "query", TEXT), "?n=", "?m=x"),
    "alternatives": (parameter("n", "query", {"oneOf": [INTEGER, {"enum": ["all"]}]}), "?n=all", "?n=some"),
}
"""Kind of parameter -> it, a request that is right, and one that is wrong."""


@pytest.mark.parametrize("kind", READ)
def test_a_parameter_is_read_as_the_document_says(tmp_path: Path, kind: str) -> None:
    node, right, wrong = READ[kind]
    path = "/things/{n}" if node["in"] == "path" else "/things"
    asked = client(tmp_path, operation(path, node))
    assert asked.get("/things" + right).status_code == 204
    refused = asked.get("/things" + wrong)
    assert refused.status_code == 422
    assert refused.headers["X-Mock-Reason"].startswith(f"{node['in']} n")


@pytest.mark.parametrize("place", ["header", "cookie"])
def test_headers_and_cookies_are_parameters(tmp_path: Path, place: str) -> None:
    asked = client(tmp_path, operation("/things", parameter("X-Number", place, INTEGER)))

    def status(text: str) -> int:
        sent = {"X-Number": text} if place == "header" else {"Cookie": f"X-Number={text}"}
        return asked.get("/things", headers=sent).status_code

    assert [status("7"), status("x")] == [204, 422]


def body(media_type: str, schema: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


BODIES: dict[str, tuple[str, Any, dict[str, Any], dict[str, Any]]] = {
    "JSON": ("application/json", OBJECT, {"json": {"a": 1}}, {"json": {"a": "x"}}),
    "a form": ("application/x-www-form-urlencoded", OBJECT, {"data": {"a": "1"}}, {"data": {"b": "x"}}),
    "text": (
        "text/plain",
        {"type": "string", "maxLength": 3},
        {"data": "abc", "content_type": "text/plain"},
        {"data": "abcd", "content_type": "text/plain"},
    ),
    "bytes": (
        "application/octet-stream",
        {"type": "string", "format": "binary"},
        {"data": b"\0\xff", "content_type": "application/octet-stream"},
        {"data": b"", "content_type": "application/octet-stream"},
    ),
    "any image": (
        "image/*",
        {},
        {"data": b"\0", "content_type": "image/png"},
        {"data": b"\0", "content_type": "text/plain"},
    ),
}
"""Kind of body -> its media type and schema, one that is right, and one that is wrong."""


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_is_read_as_the_document_says(tmp_path: Path, kind: str) -> None:
    media_type, schema, right, wrong = BODIES[kind]
    asked = client(tmp_path, operation("/things", method="post", **body(media_type, schema)))
    assert asked.post("/things", **right).status_code == 204
    assert asked.post("/things", **wrong).status_code == 422


def test_a_form_may_have_files(tmp_path: Path) -> None:
    fields = {"file": {"type": "string", "format": "binary"}, "count": INTEGER}
    schema = {"type": "object", "required": ["file"], "properties": fields}
    asked = client(tmp_path, operation("/things", method="post", **body("multipart/form-data", schema)))

    def status(**fields: Any) -> int:
        sent = {"data": fields, "content_type": "multipart/form-data"}
        return asked.post("/things", **sent).status_code

    assert status(file=(io.BytesIO(b"\0\xff"), "a.bin"), count="2") == 204
    assert status(count="2") == 422


CREDENTIALS: dict[str, tuple[dict[str, Any], str, dict[str, str], dict[str, str]]] = {
    "a header": ({"type": "apiKey", "in": "header", "name": "X-Own"}, "", {"X-Own": "s3cret"}, {}),
    "a query": ({"type": "apiKey", "in": "query", "name": "own"}, "?own=s3cret", {}, {}),
    "a cookie": ({"type": "apiKey", "in": "cookie", "name": "own"}, "", {"Cookie": "own=s3cret"}, {}),
    "bearer": (
        {"type": "http", "scheme": "bearer"},
        "",
        {"Authorization": "Bearer s3cret"},
        {"Authorization": "Basic s3cret"},
    ),
    "basic": (
        {"type": "http", "scheme": "basic"},
        "",
        {"Authorization": "Basic " + b64encode(b"me:s3cret").decode()},
        {"Authorization": "Basic me"},
    ),
    "OAuth": ({"type": "oauth2", "flows": {}}, "", {"Authorization": "Bearer s3cret"}, {}),
}
"""Kind of credential -> its scheme, a query and headers that have it, and headers that do not."""


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_any_credential_of_the_right_kind_is_accepted_and_nothing_shows_it(tmp_path: Path, kind: str) -> None:
    scheme, query, right, wrong = CREDENTIALS[kind]
    document = operation("/things", security=[{"Own": []}])
    document["components"] = {"securitySchemes": {"Own": scheme}}
    asked = client(tmp_path, document)
    assert asked.get("/things", headers=wrong).status_code == 401
    assert asked.get("/things" + query, headers=right).status_code == 204
    entries = asked.get("/__admin/requests").get_data(as_text=True)
    assert "s3cret" not in entries
    assert '"caller":"Own"' in entries


def test_no_security_asks_for_no_credential(tmp_path: Path) -> None:
    document = operation("/things", security=[])
    document |= {"security": [{"Own": []}], "components": {"securitySchemes": {"Own": {"type": "oauth2"}}}}
    assert client(tmp_path, document).get("/things").status_code == 204


@pytest.fixture
def pets(tmp_path: Path) -> FlaskClient:
    """A mock of a document with examples, and of an error with a schema."""
    named = {"cat": {"value": {"a": 1, "b": "cat"}}, "dog": {"value": {"a": 2, "b": "dog"}}}
    error = {"type": "object", "required": ["oops"], "properties": {"oops": {"const": True}}}
    responses = {
        "200": {"description": "", "content": {"application/json": {"schema": OBJECT, "examples": named}}},
        "400": {"description": "", "content": {"application/json": {"schema": error}}},
    }
    get = {"parameters": [parameter("n", "query", INTEGER, required=False)], "responses": responses}
    plain = {"200": {"description": "", "content": {"application/json": {"schema": OBJECT}}}}
    paths = {"/pets": {"get": {"operationId": "pets", **get}}, "/things/{id}": {"get": {"responses": plain}}}
    return client(tmp_path, of_paths(paths), "/pets-api")


def test_an_example_is_the_answer_and_another_can_be_asked_for(pets: FlaskClient) -> None:
    first = pets.get("/pets-api/pets")
    assert (first.json, first.headers["X-Mock-Source"]) == ({"a": 1, "b": "cat"}, "example")
    other = pets.get("/pets-api/pets", headers={"Prefer": "example=dog"})
    assert (other.json, other.headers["X-Mock-Source"]) == ({"a": 2, "b": "dog"}, "example")
    assert pets.get("/pets-api/pets", headers={"Prefer": "example=cow"}).status_code == 400


def test_another_status_can_be_asked_for(pets: FlaskClient) -> None:
    answer = pets.get("/pets-api/pets", headers={"Prefer": "code=400"})
    assert (answer.status_code, answer.json) == (400, {"oops": True})


def test_a_refusal_is_as_the_document_describes_it(pets: FlaskClient) -> None:
    refused = pets.get("/pets-api/pets?n=x")
    assert (refused.status_code, refused.json) == (400, {"oops": True})
    assert "query n" in refused.headers["X-Mock-Reason"]


def test_a_fault_is_as_the_document_describes_it(pets: FlaskClient) -> None:
    rule = {"operation": "other:pets", "error": {"status": 400}}
    assert pets.post("/__admin/faults", json=rule).status_code == 201
    failed = pets.get("/pets-api/pets")
    assert (failed.status_code, failed.json, failed.headers["X-Mock-Source"]) == (
        400,
        {"oops": True},
        "fault",
    )


def test_an_operation_without_an_id_is_named_by_its_path(pets: FlaskClient) -> None:
    answer = pets.get("/pets-api/things/7")
    assert answer.headers["X-Mock-Operation"] == "other:GET /things/{id}"
    assert answer.headers["X-Mock-Source"] == "generated"
    count = pets.post("/__admin/requests/count", json={"operation": "other:GET /things/{id}"})
    assert count.get_json()["count"] == 1


def test_values_depend_on_seed_and_path_and_not_on_the_order_of_calls(tmp_path: Path) -> None:
    document = of_paths(
        {"/things/{id}": {"get": answering(OBJECT)["paths"]["/thing"]["get"]}},
    )
    one, two = client(tmp_path, document), client(tmp_path, document)
    first = [one.get(f"/things/{n}").json for n in (1, 2, 3)]
    assert [two.get(f"/things/{n}").json for n in (3, 2, 1)][::-1] == first
    assert client(tmp_path, document, seed=1).get("/things/1").json != first[0]
    assert len({str(each) for each in first}) == 3


def test_the_id_of_the_path_is_the_id_of_the_answer(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": INTEGER}}
    document = of_paths({"/things/{id}": {"get": answering(schema)["paths"]["/thing"]["get"]}})
    assert client(tmp_path, document).get("/things/42").json == {"id": 42}


def test_where_no_value_is_valid_the_example_is_sent_with_the_reason(tmp_path: Path) -> None:
    document = answering({"type": "integer", "not": {}})
    media = document["paths"]["/thing"]["get"]["responses"]["200"]["content"]["application/json"]
    failed = client(tmp_path, document).get("/thing")
    assert failed.status_code == 500
    assert "no valid answer could be generated" in failed.headers["X-Mock-Reason"]
    media["example"] = 5
    sent = client(tmp_path, document).get("/thing")
    assert (sent.status_code, sent.json, sent.headers["X-Mock-Source"]) == (200, 5, "example")
    assert "the example is not valid" in sent.headers["X-Mock-Reason"]


def test_health_counts_the_answers_without_a_valid_value(tmp_path: Path) -> None:
    asked = client(tmp_path, answering({"type": "integer", "not": {}}))
    for _ in range(2):
        asked.get("/thing")
    (served,) = asked.get("/__admin/health").get_json()["also"].values()
    assert served["operations"] == 1
    assert list(served["fallbacks"].values()) == [2]


def test_a_step_of_a_path_may_have_several_variables(tmp_path: Path) -> None:
    names = [parameter(name, "path", INTEGER) for name in ("a", "b")]
    asked = client(tmp_path, operation("/compare/{a}...{b}", *names))
    assert asked.get("/compare/1...2").status_code == 204
    assert asked.get("/compare/1...x").status_code == 422
    assert asked.get("/compare/1").status_code == 404


def test_the_vendors_api_and_the_control_api_are_as_before(pets: FlaskClient) -> None:
    alone = create_app(Settings(quiet=True, freeze="2026-02-26T10:30:00Z")).test_client()
    asked = "/v1/spaces/nowhere"
    pets.get("/pets-api/pets")
    assert pets.get(asked).headers["x-request-id"] == alone.get(asked).headers["x-request-id"]
    assert pets.get("/unknown").json == {"detail": "Not Found"}
    assert pets.get("/pets-api/unknown").status_code == 404
    assert pets.get("/__admin/health").status_code == 200


def test_an_entry_of_the_journal_says_how_the_answer_came_about(pets: FlaskClient) -> None:
    id_ = pets.get("/pets-api/things/7").headers["x-request-id"]
    entry = pets.get(f"/__admin/requests/{id_}")
    assert entry.status_code == 200
    assert entry.get_json()["source"] == "generated"


def test_the_page_of_the_documents_has_it(pets: FlaskClient) -> None:
    assert '<a href="docs?spec=other">other</a>' in pets.get("/__admin/docs").get_data(as_text=True)
    shown = pets.get("/__admin/specs/other.json").get_json()
    assert shown["servers"] == [{"url": "../../pets-api", "description": "This mock."}]
    assert pets.get("/__admin/specs/another.json").status_code == 404


def test_recorded_calls_are_the_same_after_a_restart(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    document = answering(OBJECT)
    document["paths"]["/thing"]["post"] = document["paths"]["/thing"]["get"]
    answers = []
    for _ in range(2):
        asked = client(tmp_path, document, persist=kept)
        answers.append(asked.post("/thing").get_json())
        asked.application.keeper.close()  # type: ignore[attr-defined]  # the mock has one
    assert answers[0] == answers[1]


def test_the_example_of_the_docs_is_answered_as_it_says(tmp_path: Path) -> None:
    page = ROOT / "docs/also.md"
    (document,) = (block.text for block in blocks(page) if block.label == "billing.yaml")
    answer = client(tmp_path, document, "/billing").get("/billing/invoices/in_1")
    assert answer.get_data(as_text=True) in page.read_text("utf-8")
