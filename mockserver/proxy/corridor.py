"""The life of a request whose answer comes from another server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mockserver.corridor import Corridor
from mockserver.http.calls import Call
from mockserver.http.context import RequestContext
from mockserver.http.cors import METHODS
from mockserver.http.event_stream import SentBytes, WaitingSlots
from mockserver.http.large_answers import LARGE
from mockserver.http.problems import Problem, Redirect, Unserved, WrongMethod
from mockserver.http.request import Answer, Request
from mockserver.openapi.keywords import EVENT_STREAM
from mockserver.openapi.operation import Response
from mockserver.outcome import explain_origin, refused
from mockserver.proxy import judge
from mockserver.proxy.comparing import Comparison
from mockserver.proxy.exchange import BadGateway, NoUpgrade, Outgoing, ReadOnly
from mockserver.proxy.fetching import given_of
from mockserver.proxy.front import Front
from mockserver.proxy.headers import passed_headers, sent_headers, sent_path
from mockserver.proxy.stream import TargetStream
from mockserver.proxy.target import SAFE, Received

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


Ended = Callable[[Answer, bytes | None], str] | None


class ForwardingCorridor(Corridor):
    """Corridor that answers the vendor's API by asking the target."""

    def __init__(self, *args: Any, front: Front, most_waiting: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._front, self._target = front, front.target
        self._waiting = WaitingSlots(most_waiting, "requests wait for the target (see --threads)")

    def body_limit(self, environ: WSGIEnvironment) -> int:
        """Most bytes of the body to receive: whatever is passed on is received whole."""
        request = Request(environ)
        api = self._api(request)
        if api is not self._apis[-1] or not request.is_whole:
            return super().body_limit(environ)
        operation = api.routes.at(request.method, request.path)
        return self._limits.body if operation is None else self._limits.of(operation)[0]

    def serve(self, context: RequestContext) -> Answer:
        """Answer one request; an answer without a body has the length that the target told."""
        answer = super().serve(context)
        if isinstance(answer.body, bytes):
            self._front.judged(context.exchange)
        length = context.told_length
        if length is not None:
            answer.headers[:] = [pair for pair in answer.headers if pair[0] != "Content-Length"]
            answer.headers.extend([("Content-Length", length)] if length else [])
        return answer

    def _answer(self, context: RequestContext) -> Answer:
        if context.api is not self._apis[-1] or context.is_preflight:
            return super()._answer(context)
        exchange, undocumented = context.exchange, ""
        exchange.source = "proxy"
        try:
            try:
                self._admit(context)
            except (Unserved, WrongMethod) as problem:
                undocumented, exchange.caller = problem.reason, self._front.caller(context.request, None)
            except Redirect:
                pass  # the target decides
            answer = self._asked(context, undocumented)
        except Problem as problem:
            answer = refused(context, problem)
        if (injection := context.injection) is not None:
            injection.source = injection.source if injection.answer is not None else exchange.source
            answer = self._damaged(context, injection, answer)
        return explain_origin(context, answer)

    def _asked(self, context: RequestContext, undocumented: str) -> Answer:
        """The target's answer, or an injected one."""
        request, operation = context.request, context.operation
        if operation is not None and (answer := self._inject(context)) is not None:
            return answer
        if self._front.options.read_only and request.method not in (*SAFE, "OPTIONS"):
            raise ReadOnly("Read-only", reason=f"{request.method} is not passed on with --read-only")
        upgrade = (request.header("Upgrade") or "").lower()
        if upgrade and not upgrade.startswith("h2c"):  # which a server may ignore
            raise NoUpgrade("No upgrade", reason=f"the proxy passes no upgrade to {upgrade[:40]!r} on")
        meant, wrong = None, list[judge.Violation]()
        if operation is not None:
            meant, wrong = judge.judge_request(context, self._limits)
            if self._front.watch is not None:
                request.journal_body = None  # a recording has what is uploaded, too
        if operation is None or operation.body is None:
            request.body(self._limits.body, "--max-body-bytes")
        if self._front.comparison is not None and operation is not None:
            answer = self._compared(context, self._front.comparison, wrong)
        else:
            answer = self._forwarded(context, wrong, undocumented)
        if self._front.options.mode == "fill" and meant is not None and judge.is_missing(answer):
            return self._filled(context, meant)
        return answer

    def _compared(
        self, context: RequestContext, comparison: Comparison, wrong: list[judge.Violation]
    ) -> Answer:
        """The target's answer, compared with the mock's; a stream is compared when it has ended."""
        with context.request.held:
            comparison.lock.acquire()
        try:
            why = comparison.prepare(context)

            def ended(answer: Answer, body: bytes | None) -> str:
                theirs = None if body is None else given_of(answer.status, answer.headers, body)
                return comparison.compare(context, why, theirs)

            answer = self._forwarded(context, wrong, "", ended)
            if isinstance(answer.body, bytes):
                answer.headers.append(("X-Mock-Compared", ended(answer, answer.body)))
                judge.tell(answer.headers, context.exchange.violations)
        finally:
            comparison.lock.release()
        return answer

    def _forwarded(
        self, context: RequestContext, wrong: list[judge.Violation], undocumented: str, ended: Ended = None
    ) -> Answer:
        """The target's answer; `ended` gets a stream and all of its bytes, None if they are too many."""
        received = self._received(context)
        is_asked = context.request.method in METHODS.split(", ")
        if undocumented and is_asked and received.status not in (404, 405, 501):
            wrong = [judge.undocumented(received.status, undocumented)]
        return self._passed(context, received, wrong, ended)

    def _filled(self, context: RequestContext, meant: Call[Any] | Problem) -> Answer:
        """The mock's answer in place of one that says that the target does not have the operation."""
        context.exchange.source, context.exchange.violations, context.told_length = "state", (), None
        if isinstance(meant, Problem):
            raise meant
        caller = self._front.caller_of_mock(context.request, context.sandbox)
        return self._handle(context, replace(meant, caller=caller))

    def _received(self, context: RequestContext) -> Received:
        request, body = context.request, context.request.received
        headers = sent_headers(request, self._target.host, body, self._front.options)
        outgoing = Outgoing(request.method, sent_path(request, self._target.path), headers, body)
        self._waiting.take()
        try:
            received = self._target.send(outgoing, request.held)
        finally:
            self._waiting.release()
        if not 200 <= received.status <= 599:
            received.abandon()
            raise BadGateway("No status", reason=f"the target's status {received.status} can't be passed on")
        return received

    def _passed(
        self, context: RequestContext, received: Received, wrong: list[judge.Violation], ended: Ended
    ) -> Answer:
        exchange, request, operation = context.exchange, context.request, context.operation
        named = received.headers.named
        headers = passed_headers(
            received.headers,
            self._front.options.target,
            request.base_url + quote(request.prefix),
            is_page=request.header("Origin") is not None,
        )
        media_type, has_body = judge.media_type_of(named), received.length != 0
        begin, is_whole = b"", not has_body
        if (
            has_body
            and media_type != EVENT_STREAM
            and ("json" in media_type if received.length is None else received.length <= LARGE)
        ):
            begin = received.begin(LARGE + 1, request.held)
            is_whole = len(begin) <= LARGE
        why = self._unjudged(context, named, is_whole=is_whole or media_type == EVENT_STREAM)
        if operation is not None and request.method != "HEAD" and received.status != 304:
            body = None if why or not is_whole else begin
            wrong = wrong + judge.judge_answer(operation, received.status, named, body)
        exchange.source, exchange.violations = "target", tuple(wrong)
        judge.tell(headers, wrong, why)
        if is_whole:
            received.end()
            if not has_body or request.method == "HEAD":
                context.told_length = named.get("content-length", "")
            return Answer(
                received.status, [pair for pair in headers if pair[0].lower() != "content-length"], begin
            )
        if received.length is None:  # in chunks, whatever else it says
            headers = [pair for pair in headers if pair[0].lower() != "content-length"]
        answer = Answer(received.status, headers, b"")
        return answer._replace(body=self._streamed(context, received, begin, named, answer, ended))

    @staticmethod
    def _unjudged(context: RequestContext, named: Mapping[str, str], *, is_whole: bool) -> str:
        """Why the body is not judged; empty if it is."""
        encoding = judge.encoding_of(named)
        if context.operation is None or not encoding:
            return "" if is_whole or context.operation is None else "not judged: too large"
        return f"not judged: encoded as {encoding[:20]}"

    def _streamed(
        self,
        context: RequestContext,
        received: Received,
        begin: bytes,
        named: Mapping[str, str],
        answer: Answer,
        ended: Ended,
    ) -> TargetStream:
        operation, exchange = context.operation, context.exchange
        response: Response | None = None if operation is None else operation.responses.get(received.status)
        watch: Callable[[bytes], object] = len  # judges nothing
        is_events = judge.media_type_of(named) == EVENT_STREAM and not judge.encoding_of(named)
        if operation is not None and response is not None and response.events is not None and is_events:
            watch = judge.EventJudge(operation, received.status, response.events, exchange).add

        def closed(sent: SentBytes) -> None:
            self._streams.release()
            if ended is not None and self._front.comparison is not None:
                is_whole = sent.ended == "complete" and len(sent.begin) == sent.bytes
                self._front.comparison.after_stream(lambda: ended(answer, sent.begin if is_whole else None))
            self._front.judged(exchange)
            context.sandbox.journal.close(exchange)

        def broken(error: Exception) -> None:
            exchange.refused("proxy", "", context.safe(f"the target broke off: {error}"))

        try:
            self._streams.take()
        except Problem:
            received.abandon()
            raise
        return TargetStream(
            received, begin, judge=watch, broken=broken, closed=closed, keep=self._keep, is_events=is_events
        )
