"""GitHub Actions: annotations of a commit, and the step summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from contracts.report.data import Data
from contracts.verdict.diff import cut

_LEVELS = {"broken": "error", "known": "notice"}


def workflow_commands(data: Data, summary: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Append the step summary, and give an annotation for each failure; nothing outside GitHub Actions."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    if steps := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(steps).open("a", encoding="utf-8") as file:
            file.write(summary)
    strict, lines = data["run"]["strict_assumptions"], _lines(Path("openapi.yaml"))
    for failure in data["failures"]:
        verdict, operation = failure["verdict"], failure["fingerprint"]["operation"]
        level = _LEVELS.get(verdict, "error" if strict and verdict.startswith("assumption") else "warning")
        at = f"file=openapi.yaml,line={lines[operation]}," if operation in lines else ""
        title = _escaped(f"{verdict}: {failure['check']}").replace(":", "%3A").replace(",", "%2C")
        text = cut(failure["message"], 400) + "\n" + failure["sentence"]
        yield f"::{level} {at}title={title}::{_escaped(text)}"


def _lines(spec: Path) -> dict[str, int]:
    """Line of each operation in openapi.yaml, if the working directory has it."""
    lines = spec.read_text("utf-8", "replace").splitlines() if spec.is_file() else []
    matches = ((n, re.match(r"^\s+operationId: (\w+)", line)) for n, line in enumerate(lines, 1))
    return {match[1]: n for n, match in matches if match}


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
