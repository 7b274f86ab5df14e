"""Foreign documents as they are read: files, what is not understood, and what is refused at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from mockserver.commands.cli import main
from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.place import ForeignPlace, place_of
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
