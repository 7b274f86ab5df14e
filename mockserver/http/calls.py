"""What goes into a handler and what comes out: plain values, no HTTP library in sight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Generic, TypeAlias, TypeVar

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

    wait: Callable[[threading.Event], Reply]
    """Called with the event that says that the mock stops, for which it must not keep it waiting."""


Handler: TypeAlias = Callable[[Call[Any], Any], Reply]
"""Answers a call in a sandbox."""
FunctionT = TypeVar("FunctionT", bound=Callable[..., Reply])


def handles(operation: str) -> Callable[[FunctionT], FunctionT]:
    """Mark a function as the handler of `operation`: search the operationId, land on the function."""

    def mark(function: FunctionT) -> FunctionT:
        function.__dict__["operation"] = operation
        return function

    return mark


def handlers_in(*modules: ModuleType) -> dict[str, Callable[..., Reply]]:
    """operationId -> the function in these modules that is marked with it; ValueError for two of one."""
    handlers: dict[str, Callable[..., Reply]] = {}
    for operation, function in _marked(modules):
        if operation in handlers:
            raise ValueError(f"{operation} has two handlers: {handlers[operation]} and {function}")
        handlers[operation] = function
    return handlers


def _marked(modules: tuple[ModuleType, ...]) -> Iterator[tuple[str, Callable[..., Reply]]]:
    for module in modules:
        for value in vars(module).values():
            if getattr(value, "__module__", None) == module.__name__ and hasattr(value, "operation"):
                yield value.operation, value
