"""Dispatch of a request to a Flask view, and the view's response as an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from mockserver.extensions.request_sandbox import RequestSandbox
from mockserver.http.context import RequestContext
from mockserver.http.event_stream import STREAM_HEADERS, ClosesOnce, Lines, SentBytes
from mockserver.http.problems import Forbidden, Internal, Problem, Unauthorized, of_status, wrong_method
from mockserver.http.problems import NotFound as ResourceNotFound
from mockserver.http.request import Answer
from mockserver.openapi.keywords import EVENT_STREAM
from mockserver.openapi.operation import Operation

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONTEXT = "mockserver.context"
"""Environ key of the RequestContext, in a view's `request.environ`."""
_VENDORS = {each.status: each for each in (Unauthorized, Forbidden, ResourceNotFound)}
"""Statuses of `abort` for which the vendor documents a code and a message."""


class FlaskViews:
    """Routes of a Flask application beside the documents."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        app.register_error_handler(HTTPException, _as_problem)

    def serve(self, path: str) -> bool:
        """Whether a route has the path, with any method."""
        try:
            self._app.url_map.bind("mock").match(path, "GET")
        except NotFound:
            return False
        except (MethodNotAllowed, RequestRedirect):
            pass
        return True

    def find(self, context: RequestContext) -> Operation | None:
        """Route of the request as an undocumented operation; None if no route has the path.

        WrongMethod if the path is served, but not with this method.
        """
        if not self._app.view_functions:
            return None
        method = context.request.method
        try:
            adapter = self._app.url_map.bind("mock")  # any: routes do not depend on the host
            template = adapter.match(context.request.path, method, return_rule=True)[0].rule
        except NotFound:
            return None
        except MethodNotAllowed as error:
            raise wrong_method(method, error.valid_methods or ()) from None
        except RequestRedirect:
            template = context.request.path
        return Operation(f"{method} {template}", method, template, (), {}, None, {})

    def answer(self, context: RequestContext, body: bytes) -> Answer:
        """Run the view; a Problem that it raises is for the caller. The body of a stream is an iterator."""
        environ = {**context.request.environ(body), CONTEXT: context}
        # A context of its own: a call of the mock from a view gets another `g`, and a stream keeps its own.
        scope = Context()
        response, pieces, headers = scope.run(self._respond, environ)
        headers.append(("x-request-id", context.trace_id))
        if response.is_streamed and response.mimetype == EVENT_STREAM:
            headers += [pair for pair in STREAM_HEADERS if pair[0] not in response.headers]
        if response.is_streamed or context.request.method == "HEAD":
            return Answer(response.status_code, headers, _streamed(scope, response, pieces))
        # The corridor adds the length of what it sends.
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        data = b"".join(pieces)
        scope.run(response.close)
        return Answer(response.status_code, headers, data)

    def _respond(self, environ: WSGIEnvironment) -> tuple[Response, Iterator[bytes], list[tuple[str, str]]]:
        """The steps of Flask.wsgi_app; its response, the pieces of the body, and the headers."""
        context: RequestContext = environ[CONTEXT]
        pushed = self._app.request_context(environ)
        failure: Exception | None = None
        try:
            pushed.push()
            g.sandbox, g.caller = RequestSandbox(context.sandbox, context.exchange), context.caller
            try:
                response = self._dispatched()
            except Exception as error:
                failure = error
                if isinstance(error, Problem):
                    raise
                response = self._app.handle_exception(error)
            pieces, _, headers = response.get_wsgi_response(environ)
            return response, iter(pieces), headers
        finally:
            pushed.pop(failure)

    def _dispatched(self) -> Response:
        try:
            return self._app.full_dispatch_request()
        except SystemExit as error:  # would end the thread, and the client would wait forever
            raise RuntimeError(f"the view ended its thread: SystemExit({error})") from error


def _as_problem(error: HTTPException) -> Any:
    """Error handler: the vendor's envelope in place of HTML, with the headers of the error."""
    if error.response is not None:
        return error
    context: RequestContext = request.environ[CONTEXT]
    status, text = error.code or 500, str(error.description or "")
    cause = getattr(error, "original_exception", None)
    if cause is not None:
        reason = f"{type(cause).__name__}: {cause}"
        problem: Problem = Internal("The extension failed; the log says why", reason=reason)
    else:
        problem = _VENDORS[status](text) if status in _VENDORS else of_status(status, text)
    context.exchange.refused(problem.rule, problem.code, context.safe(problem.reason))
    rendered = context.render(problem)
    response = Response(orjson.dumps(rendered.body), status, content_type=rendered.content_type)
    response.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
    return response


def _streamed(scope: Context, response: Response, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The body piece by piece, in the context of the request."""
    try:
        while (piece := scope.run(next, pieces, None)) is not None:
            yield piece
    finally:
        scope.run(response.close)


class ViewStream(Lines):
    """Body of a streaming view, as the corridor sends and records it."""

    def __init__(
        self,
        pieces: Iterator[bytes],
        *,
        stopped: Callable[[], bool],
        report: Callable[[BaseException], None],
        closed: Callable[[], None],
        keep: int,
    ) -> None:
        """`report` receives the error of a failing view, which ends the stream."""
        self._last, self.sent = None, SentBytes(keep)
        ClosesOnce.__init__(self, _until(pieces, stopped, report, self.sent), closed)


def _until(
    pieces: Iterator[bytes],
    stopped: Callable[[], bool],
    report: Callable[[BaseException], None],
    sent: SentBytes,
) -> Iterator[bytes]:
    try:
        for piece in pieces:
            yield piece
            if stopped():
                sent.ended = "stopped"
                return
        sent.ended = "complete"
    except (Exception, SystemExit) as error:
        sent.ended = "failed"
        report(error)
