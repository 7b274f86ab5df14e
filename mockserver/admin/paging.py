"""What the handlers of the control API have in common: what they get, and how they page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mockserver.http import calls
from mockserver.http.problems import BadCursor
from mockserver.sandbox.sandbox import Record
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.state_document.state_file import States
from mockserver.store.collection import cursor, position_of

Call: TypeAlias = calls.Call[None]


class Mock(NamedTuple):
    """All that the control API controls; every handler gets the call, the sandbox of the call, and this."""

    sandboxes: Sandboxes
    states: States
    documents: Mapping[str, Mapping[str, Any]]
    """The vendor's document and that of the control API, by the names under which they are served."""
    served: Mapping[str, str]
    """Title, version and sha256 of the vendor's document."""


def after(call: Call) -> str:
    """The name behind which the page begins; 422 for a cursor that this list did not give out."""
    text = call.query["cursor"]
    position = ("",) if text is None else position_of(text, call.operation, shape=(str,))
    if position is None:
        raise BadCursor
    return str(position[0])


def rest(call: Call, key: str, shown: Sequence[Record], has_more: bool) -> Record:
    """What a page says about the one behind it; `key` is the field that the list is ordered by."""
    last = cursor((shown[-1][key],), call.operation) if has_more else None
    return {"has_more": has_more, "next_cursor": last}
