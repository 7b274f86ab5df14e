"""Context of one request, and the interfaces of an API and of a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from mockserver.faults.rule import Fault
from mockserver.faults.rule_list import Faults
from mockserver.http.admin_guard import AdminGuard
from mockserver.http.calls import Call, Handler, Reply
from mockserver.http.cors import Cors
from mockserver.http.log import Exchange
from mockserver.http.problems import Problem, Rendered
from mockserver.http.redaction import safe_query
from mockserver.http.request import Answer, Request, header_safe
from mockserver.http.routes import Routes
from mockserver.journal.journal import Journal
from mockserver.openapi.operation import Operation

ALL_SANDBOXES = "sandbox=*"
"""Query of a call about all sandboxes, whichever the request names."""


class SandboxProtocol(Protocol):
    """What the corridor needs of a sandbox."""

    name: str
    journal: Journal
    faults: Faults
    ids: Any
    kept: Any
    """What `--persist` keeps of it; None without."""

    def instant(self) -> int:
        """Microseconds since 1970; constant within a transaction."""

    def text(self, instant: int) -> str:
        """Instant as RFC 3339 in UTC, whole seconds."""

    def trace_id(self, kind: str) -> str:
        """Id of the next request, a UUID; each kind has its own counter."""

    def transaction(self) -> AbstractContextManager[None]:
        """Exclusive access until it ends; an exception rolls back every change."""


class SandboxesProtocol(Protocol):
    """Every sandbox."""

    @property
    def outside(self) -> SandboxProtocol:
        """Sandbox for requests that need none, or may not enter the one that they name."""

    def find(self, name: str | None) -> SandboxProtocol:
        """Sandbox of this name, the default one for None; a Problem if it can't be entered.

        A new one is not added before it is entered.
        """

    def enter(self, found: Any, makes: Callable[[], bool]) -> SandboxProtocol:
        """Use a found sandbox for an accepted request; another of its name if that was added meanwhile.

        `makes`: whether a new one is added; else it is a Problem.
        """


class Refusal(NamedTuple):
    """Problem, and the request that it refuses."""

    method: str
    path: str
    query: str
    operation: str | None
    ids: Mapping[str, str]
    problem: Problem


class ForeignProtocol(Protocol):
    """What the corridor asks of a document that is not the vendor's."""

    def read(self, context: RequestContext, limits: Any) -> Call[Any]:
        """Decoded request, or Invalid."""

    def check(self, context: RequestContext, reply: Reply) -> Any:
        """Reply as the document allows it, as `wire.Checked`."""

    def refusal(self, context: RequestContext, problem: Problem) -> Answer | None:
        """Refusal as the document describes it; None if it does not."""

    def documented(
        self, context: RequestContext, code: int | None, name: str | None, headers: Mapping[str, str]
    ) -> Answer:
        """Documented answer of a status, or of the name of an example; BadControl if there is none."""

    def secrets(self, request: Request) -> list[str]:
        """Values in a request that the document says are credentials."""


class DocumentProtocol(Protocol):
    """A document as a table of operations."""

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Operations by id."""

    def error(self, operation: Operation | None, reason: str) -> Exception:
        """Error of an operation, or of all."""


class AnswersProtocol(Protocol):
    """Refusals as a profile has them."""

    def instead(self, refusal: Refusal) -> Problem:
        """Problem to answer with; the same if the profile changes nothing."""


@dataclass(eq=False)
class Api:
    """One document with its handlers; DocumentError if they do not fit together."""

    spec: DocumentProtocol
    handlers: Mapping[str, Handler]
    """By operationId."""
    prefix: str
    authenticate: Callable[[Request, Any], Any]
    """Request and sandbox -> caller, or a Problem."""
    name_of: Callable[[Any], str]
    render: Callable[[Problem, str, str], Rendered]
    cors: Cors
    guard: AdminGuard | None = None
    """Access check before routing."""
    head: bool = False
    """Whether HEAD is served wherever GET is."""
    not_mocked: Sequence[tuple[str, str]] = ()
    """Other operations of the same service, by method and path template: 501."""
    makes_sandboxes: bool = True
    """Whether a request creates the sandbox that it names, if its operation can."""
    journaled: bool = True
    """Whether its requests are recorded in the sandbox's journal."""
    answers: AnswersProtocol | None = None
    """Answers by a profile."""
    redirects: Callable[[str], bool] = lambda _: True
    """Whether a wrong slash at the end of a path is redirected, else served."""
    name: str = ""
    """Name of a document that is not the vendor's."""
    foreign: ForeignProtocol | None = None
    """Reader of such a document; None for the vendor's and the mock's own."""

    def __post_init__(self) -> None:
        operations = self.spec.operations
        for name in sorted(operations.keys() - self.handlers.keys()):
            reason = f"operation {name} has no handler; write one with @handles({name!r}), or remove it"
            raise self.spec.error(operations[name], reason)
        if orphans := ", ".join(sorted(self.handlers.keys() - operations.keys())):
            reason = f"no operation for the handler of {orphans}; add it, or remove the handler"
            raise self.spec.error(None, reason)
        self.routes = Routes(
            operations.values(), head=self.head, not_mocked=self.not_mocked, redirects=self.redirects
        )
        self._all_in_sandbox = all(operation.in_sandbox for operation in operations.values())

    @property
    def kind(self) -> str:
        """Kind of its requests, which have a counter of their own: empty for the vendor's."""
        return self.name or self.prefix

    def needs_no_sandbox(self, request: Request) -> bool:
        """Whether the request's operation is independent of any sandbox, so that none is created for it."""
        if self._all_in_sandbox:
            return False
        operation = self.routes.at(request.method, request.path)
        if operation is None:
            return False
        everywhere = "sandbox" in operation.query and ALL_SANDBOXES in unquote(request.query).split("&")
        return everywhere or not operation.in_sandbox


@dataclass(slots=True)
class Injection:
    """Faults and overrides for one request: from rules, from its headers, from the rate limit."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    fault: Fault | None = None
    label: str = ""
    """Fault as X-Mock-Fault and the journal name it."""
    answer: Answer | None = None
    """Answer that replaces the handler's."""
    source: str = "state"
    dropped: list[Any] | None = None
    """Invalid values dropped with `handling=lenient`; None without it."""


@dataclass(slots=True)
class RequestContext:
    """State of one request while it is processed."""

    request: Request
    exchange: Exchange
    """Summary for the log and the journal."""
    api: Api
    sandbox: SandboxProtocol
    trace_id: str
    refusal: Problem | None = None
    """Reason why it may not enter the sandbox that it names."""
    operation: Operation | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """Path parameters."""
    caller: Any = None
    accepted: bool = False
    """Whether it passed the access checks: a request that did not has no effect on any sandbox."""
    injection: Injection | None = None
    written: bool = False
    """Whether a store has what it changed, so that the answer is final."""
    told_length: str | None = None
    """Length that a proxy's target told of an answer without a body; empty if it told none."""

    @property
    def is_preflight(self) -> bool:
        """Whether it is a CORS preflight."""
        return self.request.method == "OPTIONS" and self.api.cors.is_preflight(self.request)

    @property
    def matched(self) -> Operation:
        """Operation; only after routing."""
        assert self.operation is not None
        return self.operation

    def makes_sandbox(self) -> bool:
        """Whether it creates the sandbox that it names; unknown paths of the control API do not."""
        makes = self.api.guard is None if self.operation is None else self.operation.makes_sandbox
        return makes and self.api.makes_sandboxes

    @property
    def time(self) -> str:
        """Instant of the request as answers format it."""
        return self.sandbox.text(self.exchange.instant)

    def followed(self, problem: Problem) -> Problem:
        """Problem as the profile has it, if there is one."""
        if self.api.answers is None:
            return problem
        request, operation = self.request, None if self.operation is None else self.operation.id
        return self.api.answers.instead(
            Refusal(request.method, request.path, request.query, operation, self.ids, problem)
        )

    def render(self, problem: Problem) -> Rendered:
        """Problem in the API's error format."""
        return self.api.render(problem, self.trace_id, self.time)

    def query(self) -> str:
        """Query as it may be logged."""
        return safe_query(self.request.query, self.safe) if self.request.query else ""

    def safe(self, text: str) -> str:
        """`text` safe for logs and headers: secrets masked, one line of printable ASCII."""
        return header_safe(self.request.without_secrets(text))
