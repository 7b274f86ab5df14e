"""What goes into a handler and what comes out: plain values, no HTTP library in sight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from mockserver.engine.faults import Faults

CallerT = TypeVar("CallerT")
"""Whatever `authenticate` returns for a credential; the engine only passes it on."""


@dataclass(frozen=True, slots=True)
class Call(Generic[CallerT]):
    """One request that the spec allows: decoded, with the spec's defaults filled in."""

    operation: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    """The decoded JSON body; None where the operation takes none."""
    caller: CallerT
    trace_id: str = ""
    """The id of the request, a UUID."""
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Those that the spec names, decoded."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, before it is held to the spec."""

    status: int
    body: Any = None
    """Values that JSON can hold, a Stream, a File, or Later; None where the status has no content."""
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: str = ""
    """The field of `body`, if any, that lists records as the store has them: replaced, never edited."""


@dataclass(frozen=True, slots=True)
class File:
    """A reply's body that is no JSON; it is sent as it is."""

    data: bytes
    media_type: str
    """One of those that the spec names for the answer."""


@dataclass(frozen=True, slots=True)
class Later:
    """A reply's body that is waited for, when the sandbox is free for others again."""

    wait: Callable[[threading.Event], Any]
    """Called with the event that says that the mock stops, for which it must not keep it waiting."""


class Journal(Protocol):
    """What the engine needs of a sandbox's journal."""

    def record(self, exchange: Any, request: Any, answer: Any, trace_id: str, at: str) -> None:
        """Keep what was asked and answered."""

    def close(self, exchange: Any) -> None:
        """A stream that was recorded has ended."""


class Room(Protocol):
    """What the engine needs to know of a sandbox: name, clock, ids, faults, all or nothing."""

    @property
    def name(self) -> str:
        """As in the log."""

    @property
    def journal(self) -> Journal:
        """Where its exchanges are kept."""

    @property
    def faults(self) -> Faults:
        """The failures that a tester ordered."""

    def now(self) -> str:
        """The sandbox's time as RFC 3339 in UTC, whole seconds."""

    def instant(self) -> int:
        """The sandbox's time in microseconds since 1970."""

    def trace_id(self, kind: str) -> str:
        """The next request's id, a UUID; each kind of request is counted apart."""

    def transaction(self) -> AbstractContextManager[None]:
        """Alone in the sandbox until it ends; an exception undoes every change made within."""


RoomT = TypeVar("RoomT", bound=Room)


class Rooms(Protocol):
    """Every sandbox, as the engine sees them."""

    @property
    def lobby(self) -> Room:
        """Where a request is answered that needs no sandbox, or may not enter the one it names."""

    def enter(self, name: str | None) -> Room:
        """The sandbox of this name, the default one for None; a Problem if it can't be entered."""


Handler = Callable[[Call[CallerT], RoomT], Reply]


class Handlers(dict[str, Callable[[Call[CallerT], RoomT], Reply]], Generic[CallerT, RoomT]):
    """operationId -> the function that answers it; search the operationId, land on the function."""

    def handles(self, operation: str) -> Callable[[Handler[CallerT, RoomT]], Handler[CallerT, RoomT]]:
        """Register the decorated function for `operation`; a second one is refused."""

        def register(handler: Handler[CallerT, RoomT]) -> Handler[CallerT, RoomT]:
            if operation in self:
                raise ValueError(f"{operation} has two handlers: {self[operation]} and {handler}")
            self[operation] = handler
            return handler

        return register
