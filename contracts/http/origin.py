"""Origin of a response: the API, or something in front of it."""

from __future__ import annotations

from contracts.checks.errors import Firewalled, Intercepted
from contracts.http.exchange import ClientResponse

_OWN = (404, 405, 500, 501)
"""Statuses of a page of HTML by the API's own server: an unknown route, or an error of its code."""


def refuse_foreign(answer: ClientResponse) -> ClientResponse:
    """Return the response; Intercepted if it is a page of HTML from a firewall, a gateway or a login."""
    page = "html" in answer.headers.get("content-type", "").lower() and answer.text.lstrip()[:1] == "<"
    if not page or answer.status in _OWN or 300 <= answer.status < 400:
        return answer
    request = answer.request
    kind = Firewalled if answer.status < 500 else Intercepted
    raise kind(
        f"something in front of the API answers {answer.status} with a page of HTML"
        f" to {request.method} {request.path[:80]}"
    )
