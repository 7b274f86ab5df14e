"""CORS for browsers: loopback pages by default, others by name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from mockserver.http.request import Request

EXPOSED = (
    "x-request-id, X-Mock-Source, X-Mock-Operation, X-Mock-Reason, X-Mock-Fault, X-Mock-Delay, X-Mock-Owner, "
    "X-Mock-Violations, X-Mock-Compared, "
    "Preference-Applied, Allow, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)
METHODS = "GET, POST, PUT, PATCH, DELETE"
MAX_AGE = "600"
"""Seconds for which a browser may cache a preflight's answer."""


_NAMES = re.compile(r"[\w!#$%&'*+.^`|~, -]+", re.ASCII)


class Cors:
    """Origins that may read answers."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        """`origins` in addition to loopback; `*` is every origin."""
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def is_preflight(self, request: Request) -> bool:
        """Whether it is a CORS preflight."""
        return (
            request.method == "OPTIONS"
            and request.header("Origin") is not None
            and request.header("Access-Control-Request-Method") is not None
        )

    def preflight(self, request: Request) -> dict[str, str]:
        """Headers of a preflight's answer; without permissions for an unknown origin."""
        headers = self.headers(request)
        if "Access-Control-Allow-Origin" in headers:
            asked = request.header("Access-Control-Request-Headers")
            headers["Access-Control-Allow-Methods"] = METHODS
            headers["Access-Control-Max-Age"] = MAX_AGE
            if asked and _NAMES.fullmatch(asked):
                headers["Access-Control-Allow-Headers"] = asked
            if request.header("Access-Control-Request-Private-Network") == "true":
                headers["Access-Control-Allow-Private-Network"] = "true"
        return headers

    def allows(self, request: Request) -> bool:
        """Whether the page that sends the request may read the answer; true if no page does."""
        origin = request.header("Origin")
        if origin is None:
            return True
        return bool({"*", origin.lower()} & self._origins) or is_loopback_url(origin)

    def headers(self, request: Request) -> dict[str, str]:
        """CORS headers of an answer; empty without an Origin."""
        origin = request.header("Origin")
        if origin is None:
            return {}
        if not self.allows(request):
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": EXPOSED,
        }


def is_loopback_url(url: str) -> bool:
    """Whether the host of a URL or an origin is loopback."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a host name or address is loopback."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
