"""HTTP transport of the control client, with the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

TIMEOUT = 60.0
"""Seconds for one answer; the mock ends a wait after 60 at most."""
Send = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, bytes]]
"""(method, URL, headers, body) -> status and body of the answer."""


class Unreachable(Exception):
    """No mock answers at the URL; the text is one line that says what to do."""


class Refused(Exception):
    """The mock refuses the call; the text is its reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def over_http(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
    """Send one request; Unreachable if nothing answers, Refused for a redirect, which is not followed.

    This machine is never asked for through a proxy.
    """
    status, answer = _sent(method, url, headers, body, lambda response: (response.status, response.read()))
    return status, answer


def lines_over_http(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """Lines of a stream as they come; ends with it, Refused or Unreachable if there is none."""
    response = _sent("GET", url, headers, None, lambda response: response, keep=True)
    if isinstance(response, tuple):
        raise Refused(response[0], reason_of(*response))
    with response:
        try:
            for line in response:
                yield line.decode().rstrip("\n")
        except OSError as error:
            raise Unreachable(f"the mock at {url} has ended its stream: {error}") from None


def _sent(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    read: Callable[[Any], Any],
    *,
    keep: bool = False,
) -> Any:
    """What `read` makes of the response, or status and body of a refusal; `keep` leaves it open."""
    from urllib.error import HTTPError, URLError  # a fifth of the start of a command that makes no call
    from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

    opener: OpenerDirector = build_opener(_no_redirect(), *([ProxyHandler({})] if _is_loopback(url) else []))
    request = Request(url, body, dict(headers), method=method)  # noqa: S310 - the URL is the user's own
    try:
        response = opener.open(request, timeout=TIMEOUT)
        with nullcontext() if keep else response:
            return read(response)
    except HTTPError as error:
        with error:
            if 300 <= error.code < 400:
                there = error.headers.get("Location", "nowhere")
                raise Refused(
                    error.code, f"{url} redirects to {there}: give the address it leads to"
                ) from None
            return error.code, error.read()
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"no mock answers at {url}: {reason}; start one with mockserver serve") from None


def _no_redirect() -> Any:
    from urllib.request import HTTPRedirectHandler

    class NoRedirect(HTTPRedirectHandler):
        """Redirects are answers: following one would pass the token on."""

        def redirect_request(self, *_: Any) -> None:
            return None

    return NoRedirect()


def _is_loopback(url: str) -> bool:
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        host = urlsplit(url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def reason_of(status: int, answer: bytes) -> str:
    """Reason of a refusal, in one line."""
    try:
        problem = json.loads(answer)
        return str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"it answers {status} and no reason: is it a mock of this version, or a proxy on the way?"
