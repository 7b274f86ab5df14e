"""The examples run as a reader would run them: beside a mock, each test in a sandbox of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.test_typescript import NODE, NPM, UNREACHABLE, npm
from tests.fences import blocks
from tests.running import ROOT
from tests.test_foreign_page import BROWSER

pytestmark = pytest.mark.skipif(not (NODE and NPM), reason="node and npm are not installed")


def installed(example: str, folder: Path) -> Path:
    """Copy of an example with its packages."""
    copy = folder / example
    shutil.copytree(ROOT / "examples" / example, copy, ignore=shutil.ignore_patterns("node_modules"))
    done = npm(copy, "ci", "--no-audit", "--no-fund", "--fetch-retries", "1")
    if done.returncode != 0 and any(word in done.stderr for word in UNREACHABLE):
        pytest.skip(f"npm can't fetch its packages: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    return copy


def run(example: str, folder: Path, *flags: str) -> str:
    """What `mockserver exec -- npm test` says in a copy of the example."""
    copy = installed(example, folder)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))
    }
    if BROWSER:
        environment["CHROMIUM"] = BROWSER
    command = [sys.executable, "-m", "mockserver", "exec", "--quiet", *flags, "--", NPM or "npm", "test"]
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_vitest_tests_a_client(tmp_path: Path) -> None:
    assert "4 passed" in run("vitest", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs chromium on the PATH")
def test_playwright_tests_a_page(tmp_path: Path) -> None:
    assert "6 passed" in run("playwright", tmp_path)
    checked = npm(tmp_path / "playwright", "run", "check")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs chromium on the PATH")
def test_playwright_tests_a_page_on_the_state_of_a_document_alone(tmp_path: Path) -> None:
    assert "8 passed" in run("todo", tmp_path, "--also", "todo=todo.yaml")


@pytest.mark.slow
def test_a_page_reaches_the_mock_through_vite_and_beside_msw(tmp_path: Path) -> None:
    assert "# pass 6" in run("vite", tmp_path)


def test_the_files_that_are_shown_are_those_of_the_example() -> None:
    shown = {b.label: b.text + "\n" for b in blocks(ROOT / "docs/frontend.md") if b.label.endswith(".js")}
    assert set(shown) == {"vite.config.js", "handlers.js", "one-line.spec.js"}
    for name, text in shown.items():
        folder = "playwright" if name.endswith(".spec.js") else "vite"
        assert text == (ROOT / "examples" / folder / name).read_text("utf-8"), name
