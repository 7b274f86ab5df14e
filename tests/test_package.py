"""The package: built from the sources, installed without extras, started where there is nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
import requests
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mockserver import __version__
from tests.running import FROZEN, ROOT

pytestmark = pytest.mark.slow

BARE = {"PATH": "/usr/bin:/bin"}
"""An environment without a variable that could help."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m build` leaves: an sdist, and the wheel made from that; no index is asked."""
    folder = tmp_path_factory.mktemp("dist")
    ran([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], ROOT)
    assert {file.name for file in folder.iterdir()} == {
        f"freddy_mock-{__version__}.tar.gz",
        f"freddy_mock-{__version__}-py3-none-any.whl",
    }
    return next(folder.glob("*.whl"))


def ran(command: list[str], folder: Path) -> str:
    """What it printed; its end has to be well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(top: Distribution, extra: str = "") -> set[str]:
    """Names of the distributions that `top` needs with that extra, and of those that they need."""
    found: set[str] = set()
    todo = [(top, extra)]
    while todo:
        one, extra = todo.pop()
        for wanted in map(Requirement, one.requires or ()):
            name = canonicalize_name(wanted.name)
            applies = wanted.marker is None or wanted.marker.evaluate({"extra": extra})
            if applies and name not in found:
                found.add(name)
                todo += [(distribution(name), inner) for inner in (*wanted.extras, "")]
    return found


@pytest.fixture(scope="module")
def package(wheel: Path) -> Distribution:
    """What the wheel says of itself."""
    return PathDistribution(zipfile.Path(wheel) / f"freddy_mock-{__version__}.dist-info")


@pytest.fixture(scope="module")
def installed(wheel: Path, package: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel and what it needs without an extra, nothing else."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    ran([*pip, "install", "--no-index", "--no-deps", str(wheel)], folder)
    site = Path(
        ran([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
    )
    for name in needed(package):
        files = distribution(name).files or ()
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    return folder / "bin"


@pytest.fixture
def url(installed: Path, tmp_path: Path) -> Iterator[str]:
    """A mock of that environment, started in an empty folder."""
    command = [str(installed / "mockserver"), "serve", "--port", "0", "--freeze", FROZEN]
    with subprocess.Popen(
        command, cwd=tmp_path, env={}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            assert child.stdout is not None
            yield json.loads(child.stdout.readline())["url"]
        finally:
            child.kill()
    assert list(tmp_path.iterdir()) == []


def test_without_extras_it_serves_the_documented_example_from_an_empty_folder(url: str) -> None:
    answer = requests.post(
        f"{url}/v1/spaces/space_abc123/threads/thrd_def456",
        headers={"X-API-Key": "ak_demo_owner"},
        timeout=60,
    )
    assert answer.status_code == 201
    assert answer.json() == json.loads((ROOT / "tests/documents/add_thread.201.json").read_bytes())


def test_without_extras_contracts_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "contracts", "run", "--target", "mock"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"contracts: \w+ is not installed; install the wheel with its extra \[contracts\]\n", done.stderr
    )


def test_the_version_is_the_same_everywhere(installed: Path, tmp_path: Path) -> None:
    for name in ("mockserver", "freddy-mock"):
        said = ran([str(installed / name), "--version"], tmp_path)
        assert said.startswith(f"mockserver {__version__}, ")
    label = re.search(r'image\.version="(.+)"', (ROOT / "Dockerfile").read_text("utf-8"))
    assert label is not None
    assert label[1] == __version__


def test_no_document_fetches_the_package_by_its_name() -> None:
    """The name is not registered: whoever registers it decides what such a command runs."""
    by_name = re.compile(
        r"(npx|bunx|pnpm dlx|uvx|pipx run|uv tool run)( -\S+)* freddy-mock"
        r"|(pip|npm|pipx|uv tool|uv pip) (install|i)( -\S+)* '?freddy-mock(?![\w./-]*\.(tgz|whl))"
    )
    documents = [
        *ROOT.glob("*.md"),
        *ROOT.glob("*/*.md"),
        *ROOT.glob("examples/**/*.*"),
        *ROOT.glob("*.y*ml"),
    ]
    found = [
        str(path.relative_to(ROOT))
        for path in documents
        if "node_modules" not in path.parts and path.is_file() and by_name.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_spec_scenarios_and_docs_are_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("mockserver/openapi.yaml") == (ROOT / "openapi.yaml").read_bytes()
    here = {
        file.relative_to(ROOT)
        for folder in ("comparison", "contracts", "mockserver")
        for file in (ROOT / folder).rglob("*.*")
    }
    here |= {Path("mockserver") / file.relative_to(ROOT) for file in (ROOT / "docs").glob("*.md")}
    here |= {Path("mockserver") / file.relative_to(ROOT) for file in (ROOT / "overlays").glob("*.yaml")}
    here |= {Path("mockserver/README.md"), Path("mockserver/CHANGELOG.md")}
    missing = {str(file) for file in here if "__pycache__" not in file.parts} - names
    assert missing == set()
    assert not [name for name in names if name.split("/")[0] in ("tests", "bench")]


def test_what_only_tests_need_is_no_part_of_a_plain_installation(package: Distribution) -> None:
    suite = {"hypothesis", "requests", "rich", "schemathesis"}
    assert not needed(package) & {*suite, "pytest"}
    assert suite <= needed(package, "contracts")
