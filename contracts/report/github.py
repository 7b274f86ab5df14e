"""GitHub Actions: annotations of a commit, and the step summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from contracts.checks.spec import METHODS
from contracts.report.data import Data
from contracts.verdict.diff import cut

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LEVELS = {"broken": "error", "known": "notice"}


def workflow_commands(data: Data, summary: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Append the step summary, and give an annotation for each failure; nothing outside GitHub Actions."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    if steps := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(steps).open("a", encoding="utf-8") as file:
            file.write(summary)
    strict, lines = data["run"]["strict_assumptions"], operation_lines(Path("openapi.yaml"))
    for failure in data["failures"]:
        verdict, operation = failure["verdict"], failure["fingerprint"]["operation"]
        level = _LEVELS.get(verdict, "error" if strict and verdict.startswith("assumption") else "warning")
        at = f"file=openapi.yaml,line={lines[operation]}," if operation in lines else ""
        title = _escaped(f"{verdict}: {failure['check']}").replace(":", "%3A").replace(",", "%2C")
        times = f" ({failure['count']} times)" if failure["count"] > 1 else ""
        text = cut(failure["message"], 400) + times + "\n" + failure["sentence"]
        text += f"\n{failure['assumption']}: {failure['assumed']}" if failure["assumed"] else ""
        yield f"::{level} {at}title={title}::{_escaped(text)}"
    if data["result"] == "not judged":
        yield f"::error title=no result about the contract::{_escaped(cut(data['reason'], 400))}"


def operation_lines(spec: Path) -> dict[str, int]:
    """Line of each operation's own operationId, if the working directory has openapi.yaml."""
    try:
        root = yaml.compose(spec.read_text("utf-8"), _LOADER) if spec.is_file() else None
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    ids = (
        _under(operation, "operationId")
        for _, item in _pairs(_under(root, "paths"))
        for method, operation in _pairs(item)
        if method in METHODS
    )
    return {id_.value: id_.start_mark.line + 1 for id_ in ids if id_ is not None}


def _pairs(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    """Names and values of a mapping; empty for anything else."""
    return [(name.value, value) for name, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _under(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return dict(_pairs(node)).get(name)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
