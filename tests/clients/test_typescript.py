"""openapi-typescript takes openapi.yaml, and the example written on its types is checked by tsc and runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running import FROZEN, ROOT, mock

EXAMPLE = ROOT / "examples/typescript"
NODE, NPM = shutil.which("node"), shutil.which("npm")
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "network")
pytestmark = pytest.mark.skipif(not (NODE and NPM), reason="node and npm are not installed")


def npm(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [NPM or "npm", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example with its tools installed and the types made."""
    top = tmp_path_factory.mktemp("repository")
    shutil.copy(ROOT / "openapi.yaml", top)
    folder = top / "examples/typescript"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules", "build", "freddy.ts"))
    installed = npm(folder, "ci", "--no-audit", "--no-fund", "--fetch-retries", "1")
    if installed.returncode != 0 and any(word in installed.stderr for word in UNREACHABLE):
        pytest.skip(f"npm can't fetch its packages: {installed.stderr.splitlines()[0]}")
    assert installed.returncode == 0, installed.stderr
    made = npm(folder, "run", "types")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.slow
def test_the_example_type_checks_and_gets_the_documented_answers(example: Path) -> None:
    built = npm(example, "run", "build")
    assert built.returncode == 0, built.stdout
    program = """
        import { Refused, Spaces } from "./build/threads.js";
        const [url] = process.argv.slice(1);
        const added = await new Spaces(url, "ak_demo_owner").addThread("space_abc123", "thrd_def456");
        const titles = [];
        for await (const thread of new Spaces(url, "ak_demo_owner").threads("space_abc123", 1))
          titles.push(thread.title);
        const refused = await new Spaces(url, "ak_demo_viewer")
          .addThread("space_abc123", "thrd_def456")
          .catch((error) => error instanceof Refused && error.refusal.error.code);
        console.log(JSON.stringify({ added, titles, refused }));
    """
    with mock("--freeze", FROZEN) as url:
        command = [NODE or "node", "--input-type=module", "--eval", program, url]
        ran = subprocess.run(command, cwd=example, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "added": json.loads((ROOT / "tests/documents/add_thread.201.json").read_bytes()),
        "titles": ["Project Discussion", "Quick Question"],
        "refused": "INSUFFICIENT_PERMISSIONS",
    }


TEMPLATE = """--target es2023 --lib ES2023,DOM --module esnext --moduleResolution bundler --skipLibCheck
--noEmit
--allowArbitraryExtensions --allowImportingTsExtensions --verbatimModuleSyntax --moduleDetection force
--jsx react-jsx --noUnusedLocals --noUnusedParameters --erasableSyntaxOnly --noFallthroughCasesInSwitch"""
"""Options of Vite's template react-ts in November 2026."""


@pytest.mark.slow
def test_the_example_compiles_in_the_template_of_react(example: Path, tmp_path: Path) -> None:
    added = npm(tmp_path, "install", "--no-audit", "--no-fund", "--fetch-retries", "1", "typescript@7.0.2")
    if added.returncode != 0 and any(word in added.stderr for word in UNREACHABLE):
        pytest.skip(f"npm can't fetch its packages: {added.stderr.splitlines()[0]}")
    for name in ("threads.ts", "freddy.ts"):
        shutil.copy(example / name, tmp_path)
    done = npm(tmp_path, "exec", "--", "tsc", *TEMPLATE.split(), "threads.ts")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_what_the_spec_does_not_have_does_not_type_check(example: Path) -> None:
    """Else the example would be checked against nothing."""
    source = (EXAMPLE / "threads.ts").read_text("utf-8")
    wrong = source.replace("page.next_cursor", "page.nextCursor").replace(".system_message", ".no_message")
    (example / "threads.ts").write_text(wrong, "utf-8")
    built = npm(example, "run", "build")
    (example / "threads.ts").write_text(source, "utf-8")
    assert built.returncode != 0
    assert "'nextCursor' does not exist" in built.stdout
    assert "'no_message' does not exist" in built.stdout
