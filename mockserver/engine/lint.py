"""What is refused at start: a spec that the engine would only half heed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mockserver.documents import Document
from mockserver.engine.keywords import unknown_keywords
from mockserver.engine.references import Pointer, find, holding, references, resolved
from mockserver.engine.schemas import Schema

if TYPE_CHECKING:
    from mockserver.engine.spec import Operation


def refuse_what_is_not_understood(file: Document) -> None:
    """Not OpenAPI 3.1, an unknown keyword, a $ref that leads nowhere."""
    document = file.content
    if not isinstance(document, Mapping) or "openapi" not in document:
        raise file.error((), "not an OpenAPI document: 'openapi' is missing at the top")
    if not str(document["openapi"]).startswith("3.1."):
        raise file.error(("openapi",), "only OpenAPI 3.1 is understood")
    for section, key in (("info", "title"), ("info", "version")):
        if key not in (document.get(section) or {}):
            raise file.error((section,), f"{section}.{key} is missing")
    if not document.get("paths"):
        raise file.error(("paths",), "there are no paths")
    for pointer, reason in unknown_keywords(document):
        raise file.error(pointer, reason)
    for pointer, ref in references(document):
        if find(document, ref) is None:
            raise file.error(pointer, f"$ref {ref!r} leads nowhere; only '#/components/…' is understood")


def refuse_bad_links(file: Document, operations: Mapping[str, Operation]) -> None:
    """A link to no operation, or with a parameter that its operation does not have."""
    for pointer, node in holding(file.content, "links"):
        for name, outer in node["links"].items():
            at = (*pointer, "links", name)
            link = resolved(file.content, outer)
            target = operations.get(link.get("operationId"))
            if target is None:
                raise file.error(at, "its operationId is no operation here")
            known = {p.name for p in target.path} | set(target.query)
            if strange := sorted(set(link.get("parameters", {})) - known):
                raise file.error(at, f"{target.id} has no parameter {strange[0]!r}")


def refuse_bad_examples(file: Document, compiled: Callable[[Any, Pointer], Schema]) -> None:
    """An example that its own schema forbids."""
    for pointer, node in holding(file.content, "schema"):
        named = {n: resolved(file.content, e)["value"] for n, e in node.get("examples", {}).items()}
        if "example" in node:
            named["example"] = node["example"]
        for name, value in named.items():
            wrong, message = compiled(node["schema"], pointer).first_error(value)
            if message:
                raise file.error(pointer, f"example {name!r} at {wrong or '/'}: {message}")
