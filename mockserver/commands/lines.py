"""Exchanges and events as lines: readable on a terminal, JSON in a pipe."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import click

_COLORS = {4: "yellow", 5: "red"}
"""Color of a status, by its first digit."""


def show(found: Mapping[str, Any]) -> None:
    """Print one exchange or event as a line."""
    if not sys.stdout.isatty():
        text = json.dumps(found, ensure_ascii=False)
    else:
        text = _exchange(found) if "status" in found else _change(found)
    click.echo(text)
    sys.stdout.flush()


def _time(found: Mapping[str, Any]) -> str:
    return str(found["wall"])[11:23]


def _exchange(found: Mapping[str, Any]) -> str:
    status = click.style(str(found["status"]), fg=_COLORS.get(found["status"] // 100, "green"))
    line = f"{_time(found)} {status} {found['method']:<6} {found['url']}"
    line += f"  {found['operation'] or 'no operation'} {found['sandbox']} {found['caller'] or '-'}"
    line += f" {found['milliseconds']:.1f} ms"
    if found["fault"]:
        line += f"  fault: {found['fault']}"
    if found["ended"] not in (None, "complete"):
        line += f"  ended: {found['ended']}"
    reason = found["reason"] if "reason" in found else found["why"][-1]
    return f"{line}  ({reason})" if found["status"] >= 300 else line


def _change(found: Mapping[str, Any]) -> str:
    if found["event"] == "dropped":
        return f"{'':12} {found['count']} events were dropped"
    line = f"{_time(found)} {found['event']} {found['sandbox'] or '-'}: {found['detail']}"
    return click.style(line, dim=True)


def scenario_text(content: Mapping[str, Any]) -> str:
    """Content of a scenario as YAML, a line for each record."""
    lines = []
    for name, rows in content.items():
        lines.append(f"{name}:" if rows else f"{name}: []")
        lines += [f"  - {_NO_YAML.sub(_escaped, json.dumps(row, ensure_ascii=False))}" for row in rows]
    return "\n".join(lines) + "\n"


_NO_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON may have as they are, and YAML not."""


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
