"""Which revision of the vendor's API a target speaks, and how requests are addressed by it."""

from __future__ import annotations

from collections.abc import Callable

from contracts.checks.errors import Unanswered
from contracts.checks.spec import ORGANIZATION, document, of_revision
from contracts.http.documents import revisions
from contracts.http.exchange import ClientRequest
from contracts.http.transport import Transport

UNKNOWN_SPACE = "/v1/spaces/space_contracts_revision"
"""Space that no target has: where its organization is not required, it is not found."""


def spoken_revision(transport: Transport, key: str) -> str | None:
    """Revision that the target speaks, as it answers a GET without `organization_id`; None if unknown.

    Writes nothing; a fresh mock is not asked.
    """
    if transport.fresh:
        return None
    try:
        answer = transport.send(ClientRequest("GET", UNKNOWN_SPACE, "owner"), key)
    except Unanswered:
        return None
    older, *_, newest = revisions()
    if answer.status in (400, 422) and ORGANIZATION in answer.text:
        return newest
    return older if answer.status == 404 else None


def address_by(spoken: str | None) -> Callable[[str, str], bool]:
    """Whether a request has to name the organization: by the document that judges, or the spoken one."""
    documents = {document(), of_revision(spoken)} if spoken is not None else {document()}
    return lambda method, path: any(each.requires_organization(method, path) for each in documents)


def words(spoken: str | None) -> str:
    """Revision that judges, and how it was found, or that the target speaks another."""
    judge = document().revision
    if spoken is None:
        return judge
    if spoken == judge:
        return f"{judge}, as the target answers a GET without {ORGANIZATION}"
    return f"{judge}; the target speaks {spoken}, as it answers a GET without {ORGANIZATION}"
