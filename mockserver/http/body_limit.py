"""How much of a request's body is received, and refusals of requests that were not received whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockserver.http.context import Api, SandboxesProtocol
from mockserver.http.event_stream import TooManyWaiting
from mockserver.http.problems import MockOwnError, Problem, Redirect, Unserved
from mockserver.http.request import Request
from mockserver.http.upload import BodyLimits

_JOURNALED = 16_384
"""Most bytes of a refused body; the journal shows them."""


class BadRequest(
    MockOwnError, status=400, code="BAD_REQUEST", message="The request is not valid HTTP.", rule="limits"
):
    """400: not even a request."""


class RequestTimeout(
    MockOwnError, status=408, code="REQUEST_TIMEOUT", message="The body took too long.", rule="limits"
):
    """408: the body did not arrive in time."""


_UNRECEIVED: Mapping[str, Callable[[], Problem]] = {
    "slow": lambda: RequestTimeout(
        "The body took too long", reason="the body took over --body-timeout seconds"
    ),
    "many": lambda: TooManyWaiting("too many bodies are being received, or more bytes than the mock keeps"),
    "malformed": lambda: BadRequest(
        "The body is malformed", reason="the length of the body, or of one of its chunks, is not valid"
    ),
}


def unreceived(request: Request) -> Problem:
    """Problem of a request that is not whole."""
    if request.unreceived:
        return _UNRECEIVED[request.unreceived]()
    return BadRequest("More than one Host", reason="the request has more than one Host header; send one")


def body_limit(
    request: Request,
    api: Api,
    sandboxes: SandboxesProtocol,
    limits: BodyLimits,
    serves_view: Callable[[str], bool],
) -> int:
    """Most bytes of a body that are received before its request is answered; changes nothing.

    Of a request that will be refused only a beginning, for the
    journal, and nothing if the client waits for permission to send (`Expect`).
    """
    try:
        if not request.is_whole:
            raise unreceived(request)
        if api.guard is not None:
            api.guard.admit(request)
        needs_none = api.needs_no_sandbox(request)
        sandbox = sandboxes.outside if needs_none else sandboxes.find(request.sandbox)
        operation, _ = api.routes.find(request.method, request.path, request.query)
        api.authenticate(request, sandbox)
        return limits.of(operation)[0]
    except Unserved:
        if not api.prefix and serves_view(request.path):
            return limits.body
    except (Problem, Redirect):
        pass
    return 0 if request.header("Expect") else min(limits.body, _JOURNALED)
