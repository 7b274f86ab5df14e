"""Claims of openapi.yaml: what each is founded on, read from the marks around it.

A mark is `x-evidence`, `x-assumption` or both, on the property, parameter, response or operation it concerns.
It holds for all that is written below it, unless a nearer mark says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jsonschema_rs

from contracts.checks.evidence import Evidence

Node = Mapping[str, Any]
FORM = ("pattern", "format", "enum", "const", "not", "minLength", "maxLength", "minItems", "maxItems")
"""Keywords about the form of a value: an assumption without evidence covers these alone."""
_CHOICES = ("anyOf", "oneOf")


class Basis(NamedTuple):
    """What a claim is founded on."""

    evidence: Evidence
    assumptions: tuple[str, ...] = ()

    @property
    def assumption(self) -> str | None:
        """Assumption of a claim that is only assumed."""
        return next(iter(self.assumptions), None) if self.evidence is Evidence.ASSUMED else None


def basis(nodes: Iterable[Node], keyword: str = "") -> Basis:
    """Basis of a keyword of the last of these nodes, outermost first; the nearest mark counts.

    `x-evidence` may name the keywords that it is about: `{maxLength: assumed}`.
    """
    evidence, ids = Evidence.ASSUMED, ()
    owners = [*nodes]
    for node in owners:
        mark, named = node.get("x-evidence"), tuple(node.get("x-assumption", ()))
        if isinstance(mark, Mapping):
            mark = mark.get(keyword) if node is owners[-1] else None
            named = named if mark else ()
        elif mark is None and named and keyword in FORM and "properties" not in node:
            mark = "assumed"
        if mark is not None:
            evidence, ids = Evidence[mark.upper()], named
        else:
            ids = (*named, *ids)
    return Basis(evidence, ids)


class SchemaViolation(NamedTuple):
    """One place where a value contradicts its schema."""

    pointer: str
    """JSON pointer into the value; list indexes are stars."""
    keyword: str
    message: str
    nodes: tuple[Node, ...]
    """Nodes around the failed keyword, outermost first; the last one has the keyword."""
    name: str = ""
    """The missing or unexpected property; empty for other violations."""

    @property
    def is_addition(self) -> bool:
        """Whether the value has a property that its schema does not have."""
        return self.keyword in ("additionalProperties", "unevaluatedProperties")


def resolved(node: Any, root: Node) -> Any:
    """Target of a `$ref`; any other node unchanged."""
    while isinstance(node, Mapping) and "$ref" in node:
        path, node = node["$ref"], root
        for part in path.removeprefix("#/").split("/"):
            node = node[part]
    return node


def violations(
    value: Any, schema: Node, root: Node, around: Sequence[Node] = ()
) -> Iterator[SchemaViolation]:
    """Violations of a schema whose `$ref`s lead into `root`; `around`: nodes outside of the schema."""
    whole = {**schema, "components": root["components"]}
    for error in jsonschema_rs.Draft202012Validator(whole, validate_formats=True).iter_errors(value):
        *path, keyword = error.evaluation_path
        nodes: list[Node] = [*around]
        node: Any = whole
        for part in (*path, None):
            if isinstance(node, Mapping):
                nodes.append(node)
            if part == "$ref":
                node = resolved(node, root)
            elif part is not None:
                node = node[part]
        pointer = "".join(f"/{'*' if isinstance(p, int) else p}" for p in error.instance_path)
        choices = node[keyword] if keyword in _CHOICES else ()
        forms = [form for form in choices if resolved(form, root).get("type") != "null"]
        if len(forms) == 1 and error.instance is not None:
            for inner in violations(error.instance, forms[0], root, nodes):
                yield inner._replace(pointer=pointer + inner.pointer)
            continue
        kind = error.kind.as_dict()
        name = str(kind.get("property") or next(iter(kind.get("unexpected") or ()), "")).strip('"')
        if keyword == "required":  # the claim is written on the property
            nodes.append(node.get("properties", {}).get(name, {}))
        yield SchemaViolation(pointer, str(keyword), error.message, tuple(nodes), name)


def additions(value: Any, schema: Any, root: Node, pointer: str = "") -> Iterator[str]:
    """JSON pointers of the fields that a closed schema does not have; list indexes are stars."""
    schema = resolved(schema, root)
    if isinstance(value, list):
        for item in value:
            yield from additions(item, schema.get("items", {}), root, f"{pointer}/*")
    if not isinstance(value, dict):
        return
    forms = [resolved(form, root) for key in (*_CHOICES, "allOf") for form in schema.get(key, ())]
    forms = [schema, *(form for form in forms if form.get("type") != "null")]
    known = {name: node for form in forms for name, node in form.get("properties", {}).items()}
    is_closed = any(form.get("additionalProperties") is False for form in forms)
    for name, inner in value.items():
        if name in known:
            yield from additions(inner, known[name], root, f"{pointer}/{name}")
        elif is_closed:
            yield f"{pointer}/{name}"
