"""Walks through the mock with all generations of the vendor's libraries: python -m tests.sdk_generations.

Each is installed, from the package registry, into an environment of its own. The table goes into
docs/sdk-generations.md.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.running import FROZEN, ROOT, mock

GENERATIONS = {
    "aitronos-sdk==5.0.0": "2026-02",
    "freddy-backend-client==0.1.1": "2026-02",
    "aitronos-sdk==0.8.113": "2026-02",
    "aitronos-sdk==0.8.140": "2026-05",
    "aitronos-sdk==0.8.178": "2026-05",
}
"""Revision that the mock serves to each; oldest first, 5.0.0 is of February 2026."""
PAGE = ROOT / "docs" / "sdk-generations.md"
BEGIN, END = "<!-- made by: python -m tests.sdk_generations -->", "<!-- end -->"


@cache
def documented() -> dict[str, tuple[str, str, str]]:
    """Method, path and resource of each operation of openapi.yaml, by operationId."""
    paths = yaml.load((ROOT / "openapi.yaml").read_bytes(), yaml.CSafeLoader)["paths"]
    return {
        operation["operationId"]: (method.upper(), path, operation["tags"][0])
        for path, item in paths.items()
        for method, operation in item.items()
    }


def operations() -> dict[str, tuple[str, str]]:
    """Method and path of each operation, by operationId."""
    return {id_: (method, path) for id_, (method, path, _) in documented().items()}


def walked(requirement: str) -> dict[str, Any]:
    """Result of tests/sdk_walk.py in an environment of this library."""
    flags = ("--freeze", FROZEN, "--revision", GENERATIONS[requirement])
    with tempfile.TemporaryDirectory() as folder, mock(*flags) as url:
        venv.create(Path(folder) / "env", with_pip=True)
        python = Path(folder) / "env" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-qq", requirement], check=True)
        known = Path(folder) / "operations.json"
        known.write_text(json.dumps(operations()), "utf-8")
        done = subprocess.run(
            [python, ROOT / "tests" / "sdk_walk.py", url, known], stdout=subprocess.PIPE, check=True
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def column(result: dict[str, Any]) -> list[str]:
    """Cells of a library: for each resource the operations it has read, of those that it has."""
    called, has = {*result["called"]}, {*result["has"]}
    cells = []
    for resource in resources():
        mine = {id_ for id_, operation in documented().items() if operation[2] == resource}
        cells.append(f"{len(mine & called)} of {len(mine & has)}" if mine & has else "-")
    return [*cells, f"{len(called)} of {len(has)}"]


def resources() -> list[str]:
    """Resources of openapi.yaml, in its order."""
    return list(dict.fromkeys(operation[2] for operation in documented().values()))


def table(columns: dict[str, list[str]]) -> Iterator[str]:
    """Lines of the table, one row for each resource."""
    yield f"| resource | mocked | {' | '.join(f'`{name}`' for name in columns)} |"
    yield "|---" * (len(columns) + 2) + "|"
    counts = [sum(o[2] == resource for o in documented().values()) for resource in resources()]
    names = [*resources(), "**all**"]
    for row, (name, count) in enumerate(zip(names, [*counts, sum(counts)], strict=True)):
        yield f"| {name} | {count} | {' | '.join(cells[row] for cells in columns.values())} |"


def main() -> int:
    """Write and print the table; 1 if a library can't read an answer."""
    columns, wrong = {}, 0
    for requirement in GENERATIONS:
        result = walked(requirement)
        columns[requirement.replace("==", " ")] = column(result)
        for operation, problem in result["failed"].items():
            print(f"{requirement}: {operation}: {problem}", flush=True)
        if unparsed := ", ".join(result["unparsed"]):
            print(f"{requirement}: {unparsed} is no JSON, for which this library takes it")
        wrong += result["called"] != result["has"]
    lines = "\n".join(table(columns))
    print(lines)
    text = re.sub(f"{BEGIN}.*?{END}", f"{BEGIN}\n\n{lines}\n\n{END}", PAGE.read_text("utf-8"), flags=re.S)
    PAGE.write_text(text, "utf-8")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
