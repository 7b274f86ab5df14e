"""Writes the pages of the docs that are made from code: `python -m tests.reference`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from contracts.cli import main as contracts
from mockserver.commands.cli import main as mockserver
from tests.running import ROOT
from tests.test_imports import MAY_IMPORT

ARCHITECTURE = ROOT / "docs/architecture.md"
COMMANDS = ROOT / "docs/commands.md"
CONTROL = ROOT / "docs/control-reference.md"
ADMIN = ROOT / "mockserver/admin/admin.yaml"
BEGIN, END = "<!-- made by: python -m tests.reference -->", "<!-- end -->"
"""What is between these lines of a page is made."""
Row = tuple[str, str, str]


def commands() -> str:
    """every command as its --help shows it."""
    lines = [
        "# Every command and flag",
        "",
        "As `--help` shows them. Made from the commands themselves: `python -m tests.reference`.",
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


def architecture() -> str:
    """The page as it is, with the table of imports as the test that holds it has it."""
    before, _, rest = ARCHITECTURE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    rows = [(f"`{part}`", ", ".join(f"`{name}`" for name in names)) for part, names in MAY_IMPORT.items()]
    return before + "\n".join([BEGIN, "", *_table(("part", "may import"), rows), "", END]) + after


def control() -> str:
    """Every operation of the control API, from its own document."""
    document: Any = yaml.safe_load(ADMIN.read_text("utf-8"))
    lines = [
        "# Every call of the control API",
        "",
        "Made from [admin.yaml](../mockserver/admin/admin.yaml): `python -m tests.reference`. In words, with",
        "examples: [control-api.md](control-api.md). To read and try: `/__admin/docs` of a running mock.",
    ]
    shapes: dict[str, Any] = {}
    for path, item in document["paths"].items():
        for method, node in item.items():
            lines += _operation(document, f"{method.upper()} {path}", node, shapes)
    shapes_text: dict[str, list[str]] = {}
    while later := shapes.keys() - shapes_text.keys():  # one may name further ones
        shapes_text |= {name: list(_shape(document, shapes[name], shapes)) for name in later}
    lines += ["", "## Shapes", "", "What the tables above name."]
    for name in sorted(shapes_text):
        lines += ["", f"### {name}", "", *shapes_text[name]]
    return "\n".join(lines) + "\n"


def _operation(document: Any, title: str, node: Mapping[str, Any], shapes: dict[str, Any]) -> Iterator[str]:
    described = [node["description"]] if "description" in node else []
    yield from ["", f"## {title}", "", f"`{node['operationId']}`: {node['summary']}"]
    yield from (line for text in described for line in ("", _line(text)))
    rows = []
    for given in node.get("parameters", ()):
        parameter = _resolved(document, given)
        kind = _type(document, parameter["schema"], shapes)
        kind += ", required" if parameter.get("required") else ""
        rows.append((f"`{parameter['name']}`", parameter["in"], kind, parameter.get("description", "")))
    content = _resolved(document, node.get("requestBody", {})).get("content", {})
    for media in content.values():
        schema = _resolved(document, media["schema"])
        if "properties" in schema:
            rows += [(name, "body", kind, about) for name, kind, about in _fields(document, schema, shapes)]
        else:
            kind = _type(document, media["schema"], shapes)
            rows.append(("", "body", kind, schema.get("description", "")))
    if rows:
        yield from ["", *_table(("", "in", "type", ""), rows)]
    answers = (
        f"{status} {_resolved(document, answer)['description']}"
        for status, answer in node["responses"].items()
    )
    yield from ["", *(f"- {_line(answer)}" for answer in answers)]


def _shape(document: Any, schema: Mapping[str, Any], shapes: dict[str, Any]) -> Iterator[str]:
    """A schema with a name: what it is for, and its fields, of each of its forms."""
    if "description" in schema:
        yield from [_line(schema["description"]), ""]
    forms = [_resolved(document, form) for form in schema.get("anyOf", schema.get("oneOf", [schema]))]
    for number, form in enumerate(forms):
        yield from ["", "or", ""] if number else []
        if rows := list(_fields(document, form, shapes)):
            yield from _table(("field", "type", ""), rows)
        else:
            yield _type(document, form, shapes)


def _fields(document: Any, schema: Any, shapes: dict[str, Any], within: str = "") -> Iterator[Row]:
    """A row for each field of an object; of an object in it, too."""
    needed = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        kind = _type(document, field, shapes)
        about = field.get("description", "")
        if about == "" and not kind.startswith("["):  # what is linked tells it itself
            about = _resolved(document, field).get("description", "")
        yield f"`{within}{name}`", kind + (", required" if name in needed else ""), about
        if "properties" in field:
            yield from _fields(document, field, shapes, f"{within}{name}.")


def _resolved(document: Any, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        reference, node = node["$ref"], document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    return node


def _type(document: Any, node: Any, shapes: dict[str, Any]) -> str:
    """A schema in a few words; one with a name and fields is a link to its description."""
    schema = _resolved(document, node)
    forms = schema.get("anyOf", schema.get("oneOf"))
    if "$ref" in node and ("properties" in schema or forms):
        name = node["$ref"].rsplit("/", 1)[1]
        shapes[name] = schema
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        text = ", ".join(f"`{_json(value)}`" for value in schema["enum"])
    elif "const" in schema:
        text = f"`{_json(schema['const'])}`"
    elif forms:
        text = " or ".join(_type(document, form, shapes) for form in forms)
    else:
        kind = schema.get("type", "any JSON")
        text = " or ".join(kind if isinstance(kind, list) else [kind])
    if "items" in schema:
        text = text.replace("array", f"list of {_type(document, schema['items'], shapes)}", 1)
    if isinstance(schema.get("additionalProperties"), dict):
        text += f" of {_type(document, schema['additionalProperties'], shapes)} by name"
    if schema.get("format") == "date-time":
        text = text.replace("string", "instant", 1)
    return ", ".join([text, *_bounds(schema)])


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None:
        yield f"{least} to {most}" if most is not None else f"{least} or more"
    if "exclusiveMinimum" in schema:
        yield f"above {schema['exclusiveMinimum']}" + (f", at most {most}" if most is not None else "")
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
    if "default" in schema:
        yield f"default `{_json(schema['default'])}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {' | '.join(_line(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _line(text: str) -> str:
    return " ".join(text.split())


PAGES: tuple[tuple[Path, Any], ...] = (
    (ARCHITECTURE, architecture),
    (COMMANDS, commands),
    (CONTROL, control),
)

if __name__ == "__main__":
    for page, made in PAGES:
        page.write_text(made(), "utf-8")
