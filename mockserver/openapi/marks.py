"""Marks of evidence: `x-evidence` and `x-assumption`, each where something is claimed."""

from __future__ import annotations

import re
from typing import Any

from mockserver.openapi.keywords import DocumentNode, objects
from mockserver.openapi.references import Pointer
from mockserver.openapi.yaml_document import Document

EVIDENCE = ("documented", "published", "sdk", "observed", "assumed")
_SAY_NOTHING = ("description", "summary", "title", "example", "examples", "default", "deprecated")
"""Keywords below which nothing is claimed."""


def refuse_bad_marks(file: Document) -> None:
    """Refuse a mark with an unknown word, or below which nothing is claimed."""
    required: set[Pointer] = set()
    for found in objects(file.content):
        if not isinstance(found.node, dict):
            continue
        if found.kind == "schema":
            named = map(str, found.node.get("required", ()))
            required.update((*found.at, "properties", name) for name in named)
        is_marked = "x-evidence" in found.node or "x-assumption" in found.node
        if is_marked and (wrong := _wrong(found, is_required=found.at in required)):
            raise file.error(found.at, wrong)


def _wrong(found: DocumentNode, *, is_required: bool) -> str:
    node = found.node
    evidence = node.get("x-evidence", {})
    ids = node.get("x-assumption", [])
    if not isinstance(ids, list) or not all(re.fullmatch(r"A\d{2,}", str(id_)) for id_ in ids):
        return "x-assumption is a list of ids such as A01"
    words = evidence.values() if isinstance(evidence, dict) else [evidence]
    if strange := [str(word) for word in words if str(word) not in EVIDENCE]:
        return f"x-evidence {strange[0]!r} is none of {', '.join(EVIDENCE)}"
    if isinstance(evidence, dict):
        known = {*node} | ({"required"} if is_required else set())
        unclaimed = [keyword for keyword in evidence if keyword not in known]
        return f"x-evidence names {unclaimed[0]!r}, which is not claimed here" if unclaimed else ""
    return "" if _claims(node) or is_required else "x-evidence marks a place where nothing is claimed"


def _claims(node: dict[str, Any]) -> bool:
    return any(keyword not in _SAY_NOTHING and not keyword.startswith("x-") for keyword in node)
