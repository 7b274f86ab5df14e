"""Interfaces of the two servers of a lock step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from contracts.http.exchange import ClientRequest, ClientResponse


class Target(Protocol):
    """The server that is judged."""

    @property
    def start(self) -> datetime:
        """Its time when the sequence began."""

    @property
    def model_start(self) -> datetime:
        """The model's time when the sequence began."""

    @property
    def is_mock(self) -> bool:
        """Whether it gives a sandbox and a clock to each sequence."""

    @property
    def callers(self) -> tuple[str, ...]:
        """Roles that have a key."""

    def begin(self, name: str) -> dict[str, str]:
        """Begin a sequence; returns the values of the labels that exist."""

    def wait(self, seconds: float, *, settle: bool) -> float:
        """Let time pass, and the queue finish; returns the seconds that the model's clock has to advance."""

    def queue(self, reply: Mapping[str, Any]) -> None:
        """Let a mock answer the next question so."""

    def send(self, request: ClientRequest, role: str | None) -> ClientResponse:
        """Answer to a request of a caller."""

    def send_together(self, calls: Sequence[tuple[ClientRequest, str | None]]) -> list[ClientResponse]:
        """Answers to requests of callers that are sent at the same time."""

    def end(self) -> None:
        """Remove what the sequence made."""


class ModelSide(Protocol):
    """The mock in a process of its own."""

    def begin(self, name: str, start: datetime) -> None:
        """Begin a sequence."""

    def queue(self, reply: Mapping[str, Any]) -> None:
        """Answer the next question so."""

    def ask(self, request: ClientRequest, role: str | None, seconds: float, *, settle: bool) -> None:
        """Send a request after so many seconds, without waiting for the answer."""

    def answer(self) -> ClientResponse:
        """Answer to that request."""

    def save(self) -> None:
        """Save the state, to which `restore` returns."""

    def restore(self) -> None:
        """Return to the saved state."""

    def end(self) -> None:
        """Forget the sequence."""
