"""requirements/: exact versions with hashes for everything that the image and CI install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.running import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pinned(file: Path) -> dict[str, str]:
    """Name of each library -> its version; fails where one has no exact version or no hash."""
    text = re.sub(r"(?m)^#.*\n", "", file.read_text("utf-8")).replace("\\\n", "")
    versions = {}
    for line in text.splitlines():
        found = re.fullmatch(r"([a-z0-9-]+)==([\w.]+)( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", line)
        assert found, f"{file.name}: {line[:80]}"
        versions[found[1]] = found[2]
    return versions


def names(requirements: list[str]) -> set[str]:
    """Names as the lock files write them."""
    return {re.split(r"[<>=\[;]", each)[0].lower().replace("_", "-") for each in requirements}


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_each_library_has_one_version_with_hashes_and_no_address(file: Path) -> None:
    assert pinned(file)
    assert "://" not in file.read_text("utf-8")
    assert "index" not in file.read_text("utf-8")


def test_a_library_has_the_same_version_in_every_file() -> None:
    found: dict[str, set[str]] = {}
    for file in LOCKS:
        for name, version in pinned(file).items():
            found.setdefault(name, set()).add(version)
    assert {name: versions for name, versions in found.items() if len(versions) > 1} == {}


@pytest.mark.parametrize(
    ("lock", "needed"),
    [
        ("build", PROJECT["build-system"]["requires"]),
        ("serve", PROJECT["project"]["dependencies"]),
        ("contracts", PROJECT["project"]["optional-dependencies"]["contracts"]),
        ("dev", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_what_pyproject_names_is_in_its_file(lock: str, needed: list[str]) -> None:
    assert names(needed) <= pinned(ROOT / f"requirements/{lock}.txt").keys()


@pytest.mark.parametrize("name", ["Dockerfile", "Makefile", "action.yml"])
def test_whatever_is_installed_is_held_to_its_hash_or_is_our_own(name: str) -> None:
    """Every call of pip names hashes, or takes nothing but our package."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ").replace("$(EXACTLY)", "--require-hashes")
    calls = [
        line
        for line in re.split(r"\n|&&", text)
        if re.search(r"pip (install|wheel|download)|\$\(INSTALL\)|\binstall -", line)
        and "--no-deps" not in line
        and ".venv/lock" not in line
        and "INSTALL :=" not in line
        and "install()" not in line
    ]
    assert len(calls) >= 1
    assert [line for line in calls if "--require-hashes" not in line] == []
