"""Context and paging shared by the control API's handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mockserver.http import calls
from mockserver.http.problems import BadCursor
from mockserver.sandbox.sandbox import Record
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.state_document.state_file import StateDocuments
from mockserver.store.collection import cursor, decode_cursor

Call: TypeAlias = calls.Call[None]


class ControlContext(NamedTuple):
    """What the control API controls; passed to every handler after the call and its sandbox."""

    sandboxes: Sandboxes
    states: StateDocuments
    documents: Mapping[str, Mapping[str, Any]]
    """OpenAPI documents by file name."""
    served: Mapping[str, str]
    """Title, version and SHA-256 of the vendor's document."""


def after(call: Call) -> str:
    """Name after which the page begins; 422 for a bad cursor."""
    text = call.query["cursor"]
    position = ("",) if text is None else decode_cursor(text, call.operation, shape=(str,))
    if position is None:
        raise BadCursor
    return str(position[0])


def rest(call: Call, key: str, page: Sequence[Record], has_more: bool) -> Record:
    """Paging fields of an answer; `key` is the field that orders the list."""
    last = cursor((page[-1][key],), call.operation) if has_more else None
    return {"has_more": has_more, "next_cursor": last}
