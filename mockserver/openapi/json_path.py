"""JSONPath (RFC 9535) by a library that is imported at its first use, and what a wrong one may mean."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mockserver.openapi.references import Pointer

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

_MENDS = (
    (re.compile(r"^(?!\$)\.?"), "$."),
    (re.compile(r"\.(/[^.\[\]]*)"), r"['\1']"),
    (re.compile(r"\.([A-Za-z_]\w*(?:-\w+)+)"), r"['\1']"),
    (re.compile(r"\.(\d+)"), r"[\1]"),
)
"""Frequent mistakes in a JSONPath, and what was meant."""


def compiled(path: str) -> tuple[JSONPathQuery | None, str]:
    """Query of a JSONPath, or the reason why it is none."""
    import jsonpath_rfc9535  # takes longer to import than a document to read

    try:
        return jsonpath_rfc9535.compile(path), ""
    except jsonpath_rfc9535.JSONPathError as error:
        return None, str(error).split(", line ")[0]


def missing(query: JSONPathQuery, content: Any) -> str:
    """First part of a query that selects nothing, and the name that may be meant."""

    def start(count: int) -> JSONPathQuery:
        return type(query)(env=query.env, segments=query.segments[:count])

    count = next(n for n in range(len(query.segments)) if not start(n + 1).find(content))
    parents = [node.value for node in start(count).find(content)]
    names = {name for value in parents if isinstance(value, dict) for name in value}
    segment = query.segments[count]
    wanted = [str(each.name) for each in segment.selectors if hasattr(each, "name")]
    near = get_close_matches(wanted[0], names, 1) if wanted else []
    return f": {start(count)} has no {segment}" + (f"; is {near[0]!r} meant?" if near else "")


def value_at(content: Any, at: Pointer) -> Any:
    """Value at a place that is there."""
    for step in at:
        content = content[step]
    return content


def address(at: Pointer) -> str:
    """Normalized JSONPath of a place, which a target can be."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{_quoted(step)}']" for step in at)


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def mend(path: str) -> str:
    """JSONPath that may be meant by a wrong one; empty if none is known."""
    mended = path
    for mistake, meant in _MENDS:
        mended = mistake.sub(meant, mended)
    return mended if compiled(mended)[0] is not None else ""
