"""Everything that belongs to one request, and what the engine needs of an API and of a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from mockserver.faults.rule import Fault
from mockserver.faults.rule_list import Faults
from mockserver.http.admin_guard import Guard
from mockserver.http.calls import Handler
from mockserver.http.cors import Cors
from mockserver.http.log import Exchange
from mockserver.http.problems import Problem, Rendered
from mockserver.http.request import Answer, Request, header_safe
from mockserver.http.routes import Routes
from mockserver.journal.journal import Journal
from mockserver.openapi.operation import Operation
from mockserver.openapi.spec import Spec


class Sandbox(Protocol):
    """What the engine needs of a sandbox: name, clock, ids, faults, journal, all or nothing."""

    name: str
    journal: Journal
    faults: Faults

    def instant(self) -> int:
        """Microseconds since 1970; within a transaction always the same."""

    def text(self, instant: int) -> str:
        """An instant as RFC 3339 in UTC, whole seconds."""

    def trace_id(self, kind: str) -> str:
        """The next request's id, a UUID; each kind of request is counted apart."""

    def transaction(self) -> AbstractContextManager[None]:
        """Alone in the sandbox until it ends; an exception undoes every change made within."""


class Sandboxes(Protocol):
    """Every sandbox."""

    @property
    def lobby(self) -> Sandbox:
        """Where a request is answered that needs no sandbox, or may not enter the one it names."""

    def enter(self, name: str | None) -> Sandbox:
        """The sandbox of this name, the default one for None; a Problem if it can't be entered."""


@dataclass(eq=False)
class Api:
    """One document with everything that serves it; DocumentError if document and handlers do not fit."""

    spec: Spec
    handlers: Mapping[str, Handler]
    """By operationId."""
    prefix: str
    authenticate: Callable[[Request, Any], Any]
    """Request and sandbox -> caller, or a Problem."""
    name_of: Callable[[Any], str]
    render: Callable[[Problem, str, str], Rendered]
    cors: Cors
    guard: Guard | None = None
    """Who may use it at all, before anybody asks which operation it is."""
    journaled: bool = True
    """Whether its requests are kept in the sandbox's journal."""

    def __post_init__(self) -> None:
        operations = self.spec.operations
        for name in sorted(operations.keys() - self.handlers.keys()):
            reason = f"operation {name} has no handler; write one with @handles({name!r}), or take it out"
            raise self.spec.error(operations[name], reason)
        if orphans := ", ".join(sorted(self.handlers.keys() - operations.keys())):
            reason = f"no operation here for the handler of {orphans}; add it, or take the handler out"
            raise self.spec.error(None, reason)
        self.routes = Routes(operations.values())
        self._all_in_sandbox = all(operation.in_sandbox for operation in operations.values())

    def needs_no_sandbox(self, request: Request) -> bool:
        """Whether the request is for an operation that is about no sandbox, so that none is made for it."""
        if self._all_in_sandbox:
            return False
        operation = self.routes.at(request.method, request.path)
        return operation is not None and not operation.in_sandbox


@dataclass(slots=True)
class Injection:
    """What becomes of one request on order: of a rule, of its own headers, of the rate limit."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    fault: Fault | None = None
    label: str = ""
    """The fault as X-Mock-Fault and the journal name it."""
    answer: Answer | None = None
    """Instead of the handler's."""
    source: str = "state"
    dropped: list[Any] | None = None
    """What is dropped from a request that is handled leniently; None if it is not."""


@dataclass(slots=True)
class RequestContext:
    """One request on its way to its answer."""

    request: Request
    exchange: Exchange
    """What log and journal keep of it."""
    api: Api
    sandbox: Sandbox
    trace_id: str
    refusal: Problem | None = None
    """Why it may not enter the sandbox that it names."""
    operation: Operation | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """The parameters in its path."""
    caller: Any = None
    injection: Injection | None = None

    @property
    def is_preflight(self) -> bool:
        """Whether it is a browser's question before its request."""
        return self.request.method == "OPTIONS" and self.api.cors.is_preflight(self.request)

    @property
    def matched(self) -> Operation:
        """The operation; asked when there is one."""
        assert self.operation is not None
        return self.operation

    @property
    def time(self) -> str:
        """The request's instant as the answer writes it."""
        return self.sandbox.text(self.exchange.instant)

    def render(self, problem: Problem) -> Rendered:
        """The problem in the words of the API."""
        return self.api.render(problem, self.trace_id, self.time)

    def safe(self, text: str) -> str:
        """`text` as the log and a header may show it: without secrets, one printable ASCII line."""
        return header_safe(self.request.without_secrets(text))
