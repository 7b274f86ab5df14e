"""What of a request's headers leaves, and what of an answer's headers comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from string import punctuation
from urllib.parse import quote, urlsplit

from mockserver.http.request import Request
from mockserver.proxy.options import ProxyOptions

Headers = Sequence[tuple[str, str]]
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te")
) | {"trailer", "transfer-encoding", "upgrade", "http2-settings"}
_NEVER_SENT = HOP_BY_HOP | {"host", "content-length", "expect", "accept-encoding"}
_OURS = ("x-mock-", "prefer")
"""Beginnings of the names of headers that a mock obeys."""
_REPLACED = ("x-mock-source", "x-mock-operation", "x-mock-violations")
_NEVER_PASSED = HOP_BY_HOP | {*_REPLACED}
_PATH = "/:@!$&'()*+,;=~-._"
"""Characters of a path that are not encoded, besides letters and digits."""
_DOMAIN = re.compile(r";\s*domain=\.?([^;\s]*)", re.ASCII | re.IGNORECASE)


def sent_path(request: Request, prefix: str) -> str:
    """Path and query of a request for the target, below the path of its URL."""
    path = prefix + quote(request.raw_path.encode("latin-1"), safe=_PATH)
    query = request.query
    if not query.isascii():
        query = quote(query.encode("latin-1", "replace"), safe=punctuation)
    return f"{path}?{query}" if query else path


@lru_cache(1000)
def _plain(wsgi: str) -> str:
    """Lower-case name of a header of WSGI."""
    return wsgi.removeprefix("HTTP_").replace("_", "-").lower()


@lru_cache(1000)
def _titled(name: str) -> str:
    return name.title()


@lru_cache(1000)
def _lower(name: str) -> str:
    return name.lower()


def sent_headers(request: Request, host: str, body: bytes, options: ProxyOptions) -> list[tuple[str, str]]:
    """Headers of a request for the target: nothing of ours, and no encoding that could not be judged."""
    named = {"host": host, "accept-encoding": "identity"}
    connection = (request.header("Connection") or "").lower()
    dropped = _NEVER_SENT | {name.strip() for name in connection.split(",")} if connection else _NEVER_SENT
    for wsgi, value in request.headers:
        name = _plain(wsgi)
        if name in dropped or (name.startswith(_OURS) and not options.forward_sandbox):
            continue
        named[name] = value
    if body or request.method not in ("GET", "HEAD", "OPTIONS", "DELETE"):
        named["content-length"] = str(len(body))
    if options.forward_sandbox and request.sandbox is not None:
        named["x-mock-sandbox"] = request.sandbox
    given = {name.lower() for name, _ in options.headers}
    own = [(_titled(name), value) for name, value in named.items() if name not in given]
    return [*own, *options.headers]


def passed_headers(headers: Headers, target: str, base: str, *, is_page: bool) -> list[tuple[str, str]]:
    """Headers of the target's answer as the client gets them.

    `target`: its URL; `base`: URL under which the client reaches it; `is_page`: whether a page of another
    origin reads the answer, so that the proxy says whether it may.
    """
    listed = ",".join([value for name, value in headers if _lower(name) == "connection"]).lower()
    named = {name.strip() for name in listed.split(",")} if listed else set[str]()
    return list(_passed(headers, _NEVER_PASSED | named, target, base, is_page))


def _passed(
    headers: Headers, dropped: frozenset[str], target: str, base: str, is_page: bool
) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        lower = _lower(name)
        if lower in dropped or (is_page and lower.startswith("access-control-")):
            continue
        if lower in ("location", "content-location"):
            value = _located(value, target, base)
        elif lower == "set-cookie":
            host = urlsplit(target).hostname or ""
            value = _DOMAIN.sub(partial(_domain, host), value)
        yield name, value


def _domain(host: str, found: re.Match[str]) -> str:
    """Domain of a cookie, without the target's own."""
    return "" if _is_of(host, found[1]) else found[0]


def _is_of(host: str, domain: str) -> bool:
    return f".{host}".endswith(f".{domain.lower()}")


def _located(url: str, target: str, base: str) -> str:
    """URL of the target's own host as one of the proxy; any other as it is."""
    to, parts = urlsplit(target), urlsplit(url)
    if parts.netloc and (parts.scheme or to.scheme, parts.netloc.lower()) != (to.scheme, to.netloc.lower()):
        return url
    if not parts.path.startswith("/"):
        return url  # relative to the path of the request
    inside = parts.path == to.path or parts.path.startswith(to.path + "/")
    if not inside:
        return url if parts.netloc else f"{target[: -len(to.path)]}{url}"
    rest = url[url.index(parts.path, url.index(parts.netloc) + len(parts.netloc)) + len(to.path) :]
    return (base if parts.netloc else base[len(_origin(base)) :]) + rest


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
