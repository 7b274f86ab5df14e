"""Context and paging shared by the control API's handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

from mockserver.http import calls
from mockserver.http.problems import BadCursor
from mockserver.sandbox.sandbox import Record
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.state_document.state_file import StateDocuments
from mockserver.store.collection import cursor, decode_cursor, page

Call: TypeAlias = calls.Call[None]
T = TypeVar("T")


class ControlContext(NamedTuple):
    """What the control API controls; passed to every handler after the call and its sandbox."""

    sandboxes: Sandboxes
    states: StateDocuments
    documents: Mapping[str, Mapping[str, Any]]
    """OpenAPI documents by file name."""
    served: Mapping[str, Any]
    """Title, version and SHA-256 of the vendor's document."""
    settings: Mapping[str, Any]
    """Settings as JSON values, without secrets."""
    about: Callable[[], Mapping[str, Any]] = dict
    """What health tells of a proxy, and of the documents of `--also`."""
    prefixes: Mapping[str, str] = {}
    """Path prefix of each document of `--also`."""


def named_page(call: Call, field: str, rows: Iterable[tuple[str, T]], body: Callable[[T], Record]) -> Record:
    """One page of rows that are sorted by name, as `field` of an answer; 422 for a bad cursor."""
    text, limit = call.query["cursor"], call.query["limit"]
    position = ("",) if text is None else decode_cursor(text, call.operation, shape=(str,))
    if position is None:
        raise BadCursor
    found, has_more = page((row for row in rows if row[0] > position[0]), limit)
    last = cursor(found[-1][:1], call.operation) if has_more else None
    return {field: [body(row) for _, row in found], "has_more": has_more, "next_cursor": last}
