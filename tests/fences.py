"""Fenced blocks of a Markdown file, and how to run one of them against a mock."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.running import ROOT

URL_SHOWN = "http://127.0.0.1:4010"
_FENCE = re.compile(r"```(\w+)(?: (.+))?")


class Block(NamedTuple):
    """One fenced block, or a heading (kind `#`)."""

    kind: str
    label: str
    """What stands behind the language: a status line, or a file's name."""
    text: str
    where: str
    """file:line, for messages."""


def blocks(path: Path) -> Iterator[Block]:
    """The file's fenced blocks and headings, in order."""
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        where = f"{path.relative_to(ROOT)}:{number}"
        if line.startswith("```"):
            opening = _FENCE.fullmatch(line)
            assert opening is not None, f"{where}: say what is in the block, as in ```sh"
            inside = []
            for _, inner in lines:
                if inner == "```":
                    break
                inside.append(inner)
            yield Block(opening[1], opening[2] or "", "\n".join(inside), where)
        elif line.startswith("#"):
            yield Block("#", "", line.lstrip("# "), where)


def outside(path: Path) -> str:
    """The file's text without its fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", path.read_text(encoding="utf-8"))


def program(block: Block, url: str) -> list[str] | None:
    """The command that runs a block against the mock at `url`; None if it is in no language of ours.

    JavaScript is run with `apiKey` defined and `data` printed, the rest as it stands.
    What has a file's name is not run.
    """
    text = block.text.replace(URL_SHOWN, url)
    if block.kind == "sh":
        return ["bash", "-eu", "-c", text]
    if block.kind == "python" and not block.label:
        return [sys.executable, "-c", text]
    if block.kind == "javascript" and not block.label:
        node = shutil.which("node") or "node"
        before, after = "const apiKey = process.env.FREDDY_API_KEY;", "console.log(JSON.stringify(data));"
        return [node, "--input-type=module", "-e", f"{before}\n{text}\n{after}"]
    return None


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in `folder`, with the owner's key and with `mockserver` on its path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(folder), "FREDDY_API_KEY": "ak_demo_owner", "NO_PROXY": "*"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
