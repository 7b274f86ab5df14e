"""Exemptions: rejections that are correct although the request matches the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.checks.spec import ORGANIZATION
from contracts.generated.response_checks import listed_ids
from contracts.http.exchange import ClientResponse
from contracts.safety.ledger import Ledger

ACCEPT, REJECT = "positive_data_acceptance", "negative_data_rejection"
_ACCESS = ("access_departments", "editable_by_roles", "visible_to_roles")
_ANCHORS = ("after", "before")

EXEMPT: dict[str, tuple[str, tuple[str, ...]]] = {
    # A cursor is opaque: no schema can say which texts the server gave out (A06).
    "listSpaces": ("query", ("cursor",)),
    "listSpaceThreads": ("query", ("cursor",)),
    # An anchor is the id of one of the caller's threads, or of the thread's messages (A32).
    "listThreads": ("query", _ANCHORS),
    "listThreadMessages": ("query", _ANCHORS),
    # Departments and roles must exist in the organization (A32); the run generates them.
    "createSpace": ("body", _ACCESS),
    "updateSpace": ("body", _ACCESS),
    "createVectorStore": ("body", ("access_departments",)),
    "updateVectorStore": ("body", ("access_departments",)),
    # A space's own store can't be attached to a space (A32); it is known from the space that shows it.
    "addVectorStoreToSpace": ("path", ("vector_store_id",)),
    # Which fields require or exclude each other is described in text only (A72, A79).
    "createResponse": (
        "body",
        ("edit_message_id", "previous_message_id", "reasoning", "tools"),
    ),
    # Metadata is merged with what is there, and the sum may have 16 pairs (A32).
    "updateThread": ("body", ("metadata",)),
    "updateThreadMessage": ("body", ("metadata",)),
}
"""Operation -> place and parameters whose validity depends on state."""


class Exemptions:
    """Decides on exemptions, knowing the values that the target returned."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._returned: set[str] = set()

    def note(self, answer: ClientResponse) -> None:
        """Record the cursors and ids of a response."""
        if answer.status not in (200, 201):
            return
        path = answer.request.path.partition("?")[0]
        values = (answer.fields.get("next_cursor"), *listed_ids(answer))
        self._returned.update(f"{path} {value}" for value in values if value is not None)

    def covers(self, case: Any, checks: tuple[str, ...], answer: ClientResponse | None) -> bool:
        """Whether every reported fault of a rejection is exempt, or what a missing organization changes."""
        operation = case.operation.definition.raw.get("operationId")
        if answer is not None and self._is_of_another_revision(case, checks, answer):
            return True
        if answer is None or answer.status not in (400, 422) or ACCEPT not in checks:
            return False
        if operation == "pinThread":  # how many threads the user has pinned is state (A78)
            return [*_reported_fields(answer)] == ["thread_id"]
        if operation not in EXEMPT:
            return False
        place, names = EXEMPT[operation]
        sent = {"query": case.query, "path": case.path_parameters, "body": case.body}[place] or {}
        if not hasattr(sent, "get"):
            return False
        path = answer.request.path.partition("?")[0]
        exempt = {n for n in names if sent.get(n) and not self._is_valid(place, path, sent[n])}
        return bool(exempt) and set(_reported_fields(answer)) <= exempt

    def _is_of_another_revision(self, case: Any, checks: tuple[str, ...], answer: ClientResponse) -> bool:
        """Whether the organization is required, or not: a check of its own reports each operation."""
        if "{space_id}" not in case.operation.path:
            return False
        if ACCEPT in checks:
            return answer.status in (400, 422) and [*_reported_fields(answer)] == [ORGANIZATION]
        return REJECT in checks and answer.status < 300 and ORGANIZATION not in (case.query or {})

    def _is_valid(self, place: str, path: str, value: Any) -> bool:
        """Whether the value is known to be valid."""
        if place == "path":
            return any(resource.id == value for resource in self._ledger.left())
        return place == "query" and f"{path} {value}" in self._returned


def _reported_fields(answer: ClientResponse) -> Iterator[str]:
    details = answer.error.get("details")
    fields = details.get("fields") if isinstance(details, dict) else None
    for field in fields if isinstance(fields, list) else []:
        if isinstance(field, dict):
            yield str(field.get("name", "")).partition(".")[0]
