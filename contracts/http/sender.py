"""What a caller needs of the run that it belongs to."""

from __future__ import annotations

from typing import Protocol

from contracts.http.exchange import Answer, Request


class Sender(Protocol):
    """Sends requests, and gives names and ids for their bodies."""

    organization_id: str

    def name(self, what: str = "space") -> str:
        """A name that tells whose leftovers something is."""

    def user_id(self, role: str) -> str:
        """The user behind a role's key."""

    def send(self, request: Request) -> Answer:
        """Send a request, if it may be sent, with its entries in the ledger."""
