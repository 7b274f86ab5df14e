"""Part of a run that a role client depends on."""

from __future__ import annotations

from typing import Protocol

from contracts.http.exchange import ClientRequest, ClientResponse


class Sender(Protocol):
    """Sends requests, and supplies names and ids for their bodies."""

    organization_id: str

    def name(self, what: str = "space") -> str:
        """Unique name that identifies the run."""

    def user_id(self, role: str) -> str:
        """User id behind a role's key."""

    def send(self, request: ClientRequest) -> ClientResponse:
        """Send a request after the write guard, and record it in the ledger."""
