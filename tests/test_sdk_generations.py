"""The vendor's client libraries walk through every mocked operation that they have, and read every answer."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.running import FROZEN, ROOT, mock
from tests.sdk_generations import GENERATIONS, PAGE, column, operations, resources

WITHOUT = {"aitronos-sdk": "", "freddy-backend-client": "import sys; sys.modules['aitronos'] = None; "}
"""What makes the walk take the library: it prefers aitronos-sdk."""


def walked(library: str, folder: Path) -> dict[str, Any]:
    """Result of the walk with an installed library."""
    known = folder / "operations.json"
    known.write_text(json.dumps(operations()), "utf-8")
    script = f"{WITHOUT[library]}import runpy; runpy.run_path('tests/sdk_walk.py', run_name='__main__')"
    with mock("--freeze", FROZEN) as url:
        done = subprocess.run(
            [sys.executable, "-c", script, url, known], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("library", WITHOUT)
def test_an_installed_library_reads_every_answer_and_the_page_says_how_many(
    library: str, tmp_path: Path
) -> None:
    result = walked(library, tmp_path)
    assert result["failed"] == {}
    assert result["called"] == result["has"], "add a step to tests/sdk_walk.py"
    head, _, *rows = (line for line in PAGE.read_text("utf-8").splitlines() if line[:1] == "|")
    place = head.split(" | ").index(f"`{library} {version(library)}`")
    assert [row.strip("| ").split(" | ")[place] for row in rows] == column(result)


def test_the_page_has_every_generation_and_resource() -> None:
    text = PAGE.read_text("utf-8")
    for name in [*(each.replace("==", " ") for each in GENERATIONS), *resources()]:
        assert name in text
    assert f"| **all** | {len(operations())} |" in text
