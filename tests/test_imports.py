"""Who may import whom: the table that docs/architecture.md shows, held by reading the files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mockserver"
FILES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "__main__": ("commands", "client.tokens"),
    "commands": (
        "app",
        "extensions.blueprints",
        "foreign.place",
        "server",
        "client",
        "proxy.options",
        "proxy.target",
        "recordings",
        "settings",
        "files",
        "http.log",
        "http.problems",
        "http.wall_time",
        "openapi.yaml_document",
        "identity",
        "persistence",
        "__version__",
    ),
    "client": ("app", "settings"),
    "control": ("client.control",),
    "foreign": ("http", "openapi", "files"),
    "identity": (
        "__version__",
        "foreign.place",
        "persistence.frames",
        "profile.profile",
        "scenarios.loader",
        "settings",
    ),
    "app": (
        "__version__",
        "identity",
        "persistence",
        "corridor",
        "flask_app",
        "extensions",
        "admin",
        "freddy",
        "faults",
        "foreign.api",
        "journal",
        "http",
        "openapi",
        "optional_parts",
        "profile",
        "proxy.options",
        "embeddings",
        "sandbox",
        "scenarios",
        "state_document",
        "settings",
    ),
    "optional_parts": (
        "corridor",
        "foreign",
        "http.context",
        "http.upload",
        "openapi.spec",
        "openapi.yaml_document",
        "proxy",
        "replicas.opening",
        "sandbox.sandbox",
        "sandbox.sandboxes",
        "sandbox.snapshots",
        "settings",
    ),
    "replicas": (
        "corridor",
        "outcome",
        "identity",
        "settings",
        "admin.paging",
        "admin.sandboxes",
        "http",
        "openapi",
        "persistence",
        "proxy",
        "sandbox",
    ),
    "proxy": (
        "corridor",
        "profile",
        "sandbox",
        "outcome",
        "http",
        "openapi",
        "journal",
        "admin.registration",
        "admin.har",
        "admin.journal_entries",
        "files",
    ),
    "settings": (
        "faults.profiles",
        "faults.rate_limit",
        "foreign.place",
        "sandbox.clock",
        "scenarios.generated_size",
    ),
    "server": (),
    "flask_app": (
        "corridor",
        "extensions",
        "http.routes",
        "journal",
        "profile.profile",
        "sandbox.sandboxes",
        "state_document.state_file",
    ),
    "corridor": ("outcome", "http", "faults", "extensions.views"),
    "outcome": ("http", "faults.broken_body"),
    "extensions": ("http", "openapi", "sandbox.clock", "files"),
    "admin": (
        "http",
        "openapi",
        "sandbox",
        "store",
        "embeddings",
        "journal",
        "faults.rate_limit",
        "scenarios",
        "state_document",
        "freddy",
        "file_contents",
        "__version__",
    ),
    "freddy": ("http", "profile", "openapi.field_error", "sandbox", "store", "embeddings", "file_contents"),
    "scenarios": ("sandbox", "state_document", "embeddings", "openapi", "file_contents"),
    "state_document": (
        "sandbox",
        "store",
        "embeddings",
        "faults.faults_json",
        "http.problems",
        "openapi",
        "files",
        "file_contents",
    ),
    "sandbox": (
        "store",
        "embeddings",
        "journal",
        "faults",
        "http.problems",
        "openapi.yaml_document",
        "file_contents",
    ),
    "persistence": (
        "http",
        "faults.faults_json",
        "faults.rate_limit",
        "journal.journal",
        "openapi.yaml_document",
        "sandbox",
        "state_document",
    ),
    "file_contents": (),
    "recordings": ("proxy.exchange", "proxy.options", "proxy.target", "http.problems", "http.redaction"),
    "faults": ("http", "openapi"),
    "journal": ("http", "openapi"),
    "http": ("openapi", "faults.rule", "faults.rule_list", "journal.journal"),
    "profile": ("http.context", "http.problems", "openapi"),
    "embeddings": ("store",),
    "store": (),
    "openapi": ("files",),
    "files": (),
    "__init__": (),
}
"""Part of the package -> what of the package it may import."""
FLASK = ("flask", "werkzeug")


def part(file: Path) -> str:
    """The folder or file directly in the package."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    """Dotted names of everything that `file` imports, inside functions and TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_part_may(file: Path) -> None:
    assert part(file) in MAY_IMPORT, "a new package: say above what it may import"
    for name in imports(file):
        if name.startswith("mockserver."):
            inner = name.removeprefix("mockserver.") + "."
            allowed = (part(file), *MAY_IMPORT[part(file)])
            assert any(inner.startswith(f"{prefix}.") for prefix in allowed), (
                f"{name} is not for {part(file)}"
            )


@pytest.mark.parametrize("where", ["freddy", "sandbox", "embeddings", "store", "admin"])
def test_behaviour_and_state_never_hear_of_http(where: str) -> None:
    """No flask and no werkzeug."""
    names = {name for file in FILES if part(file) == where for name in imports(file)}
    assert names
    assert not [name for name in names if name.split(".")[0] in FLASK]


def test_nothing_is_imported_from_the_tests() -> None:
    names = {name.split(".")[0] for file in FILES for name in imports(file)}
    assert "tests" not in names


def test_the_contract_suite_knows_nothing_but_a_url() -> None:
    """Two files import the mock: one to start a fresh one, one to read the documents that come with it."""
    suite = sorted((PACKAGE.parent / "contracts").rglob("*.py"))
    assert suite
    known = {file.name for file in suite for name in imports(file) if name.startswith("mockserver")}
    assert known == {"documents.py", "target.py"}


def graph(package: str) -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports; TYPE_CHECKING counts."""
    files = {}
    for file in (ROOT / package).rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return {
        module: {name if name in files else name.rpartition(".")[0] for name in imports(file)} & files.keys()
        for module, file in files.items()
    }


@pytest.mark.parametrize("package", ["mockserver", "contracts"])
def test_no_import_leads_back_to_where_it_began(package: str) -> None:
    left = graph(package)
    while ends := {module for module, imported in left.items() if not imported & left.keys()}:
        left = {module: imported for module, imported in left.items() if module not in ends}
    assert not left, "these import each other, or import some that do"


def test_importing_a_handler_registers_nothing() -> None:
    """A handler is only marked; one tuple for each API lists the files, in order."""
    for folder in ("freddy", "admin"):
        for file in (PACKAGE / folder).glob("*.py"):
            tree = ast.parse(file.read_text("utf-8"))
            bare = [node.value for node in tree.body if isinstance(node, ast.Expr)]
            assert not [value for value in bare if isinstance(value, ast.Call)], file
