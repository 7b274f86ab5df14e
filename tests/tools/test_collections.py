"""Collections that Postman and Bruno import from openapi.yaml: each request succeeds in the demo scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tools.calls import FILE, prepared, served
from tests.tools.installed import npm, run

pytestmark = pytest.mark.slow

IMPORT = Path(__file__).parent / "node" / "import.mjs"


def sent(tool: str, revision: str, folder: Path, wrong: str | None) -> dict[str, int | str]:
    """Refusals of the requests of an import; the operation `wrong` names a file that is not there."""
    file, upload, collection = (folder / name for name in ("calls.json", FILE[0], "collection.json"))
    upload.write_bytes(FILE[1])
    with served(revision, folder) as (url, spec), prepared(url) as calls:
        for call in calls:
            call["upload"] = str(upload)
            call["made"] |= {"file_abc123": "file_none"} if call["name"] == wrong else {}
        file.write_text(json.dumps(calls), "utf-8")
        modules = npm("newman").parent.parent
        said = run("node", IMPORT, tool, modules, spec, file, url, collection)
        if tool == "bruno":
            failed: dict[str, int | str] = json.loads(said)
            return failed
        status = by_newman(collection, folder / "report.json")
        assert sorted(status) == sorted(call["name"] for call in calls)
        return {name: code for name, code in status.items() if code >= 300}


def by_newman(collection: Path, report: Path) -> dict[str, int]:
    """Status of the answer to each request of a Postman collection."""
    run(npm("newman"), "run", collection, "-r", "json", "--reporter-json-export", report)
    executions: list[Any] = json.loads(report.read_text("utf-8"))["run"]["executions"]
    return {each["item"]["name"]: each["response"]["code"] for each in executions}


@pytest.mark.parametrize("tool", ["postman", "bruno"])
@pytest.mark.parametrize(
    ("revision", "wrong"), [("2026-02", None), ("2026-02", "getFile"), ("2026-05", None)]
)
def test_every_request_of_an_import_succeeds(
    tool: str, revision: str, wrong: str | None, tmp_path: Path
) -> None:
    """Optional parameters are sent, too."""
    assert [*sent(tool, revision, tmp_path, wrong)] == ([wrong] if wrong else [])
