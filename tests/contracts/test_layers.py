"""Import rules of the contract suite: no cycles, short chains, layers."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.running import ROOT

PACKAGE = ROOT / "contracts"
DEEPEST = 12
PARTS = {
    "foundations": (
        "settings",
        "checks.evidence",
        "checks.errors",
        "http.exchange",
        "http.visible",
        "safety.write_guard",
        "verdict.diff",
        "generated.hypothesis_patches",
    ),
    "requests": ("http", "safety.ledger", "verdict.reproduction"),
    "checks": ("checks",),
    "behaviour": ("behaviour",),
    "lockstep": ("lockstep",),
    "generated": ("generated",),
    "calibration": ("calibration",),
    "suite": ("suite",),
    "verdict": ("verdict", "report.exercised", "report.coverage"),
    "run": ("http.credentials", "safety", "pace", "session", "doctor"),
    "report": ("report",),
    "commands": ("exits", "calibrate", "options", "start", "cli", "__main__", "conftest", "test_contract"),
}
"""Part -> its files and folders."""
LOW = ("foundations", "requests", "checks")
MAY_IMPORT = {
    "foundations": (),
    "requests": LOW[:1],
    "checks": LOW[:2],
    "behaviour": LOW,
    "lockstep": LOW,
    "generated": LOW,
    "calibration": (*LOW, "run"),
    "suite": (*LOW, "behaviour", "lockstep", "generated"),
    "verdict": LOW,
    "run": LOW,
    "report": (*LOW, "verdict", "run"),
    "commands": (*LOW, "suite", "calibration", "verdict", "run", "report"),
}
"""Part -> parts that it may import."""


def table() -> str:
    """Import rules as the table in docs/contracts-inside.md."""
    rows = ["| part | its files | may import |", "|---|---|---|"]
    for part, others in MAY_IMPORT.items():
        files = ", ".join(f"`{name.replace('.', '/')}`" for name in PARTS[part])
        rows.append(f"| {part} | {files} | {', '.join(others) or 'nothing of ours'} |")
    return "\n".join(rows)


@cache
def modules() -> dict[str, Path]:
    """Every file of the suite by its dotted name inside the package; the packages' own files are empty."""
    files = [file for file in sorted(PACKAGE.rglob("*.py")) if file.name != "__init__.py"]
    return {".".join(file.relative_to(PACKAGE).with_suffix("").parts): file for file in files}


@cache
def graph() -> dict[str, set[str]]:
    """Module -> what it imports of the suite, inside functions and TYPE_CHECKING too."""
    return {module: {*_imports(file)} - {module} for module, file in modules().items()}


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{name.name}" for name in node.names)]
        for name in names:
            if name.removeprefix("contracts.") in modules():
                yield name.removeprefix("contracts.")


def part(module: str) -> str:
    """The part that names the file, or else its folder."""
    parts = ((name, p) for p, names in PARTS.items() for name in names)
    return max((n, p) for n, p in parts if f"{module}.".startswith(f"{n}."))[1]


@cache
def chain(module: str) -> tuple[str, ...]:
    """The longest chain of imports that begins at a module."""
    return (module, *max((chain(other) for other in graph()[module]), key=len, default=()))


def test_no_file_of_the_suite_imports_itself_in_a_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        raise AssertionError(f"a circle: {' -> '.join(error.args[1])}") from None


def test_no_chain_of_imports_is_longer_than_twelve_files() -> None:
    longest = max(map(chain, graph()), key=len)
    assert len(longest) <= DEEPEST, " -> ".join(longest)


def test_each_part_imports_what_it_may() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in graph().items()
        for other in others
        if part(other) not in (part(module), *MAY_IMPORT[part(module)])
    ]
    assert wrong == []


def test_the_page_for_maintainers_has_this_table() -> None:
    assert table() in (ROOT / "docs" / "contracts-inside.md").read_text("utf-8")


@pytest.mark.slow
def test_only_the_generated_layer_needs_schemathesis() -> None:
    core = [
        module
        for module in modules()
        if module not in ("generated.schemathesis_driver", "conftest", "test_contract", "__main__")
    ]
    program = "import sys; sys.modules['schemathesis'] = None; import " + ", ".join(
        f"contracts.{module}" for module in core
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.slow
def test_the_checks_have_the_same_order_whoever_imports_what_first() -> None:
    program = "import {}; from contracts.suite import CHECKS; print(*(check.id for check in CHECKS))"
    said = {
        subprocess.run(
            [sys.executable, "-c", program.format(f"contracts.{first}")],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        for first in ("suite", "behaviour.streams", "lockstep.layer", "generated.layers")
    }
    assert len(said) == 1


def test_no_two_checks_have_the_same_id() -> None:
    from contracts.suite import CHECKS

    ids = [check.id for check in CHECKS]
    assert len(ids) == len(set(ids))
