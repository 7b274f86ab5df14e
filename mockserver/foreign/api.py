"""A foreign document as an API of the mock: what the corridor asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mockserver.foreign.answers import Answers, ForeignReply, Ungenerated, encoded
from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.operations import ForeignOperation, described, operations_of, successes
from mockserver.foreign.plans import Planner
from mockserver.foreign.requests import RequestReader
from mockserver.foreign.schemas import ForeignSchemas
from mockserver.foreign.security import Security
from mockserver.foreign.shapes import mapping
from mockserver.foreign.state import GenericState
from mockserver.http.calls import Call, File, Reply
from mockserver.http.context import RequestContext
from mockserver.http.problems import Invalid, MockOwnError, NoRoute, Problem, SpecViolation, nearest
from mockserver.http.request import Answer, Request
from mockserver.http.upload import BodyLimits
from mockserver.http.wire import Checked
from mockserver.openapi.operation import Operation
from mockserver.openapi.yaml_document import DocumentError

_STATUSES: Mapping[int, tuple[int, ...]] = {422: (422, 400), 401: (401, 403), 404: (404,), 409: (409, 400)}
"""Status of a problem -> statuses under which a document may describe it."""


class ForeignApi:
    """One foreign document, ready to be served."""

    def __init__(self, document: ForeignDocument) -> None:
        self.document, self.name, self.prefix = document, document.name, document.prefix
        self.not_understood = document.not_understood()
        """What of it is not understood, and how often it is there."""
        self.operations: Mapping[str, ForeignOperation] = operations_of(document, self.not_understood)
        if not self.operations:
            raise DocumentError(f"--also {document.path}: the document has no operation")
        self.schemas = ForeignSchemas(document, self.not_understood)
        self._reader = RequestReader(document, self.schemas)
        self.answers = Answers(document, self.schemas)
        plans = list(Planner(document, self.schemas, self.operations).plans())
        self.state = GenericState(plans, self.schemas, self.answers)
        stored = {id_ for plan in plans for id_ in plan.actions}
        self.operations = {
            id_: replace(each, kept="entry") if id_ in stored else each
            for id_, each in self.operations.items()
        }
        self._own: dict[str, Callable[[Call[Any], Any], Reply]] = {}
        """Handlers of extensions."""
        self._security = Security(document)
        self.find: Callable[[str, str], Operation | None] = lambda *_: None
        """Operation of a method and a path; set by the application."""

    def error(self, operation: Operation | None, reason: str) -> DocumentError:
        """Error of an operation, or of all."""
        at = "" if operation is None else f"{operation.id}: "
        return DocumentError(f"--also {self.document.path}: {at}{reason}")

    def lines(self, *, whole: bool = True) -> list[str]:
        """What it serves and stores, and a line with a count for each thing that is not understood.

        `whole`: whether each collection has a line.
        """
        title = " ".join(str(mapping(self.document.content.get("info")).get("title", "")).split())
        served = f"{self.name}: {title}, {len(self.operations)} operations at {self.prefix or '/'}"
        kept = [f"{self.name}: generic state: {plan.name}" for plan in self.state.plans]
        if not whole and kept:
            kept = [f"{self.name}: generic state: {len(kept)} collections"]
        strange = [f"{self.name}: not understood: {what}: {n}" for what, n in self.not_understood.items()]
        return [served, *kept, *strange]

    def about(self) -> dict[str, Any]:
        """Document, number of operations, and how many answers had no valid generated value, by operation."""
        served, fallbacks = self.document.served, dict(sorted(self.answers.fallbacks.copy().items()))
        return {**served, "operations": len(self.operations), "fallbacks": fallbacks}

    def handlers(self) -> dict[str, Callable[[Call[Any], Any], Reply]]:
        """Handlers by operation."""
        made: dict[str, Callable[[Call[Any], Any], Reply]] = {
            id_: partial(self._answer, operation) for id_, operation in self.operations.items()
        }
        return made | dict(self.state.handlers(self.operations)) | self._own

    def extend(self, handlers: Mapping[str, Callable[[Call[Any], Any], Reply]]) -> None:
        """Answer operations by these functions; what they change is kept whole, as nothing tells it."""
        own = {id_: each for id_, each in handlers.items() if id_.partition(":")[0] == self.name}
        for id_ in own:
            if id_ not in self.operations:
                raise self.error(None, f"no operation {id_!r} for @handles{nearest(id_, self.operations)}")
        kept = {id_: replace(self.operations[id_], kept="snapshot") for id_ in own}
        self._own, self.operations = own, {**self.operations, **kept}

    def initial_rows(self) -> Iterator[tuple[str, list[tuple[str, Mapping[str, Any]]]]]:
        """Collections with the rows that their examples have."""
        for plan in self.state.plans:
            if rows := self.state.initial_rows(plan, self.operations):
                yield plan.name, rows

    def authenticate(self, request: Request, _: Any) -> str:
        """Names of the schemes of the credential, for an operation that asks for one."""
        operation = self.find(request.method, request.path)
        return self._security.caller(operation, request) if isinstance(operation, ForeignOperation) else "-"

    def secrets(self, request: Request) -> list[str]:
        """Values in a request that the document says are credentials."""
        return [each for each in self._security.credentials(request) if each]

    def read(self, context: RequestContext, limits: BodyLimits) -> Call[Any]:
        """Decode and validate a request; Invalid with all errors."""
        operation, request = context.matched, context.request
        assert isinstance(operation, ForeignOperation)
        errors: list[Any] = []
        ids = _whole_ids(operation, context.ids)
        values = self._reader.parameters(operation, ids, request, errors)
        body = self._reader.body(operation, request, limits, errors)
        if errors:
            raise Invalid(errors)
        headers = {**values["header"], **values["cookie"]}
        told = {name: text for name in ("Accept", "Prefer") if (text := request.header(name)) is not None}
        return Call(
            operation.id, ids, values["query"], body, context.caller, context.trace_id, {**headers, **told}
        )

    def _answer(self, operation: ForeignOperation, call: Call[Any], sandbox: Any) -> Reply:
        """Answer that the document describes; nothing is stored."""
        for status, key in successes(operation):
            accept = str(call.headers.get("Accept", ""))
            return self.answers.answer(
                operation, status, key, seed=sandbox.ids.seed, ids=call.path, accept=accept
            )
        raise Ungenerated("No answer", reason=f"{operation.id} documents no status that means success")

    def check(self, context: RequestContext, reply: Reply) -> Checked:
        """Reply as it is sent; SpecViolation if a handler's is not what the document allows."""
        operation = context.matched
        assert isinstance(operation, ForeignOperation)
        if not isinstance(reply, ForeignReply):
            reply = self._held(operation, reply)
        exchange = context.exchange
        exchange.source = reply.source
        if context.injection is not None:
            context.injection.source = reply.source
        if reply.reason:
            exchange.refused("foreign", "", context.safe(reply.reason))
        headers = [("x-request-id", context.trace_id), *reply.headers.items()]
        if reply.body is None and not reply.media_type:
            return Checked(reply.status, headers, None)
        headers.append(("Content-Type", reply.media_type))
        return Checked(reply.status, headers, File(encoded(reply.body, reply.media_type), reply.media_type))

    def _held(self, operation: ForeignOperation, reply: Reply) -> ForeignReply:
        """Reply of an extension, held to the document."""
        key = described(operation, reply.status)
        if key is None:
            raise SpecViolation(operation.id, reply.status, "", "the document has no such status here")
        node = self.document.resolved(operation.node["responses"][key])
        content = mapping(node.get("content"))
        if not content:
            if reply.body is not None:
                raise SpecViolation(operation.id, reply.status, "", "the document allows no body here")
            return ForeignReply(reply.status, None, reply.headers, source="state")
        media_type = next((str(each) for each in content if "json" in str(each)), str(next(iter(content))))
        schema = self.schemas.schema(mapping(content[media_type]).get("schema", {}), "writeOnly")[1]
        if not schema.is_valid(reply.body):
            raise SpecViolation(operation.id, reply.status, *schema.first_error(reply.body))
        return ForeignReply(reply.status, reply.body, reply.headers, "", media_type, "state")

    def refusal(self, context: RequestContext, problem: Problem) -> Answer | None:
        """Refusal as the document describes it; None if it does not."""
        operation = context.operation
        if not isinstance(operation, ForeignOperation) or isinstance(problem, MockOwnError | Ungenerated):
            return None
        alike = _STATUSES.get(problem.status, (problem.status,))
        keys = [(status, described(operation, status)) for status in alike]
        found = next((each for each in keys if each[1] not in (None, "default")), keys[0])
        if found[1] is None:
            return None
        try:
            return self._sent(context, operation, found[0], found[1], problem.headers)
        except Ungenerated:
            return None

    def documented(
        self, context: RequestContext, code: int | None, name: str | None, headers: Mapping[str, str]
    ) -> Answer:
        """Answer of a status or an example that was asked for; BadControl if there is none."""
        operation = context.matched
        assert isinstance(operation, ForeignOperation)
        status, key = self.answers.named(operation, code, name)
        return self._sent(context, operation, status, key, headers, name)

    def _sent(
        self,
        context: RequestContext,
        operation: ForeignOperation,
        status: int,
        key: str,
        headers: Mapping[str, str],
        name: str | None = None,
    ) -> Answer:
        accept = context.request.header("Accept") or ""
        seed, ids = context.sandbox.ids.seed, _whole_ids(operation, context.ids)
        reply = self.answers.answer(operation, status, key, seed=seed, ids=ids, accept=accept, example=name)
        context.exchange.source = reply.source
        if context.injection is not None:
            context.injection.source = reply.source
        listed = [("x-request-id", context.trace_id), *{**reply.headers, **headers}.items()]
        if reply.body is None and not reply.media_type:
            return Answer(status, listed, b"")
        listed.append(("Content-Type", reply.media_type))
        return Answer(status, listed, encoded(reply.body, reply.media_type))


def _whole_ids(operation: ForeignOperation, ids: Mapping[str, str]) -> Mapping[str, str]:
    """Variables of the path, also of steps that have several; NoRoute if such a step does not fit."""
    if not operation.steps:
        return ids
    found: dict[str, str] = {}
    for name, text in ids.items():
        pattern = operation.steps.get(name)
        if pattern is None:
            found[name] = text
            continue
        parts = pattern.fullmatch(text)
        if parts is None:
            raise NoRoute("Not Found", reason=f"{text[:80]!r} does not fit {name}")
        names = [each.partition("}")[0] for each in name.split("{")[1:]]
        found.update(zip(names, parts.groups(), strict=True))
    return found
