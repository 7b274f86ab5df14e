"""Writes the pages of the docs that are made from code: `python -m tests.reference`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from contracts.cli import main as contracts
from mockserver.cli import main as mockserver
from tests.running import ROOT

COMMANDS = ROOT / "docs/commands.md"
CONTROL = ROOT / "docs/control-reference.md"
ADMIN = ROOT / "mockserver/admin/admin.yaml"


def commands() -> str:
    """Every command as its own --help tells it."""
    lines = [
        "# Every command and flag",
        "",
        "As `--help` tells them. Made from the commands themselves: `python -m tests.reference`.",
    ]
    for name, command in (("mockserver", mockserver), ("contracts", contracts)):
        lines += _command(name, command, None)
    return "\n".join(lines) + "\n"


def _command(name: str, command: click.Command, parent: click.Context | None) -> Iterator[str]:
    names = command.context_settings.get("help_option_names")
    context = click.Context(
        command, parent, name, max_content_width=100, terminal_width=100, help_option_names=names
    )
    yield from [
        "",
        f"## {context.command_path}",
        "",
        "```text",
        *(line.rstrip() for line in command.get_help(context).splitlines()),
        "```",
    ]
    if isinstance(command, click.Group):
        for inner, each in sorted(command.commands.items()):
            yield from _command(inner, each, context)


def control() -> str:
    """Every operation of the control API, from its own document."""
    document: Any = yaml.safe_load(ADMIN.read_text("utf-8"))
    lines = [
        "# Every call of the control API",
        "",
        "Made from [admin.yaml](../mockserver/admin/admin.yaml): `python -m tests.reference`. In words, with",
        "examples: [control-api.md](control-api.md). To read and try: `/__admin/docs` of a running mock.",
    ]
    for path, item in document["paths"].items():
        for method, node in item.items():
            lines += _operation(document, f"{method.upper()} {path}", node)
    return "\n".join(lines) + "\n"


def _operation(document: Any, title: str, node: Mapping[str, Any]) -> Iterator[str]:
    yield from ["", f"## {title}", "", f"`{node['operationId']}`: {node['summary']}"]
    parameters = [_resolved(document, p) for p in node.get("parameters", ())]
    rows = [
        (f"`{p['name']}`", p["in"], _type(document, p["schema"]), p.get("description", ""))
        for p in parameters
    ]
    content = _resolved(document, node.get("requestBody", {})).get("content", {})
    for media in content.values():
        schema = _resolved(document, media["schema"])
        needed = schema.get("required", ())
        for name, field in schema.get("properties", {}).items():
            about = _resolved(document, field).get("description", field.get("description", ""))
            kind = _type(document, field) + (", required" if name in needed else "")
            rows.append((f"`{name}`", "body", kind, about))
        if not schema.get("properties"):
            rows.append(("", "body", _type(document, media["schema"]), schema.get("description", "")))
    if rows:
        yield from ["", "| | in | type | |", "|---|---|---|---|"]
        yield from (f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows)
    answers = (
        f"{status} {_resolved(document, answer)['description']}"
        for status, answer in node["responses"].items()
    )
    yield from ["", *(f"- {_cell(answer)}" for answer in answers)]


def _resolved(document: Any, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        reference, node = node["$ref"], document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    return node


def _type(document: Any, node: Any) -> str:
    named = node["$ref"].rsplit("/", 1)[1] if "$ref" in node else ""
    schema = _resolved(document, node)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`".lower()
    kind = schema.get("type")
    text = " or ".join(kind) if isinstance(kind, list) else kind or named or "any of several"
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS if key in schema]
    return ", ".join([text, *bounds])


_BOUNDS = (("minimum", "from"), ("maximum", "to"), ("default", "default"))


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


PAGES: tuple[tuple[Path, Any], ...] = ((COMMANDS, commands), (CONTROL, control))

if __name__ == "__main__":
    for page, made in PAGES:
        page.write_text(made(), "utf-8")
