"""Tools of versions.toml, installed once into .venv/tools and kept there for the next run."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import ROOT

VERSIONS = Path(__file__).with_name("versions.toml")
FOLDER = ROOT / ".venv" / "tools"
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH")
QUIET = {"NO_COLOR": "1", "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
NO_INDEX = ("No matching distribution found", "Connection", "timed out")


def pypi(program: str) -> Path:
    """Program of a package of the Python index."""
    return _installed("pypi", _with_pip) / "bin" / program


def npm(program: str) -> Path:
    """Program of a package of npm; the test is skipped without node and npm."""
    needed("node", "npm")
    return _installed("npm", _with_npm) / "node_modules" / ".bin" / program


def needed(*programs: str) -> None:
    """Skip the test where a program is missing."""
    if missing := [name for name in programs if shutil.which(name) is None]:
        pytest.skip(f"{' and '.join(missing)} not installed")


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Output of a program that must succeed."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


Install = Callable[[Path, dict[str, str]], tuple[list[str], tuple[str, ...]]]
"""Command that installs versions into a folder, and words of its errors without a network."""


def _installed(registry: str, install: Install) -> Path:
    versions = tomllib.loads(VERSIONS.read_text("utf-8"))[registry]
    digest = hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:12]
    folder = FOLDER / f"{registry}-{digest}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{registry}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            command, unreachable = install(folder, versions)
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0 and any(word in done.stderr for word in unreachable):
                pytest.skip(f"{registry} can't be reached: {done.stderr.splitlines()[-1]}")
            assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return folder


def _with_pip(folder: Path, versions: dict[str, str]) -> tuple[list[str], tuple[str, ...]]:
    venv.create(folder, with_pip=True)
    words = [f"{name}=={version}" for name, version in versions.items()]
    return [str(folder / "bin" / "pip"), "install", "-q", *words], NO_INDEX


def _with_npm(folder: Path, versions: dict[str, str]) -> tuple[list[str], tuple[str, ...]]:
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": versions}), "utf-8")
    words = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries", "1"]
    return ["npm", "install", *words], UNREACHABLE
