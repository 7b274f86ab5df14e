"""The life of a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mockserver.extensions.views import FlaskViews, ViewStream
from mockserver.faults.injection import Injector
from mockserver.http import body_limit, wire
from mockserver.http.calls import Call, DeferredReply, Reply
from mockserver.http.context import Api, Injection, RequestContext, SandboxesProtocol
from mockserver.http.event_stream import MOST, ClosesOnce, Lines, Stream, WaitingSlots
from mockserver.http.large_answers import LARGE, LargeAnswers
from mockserver.http.log import Exchange, RequestLog
from mockserver.http.problems import (
    PHRASES,
    MockOwnError,
    Problem,
    Redirect,
    SandboxUnknown,
    Unauthorized,
    Unserved,
    WrongMethod,
    fault,
)
from mockserver.http.request import Answer, Request, refuse_invalid_http
from mockserver.http.upload import BodyLimits
from mockserver.outcome import explain_origin, label, record, redirected, refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Corridor:
    """WSGI application: every request goes through `serve`."""

    def __init__(
        self,
        apis: Sequence[Api],
        sandboxes: SandboxesProtocol,
        *,
        log: RequestLog,
        limits: BodyLimits,
        stopping: threading.Event,
        most_streams: int = MOST,
        large_answers: LargeAnswers | None = None,
        keep: int = 0,
        secrets: Sequence[str] = (),
        injector: Injector | None = None,
        views: FlaskViews | None = None,
        root: str = "",
        propagate: Callable[[], bool] = lambda: False,
    ) -> None:
        """`apis`: the last is the vendor's; others without a prefix have paths that it does not have.

        With `propagate` (tests) failures are raised.
        `secrets` are masked in addition to a request's own credentials; `keep`: bytes of a stream that the
        journal stores; `root`: path whose answer `/` has too, unless a document or a view serves it.
        """
        self._apis = apis
        self._beside = [api for api in apis[:-1] if not api.prefix]
        self._sandboxes = sandboxes
        self._log = log
        self._limits = limits
        self._stopping = stopping
        self._secrets = secrets
        self._views = views
        self._root = root
        self._propagate = propagate
        self._keep = keep
        self._streams = WaitingSlots(most_streams, "streams are open")
        self._control_streams = WaitingSlots(most_streams, "streams and waits of the control API are open")
        self._large = large_answers or LargeAnswers()
        self._injector = injector or Injector(stopping=stopping, most_delayed=most_streams, controls=True)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer over WSGI and log the exchange; a stream is logged when it starts."""
        context = self._enter(Request(environ, self._secrets))
        answer = self.serve(context)
        self._log.exchange(context.exchange, context.query)
        start_response(_STATUS_LINES[answer.status], answer.headers)
        if context.request.method == "HEAD" and not isinstance(answer.body, ViewStream):
            if isinstance(answer.body, ClosesOnce):
                answer.body.close()
            return [b""]
        return [answer.body] if isinstance(answer.body, bytes) else answer.body

    def body_limit(self, environ: WSGIEnvironment) -> int:
        """Most bytes of the body to receive before the request is answered."""
        request, views = Request(environ), self._views
        serves = views.serve if views is not None else lambda _: False
        return body_limit.body_limit(request, self._api(request), self._sandboxes, self._limits, serves)

    def serve(self, context: RequestContext) -> Answer:
        """Answer one request."""
        try:
            answer = self._answer(context)
            if isinstance(answer.body, bytes) and len(answer.body) > LARGE:
                answer = self._in_pieces(context, answer, answer.body)
            label(context, answer)
            refuse_invalid_http(answer)
        except Exception as error:
            if self._propagate():
                raise
            answer = self._failed(context, error)
        record(context, answer)
        if context.sandbox.kept is not None:
            context.sandbox.kept.passed(context.api.kind)
        return answer

    def _answer(self, context: RequestContext) -> Answer:
        if context.is_preflight:
            return explain_origin(context, wire.unchecked(204, None, "", {}, context.trace_id))
        unserved: Unserved | None = None
        try:
            self._admit(context)
            answer = self._inject(context) or self._handle(context, self._read(context))
        except Unserved as problem:
            unserved = problem
        except Redirect as redirect:
            answer = redirected(context, redirect)
        except Problem as problem:
            answer = refused(context, problem)
        if unserved is not None:  # not inside of `except`, where each failure of a view would show it
            answer = self._extended(context, unserved)
        if context.injection is not None:
            answer = self._damaged(context, context.injection, answer)
        return explain_origin(context, answer)

    def _enter(self, request: Request) -> RequestContext:
        """Context of the request: its API and sandbox, or the refusal if it may not enter the sandbox."""
        if (
            self._root
            and request.path == "/"
            and request.method in ("GET", "HEAD")
            and not self._serves_root()
        ):
            # Health checks of other tools ask for it; a browser is sent to the page.
            is_browser = "text/html" in (request.header("Accept") or "")
            request.path = self._root.rpartition("/")[0] if is_browser else self._root
        api = self._api(request)
        exchange, refusal = Exchange(request.method, ""), None
        if api.foreign is not None:
            exchange.secrets = api.foreign.secrets(request)
            request.hide(exchange.secrets)
        try:
            needs_none = api.needs_no_sandbox(request)
            sandbox = self._sandboxes.outside if needs_none else self._sandboxes.find(request.sandbox)
        except Problem as problem:
            sandbox, refusal = self._sandboxes.outside, problem
        exchange.sandbox, exchange.instant = sandbox.name, sandbox.instant()
        context = RequestContext(request, exchange, api, sandbox, sandbox.trace_id(api.kind), refusal)
        exchange.path = context.safe(request.path)
        return context

    def _api(self, request: Request) -> Api:
        for api in self._apis:
            if api.prefix and request.path.startswith(api.prefix):
                return api
        for api in self._beside:
            if api.routes.template(request.path) is not None:
                return api
        return self._apis[-1]

    def _read(self, context: RequestContext) -> Call[Any]:
        foreign = context.api.foreign
        return wire.read(context, self._limits) if foreign is None else foreign.read(context, self._limits)

    def _in_pieces(self, context: RequestContext, answer: Answer, body: bytes) -> Answer:
        try:
            return self._large.in_pieces(answer, body)
        except Problem as problem:
            return explain_origin(context, refused(context, problem))

    def _admit(self, context: RequestContext) -> None:
        """Route, authenticate, and enter the sandbox; a request that is refused here has no effect on it."""
        if not context.request.is_whole:
            raise body_limit.unreceived(context.request)
        try:
            _route(context)
        except (Unserved, WrongMethod, Redirect):
            with suppress(Unauthorized, SandboxUnknown):
                context.api.authenticate(context.request, context.sandbox)
                self._accept(context)
            raise
        _authenticate(context)
        self._accept(context)

    def _accept(self, context: RequestContext) -> None:
        """Enter the sandbox that was found for the request."""
        found, context.accepted = context.sandbox, True
        context.sandbox = entered = self._sandboxes.enter(found, context.makes_sandbox)
        if entered is not found:  # another request has added it meanwhile
            context.exchange.instant, context.trace_id = (
                entered.instant(),
                entered.trace_id(context.api.kind),
            )
        if context.api.journaled and entered.journal.events.listened:
            entered.journal.begun(context.exchange, context.trace_id)

    def _serves_root(self) -> bool:
        served = self._apis[-1].routes.at("GET", "/") is not None
        return served or (self._views is not None and self._views.serve("/"))

    def _inject(self, context: RequestContext) -> Answer | None:
        """Apply injected faults after their delay; returns the answer if it replaces the handler's."""
        has_faults = context.sandbox.faults.armed or context.request.has_controls
        return self._injector.inject(context) if has_faults and context.api.guard is None else None

    def _extended(self, context: RequestContext, problem: Unserved) -> Answer:
        """Answer by a view where no document has the path; it runs outside of any transaction."""
        try:
            views = None if context.api.prefix else self._views
            context.operation = None if views is None else views.find(context)
            if views is None or context.operation is None:
                raise problem
            context.exchange.source = "extension"
            with suppress(Unauthorized):  # a view needs no credential
                _authenticate(context)
            self._accept(context)
            answer = self._inject(context)
            if answer is None:
                if context.injection is not None:
                    context.injection.source = "extension"
                body = context.request.body(self._limits.body, "--max-body-bytes")
                answer = views.answer(context, body)
            if isinstance(answer.body, bytes):
                return answer
            return answer._replace(body=self._opened(context, answer.body))
        except Problem as refusal:
            return refused(context, refusal)

    def _handle(self, context: RequestContext, call: Call[Any]) -> Answer:
        """Run the handler in a transaction and check its reply against the document."""
        operation, sandbox = context.matched, context.sandbox
        changes, answer = operation.method != "GET", None
        with sandbox.transaction():
            context.exchange.instant = sandbox.instant()  # later than its arrival
            reply = context.api.handlers[operation.id](call, sandbox)
            if changes:  # a reply that the document forbids rolls the changes back
                checked = self._checked(context, reply)
                if sandbox.kept is not None:
                    answer = self._kept(context, checked)
        if not changes:  # outside the transaction: a read can't be rolled back, so others need not wait
            checked = self._checked(context, reply)
        if isinstance(checked.body, DeferredReply):
            checked = wire.check(operation, self._waited(context, checked.body), context.trace_id)
        return answer or wire.encode(checked)

    def _kept(self, context: RequestContext, checked: wire.Checked) -> Answer:
        """The answer, after what it tells was written."""
        answer = wire.encode(checked)
        try:
            context.sandbox.kept.changed(context, answer)
        except MockOwnError:
            if isinstance(answer.body, Lines):
                answer.body.close()
            raise
        return answer

    def _checked(self, context: RequestContext, reply: Reply) -> wire.Checked:
        if context.api.foreign is not None:
            foreign: wire.Checked = context.api.foreign.check(context, reply)
            return foreign
        checked = wire.check(context.matched, reply, context.trace_id)
        if isinstance(checked.body, Stream):
            return checked._replace(body=self._opened(context, checked.body))
        return checked

    def _damaged(self, context: RequestContext, injection: Injection, answer: Answer) -> Answer:
        """Apply the injection's headers and damage, and record it in the exchange."""
        exchange = context.exchange
        answer = self._injector.break_body(
            injection, answer._replace(pieces=None), context.request.connection, exchange
        )
        exchange.fault, exchange.source = injection.label, injection.source
        if injection.label and not exchange.reason:
            exchange.refused("fault", "", f"injected: {injection.label}")
        elif injection.dropped and not exchange.reason:
            places = ", ".join(f"{each.place} {each.name}".rstrip() for each in injection.dropped)
            exchange.refused("control", "", context.safe(f"dropped: {places}"))
        return answer

    def _slots(self, context: RequestContext) -> WaitingSlots:
        return self._streams if context.api.guard is None else self._control_streams

    def _waited(self, context: RequestContext, later: DeferredReply) -> Reply:
        slots = self._slots(context)
        slots.take()
        try:
            with context.request.held:
                return later.wait(self._stopping)
        finally:
            slots.release()

    def _opened(
        self,
        context: RequestContext,
        stream: Stream | Iterator[bytes],
        stopping: threading.Event | None = None,
    ) -> Lines:
        """Body of a stream: events of an operation, or the pieces of a view; it ends with `stopping`."""
        stopping = stopping or self._stopping

        def report(error: BaseException) -> None:
            self.log_failure(context, error)
            if self._propagate():
                raise error

        slots = self._slots(context)

        def closed() -> None:
            slots.release()
            context.sandbox.journal.close(context.exchange)

        slots.take()
        if isinstance(stream, Stream):
            return Lines(stream, stopping=stopping, report=report, closed=closed, keep=self._keep)
        stopped = stopping.is_set
        return ViewStream(stream, stopped=stopped, report=report, closed=closed, keep=self._keep)

    def log_failure(self, context: RequestContext, error: BaseException) -> None:
        """Log a failure with its traceback, and record it in the exchange."""
        context.exchange.note(error)
        self._log.failure(error, context.exchange, context.request.without_secrets)

    def _failed(self, context: RequestContext, error: Exception) -> Answer:
        """500 for a failure of the mock itself: what and where, in the API's error format; always logged."""
        self.log_failure(context, error)
        problem = fault(error)
        reason = context.safe(f"{type(error).__name__}: {error}")
        context.exchange.refused(problem.rule, problem.code, reason)
        answer = wire.unchecked(500, *context.render(problem), {}, context.trace_id)
        answer = explain_origin(context, answer)
        label(context, answer)
        return answer


def _route(context: RequestContext) -> None:
    """Find the operation, after the access checks that precede routing."""
    api, request = context.api, context.request
    if api.guard is not None:
        api.guard.admit(request)
    if context.refusal is not None:
        raise context.refusal
    context.operation, context.ids = api.routes.find(request.method, request.path, request.query)
    context.exchange.operation = context.operation.id
    if context.operation.carries_files:
        request.journal_body = b""  # until it is known what is in the body


def _authenticate(context: RequestContext) -> None:
    if context.operation is not None and context.operation.is_open:
        return
    context.caller = context.api.authenticate(context.request, context.sandbox)
    context.exchange.caller = context.api.name_of(context.caller)


_STATUS_LINES: Mapping[int, str] = {
    status: f"{status} {PHRASES.get(status, 'Unknown')}" for status in range(200, 600)
}
