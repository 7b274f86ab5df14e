"""The engine refuses to start with a spec that it would only half heed: one line, file, line, what to do."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.app import create_app
from mockserver.openapi.schemas import Schemas
from mockserver.openapi.spec import Spec
from mockserver.openapi.yaml_document import DocumentError
from mockserver.settings import Settings
from tests.engine.mutants import mutants
from tests.engine.small import document, written

ROOT = Path(__file__).resolve().parents[2]
OURS = yaml.load((ROOT / "openapi.yaml").read_bytes(), yaml.CSafeLoader)
ADMIN = yaml.load((ROOT / "mockserver/admin/admin.yaml").read_bytes(), yaml.CSafeLoader)
PATH_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
OPERATION = ("paths", "/things/{id}", "get")


def refused(folder: Path, content: Any) -> str:
    """Why `content` is no spec, without the folder; always one line that begins with file and line."""
    path = written(folder, content)
    with pytest.raises(DocumentError) as error:
        Spec(path)
    text = str(error.value)
    assert len(text.splitlines()) == 1
    place, line, reason = text.removeprefix(f"{path}").split(":", 2)
    assert (place, line.isdigit()) == ("", True)
    return reason.strip()


def changed(at: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The small spec with `value` at `at`."""
    content = document()
    node: Any = content
    for step in at[:-1]:
        node = node[step]
    node[at[-1]] = value
    return content


def test_the_small_spec_is_fine(tmp_path: Path) -> None:
    assert list(Spec(written(tmp_path, document())).operations) == ["getThing"]


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (("openapi",), "3.0.3", "only OpenAPI 3.1"),
        (("info",), {"version": "1"}, "'title' is missing in this info"),
        (("info", "version"), 1.0, "expected text"),
        (("paths",), {}, "there are no paths"),
        (("paths",), [], "expected an object"),
        (("paths",), None, "found nothing"),
        (("webhooks",), {}, "unknown keyword 'webhooks'"),
        (("components",), None, "expected an object"),
        (("components", "schemas", "Thing"), {"if": {}}, "unknown keyword 'if' in schema"),
        (("components", "schemas", "Thing"), {"type": "thing"}, "not a valid schema"),
        (("components", "schemas", "Thing"), {"format": "shoe-size"}, "format 'shoe-size' is not understood"),
        (("components", "schemas", "Thing"), {"type": "integer", "default": "x"}, "default is not valid"),
        (("components", "schemas", "Thing"), {"type": "integer", "examples": ["x"]}, "example 0 is not"),
        (("components", "schemas", "Thing"), {"$ref": "#/components/schemas/Thing"}, "in a circle"),
        (("components", "schemas", "Thing"), {"$ref": "other.yaml"}, "leads nowhere"),
        (("components", "schemas", "Thing"), {"$ref": 5}, "leads nowhere"),
        (("components", "schemas", "Thing"), {"$ref": "#/components/schemas/X", "type": "x"}, "beside $ref"),
        (("components", "schemas", "Thing"), 5, "expected an object (schema), found 5"),
        (("paths", "things"), {}, "a path begins with '/'"),
        (("paths", "/things/{id}.json"), {}, "a path begins with '/'"),
        (("paths", "/things/{other}"), {}, "merge them"),
        ((*OPERATION, "callbacks"), {}, "unknown keyword 'callbacks' in operation"),
        ((*OPERATION, "operationId"), None, "expected text, found nothing"),
        ((*OPERATION, "parameters"), [], "the path has ['id'], its parameters are []"),
        ((*OPERATION, "parameters"), PATH_ID, "expected a list, found an object"),
        ((*OPERATION, "parameters"), [None], "expected an object (parameter)"),
        ((*OPERATION, "parameters"), [PATH_ID | {"name": "x"}], "the path has ['id']"),
        ((*OPERATION, "parameters"), [PATH_ID | {"required": False}], "make it required"),
        ((*OPERATION, "parameters"), [PATH_ID | {"in": "cookie"}], "use path, query or header"),
        ((*OPERATION, "parameters"), [PATH_ID | {"schema": 5}], "expected an object (schema), found 5"),
        ((*OPERATION, "parameters"), [PATH_ID | {"schema": {"type": "array"}}], "integer, boolean or string"),
        ((*OPERATION, "parameters"), [PATH_ID | {"example": 5}], "example is not valid"),
        ((*OPERATION, "parameters"), [{"$ref": "#/components/schemas/Thing"}], "leads nowhere"),
        ((*OPERATION, "parameters"), [{"name": "id", "in": "path"}], "'schema' is missing"),
        ((*OPERATION, "responses"), None, "expected an object, found nothing"),
        ((*OPERATION, "responses"), {"default": {"description": "x"}}, "three digits"),
        ((*OPERATION, "responses"), {"200": {}}, "'description' is missing in this response"),
        (
            (*OPERATION, "responses"),
            {"200": {"description": "x", "content": {"text/csv": {"schema": {}}}}},
            "text/csv",
        ),
        (
            (*OPERATION, "requestBody"),
            {"content": {"text/plain": {"schema": {}}}},
            "only a body of application/json",
        ),
        ((*OPERATION, "requestBody"), {"content": {"application/json": {}}}, "'schema' is missing"),
        (
            (*OPERATION, "responses", "204", "links"),
            {"l": {"operationId": "nope"}},
            "'nope' is not an operation",
        ),
        (
            (*OPERATION, "responses", "204", "links"),
            {"l": {"operationId": "getThing", "parameters": {"x": "$response.body"}}},
            "getThing has no parameter 'x'",
        ),
        (("paths", "/others"), {"get": {"operationId": "getThing", "responses": {}}}, "used twice"),
        ((*OPERATION, "responses", "200", "a\nb"), {}, "unknown keyword"),
    ],
)
def test_what_is_not_understood_is_refused(
    tmp_path: Path, at: tuple[str, ...], value: Any, reason: str
) -> None:
    assert reason in refused(tmp_path, changed(at, value))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "did not find expected"),
        ("openapi: 3.1.0\nopenapi: 3.1.0", "duplicate key 'openapi'"),
        ("openapi: 3.1.0\n200: x", "key '200' must be a string; quote it"),
        ("openapi: &a\n  b: *a", "an alias within what it stands for"),
        ("a: !!binary aGk=", "JSON has no binary like 'aGk='"),
        ("a: .inf", "not a finite number"),
        ("a: !!seq {b: 1}", "JSON has no tag:yaml.org,2002:seq"),
        ("a: !!str [b]", "JSON has no tag:yaml.org,2002:str"),
        ("a: !!python/object:os.system {}", "JSON has no tag:yaml.org,2002:python/object"),
        ("", "'openapi' is missing"),
        ("- 1", "'openapi' is missing"),
        ("--- 1\n--- 2", "expected a single document"),
        ("a: \x01", "control characters"),
    ],
)
def test_yaml_that_is_no_json_object_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in refused(tmp_path, text)


def test_a_refusal_names_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    git: {}\n")
    with pytest.raises(DocumentError, match=r"spec.yaml:5: paths\./a\.git: unknown keyword 'git' in path"):
        Spec(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nowhere.yaml: No such file"):
        Spec(tmp_path / "nowhere.yaml")


def test_an_operation_without_a_handler_is_refused(tmp_path: Path) -> None:
    content = _without_links(copy.deepcopy(OURS), "getSpace")
    content["paths"]["/v1/spaces/{space_id}"]["get"]["operationId"] = "fetchSpace"
    reason = refused_app(tmp_path, content)
    assert "operation fetchSpace has no handler; write one with @handles('fetchSpace')" in reason


def test_a_handler_without_an_operation_is_refused(tmp_path: Path) -> None:
    content = _without_links(copy.deepcopy(OURS), "getSpace")
    del content["paths"]["/v1/spaces/{space_id}"]["get"]
    assert "no operation for the handler of getSpace" in refused_app(tmp_path, content)


def refused_app(folder: Path, content: Any) -> str:
    """Why the mock does not start with this spec."""
    path = written(folder, content)
    with pytest.raises(DocumentError) as error:
        create_app(Settings(spec=path, quiet=True))
    text = str(error.value)
    assert len(text.splitlines()) == 1
    assert text.removeprefix(f"{path}:").split(":")[0].isdigit()
    return text


def _without_links(node: Any, to: str) -> Any:
    if isinstance(node, dict):
        links = node.get("links") or {}
        for name in [n for n, link in links.items() if link.get("operationId") == to]:
            del links[name]
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _without_links(inner, to)
    return node


@pytest.mark.slow
@pytest.mark.parametrize(("original", "count"), [(OURS, 8), (ADMIN, 15)], ids=["ours", "admin"])
def test_a_damaged_spec_is_served_or_refused_in_one_line(tmp_path: Path, original: Any, count: int) -> None:
    """Whatever node is deleted or replaced: DocumentError or nothing, never another exception."""
    reasons = [reason for mutant in mutants(original, count) if (reason := outcome(tmp_path, mutant))]
    assert len(reasons) > count / 4
    assert not [reason for reason in reasons if "\n" in reason]


def outcome(folder: Path, content: Any) -> str:
    """Why it was refused; empty if it was not."""
    try:
        Spec(written(folder, content))
    except DocumentError as error:
        return str(error)
    return ""


def test_a_schema_that_is_compiled_again_judges_and_explains_as_before() -> None:
    schema = Schemas({}).schema({"type": "integer", "minimum": 3})
    before = (
        [schema.is_valid(value) for value in (2, 3)],
        schema.first_error(2),
        schema.errors(2, "body"),
    )
    schema = Schemas({}).schema({"type": "integer", "minimum": 3})
    assert (
        [schema.is_valid(value) for value in (2, 3)],
        schema.first_error(2),
        schema.errors(2, "body"),
    ) == before


def test_a_document_found_good_is_judged_again_only_when_it_changes(tmp_path: Path) -> None:
    memory = tmp_path / "cache" / "documents.judged"
    path = written(tmp_path, document())
    Spec(path, memory)
    remembered = memory.read_text("ascii")
    Spec(path, memory)
    assert memory.read_text("ascii") == remembered
    broken = document()
    broken["openapi"] = "3.0.3"
    written(tmp_path, broken)
    for _ in range(2):
        with pytest.raises(DocumentError, match=r"only OpenAPI 3\.1"):
            Spec(path, memory)
    assert memory.read_text("ascii") == remembered


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"no hash\n"])
def test_a_memory_that_can_not_be_read_or_written_changes_nothing(
    tmp_path: Path, content: bytes | None
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir() if content is None else memory.write_bytes(content)
    assert Spec(written(tmp_path, document()), memory).operations


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        (
            {"x-evidence": "rumoured"},
            "x-evidence 'rumoured' is none of documented, published, sdk, observed, assumed",
        ),
        ({"x-evidence": {"maxLength": "assumed"}}, "x-evidence names 'maxLength', which is not claimed here"),
        ({"x-assumption": "A01"}, "x-assumption is a list of ids such as A01"),
        ({"type": None, "x-evidence": "assumed"}, "x-evidence marks a place where nothing is claimed"),
    ],
)
def test_a_mark_below_which_nothing_is_claimed_is_refused(
    mark: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    schema = {key: value for key, value in {"type": "string", **mark}.items() if value is not None}
    parameter = {**PATH_ID, "schema": schema}
    assert refused(tmp_path, changed((*OPERATION, "parameters"), [parameter])).endswith(f"schema: {reason}")
