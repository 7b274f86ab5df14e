"""What we give to other people's CI: sound files, flags and variables of ours, and an action that runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import click
import pytest
import yaml

from contracts.cli import main as contracts
from mockserver.commands.cli import main as mockserver
from mockserver.settings import Settings
from tests.running import ROOT

SCHEMAS = {
    "action.yml": ["vendor.github-actions"],
    "compose.replicas.yaml": ["vendor.compose-spec"],
    "compose.yaml": ["vendor.compose-spec"],
    "examples/ci/github-contracts.yml": ["vendor.github-workflows"],
    "examples/ci/github-frontend.yml": ["vendor.github-workflows"],
    "examples/ci/gitlab.yml": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}
"""File -> the schema of who reads it."""
COMMANDS = {"contracts": contracts, "mockserver": mockserver}
CALL = re.compile(r'\b(contracts|mockserver)[\s",]{1,4}(run|cleanup|serve|health)\b(.*)')
FLAG = re.compile(r"(?<![\w-])--[a-z-]+")


def checked(file: Path, schema: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_file_follows_the_schema_of_who_reads_it(name: str, tmp_path: Path) -> None:
    done = checked(ROOT / name, SCHEMAS[name])
    assert done.returncode == 0, done.stdout
    broken = tmp_path / Path(name).name
    broken.write_text(
        re.sub("(?m)^( *(?:- )?(?:image|shell|uses)): .*$", r"\1: 1", (ROOT / name).read_text("utf-8")),
        "utf-8",
    )
    assert checked(broken, SCHEMAS[name]).returncode == 1


def lines(name: str) -> list[str]:
    """The file's lines without comments; what ends with a backslash goes on."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def test_every_flag_in_them_is_one_of_the_command_before_it() -> None:
    seen = set()
    for name in (*SCHEMAS, "Dockerfile"):
        for line in lines(name):
            if call := CALL.search(line.replace("arguments:", "contracts run ")):
                program, word, rest = call.groups()
                group = COMMANDS[program]
                assert isinstance(group, click.Group)
                known = {opt for parameter in group.commands[word].params for opt in parameter.opts}
                assert set(FLAG.findall(rest)) <= known, f"{name}: {line}"
                seen.add(word)
    assert seen == {"run", "cleanup", "serve", "health"}


def test_every_variable_of_the_mock_in_them_is_a_setting() -> None:
    known = {f"MOCK_{name.upper()}" for name in Settings.model_fields}
    for name in (*SCHEMAS, "Dockerfile"):
        assert set(re.findall(r"\bMOCK_\w+", "\n".join(lines(name)))) <= known, name


def steps() -> dict[str, dict[str, Any]]:
    """The action's steps of shell by their names."""
    action = yaml.safe_load((ROOT / "action.yml").read_bytes())
    return {step["name"]: step for step in action["runs"]["steps"] if "run" in step}


def run_step(name: str, folder: Path, **inputs: str) -> tuple[int, str]:
    """Exit code of a step, run as the runner does, and what it printed."""
    step = steps()[name]
    given = {
        word: inputs[expression] for word, text in step["env"].items() if (expression := the_input(text))
    }
    programs = folder / "temp/freddy-mock/bin"
    if not programs.exists():
        programs.parent.mkdir(parents=True)
        programs.symlink_to(Path(sys.executable).parent)
    given |= {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder / "temp"), "GITHUB_ACTIONS": "true"}
    given |= {f"GITHUB_{file}": str(folder / file) for file in ("OUTPUT", "STEP_SUMMARY")}
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def the_input(text: str) -> str:
    found = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", text)
    return found[1] if found else ""


def test_the_action_leaves_reports_and_a_summary(tmp_path: Path) -> None:
    """With a few of the checks; all of them are tried elsewhere."""
    inputs = {
        "target": "mock",
        "profile": "quick",
        "report-dir": "reports",
        "arguments": "--only add-answers-as-documented",
    }
    code, said = run_step("Run the contract suite", tmp_path, **inputs)
    assert code == 0, said
    assert (tmp_path / "OUTPUT").read_text("utf-8") == "exit-code=0\n"
    (case,) = Xml.parse(tmp_path / "reports/junit.xml").getroot().iter("testcase")
    assert case.get("name") == "add-answers-as-documented"
    assert (tmp_path / "reports/report.json").is_file()
    assert "1 passed" in (tmp_path / "STEP_SUMMARY").read_text("utf-8")


def test_the_action_fails_and_says_so_where_nothing_can_be_tested(tmp_path: Path) -> None:
    inputs = {"target": "http://127.0.0.1:1", "profile": "quick", "report-dir": "reports", "arguments": ""}
    code, said = run_step("Run the contract suite", tmp_path, **inputs)
    assert code == 3, said
    assert (tmp_path / "OUTPUT").read_text("utf-8") == "exit-code=3\n"
    assert "exit code 3" in (tmp_path / "STEP_SUMMARY").read_text("utf-8")
