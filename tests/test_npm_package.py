"""The npm package: built, installed from its file; its fixtures, types and command are used."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from mockserver import __version__
from tests.clients.test_typescript import NODE, NPM, UNREACHABLE, npm
from tests.running import ROOT
from tests.test_foreign_page import BROWSER

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not (NODE and NPM), reason="needs node and npm")]
PACKAGE = json.loads((ROOT / "npm/package.json").read_text("utf-8"))
NEEDED = {
    "@playwright/test": PACKAGE["devDependencies"]["@playwright/test"],
    "typescript": PACKAGE["devDependencies"]["typescript"],
    "vitest": json.loads((ROOT / "examples/vitest/package.json").read_text("utf-8"))["devDependencies"][
        "vitest"
    ],
}
VITEST = """
import { expect } from "vitest";
import { test } from "freddy-mock/vitest";

for (const title of ["a test deletes the space", "another test has its own"])
  test(title, async ({ sandbox }) => {
    const space = `${sandbox.url}/v1/spaces/space_abc123`;
    const deleted = await fetch(space, { method: "DELETE", headers: { "X-API-Key": "ak_demo_owner" } });
    expect(deleted.status).toBe(204);
    expect((await sandbox.control("GET", "/changes")).total).toBeGreaterThan(0);
  });
"""
PLAYWRIGHT = """
import { expect, test } from "freddy-mock/playwright";

const space = `${process.env.FREDDY_API_URL}/v1/spaces/space_abc123`;
for (const title of ["a test deletes the space", "another test has its own"])
  test(title, async ({ page, sandbox }) => {
    const deleted = await page.request.delete(space, { headers: { "X-API-Key": "ak_demo_owner" } });
    expect(deleted.status()).toBe(204);
    expect((await sandbox.control("GET", "/changes")).total).toBeGreaterThan(0);
  });
"""
TYPES = """
import type { paths } from "freddy-mock/api";
import type { components } from "freddy-mock/control";
import { test as played } from "freddy-mock/playwright";
import { test } from "freddy-mock/vitest";

type Threads = paths["/v1/spaces/{space_id}/threads"]["get"]["responses"][200]["content"]["application/json"];
export const first = (page: Threads): string | null => page.data[0].title;
export const level = (access: components["schemas"]["SpaceAccess"]) => access.people[0].level === "VIEW";
test("one", async ({ sandbox }) => void (await sandbox.control("GET", "/clock")));
played("one", async ({ sandbox }) => void (await sandbox.control("GET", "/clock")));
"""


def fetched(folder: Path, *words: str) -> None:
    """Run npm, which may need its registry."""
    done = npm(folder, *words, "--no-audit", "--no-fund", "--fetch-retries", "1")
    if done.returncode != 0 and any(word in done.stderr for word in UNREACHABLE):
        pytest.skip(f"npm can't fetch its packages: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Project of a user, who has installed the file of `npm pack` and the test runners."""
    top = tmp_path_factory.mktemp("repository")
    ignored = shutil.ignore_patterns("node_modules", "dist", "*.tgz")
    for name in ("npm", "examples/playwright", "examples/vitest"):
        shutil.copytree(ROOT / name, top / name, ignore=ignored)
    for name in ("openapi.yaml", "LICENSE", "mockserver/admin/admin.yaml"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, top / name)
    build = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--wheel",
        "--outdir",
        str(top / "dist"),
        str(ROOT),
    ]
    subprocess.run(build, capture_output=True, check=True, timeout=120)
    fetched(top / "npm", "ci")
    fetched(top / "npm", "pack")
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"type": "module"}')
    wanted = [f"{name}@{version}" for name, version in NEEDED.items()]
    fetched(folder, "install", str(top / f"npm/freddy-mock-{__version__}.tgz"), *wanted)
    return folder


def beside_a_mock(project: Path, *words: str) -> str:
    """What a test runner of the project says beside a mock."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))}
    command = [sys.executable, "-m", "mockserver", "exec", "--quiet", "--", *words]
    done = subprocess.run(command, cwd=project, env=known, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_version_is_that_of_the_wheel_and_it_can_not_be_published() -> None:
    """Whoever has the name decides what its users run; it is not registered by this project."""
    assert (PACKAGE["version"], PACKAGE["private"]) == (__version__, True)


def test_vitest_has_a_sandbox_for_each_test(project: Path) -> None:
    (project / "space.test.js").write_text(VITEST)
    assert "2 passed" in beside_a_mock(project, "node_modules/.bin/vitest", "run", "space.test.js")


@pytest.mark.skipif(BROWSER is None, reason="needs chromium on the PATH")
def test_playwright_has_a_sandbox_for_each_test(project: Path) -> None:
    (project / "space.spec.js").write_text(PLAYWRIGHT)
    options = {"use": {"launchOptions": {"executablePath": BROWSER, "args": ["--no-sandbox"]}}}
    (project / "playwright.config.js").write_text(f"export default {json.dumps(options)};")
    assert "2 passed" in beside_a_mock(project, "node_modules/.bin/playwright", "test", "space.spec.js")


def test_the_types_of_both_documents_and_of_the_fixtures_are_there(project: Path) -> None:
    words = "tsc --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler"
    for text, errors in ((TYPES, 0), (TYPES.replace(".level", ".height"), 1)):
        (project / "types.ts").write_text(text)
        done = npm(project, "exec", "--", *words.split(), "types.ts")
        assert done.stdout.count("error TS") == errors, done.stdout


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Folder for PATH with node alone."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "node").symlink_to(NODE or "node")
    return folder


def started(project: Path, path: Path, *words: str) -> dict[str, Any]:
    """Arguments that start the package's command."""
    environment = {**os.environ, "PATH": str(path), "XDG_CACHE_HOME": str(path.parent / "cache")}
    return {
        "args": [str(project / "node_modules/.bin/freddy-mock"), *words],
        "env": environment,
        "text": True,
    }


def test_without_uv_and_python_it_says_what_to_install(project: Path, path: Path) -> None:
    done = subprocess.run(**started(project, path, "serve"), capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("freddy-mock: needs uv (")
    assert "or Python 3.11 or newer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_uv_gets_the_wheel_of_the_package_and_never_a_name(project: Path, path: Path) -> None:
    uv = path / "uv"
    uv.write_text('#!/bin/sh\necho "$@"\n')
    uv.chmod(0o755)
    done = subprocess.run(**started(project, path, "serve", "--quiet"), capture_output=True, timeout=60)
    wheel = project / f"node_modules/freddy-mock/dist/freddy_mock-{__version__}-py3-none-any.whl"
    assert wheel.exists()
    assert done.stdout == f"tool run --quiet --from {wheel} mockserver serve --quiet\n"


def test_python_installs_it_once_and_it_ends_with_the_command(project: Path, path: Path) -> None:
    (path / "python3").symlink_to(os.path.realpath(sys.executable))
    first = subprocess.run(**started(project, path, "--version"), capture_output=True, timeout=240)
    if first.returncode != 0 and "No matching distribution" in first.stderr:
        pytest.skip("pip can't fetch the libraries")
    assert first.stdout.startswith(f"mockserver {__version__}, "), first.stderr
    with subprocess.Popen(
        **started(project, path, "serve", "--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        url = json.loads(child.stdout.readline())["url"]
        assert requests.get(url, timeout=60).json()["status"] == "ready"
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=60)
    assert "installs itself" not in said
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=60)
