"""Values that go into and come out of a handler; independent of any HTTP library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

Grant: TypeAlias = tuple[str, str, str, str]
"""Access decision: id of the record, rule that decided, level of the caller, level that was needed."""
CallerT = TypeVar("CallerT")
"""Type of the caller that `authenticate` returns."""


@dataclass(frozen=True, slots=True)
class Call(Generic[CallerT]):
    """One decoded request that the spec allows, with the spec's defaults filled in."""

    operation: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    """Decoded JSON body; of a form, lists of UploadedFile by field; None if the operation takes none."""
    caller: CallerT
    trace_id: str = ""
    """Id of the request, a UUID."""
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Headers that the spec names, decoded."""
    file_limit: int = 0
    """Bytes that the files of the request may have together."""
    grants: list[Grant] = field(default_factory=list)
    """Access decisions so far, in order."""
    base_url: Callable[[], str] = str
    """Returns the URL of this sandbox as the client reached it; a path follows."""


class UploadedFile(NamedTuple):
    """File in a form."""

    filename: str
    media_type: str
    """As sent; empty if none was."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, before it is checked against the spec."""

    status: int
    body: Any = None
    """JSON values, a Stream, a File, or a DeferredReply; None where the status has no content."""
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: str = ""
    """Field of `body`, if any, that lists immutable records straight from the store."""


@dataclass(frozen=True, slots=True)
class File:
    """Body that is not JSON, sent unchanged."""

    data: bytes
    media_type: str
    """One of the media types that the spec names for the response."""


@dataclass(frozen=True, slots=True)
class DeferredReply:
    """Body that is computed later, outside the transaction, so that the sandbox is free meanwhile."""

    wait: Callable[[threading.Event], Reply]
    """Called with the shutdown event; must return soon after it is set."""


Handler: TypeAlias = Callable[[Call[Any], Any], Reply]
"""Function that answers a call in a sandbox."""
FunctionT = TypeVar("FunctionT", bound=Callable[..., Reply])


def handles(operation: str) -> Callable[[FunctionT], FunctionT]:
    """Mark a function as the handler of `operation`."""

    def mark(function: FunctionT) -> FunctionT:
        function.__dict__["operation"] = operation
        return function

    return mark


def handlers_in(*modules: ModuleType) -> dict[str, Callable[..., Reply]]:
    """Handlers in these modules by operationId; ValueError for two of the same operation."""
    handlers: dict[str, Callable[..., Reply]] = {}
    for module in modules:
        for value in vars(module).values():
            if getattr(value, "__module__", None) == module.__name__ and hasattr(value, "operation"):
                if value.operation in handlers:
                    both = f"{handlers[value.operation]} and {value}"
                    raise ValueError(f"{value.operation} has two handlers: {both}")
                handlers[value.operation] = value
    return handlers
