"""Requests of the proxy's own, for what the copy has to know: by GET, and as the caller of a request."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from comparison.given import Given
from mockserver.http.context import RequestContext
from mockserver.http.log import Exchange
from mockserver.http.request import Answer, Request
from mockserver.proxy.exchange import Outgoing
from mockserver.proxy.headers import sent_headers
from mockserver.proxy.target import ProxyTarget, Received


class Unknown(Exception):
    """The copy can't know what a request is about; the text says why."""


class Fetches:
    """Fetches from one target, as many as `--compare-budget` allows."""

    def __init__(self, target: ProxyTarget, operation_at: Callable[[str], str]) -> None:
        """`operation_at`: operationId of a GET."""
        self._target, self._operation_at = target, operation_at
        self.count = 0

    def __call__(self, context: RequestContext, place: str, *, anonymous: bool = False) -> Given:
        """Answer of the target to a GET as the same caller, which the journal has, too."""
        options = self._target.options
        if self.count >= options.compare_budget:
            raise Unknown("the budget of fetches is used up")
        self.count += 1
        plain, _, query = place.partition("?")
        place = f"{quote(plain)}?{query}" if query else quote(plain)
        names = () if anonymous else ("HTTP_X_API_KEY", "HTTP_AUTHORIZATION")
        environ = context.request.environ()
        kept = {name: value for name, value in environ.items() if name[:5] != "HTTP_" or name in names}
        asked = {"REQUEST_METHOD": "GET", "PATH_INFO": plain, "QUERY_STRING": query, "CONTENT_TYPE": ""}
        request = Request({**kept, **asked, "SCRIPT_NAME": ""})
        headers = [pair for pair in sent_headers(request, self._target.host, b"", options) if pair[1]]
        exchange = Exchange("GET", plain, context.exchange.sandbox, self._operation_at(plain))
        exchange.caller = "-" if anonymous else context.exchange.caller
        exchange.source, exchange.instant = "target", context.exchange.instant
        exchange.refused("compare", "", "fetched for the comparison")
        received = self._target.send(
            Outgoing("GET", self._target.path + place, headers, b""), context.request.held
        )
        body = _whole(received)
        exchange.status = received.status
        exchange.stop_watch()
        answer = Answer(received.status, [*received.headers], body)
        context.sandbox.journal.record(exchange, request, answer, context.sandbox.trace_id(context.api.kind))
        return given_of(received.status, received.headers, body)


def given_of(status: int, headers: list[tuple[str, str]], body: bytes) -> Given:
    """Answer of the target as it is compared."""
    return Given(status, {name.lower(): value for name, value in headers}, body.decode("utf-8", "replace"))


def _whole(received: Received) -> bytes:
    data, piece = b"", received.read()
    while piece:
        data, piece = data + piece, received.read()
    received.end()
    return data
