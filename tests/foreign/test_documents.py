"""Foreign documents as they are read: files, what is not understood, and what is refused at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from click.testing import CliRunner

from mockserver.app import create_app
from mockserver.commands.cli import main
from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.place import ForeignPlace, place_of
from mockserver.settings import Settings
from tests.foreign.beside import answering, client, of_paths, written
from tests.running import eventually, mock

GET = {"get": {"responses": {"204": {"description": ""}}}}


def check(*flags: str) -> tuple[int, str]:
    """Exit code and output of `check`."""
    result = CliRunner().invoke(main, ["check", *flags])
    return result.exit_code, result.output


def test_a_document_in_several_files_is_read_as_one(tmp_path: Path) -> None:
    written(
        tmp_path,
        "Pet: {type: object, required: [tag], properties: {tag: {$ref: 'tag.yaml'}}}",
        "parts/pets.yaml",
    )
    written(tmp_path, "type: string\nenum: [cat]\n", "parts/tag.yaml")
    answer = client(tmp_path, answering({"$ref": "parts/pets.yaml#/Pet"})).get("/thing")
    assert answer.json == {"tag": "cat"}


@pytest.mark.parametrize("ref", ["../secret.yaml", "no/such.yaml"])
def test_a_reference_out_of_the_folder_or_to_nothing_is_one_line(tmp_path: Path, ref: str) -> None:
    written(tmp_path, "type: string\n", "secret.yaml")
    file = written(tmp_path, answering({"$ref": ref}), "api/other.yaml")
    code, said = check("--also", f"other={file}")
    assert (code, len(said.splitlines())) == (2, 1), said
    assert "--also" in said


def test_what_is_not_understood_is_counted_and_served_all_the_same(tmp_path: Path) -> None:
    strange = {"type": "string", "format": "roman", "pattern": "(", "colour": "red", "x-mine": 1}
    file = written(tmp_path, answering({"type": "array", "items": strange, "minItems": 1, "maxItems": 1}))
    code, said = check("--also", f"other={file}")
    assert code == 0
    for what in ("format roman: 1", "keyword colour: 1", "pattern that is no regular expression: 1"):
        assert f"other: not understood: {what}" in said
    assert "x-mine" not in said


REFUSED: dict[str, tuple[Any, str]] = {
    "swagger": ({"swagger": "2.0", "paths": {}}, "OpenAPI 3.0 or 3.1 is needed, found swagger 2.0"),
    "nothing": (of_paths({}), "the document has no operation"),
    "a list": ("[1, 2]", "an object is needed"),
    "no YAML": ("a: [", "--also"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_document_that_cannot_be_read_is_one_line(tmp_path: Path, what: str) -> None:
    content, said = REFUSED[what]
    code, line = check("--also", f"other={written(tmp_path, content)}")
    assert (code, len(line.splitlines())) == (2, 1), line
    assert said in line


@pytest.mark.parametrize("value", ["other.yaml", "=other.yaml", "a b=other.yaml", "a=x.yaml@/__admin"])
def test_a_value_that_is_none_is_one_line(value: str) -> None:
    code, said = check("--also", value)
    assert code == 2
    assert "--also (or MOCK_ALSO)" in said


def test_a_path_of_the_vendors_is_refused_and_a_prefix_is_suggested(tmp_path: Path) -> None:
    file = written(tmp_path, of_paths({"/v1/spaces/{id}": GET}))
    code, said = check("--also", f"other={file}")
    assert code == 2
    assert "/v1/spaces/{id} collides with /v1/spaces/" in said
    suggested = said.rpartition("--also ")[2].strip()
    assert check("--also", suggested)[0] == 0


def test_a_path_of_another_document_is_refused(tmp_path: Path) -> None:
    one, two = (written(tmp_path, of_paths({path: GET}), path[1] + ".yaml") for path in ("/a/{b}", "/{c}/d"))
    code, said = check("--also", f"one={one}", "--also", f"two={two}")
    assert code == 2
    assert "/{c}/d collides with /a/{b} of one" in said
    assert check("--also", f"one={one}", "--also", f"two={two}@/two")[0] == 0
    assert "used twice" in check("--also", f"one={one}", "--also", f"one={two}@/two")[1]


def test_a_file_can_have_an_at_sign_in_its_path() -> None:
    assert place_of("x=node_modules/@other/api.json@/v1/") == ForeignPlace(
        "x", Path("node_modules/@other/api.json"), "/v1"
    )
    assert place_of("x=@other/api.json").file == Path("@other/api.json")


def test_words_of_yaml_1_1_and_dates_are_texts(tmp_path: Path) -> None:
    file = written(tmp_path, "openapi: 3.0.0\npaths: {}\nx-a: [on, yes, 2024-01-01, true]\non: 1\n200: 2\n")
    content = ForeignDocument(ForeignPlace("other", file, "")).content
    assert content["x-a"] == ["on", "yes", "2024-01-01", True]
    assert (content["on"], content["200"]) == (1, 2)


def test_a_changed_file_is_served_with_watch(tmp_path: Path) -> None:
    part = written(tmp_path, "type: string\nenum: [one]\n", "part.yaml")
    file = written(tmp_path, answering({"$ref": "part.yaml"}))
    with mock("--also", f"other={file}@/other", "--watch") as url:

        def ask() -> Any:
            return requests.get(f"{url}/other/thing", timeout=60).json()

        assert ask() == "one"
        part.write_text("type: string\nenum: [two]\n", "utf-8")
        assert eventually(lambda: ask() == "two")


def test_an_overlay_is_applied_to_the_document_that_it_extends(tmp_path: Path) -> None:
    """It puts in the mark of a collection; the vendor's document stays as it is."""
    one = [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}]
    answer = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
    made = {"201": answer["200"]}
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    paths = {
        "/things": {"post": {"requestBody": body, "responses": made}},
        "/things/{key}": {"get": {"parameters": one, "responses": answer}},
    }
    file = written(tmp_path, of_paths(paths))
    overlay = tmp_path / "rows.yaml"
    action = {"target": "$.paths['/things']", "update": {"x-mock-collection": {"id": "slug"}}}
    head = {"overlay": "1.0.0", "info": {"title": "Rows", "version": "1"}, "extends": file.name}
    overlay.write_text(yaml.safe_dump({**head, "actions": [action]}), "utf-8")
    words = ["check", "--also", f"other={file}@/o", "--overlay", str(overlay)]
    said = CliRunner().invoke(main, words).output
    assert f"{overlay}:" in said
    assert "x-mock-collection" in said
    assert "other: generic state: other:/things" in said
    app = create_app(Settings(also=(f"other={file}@/o",), overlay=(overlay,), quiet=True))
    asked = app.test_client()
    assert asked.post("/o/things", json={"slug": "a", "n": 1}).status_code == 201
    assert asked.get("/o/things/a").get_json() == {"slug": "a", "n": 1}
    assert "overlays" not in asked.get("/__admin/health").get_json()["spec"]


@pytest.mark.parametrize("named", ["https://other.example/api.yaml", "none.yaml", "\0", 7])
def test_an_overlay_that_extends_no_other_document_is_one_of_the_vendors(tmp_path: Path, named: Any) -> None:
    overlay = tmp_path / "rows.yaml"
    head = {"overlay": "1.0.0", "info": {"title": "Rows", "version": "1"}, "extends": named}
    overlay.write_text(
        yaml.safe_dump({**head, "actions": [{"target": "$.nowhere", "remove": True}]}), "utf-8"
    )
    file = written(tmp_path, of_paths({"/x": {"get": {"responses": {"204": {"description": ""}}}}}))
    result = CliRunner().invoke(main, ["check", "--also", f"other={file}", "--overlay", str(overlay)])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)


def test_a_reference_to_a_text_or_a_sample_of_code_is_counted_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "post.cs").write_text("using System;\n{ a: [\n", "utf-8")
    operation = {**GET["get"], "x-codeSamples": [{"source": {"$ref": "post.cs"}}]}
    code, said = check("--also", f"other={written(tmp_path, of_paths({'/x': {'get': operation}}))}")
    assert code == 0
    assert "other: not understood: $ref to nothing in the folder: 1" in said
