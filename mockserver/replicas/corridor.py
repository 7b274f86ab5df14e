"""The life of a request to one of many replicas."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import orjson

from mockserver.corridor import Corridor
from mockserver.http import body_limit, wire
from mockserver.http.calls import Call
from mockserver.http.context import Api, RequestContext
from mockserver.http.event_stream import ClosesOnce, Lines, Stream
from mockserver.http.problems import Problem
from mockserver.http.request import Answer, Request
from mockserver.outcome import refused
from mockserver.proxy.target import SAFE
from mockserver.replicas.passing import HOP, NOBODY, OWNER, Passing
from mockserver.replicas.peers import PEER, TOKEN
from mockserver.replicas.problems import Elsewhere, ForeignReplica, Refused, StoreUnavailable, Unrecoverable
from mockserver.replicas.sandboxes import ReplicaSandboxes
from mockserver.sandbox.clock import elapsed
from mockserver.sandbox.sandboxes import DEFAULT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATIENCE = 0.8
"""Seconds for which a request looks for an owner that answers."""
PATIENCE_OF_OWNER = 0.4
"""The same for a request that another replica has passed on."""
PAUSE = 0.05
"""Seconds between two tries."""
SANDBOXES = "/__admin/sandboxes"
"""Path of calls about a sandbox that they name in their path or body."""
_HTTP = "HTTP_" + TOKEN.upper().replace("-", "_"), "HTTP_" + PEER.upper().replace("-", "_")


class ReplicaCorridor(Corridor):
    """Corridor that passes requests on to the owner of their sandbox."""

    _sandboxes: ReplicaSandboxes

    def __init__(self, *args: Any, passing: Passing, token: str, strict: bool, **options: Any) -> None:
        """`strict`: ask the store before a read is answered."""
        super().__init__(*args, **options)
        self._passing, self._token = passing, token.encode()
        self._owners = self._sandboxes.owners
        self._holds = self._owners.holds_strictly if strict else self._owners.holds

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer over WSGI."""
        return super().__call__(self._received(environ), start_response)

    def body_limit(self, environ: WSGIEnvironment) -> int:
        """Most bytes of the body to receive: whatever is passed on is received whole."""
        environ = self._received(environ)
        request = Request(environ)
        api, name = self._api(request), request.sandbox or DEFAULT
        if not request.is_whole or api.needs_no_sandbox(request) or self._owners.holds(name):
            return super().body_limit(environ)
        return self._limit(request, api)[0]

    def _limit(self, request: Request, api: Api) -> tuple[int, str]:
        """Most bytes of a body, and the flag that says so."""
        operation = api.routes.at(request.method, request.path)
        return (self._limits.body, "--max-body-bytes") if operation is None else self._limits.of(operation)

    def serve(self, context: RequestContext) -> Answer:
        """Answer one request, here or by the owner; again if ownership moves meanwhile."""
        patience = PATIENCE if context.request.header(HOP) is None else PATIENCE_OF_OWNER
        until, current = elapsed() + patience, context
        while not self._is_final(current, answer := super().serve(current)):
            if isinstance(answer.body, ClosesOnce):
                answer.body.close()
            with context.request.held:
                self._stopping.wait(PAUSE)
            current = self._enter(_again(context.request, self._secrets))
            is_refused = current.refusal is not None and not isinstance(current.refusal, Refused)
            if elapsed() > until and not is_refused:
                current.refusal = StoreUnavailable("ownership of the sandbox is moving")
        context.exchange, context.told_length = current.exchange, current.told_length
        if not any(name.lower() == OWNER.lower() for name, _ in answer.headers):
            is_moving = current.exchange.rule == "ownership" and answer.status == 503
            answer.headers.append((OWNER, NOBODY if is_moving else self._owners.url))
        if (name := self._name(current)) is not None:
            self._sandboxes.let_go(name)
        if current.told_length is not None:
            answer.headers[:] = [pair for pair in answer.headers if pair[0] != "Content-Length"]
            answer.headers.extend([("Content-Length", current.told_length)] if current.told_length else [])
        return answer

    def _enter(self, request: Request) -> RequestContext:
        context = super()._enter(request)
        if request.header(HOP) == "wrong":
            context.sandbox, context.refusal = self._sandboxes.outside, ForeignReplica()
        elif context.api.guard is not None:
            if request.path == "/__admin/ready" and not self._owners.is_ready:
                context.refusal = StoreUnavailable("the store does not answer")
            elif request.path.startswith(SANDBOXES) and (name := self._name(context)) is not None:
                try:
                    self._sandboxes.locate(name)
                except Problem as problem:
                    context.refusal = problem
            if isinstance(context.refusal, Unrecoverable) and self._discarded(context):
                return self._enter(request)
        return context

    def _discarded(self, context: RequestContext) -> bool:
        """Whether a request discards its sandbox, which can't be recovered, and is admitted."""
        request, name = context.request, self._name(context)
        place = f"{request.method} {request.path}"
        if name is None or place not in (f"DELETE {SANDBOXES}/{name}", "POST /__admin/reset"):
            return False
        try:
            assert context.api.guard is not None
            context.api.guard.admit(request)
            self._sandboxes.discard(name)
        except Problem as problem:
            context.refusal = problem
            return False
        return True

    def _name(self, context: RequestContext) -> str | None:
        """Name of the sandbox that a request is about; None if it is about none."""
        request, api = context.request, context.api
        if api.guard is not None and request.path.startswith(SANDBOXES):
            name = request.path.removeprefix(SANDBOXES).strip("/").partition("/")[0]
            return name or (_created(request) if request.method == "POST" else None)
        return None if api.needs_no_sandbox(request) else request.sandbox or DEFAULT

    def _is_final(self, context: RequestContext, answer: Answer) -> bool:
        """Whether an answer may be sent: it tells what is certain, or that nothing is."""
        if context.exchange.rule == "ownership":
            is_elsewhere = isinstance(context.refusal, Elsewhere) or self._owners.is_closed
            return is_elsewhere and context.request.header(HOP) is not None
        if context.written or context.refusal is not None or context.exchange.rule == "store":
            return True
        operation, name = context.operation, self._name(context)
        if name is None or (
            operation is not None
            and not operation.in_sandbox
            and operation.method not in SAFE
            and answer.status < 400
        ):
            return True
        try:
            # In this order: a sandbox is the current one before it is held again.
            return self._holds(name) and self._sandboxes.is_current(context.sandbox, name)
        except StoreUnavailable:
            return False

    def _answer(self, context: RequestContext) -> Answer:
        owner = context.refusal
        if not isinstance(owner, Elsewhere) or context.request.header(HOP) is not None:
            return super()._answer(context)
        try:
            if not context.request.is_whole:
                raise body_limit.unreceived(context.request)
            body = context.request.body(*self._limit(context.request, context.api))
            received = self._passing.ask(owner, context.request, body)
            return self._passing.passed(context, received, owner, self._slots(context))
        except Problem as problem:
            return refused(context, problem)

    def _kept(self, context: RequestContext, checked: wire.Checked) -> Answer:
        answer = super()._kept(context, checked)
        context.written = context.matched.kept != "read"
        return answer

    def _opened(
        self,
        context: RequestContext,
        stream: Stream | Iterator[bytes],
        stopping: threading.Event | None = None,
    ) -> Lines:
        return super()._opened(context, stream, stopping or self._owners.lease.ended)

    def _handle(self, context: RequestContext, call: Call[Any]) -> Answer:
        if context.matched.id != "listSandboxes" or context.api.guard is None:
            return super()._handle(context, call)
        reply = self._passing.listed(context, call, self._sandboxes)
        return wire.encode(self._checked(context, reply))

    def _received(self, environ: WSGIEnvironment) -> WSGIEnvironment:
        """Environ of a request; of one that another replica passes on, with the address of its client."""
        received = {name: value for name, value in environ.items() if name not in (*_HTTP, HOP_KEY)}
        if (token := environ.get(_HTTP[0])) is not None:
            is_known = hmac.compare_digest(token.encode("utf-8", "replace"), self._token)
            received[HOP_KEY] = "yes" if is_known else "wrong"
            if is_known:
                received["REMOTE_ADDR"] = environ.get(_HTTP[1], "")
        return received


HOP_KEY = "HTTP_" + HOP.upper().replace("-", "_")


def _again(request: Request, secrets: Iterable[str]) -> Request:
    """The same request, as it was received."""
    environ = request.raw
    environ["wsgi.input"].seek(0)
    return Request(environ, secrets)


def _created(request: Request) -> str | None:
    """Name of the sandbox that a body creates; None if it names none."""
    source = request.raw["wsgi.input"]
    try:
        body = orjson.loads(source.read())
    except orjson.JSONDecodeError:
        return None
    finally:
        source.seek(0)
    name = body.get("id") if isinstance(body, dict) else None
    return name if isinstance(name, str) and name else None
