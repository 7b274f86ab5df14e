"""What a run says, all of it made from the same data: on a terminal, in files, on GitHub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from contracts.report.about import About
from contracts.report.data import Data, Redactor, as_data, holds
from contracts.report.github import step_summary, workflow_commands
from contracts.report.har import har
from contracts.report.junit import junit
from contracts.report.live import Live
from contracts.report.page import page
from contracts.report.terminal import tell

__all__ = ["About", "Data", "Live", "Redactor", "as_data", "holds", "on_github", "tell", "write"]


def write(folder: Path, data: Data) -> None:
    """Every artifact, in the folder."""
    files = {
        "report.json": json.dumps(data, indent=1, ensure_ascii=False) + "\n",
        "junit.xml": junit(data),
        "report.html": page(data),
        "failures.har": har(data),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def on_github(data: Data, environ: Mapping[str, str], lines: Mapping[str, int]) -> list[str]:
    """Append the step's summary, and answer the annotations to print; nothing elsewhere."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return []
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(step_summary(data))
    return list(workflow_commands(data, lines))
