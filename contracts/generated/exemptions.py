"""Requests that the document allows and that only the target's state can tell to be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.generated.response_checks import shown_ids
from contracts.http.exchange import Answer
from contracts.safety.ledger import Ledger

ACCEPT = "positive_data_acceptance"
_ACCESS = ("access_departments", "editable_by_roles", "visible_to_roles")
_ANCHORS = ("after", "before")

EXCUSED: dict[str, tuple[str, tuple[str, ...]]] = {
    # A cursor is opaque: no schema can say which texts the server gave out (A06).
    "listSpaces": ("query", ("cursor",)),
    "listSpaceThreads": ("query", ("cursor",)),
    # An anchor is the id of one of the caller's threads, or of the thread's messages (A32).
    "listThreads": ("query", _ANCHORS),
    "listThreadMessages": ("query", _ANCHORS),
    # Departments and roles must exist in the organization (A32); the run invents them.
    "createSpace": ("body", _ACCESS),
    "updateSpace": ("body", _ACCESS),
    "createVectorStore": ("body", ("access_departments",)),
    "updateVectorStore": ("body", ("access_departments",)),
    # A space's own store can't be attached to a space (A32); it is known from the space that shows it.
    "addVectorStoreToSpace": ("path", ("vector_store_id",)),
    # Metadata is merged with what is there, and the sum may have 16 pairs (A32).
    "updateThread": ("body", ("metadata",)),
    "updateThreadMessage": ("body", ("metadata",)),
}
"""By operation: where, and which parameters. What the target gave out itself is never excused."""


class Excuses:
    """Knows what the target gave out."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._given_out: set[str] = set()

    def watch(self, answer: Answer) -> None:
        """Remember the cursors and ids of an answer."""
        body = answer.body
        if answer.status not in (200, 201) or not isinstance(body, dict):
            return
        path = answer.request.path.partition("?")[0]
        self._given_out.update(f"{path} {given}" for given in (body.get("next_cursor"), *shown_ids(body)))

    def excuse(self, case: Any, checks: tuple[str, ...], answer: Answer | None) -> bool:
        """Whether everything that the answer complains of is excused."""
        operation = case.operation.definition.raw.get("operationId")
        if answer is None or answer.status not in (400, 422) or ACCEPT not in checks:
            return False
        if operation not in EXCUSED:
            return False
        place, names = EXCUSED[operation]
        sent = {"query": case.query, "path": case.path_parameters, "body": case.body}[place] or {}
        if not hasattr(sent, "get"):
            return False
        path = answer.request.path.partition("?")[0]
        guilty = {n for n in names if sent.get(n) and not self._good(place, path, sent[n])}
        return bool(guilty) and set(_told(answer)) <= guilty

    def _good(self, place: str, path: str, value: Any) -> bool:
        """Whether a value can't be what is wrong."""
        if place == "path":
            return any(made.id == value for made in self._ledger.left())
        return place == "query" and f"{path} {value}" in self._given_out


def _told(answer: Answer) -> Iterator[str]:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    fields = details.get("fields") if isinstance(details, dict) else None
    for field in fields if isinstance(fields, list) else []:
        if isinstance(field, dict):
            yield str(field.get("name", "")).partition(".")[0]
