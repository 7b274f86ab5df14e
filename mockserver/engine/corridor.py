"""The life of a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic
from urllib.parse import quote

from mockserver.engine import wire
from mockserver.engine.calls import Call, CallerT, Handlers, Later, Reply, Room, Rooms, RoomT
from mockserver.engine.cors import Cors
from mockserver.engine.damage import Broken
from mockserver.engine.examples import Asking
from mockserver.engine.guard import Guard
from mockserver.engine.log import Exchange, RequestLog
from mockserver.engine.orders import Order, Orders
from mockserver.engine.problems import (
    PHRASES,
    OfTheMock,
    Problem,
    Redirect,
    Rendered,
    SpecViolation,
    fault,
)
from mockserver.engine.routes import Routes
from mockserver.engine.spec import Operation, Spec
from mockserver.engine.streams import MOST, Busy, Lines, Stream
from mockserver.engine.wire import Answer, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Api(Generic[CallerT, RoomT]):
    """One spec with everything that serves it."""

    def __init__(
        self,
        spec: Spec,
        handlers: Handlers[CallerT, RoomT],
        *,
        prefix: str,
        authenticate: Callable[[Request, RoomT], CallerT],
        name_of: Callable[[CallerT], str],
        render: Callable[[Problem, str, str], Rendered],
        cors: Cors,
        guard: Guard | None = None,
        journaled: bool = True,
    ) -> None:
        """`guard`: who may use it at all, before anybody asks which operation it is.

        `journaled`: whether what is asked of it is kept in the sandbox's journal.
        """
        for name in sorted(spec.operations.keys() - handlers.keys()):
            reason = f"operation {name} has no handler; write one with @handles({name!r}), or take it out"
            raise spec.error(spec.operations[name], reason)
        if orphans := sorted(handlers.keys() - spec.operations.keys()):
            reason = (
                f"no operation here for the handler of {', '.join(orphans)}; add it, or take the handler out"
            )
            raise spec.error(None, reason)
        self.spec = spec
        self.handlers = handlers
        self.prefix = prefix
        self.authenticate = authenticate
        self.name_of = name_of
        self.render = render
        self.cors = cors
        self.guard = guard
        self.journaled = journaled
        self.routes = Routes(spec.operations.values())
        self._outside = {operation.id for operation in spec.operations.values() if not operation.in_sandbox}

    def needs_no_sandbox(self, request: Request) -> bool:
        """Whether the request is for an operation that is about no sandbox, so that none is made for it."""
        if not self._outside:
            return False
        operation = self.routes.at(request.method, request.path)
        return operation is not None and operation.id in self._outside


class Corridor:
    """A WSGI application: every request goes through `serve`, and nowhere else."""

    def __init__(
        self,
        apis: Sequence[Api[Any, Any]],
        rooms: Rooms,
        *,
        log: RequestLog,
        max_body_bytes: int,
        stopping: threading.Event,
        most_streams: int = MOST,
        keep: int = 0,
        secrets: Sequence[str] = (),
        orders: Orders | None = None,
        propagate: Callable[[], bool] = lambda: False,
    ) -> None:
        """The last of `apis` has the empty prefix; `propagate` is true in tests: failures are raised.

        `secrets` are masked wherever a request holds them, besides its own credentials; `keep` is how many
        bytes of a stream the journal remembers.
        """
        self._apis = apis
        self._rooms = rooms
        self._log = log
        self._max_body_bytes = max_body_bytes
        self._stopping = stopping
        self._secrets = secrets
        self._propagate = propagate
        self._keep = keep
        self._most_streams = most_streams
        self._streams = threading.BoundedSemaphore(most_streams)
        self._orders = orders or Orders(stopping=stopping, most_held=most_streams, controls=True)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer over WSGI, and log the exchange; a stream is logged when it begins."""
        request = Request(environ, self._secrets)
        exchange = Exchange(request.method, _safe(request, request.path))
        answer = self.serve(request, exchange)
        self._log.exchange(exchange)
        start_response(_STATUS_LINES[answer.status], answer.headers)
        return [answer.body] if isinstance(answer.body, bytes) else answer.body

    def serve(self, request: Request, exchange: Exchange) -> Answer:
        """One request from its first byte to its last."""
        for api in self._apis:
            if request.path.startswith(api.prefix):
                break
        room, refusal = self._entered(api, request)
        exchange.sandbox = room.name
        trace_id = room.trace_id(api.prefix)
        try:
            if api.cors.is_preflight(request):
                answer = wire.unchecked(204, None, "", api.cors.preflight(request, _METHODS), trace_id)
            else:
                answer = self._answer(api, request, room, refusal, trace_id, exchange)
                answer.headers.extend(api.cors.headers(request).items())
            _label(answer, exchange)
            wire.refuse_what_breaks_http(answer)
        except Exception as error:
            if self._propagate():
                raise
            answer = self._failed(error, api, request, room, trace_id, exchange)
        exchange.status = answer.status
        exchange.stop_watch()
        if api.journaled and refusal is None and not api.cors.is_preflight(request):
            kept = answer._replace(body=answer.body.whole) if isinstance(answer.body, Broken) else answer
            room.journal.record(exchange, request, kept, trace_id, room.now())
        return answer

    def _entered(self, api: Api[Any, Any], request: Request) -> tuple[Room, Problem | None]:
        """The sandbox of the request; the lobby if it needs none, or, with the reason, may not enter it."""
        try:
            if api.needs_no_sandbox(request):
                return self._rooms.lobby, None
            return self._rooms.enter(request.sandbox), None
        except Problem as problem:
            return self._rooms.lobby, problem

    def _answer(
        self,
        api: Api[CallerT, RoomT],
        request: Request,
        room: RoomT,
        refusal: Problem | None,
        trace_id: str,
        exchange: Exchange,
    ) -> Answer:
        operation = order = None
        try:
            if api.guard is not None:
                api.guard.admit(request)
            if refusal is not None:
                raise refusal
            operation, ids = api.routes.find(request.method, request.path, request.query)
            exchange.operation = operation.id
            caller = api.authenticate(request, room)
            exchange.caller = api.name_of(caller)
            if api.guard is None and (room.faults.armed or request.has_controls):
                order = Order()
                asking = Asking(operation, ids, trace_id, room.now(), api.render)
                self._orders.place(order, request, exchange.caller, room.faults, room.instant(), asking)
            if order is not None and order.answer is not None:
                answer = order.answer
            else:
                dropped = None if order is None else order.dropped
                limit = self._max_body_bytes
                call = wire.read(operation, ids, request, caller, trace_id, limit, dropped)
                answer = self._handled(api, operation, call, request, room, exchange)
        except Redirect as redirect:
            exchange.refused("route", "", _safe(request, str(redirect)))
            location = quote(request.prefix) + redirect.location
            answer = wire.unchecked(307, None, "", {"Location": location}, trace_id)
        except Problem as problem:
            exchange.refused(problem.rule, problem.code, _safe(request, problem.reason))
            answer = _refused(api, operation, problem, room, trace_id)
        return answer if order is None else self._damaged(order, answer, request, exchange)

    def _handled(
        self,
        api: Api[CallerT, RoomT],
        operation: Operation,
        call: Call[CallerT],
        request: Request,
        room: RoomT,
        exchange: Exchange,
    ) -> Answer:
        """What the handler answers, alone in the sandbox; held to the spec."""
        with room.transaction():
            reply = api.handlers[operation.id](call, room)
            if operation.method != "GET":  # a reply that the spec forbids undoes what was changed
                checked = self._checked(operation, reply, call, request, room, exchange)
        if operation.method == "GET":  # the others need not wait: it can't change any more
            checked = self._checked(operation, reply, call, request, room, exchange)
        if isinstance(checked.body, Later):
            checked = wire.check(operation, self._waited(checked.body, request), call.trace_id)
        return wire.encode(checked)

    def _checked(
        self,
        operation: Operation,
        reply: Reply,
        call: Call[Any],
        request: Request,
        room: Room,
        exchange: Exchange,
    ) -> wire.Checked:
        checked = wire.check(operation, reply, call.trace_id)
        if isinstance(checked.body, Stream):
            return checked._replace(body=self._opened(checked.body, request, room, exchange))
        return checked

    def _damaged(self, order: Order, answer: Answer, request: Request, exchange: Exchange) -> Answer:
        """The answer with all that was ordered for it, and the exchange told of it."""
        answer = self._orders.damage(order, answer._replace(pieces=None), request)
        exchange.fault, exchange.source = order.told, order.source
        if order.told and not exchange.reason:
            exchange.refused("fault", "", f"injected: {order.told}")
        elif order.dropped and not exchange.reason:
            places = ", ".join(f"{flaw.place} {flaw.name}".rstrip() for flaw in order.dropped)
            exchange.refused("control", "", _safe(request, f"dropped: {places}"))
        return answer

    def _waited(self, later: Later, request: Request) -> Reply:
        if not self._streams.acquire(blocking=False):
            raise Busy(self._most_streams)
        try:
            with request.held:
                reply: Reply = later.wait(self._stopping)
            return reply
        finally:
            self._streams.release()

    def _opened(self, stream: Stream, request: Request, room: Room, exchange: Exchange) -> Lines:
        def report(error: Exception) -> None:
            _note(error, exchange)
            self._log.failure(error, exchange, request.without_secrets)
            if self._propagate():
                raise error

        if not self._streams.acquire(blocking=False):
            raise Busy(self._most_streams)

        def closed() -> None:
            self._streams.release()
            room.journal.close(exchange)

        return Lines(stream, stopping=self._stopping, report=report, closed=closed, keep=self._keep)

    def _failed(
        self,
        error: Exception,
        api: Api[Any, Any],
        request: Request,
        room: Room,
        trace_id: str,
        exchange: Exchange,
    ) -> Answer:
        """A failure of our own: 500 that says what and where, in the spec's words; always logged."""
        self._log.failure(error, exchange, request.without_secrets)
        problem = fault(error)
        exchange.refused(problem.rule, problem.code, _safe(request, f"{type(error).__name__}: {error}"))
        _note(error, exchange)
        rendered = api.render(problem, trace_id, room.now())
        answer = wire.unchecked(500, *rendered, api.cors.headers(request), trace_id)
        _label(answer, exchange)
        return answer


def _refused(
    api: Api[Any, Any], operation: Operation | None, problem: Problem, room: Room, trace_id: str
) -> Answer:
    """The problem in the spec's words, and held to it if it is one of the operation's."""
    rendered = api.render(problem, trace_id, room.now())
    if operation is None or isinstance(problem, OfTheMock):
        return wire.unchecked(problem.status, *rendered, problem.headers, trace_id)
    reply = Reply(problem.status, rendered.body, problem.headers)
    return wire.encode(wire.check(operation, reply, trace_id))


def _safe(request: Request, text: str) -> str:
    """`text` as the log and a header may show it: without secrets, one printable ASCII line."""
    return wire.header_safe(request.without_secrets(text))


def _note(error: Exception, exchange: Exchange) -> None:
    if isinstance(error, SpecViolation):
        exchange.violations = (*exchange.violations, error.details)


def _label(answer: Answer, exchange: Exchange) -> None:
    """The headers that explain an answer."""
    headers = answer.headers
    headers.append(("X-Mock-Source", exchange.source))
    if exchange.operation != "-":
        headers.append(("X-Mock-Operation", exchange.operation))
    if exchange.reason and answer.status >= 400:
        headers.append(("X-Mock-Reason", exchange.reason))
    if exchange.fault:
        headers.append(("X-Mock-Fault", exchange.fault))
    if answer.status != 204 and isinstance(answer.body, bytes):
        headers.append(("Content-Length", str(len(answer.body))))


_METHODS = "GET, POST, PUT, PATCH, DELETE"
_STATUS_LINES: Mapping[int, str] = {
    status: f"{status} {PHRASES.get(status, 'Unknown')}" for status in range(200, 600)
}
