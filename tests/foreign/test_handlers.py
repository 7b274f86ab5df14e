"""@handles in extensions: operations of other documents that a function answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mockserver.commands.cli import main
from tests.fences import blocks
from tests.foreign.beside import answering, client, written
from tests.running import ROOT

HANDLER = """
from mockserver.extensions.handlers import Call, Reply, Sandbox, handles


@handles("other:GET /thing")
def thing(call: Call, sandbox: Sandbox) -> Reply:
    sandbox.extension_records.put("calls", {"n": len(sandbox.extension_records)})
    return Reply(200, BODY)
"""
SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


def extension(folder: Path, body: str) -> str:
    return str(written(folder, HANDLER.replace("BODY", body), "mine.py"))


def test_a_function_answers_an_operation(tmp_path: Path) -> None:
    asked = client(tmp_path, answering(SCHEMA), extend=(extension(tmp_path, '{"a": 5}'),))
    answer = asked.get("/thing")
    assert (answer.get_json(), answer.headers["X-Mock-Source"]) == ({"a": 5}, "state")


def test_its_answer_is_held_to_the_document(tmp_path: Path) -> None:
    asked = client(tmp_path, answering(SCHEMA), extend=(extension(tmp_path, '{"a": "x"}'),))
    asked.application.testing = False
    failed = asked.get("/thing")
    assert failed.status_code == 500
    assert '/a: "x" is not of type "integer"' in failed.headers["X-Mock-Reason"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("other:GET /thing", "other:GET /things", "nearest: other:GET /thing"),
        ("other:GET /thing", "another:GET /thing", "names no document of --also; there is other"),
        ('@handles("other:GET /thing")', "", "no function with @handles"),
    ],
)
def test_a_function_that_answers_nothing_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = Path(extension(tmp_path, "{}"))
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    document = written(tmp_path, answering(SCHEMA))
    result = CliRunner().invoke(main, ["check", "--also", f"other={document}", "--extend", str(file)])
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1), result.output
    assert said in result.output


def test_what_it_changes_is_kept(tmp_path: Path) -> None:
    document = answering(SCHEMA)
    item = document["paths"]["/thing"]
    item["post"] = item.pop("get")
    file = Path(extension(tmp_path, '{"a": len(sandbox.extension_records)}'))
    file.write_text(
        file.read_text("utf-8").replace("GET", "POST").replace('"calls"', "call.trace_id"), "utf-8"
    )
    counts = []
    for _ in range(2):
        asked = client(tmp_path, document, extend=(str(file),), persist=tmp_path / "kept")
        counts.append(asked.post("/thing").get_json()["a"])
        asked.application.keeper.close()  # type: ignore[attr-defined]  # the mock has one
    assert counts == [1, 2]


def test_the_example_of_the_docs_works(tmp_path: Path) -> None:
    shown = {block.label: block.text for block in blocks(ROOT / "docs/also.md")}
    folder = tmp_path / "billing"
    source = shown["pay.py"].replace("billing:", "other:")
    asked = client(tmp_path, shown["billing.yaml"], extend=(str(written(folder, source, "pay.py")),))
    assert asked.get("/invoices/in_1").get_json()["due"] == "2026-02-26"
    assert asked.get("/invoices/in_0").status_code == 404
