"""Collections that Postman and Bruno import from openapi.yaml: each request is answered in the demo scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT
from tests.tools.calls import FILE, operations, prepared
from tests.tools.installed import npm, run

pytestmark = pytest.mark.slow

IMPORT = Path(__file__).parent / "node" / "import.mjs"


def sent(tool: str, folder: Path, wrong: str | None) -> dict[str, int | str]:
    """Answers to the requests of an import that are no success; one operation names a file that is not there."""
    file, upload, collection = (folder / name for name in ("calls.json", FILE[0], "collection.json"))
    upload.write_bytes(FILE[1])
    with prepared() as (url, calls):
        for call in calls:
            call["upload"] = str(upload)
            call["made"] |= {"file_abc123": "file_none"} if call["name"] == wrong else {}
        file.write_text(json.dumps(calls), "utf-8")
        modules = npm("newman").parent.parent
        said = run("node", IMPORT, tool, modules, ROOT / "openapi.yaml", file, url, collection)
        if tool == "bruno":
            failed: dict[str, int | str] = json.loads(said)
            return failed
        return by_newman(collection, folder / "report.json")


def by_newman(collection: Path, report: Path) -> dict[str, int | str]:
    """Status of each request of a Postman collection that is no success."""
    run(npm("newman"), "run", collection, "-r", "json", "--reporter-json-export", report)
    executions: list[Any] = json.loads(report.read_text("utf-8"))["run"]["executions"]
    status = {each["item"]["name"]: each["response"]["code"] for each in executions}
    assert status.keys() == operations().keys()
    return {name: code for name, code in status.items() if code >= 300}


@pytest.mark.parametrize("wrong", [None, "getFile"])
@pytest.mark.parametrize("tool", ["postman", "bruno"])
def test_every_request_of_an_import_succeeds(tool: str, wrong: str | None, tmp_path: Path) -> None:
    """Optional parameters are sent, too."""
    assert [*sent(tool, tmp_path, wrong)] == ([wrong] if wrong else [])
