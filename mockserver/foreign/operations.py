"""Operations of a foreign document, and where their paths collide with others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.foreign.document import ForeignDocument
from mockserver.openapi.operation import Operation, Parameter
from mockserver.openapi.schemas import Schema

_ANY = Schema({}, {})
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class ForeignOperation(Operation):
    """Operation whose parameters, bodies and answers are read when they are needed."""

    node: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[Mapping[str, Any], ...] = ()
    security: tuple[Mapping[str, Any], ...] = ()
    """Alternatives; each asks for a credential of every scheme that it names."""
    steps: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Steps of the path that are a variable in part, or several."""
    item: Mapping[str, Any] = field(default_factory=dict)
    """The path item."""


def operations_of(document: ForeignDocument, counts: dict[str, int]) -> dict[str, ForeignOperation]:
    """Operations by `NAME:operationId`, or `NAME:GET /path` without one; what can't be served is counted."""
    found: dict[str, ForeignOperation] = {}
    shapes: set[tuple[str, tuple[str, ...]]] = set()
    for path, method, item, node in document.operations():
        own = node.get("operationId")
        id_ = f"{document.name}:{own}" if isinstance(own, str) else ""
        if not id_ or id_ in found:
            id_ = f"{document.name}:{method.upper()} {path}"
        operation = _operation(document, id_, path, method, item, node)
        shape = (operation.method, shape_of(operation.template))
        if shape in shapes:
            counts["path of the same form as another: not served"] = (
                counts.get("path of the same form as another: not served", 0) + 1
            )
            continue
        shapes.add(shape)
        found[id_] = operation
    return found


def _operation(
    document: ForeignDocument,
    id_: str,
    path: str,
    method: str,
    item: Mapping[str, Any],
    node: Mapping[str, Any],
) -> ForeignOperation:
    named: dict[tuple[Any, Any], Mapping[str, Any]] = {}
    for outer in (*item.get("parameters", ()), *node.get("parameters", ())):
        each = document.resolved(outer)
        named[each.get("in"), each.get("name")] = each
    parameters = tuple(each for each in named.values() if isinstance(each.get("name"), str))
    template, names, steps = _template(document.prefix + path)
    headers = {str(each["name"]) for each in parameters if each.get("in") == "header"} | {"Accept", "Prefer"}
    headers |= {"Cookie"} if any(each.get("in") == "cookie" for each in parameters) else set()
    content = document.resolved(node.get("requestBody")).get("content") or {}
    security = node.get("security", document.content.get("security")) or ()
    return ForeignOperation(
        id=id_,
        method=method.upper(),
        template=template,
        path=tuple(Parameter(name, "path", "string", True, None, _ANY) for name in names),
        query={},
        body=None,
        responses={},
        headers={name: Parameter(name, "header", "string", False, None, _ANY) for name in sorted(headers)},
        carries_files=any(not _is_small(str(each)) for each in content),
        kept="read",
        node=node,
        parameters=parameters,
        security=tuple(each for each in security if isinstance(each, dict)),
        steps=steps,
        item=item,
    )


def _is_small(media_type: str) -> bool:
    return "json" in media_type or media_type.startswith("text/") or media_type == FORM


def _template(path: str) -> tuple[str, list[str], dict[str, re.Pattern[str]]]:
    """Template whose variables are whole steps, their names, and how to read those that were not whole."""
    made: list[str] = []
    names: list[str] = []
    patterns: dict[str, re.Pattern[str]] = {}
    for step in path.split("/"):
        variables = _VARIABLE.findall(step)
        if not variables:
            made.append(step)
            continue
        name = step[1:-1] if step == f"{{{variables[0]}}}" else step
        if name == step:
            texts = [re.escape(text) for text in _VARIABLE.sub("\0", step).split("\0")]
            patterns[step] = re.compile("(.+?)".join(texts), re.DOTALL)
        names.append(name)
        made.append(f"{{{name}}}")
    return "/".join(made), names, patterns


def shape_of(template: str) -> tuple[str, ...]:
    """The template with all variables alike."""
    return tuple("{}" if step.startswith("{") else step for step in template.split("/"))


def collision(mine: Iterable[str], others: Iterable[str]) -> tuple[str, str] | None:
    """Two templates, one of each, that a path can fit."""
    by_length: dict[int, list[str]] = {}
    for other in dict.fromkeys(others):
        by_length.setdefault(other.count("/"), []).append(other)
    for template in mine:
        steps = shape_of(template)
        for other in by_length.get(template.count("/"), ()):
            pairs = zip(steps, shape_of(other), strict=True)
            if all(one == two or "{}" in (one, two) for one, two in pairs):
                return template, other
    return None


def successes(operation: ForeignOperation) -> Iterator[tuple[int, str]]:
    """Documented statuses with their keys: those of success first, then redirects, then all others."""
    keys = sorted(map(str, operation.node.get("responses") or {}))
    if not keys:
        yield 204, ""
    for key in keys:
        if (key[:1] == "2" and key[1:].upper() in ("XX",)) or (key.isdigit() and 200 <= int(key) < 300):
            yield (200 if not key.isdigit() else int(key)), key
    if "default" in keys and not any(key[:1] in "23" for key in keys):
        yield 200, "default"
    for key in sorted(keys, key=lambda each: not each.startswith("3")):
        if key.isdigit() and 300 <= int(key) < 600:
            yield int(key), key


def described(operation: ForeignOperation, status: int) -> str | None:
    """Key under which a status is described; None if it is not."""
    responses = operation.node.get("responses") or {}
    for key in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
        if key in responses:
            return key
    return None
