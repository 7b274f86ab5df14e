"""Generic state: rows of `/things`, in the sandbox with everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.foreign.beside import client, of_paths

TODO: dict[str, Any] = {
    "type": "object",
    "required": ["id", "title", "done", "created_at"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "title": {"type": "string", "minLength": 1},
        "done": {"type": "boolean", "default": False},
        "owner": {"type": ["string", "null"]},
        "created_at": {"type": "string", "format": "date-time", "readOnly": True},
    },
    "additionalProperties": False,
}
REF = {"$ref": "#/components/schemas/Todo"}
NO_CONTENT = {"description": ""}


def shown(schema: Any, **more: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema, **more}}}


def todos(**on_rows: Any) -> dict[str, Any]:
    """A document of todos; `on_rows`: of the path item of all of them."""
    page = {
        "type": "object",
        "required": ["data", "total", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": REF},
            "total": {"type": "integer"},
            "next_cursor": {"type": ["string", "null"]},
        },
    }
    parameters = [
        {"name": name, "in": "query", "schema": {"type": kind}}
        for name, kind in (
            ("done", "boolean"),
            ("limit", "integer"),
            ("offset", "integer"),
            ("cursor", "string"),
        )
    ]
    new = {**TODO, "required": ["title"]}
    body = {"required": True, "content": {"application/json": {"schema": new}}}
    partial = {**TODO, "required": []}
    patch = {"required": True, "content": {"application/json": {"schema": partial}}}
    id_ = [{"name": "todo_id", "in": "path", "required": True, "schema": {"type": "integer"}}]
    get = {"parameters": parameters, "responses": {"200": shown(page)}}
    item = {
        "parameters": id_,
        "get": {"responses": {"200": shown(REF), "404": shown({"const": "gone"})}},
        "put": {"requestBody": body, "responses": {"200": shown(REF)}},
        "patch": {"requestBody": patch, "responses": {"200": shown(REF)}},
        "delete": {"responses": {"204": NO_CONTENT}},
    }
    post = {"requestBody": body, "responses": {"201": shown(REF)}}
    paths = {"/todos": {"get": get, "post": post, **on_rows}, "/todos/{todo_id}": item}
    return of_paths(paths, components={"schemas": {"Todo": TODO}})


@pytest.fixture
def asked(tmp_path: Path) -> FlaskClient:
    return client(tmp_path, todos())


def add(asked: FlaskClient, title: str, prefix: str = "", **fields: Any) -> Any:
    """The new row."""
    answer = asked.post(f"{prefix}/todos", json={"title": title, **fields})
    assert answer.status_code == 201, answer.get_data()
    return answer.get_json()


def titles(asked: FlaskClient, query: str = "", prefix: str = "") -> list[str]:
    return [row["title"] for row in asked.get(f"{prefix}/todos{query}").get_json()["data"]]


def test_a_row_is_created_with_what_its_schema_requires(asked: FlaskClient) -> None:
    row = {"id": 1, "title": "a", "done": False, "created_at": "2026-02-26T10:30:00Z"}
    assert add(asked, "a") == row
    read = asked.get("/todos/1")
    assert read.get_json() == row
    assert read.headers["X-Mock-Source"] == "state"
    assert "without rules and rights" in read.headers["X-Mock-Reason"]


def test_a_row_is_changed_replaced_and_deleted(asked: FlaskClient) -> None:
    add(asked, "a", owner="me")
    assert asked.patch("/todos/1", json={"done": True}).get_json()["done"] is True
    replaced = asked.put("/todos/1", json={"title": "b"}).get_json()
    assert (replaced["title"], replaced["done"], replaced["id"], "owner" in replaced) == (
        "b",
        False,
        1,
        False,
    )
    assert asked.delete("/todos/1").status_code == 204
    gone = asked.get("/todos/1")
    assert (gone.status_code, gone.get_json()) == (404, "gone")
    assert add(asked, "c")["id"] == 2


def test_a_list_has_filters_and_pages(asked: FlaskClient) -> None:
    for title in "abcd":
        add(asked, title, done=title in "bd")
    assert titles(asked) == ["a", "b", "c", "d"]
    assert titles(asked, "?done=true") == ["b", "d"]
    assert titles(asked, "?limit=2&offset=1") == ["b", "c"]
    page = asked.get("/todos?limit=3").get_json()
    assert (len(page["data"]), page["total"]) == (3, 4)
    last = asked.get(f"/todos?limit=3&cursor={page['next_cursor']}").get_json()
    assert ([row["title"] for row in last["data"]], last["next_cursor"]) == (["d"], None)


def test_sandboxes_resets_and_snapshots_have_the_rows(asked: FlaskClient) -> None:
    add(asked, "a")
    assert titles(asked, prefix="/__sandbox/other") == []
    assert asked.put("/__admin/snapshots/one").status_code in (200, 201)
    add(asked, "b")
    asked.post("/__admin/reset?to=snapshot:one")
    assert titles(asked) == ["a"]
    asked.post("/__admin/reset")
    assert titles(asked) == []


def test_a_state_document_and_a_scenario_have_the_rows(asked: FlaskClient) -> None:
    add(asked, "a")
    state = asked.get("/__admin/state").get_json()
    scenario = asked.get("/__admin/state/scenario").get_json()
    asked.post("/__admin/reset")
    assert asked.put("/__admin/state", json=state).status_code == 200
    assert titles(asked) == ["a"]
    asked.post("/__admin/reset")
    del state["collections"]["foreign_rows"]
    assert asked.put("/__admin/state", json=state).status_code == 200
    assert titles(asked) == []
    assert asked.put("/__admin/state/scenario", json=scenario["scenario"]).status_code == 200
    assert titles(asked) == ["a"]


def test_rows_are_kept_beyond_the_process(tmp_path: Path) -> None:
    first = client(tmp_path, todos(), persist=tmp_path / "kept")
    add(first, "a")
    add(first, "b", "/__sandbox/other")
    first.patch("/todos/1", json={"done": True})
    keeper: Any = first.application
    keeper.keeper.store.close()  # as if the process were killed: the calls are made again
    again = client(tmp_path, todos(), persist=tmp_path / "kept")
    assert again.get("/todos/1").get_json()["done"] is True
    assert titles(again, prefix="/__sandbox/other") == ["b"]
    keeper = again.application
    keeper.keeper.close()


def test_examples_are_the_first_rows(tmp_path: Path) -> None:
    document = todos()
    media = document["paths"]["/todos"]["get"]["responses"]["200"]["content"]["application/json"]
    row = {"id": 7, "title": "first", "done": True, "created_at": "2026-01-01T00:00:00Z"}
    media["example"] = {"data": [row], "total": 1, "next_cursor": None}
    asked = client(tmp_path, document)
    assert titles(asked) == ["first"]
    asked.delete("/todos/7")
    asked.post("/__admin/reset")
    assert asked.get("/todos/7").get_json() == row


def test_rows_of_parents_are_apart(tmp_path: Path) -> None:
    document = todos()
    paths = document["paths"]
    parent = {"name": "user", "in": "path", "required": True, "schema": {"type": "string"}}
    nested = {f"/users/{{user}}{path}": item for path, item in paths.items()}
    for item in nested.values():
        item["parameters"] = [*item.get("parameters", ()), parent]
    asked = client(tmp_path, {**document, "paths": nested})
    add(asked, "a", "/users/x")
    assert [titles(asked, prefix=f"/users/{user}") for user in "xy"] == [["a"], []]


def test_a_document_can_say_that_it_has_no_state(tmp_path: Path) -> None:
    asked = client(tmp_path, todos(**{"x-mock-collection": False}))
    assert asked.get("/todos/1").headers["X-Mock-Source"] == "generated"


def test_a_document_can_name_the_fields_where_they_are_not_plain(tmp_path: Path) -> None:
    document = todos(**{"x-mock-collection": {"id": "title", "rows": "data"}})
    document["paths"]["/todos/{todo_id}"]["parameters"][0]["schema"] = {"type": "string"}
    asked = client(tmp_path, document)
    asked.post("/todos", json={"title": "a", "id": 3})
    assert asked.get("/todos/a").get_json()["title"] == "a"
    assert asked.post("/todos", json={"title": "a"}).status_code == 409


def test_put_creates_a_row_where_nothing_else_does(tmp_path: Path) -> None:
    document = todos()
    del document["paths"]["/todos"]["post"]
    asked = client(tmp_path, document)
    assert asked.put("/todos/7", json={"title": "a"}).get_json()["id"] == 7
    assert titles(asked) == ["a"]


def test_a_row_is_shown_as_each_operation_wants_it(tmp_path: Path) -> None:
    document = todos()
    answer = document["paths"]["/todos/{todo_id}"]["patch"]["responses"]
    wider = {**TODO, "required": ["etag"], "properties": {**TODO["properties"], "etag": {"type": "string"}}}
    answer["200"] = shown(wider)
    asked = client(tmp_path, document)
    add(asked, "a")
    assert asked.patch("/todos/1", json={"done": True}).get_json()["etag"]
    assert "etag" not in asked.get("/todos/1").get_json()


def test_a_refused_change_leaves_the_row_as_it_was(asked: FlaskClient) -> None:
    add(asked, "a")
    assert asked.patch("/todos/1", json={"title": ""}).status_code == 422
    assert titles(asked) == ["a"]
