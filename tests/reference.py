"""Generated parts of the docs: `python -m tests.reference` writes them.

The pages of the commands are generated whole, and so is the mock's list of the ids of assumptions. On other
pages, what stands between two markers is generated; the first marker names it: the table of imports, the
assumptions, the number of claims, the index of the control API, the input of an operation (admin.yaml), or
the fields of a schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import yaml

from contracts.checks.evidence import assumptions
from contracts.cli import main as contracts
from mockserver.commands.cli import main as mockserver
from tests.calibration_table import HEAD, switch_rows
from tests.evidence_page import assumption_table, counts, effects_page, evidence_page
from tests.running import ROOT
from tests.test_imports import MAY_IMPORT

DOCS = ROOT / "docs"
COMMANDS = {
    DOCS / "commands.md": ("mockserver", mockserver, "Commands and flags of mockserver"),
    DOCS / "commands-remote.md": (
        "mockserver",
        mockserver,
        "Commands for a running mock, and for what one has kept",
    ),
    DOCS / "commands-proxy.md": ("mockserver", mockserver, "Commands in front of a deployment"),
    DOCS / "commands-contracts.md": ("contracts", contracts, "Commands and flags of contracts"),
}
ADMIN = ROOT / "mockserver/admin/admin.yaml"
MARKED = re.compile(
    r"(?P<begin><!-- made by: python -m tests\.reference, (?P<what>\w+) -->\n).*?(?P<end><!-- end -->\n)",
    re.DOTALL,
)
SAME_FIELDS = {"changeFault": "addFault"}
"""Operations whose body has the fields of another operation on the same page."""
Row = tuple[str, str, str]


@cache
def admin() -> Any:
    """The document of the control API."""
    return yaml.safe_load(ADMIN.read_text("utf-8"))


def operations() -> dict[str, tuple[str, Any]]:
    """Title (`GET /__admin/clock`) and node of each operation of the control API, by operationId."""
    return {
        node["operationId"]: (f"{method.upper()} {path}", node)
        for path, item in admin()["paths"].items()
        for method, node in item.items()
    }


def pages() -> list[Path]:
    """Pages with generated parts."""
    return [path for path in sorted(DOCS.glob("*.md")) if MARKED.search(path.read_text("utf-8"))]


@cache
def places() -> dict[str, str]:
    """The page that has the generated part of each name."""
    return {
        match["what"]: path.name for path in pages() for match in MARKED.finditer(path.read_text("utf-8"))
    }


def page(path: Path) -> str:
    """A page with its generated parts as they should be."""

    def part(match: re.Match[str]) -> str:
        return "\n".join([match["begin"], *_part(match["what"], path.name), "", match["end"]])

    return MARKED.sub(part, path.read_text("utf-8"))


def _part(what: str, here: str) -> Iterator[str]:
    if what == "imports":
        rows = [(f"`{part}`", ", ".join(f"`{name}`" for name in names)) for part, names in MAY_IMPORT.items()]
        yield from _table(("part", "may import"), rows)
    elif what == "assumptions":
        yield from assumption_table()
    elif what == "switches":
        yield from _table(HEAD, list(switch_rows()))
    elif what == "claims":
        yield from counts()
    elif what == "index":
        yield from _table(("call", "summary"), list(_index()))
    elif what in operations():
        yield from _table(("name", "in", "type", "description"), list(inputs(what, here)))
    else:
        yield from _fields_of_each_form(admin()["components"]["schemas"][what], here)


def _index() -> Iterator[tuple[str, str]]:
    headings = {
        line.lstrip("# "): path.name
        for path in sorted(DOCS.glob("*.md"))
        for line in path.read_text("utf-8").splitlines()
        if re.match(r"#+ [A-Z]+ /__admin", line)
    }
    for title, node in operations().values():
        yield f"[`{title}`]({headings[title]}#{anchor(title)})", node["summary"]


def anchor(heading: str) -> str:
    """The fragment by which a heading is linked."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def inputs(operation: str, here: str) -> Iterator[tuple[str, str, str, str]]:
    """A row for each parameter and each field of the body; those of the path are in the title."""
    _, node = operations()[operation]
    for reference in node.get("parameters", ()):
        parameter = _resolved(reference)
        if parameter["in"] == "path":
            continue
        kind = _type(parameter["schema"], here) + (", required" if parameter.get("required") else "")
        yield f"`{parameter['name']}`", parameter["in"], kind, parameter.get("description", "")
    for media in _resolved(node.get("requestBody", {})).get("content", {}).values():
        schema = _resolved(media["schema"])
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        if operation in SAME_FIELDS:
            title, other = operations()[SAME_FIELDS[operation]]
            body = _resolved(other["requestBody"]["content"]["application/json"]["schema"])
            omitted = body["properties"].keys() - schema["properties"].keys()
            assert schema["properties"].keys() <= body["properties"].keys()
            without = ", ".join(f"`{name}`" for name in sorted(omitted))
            yield "", "body", "object", f"The fields of [`{title}`](#{anchor(title)}), without {without}."
        elif name in places() or "properties" not in schema:
            about = "" if name in places() else schema.get("description", "")
            yield "", "body", _type(media["schema"], here), about
        else:
            for field, kind, about in _fields(schema, here):
                yield field, "body", kind, about


def commands(path: Path) -> str:
    """The --help of each command of a page: of a running mock or what it kept, of a proxy, or the others."""
    name, group, title = COMMANDS[path]
    lines = [f"# {title}", "", "The output of `--help`, written by `python -m tests.reference`."]
    lines += _help(name, group, None, path.stem.removeprefix("commands").removeprefix("-contracts"))
    return "\n".join(lines) + "\n"


def _help(name: str, command: click.Command, parent: click.Context | None, page: str) -> Iterator[str]:
    names = command.context_settings.get("help_option_names")
    context = click.Context(
        command, parent, name, max_content_width=120, terminal_width=120, help_option_names=names
    )
    has_sandbox = any(option.name == "sandbox" for option in command.params)
    is_remote = has_sandbox or " persisted" in context.command_path
    is_proxy = context.command_path.startswith(("mockserver proxy", "mockserver record"))
    if page == ("-proxy" if is_proxy else "-remote" if is_remote else ""):
        text = [line.rstrip() for line in command.get_help(context).splitlines()]
        yield from ["", f"## {context.command_path}", "", "```text", *text, "```"]
    if isinstance(command, click.Group):
        for inner, each in sorted(command.commands.items()):
            yield from _help(inner, each, context, page)


def _fields_of_each_form(schema: Mapping[str, Any], here: str) -> Iterator[str]:
    """A description of a schema, and a table of the fields of each of its forms."""
    if "description" in schema:
        yield from [_line(schema["description"]), ""]
    forms = [_resolved(form) for form in schema.get("anyOf", schema.get("oneOf", [schema]))]
    for number, form in enumerate(forms):
        yield from ["", "or", ""] if number else []
        if rows := list(_fields(form, here)):
            yield from _table(("field", "type", "description"), rows)
        else:
            yield _type(form, here)


def _fields(schema: Any, here: str, within: str = "") -> Iterator[Row]:
    """A row for each field of an object, and of the objects in it."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        kind = _type(field, here)
        about = field.get("description", "")
        if about == "" and not kind.startswith("["):  # a linked schema has its own description
            about = _resolved(field).get("description", "")
        yield f"`{within}{name}`", kind + (", required" if name in required else ""), about
        if "properties" in field:
            yield from _fields(field, here, f"{within}{name}.")


def _resolved(node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        reference, node = node["$ref"], admin()
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    return node


def _type(node: Any, here: str) -> str:
    """A schema in a few words; one with a name and fields is a link to its table, which some page has."""
    schema = _resolved(node)
    forms = schema.get("anyOf", schema.get("oneOf"))
    if "$ref" in node and ("properties" in schema or forms):
        name = node["$ref"].rsplit("/", 1)[1]
        place = places()[name]
        return f"[{name}]({'' if place == here else place}#{name.lower()})"
    if "enum" in schema:
        text = ", ".join(f"`{_json(value)}`" for value in schema["enum"])
    elif "const" in schema:
        text = f"`{_json(schema['const'])}`"
    elif forms:
        text = " or ".join(_type(form, here) for form in forms)
    else:
        kind = schema.get("type", "any JSON")
        text = " or ".join(kind if isinstance(kind, list) else [kind])
    if "items" in schema:
        text = text.replace("array", f"list of {_type(schema['items'], here)}", 1)
    if isinstance(schema.get("additionalProperties"), dict):
        text += f" of {_type(schema['additionalProperties'], here)} by name"
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


GENERATED: tuple[tuple[Path, Callable[[], str]], ...] = (
    (ROOT / "mockserver/profile/assumptions.txt", lambda: "\n".join(assumptions()) + "\n"),
    (DOCS / "evidence.md", evidence_page),
    (DOCS / "effects.md", effects_page),
    *((path, partial(commands, path)) for path in COMMANDS),
    *((path, partial(page, path)) for path in pages()),
)

if __name__ == "__main__":
    for path, text in GENERATED:
        path.write_text(text(), "utf-8")
