"""Who may use an API that has no credentials of its own: whoever has the token, or sits at this machine."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection

from mockserver.http.cors import is_loopback, is_loopback_url
from mockserver.http.problems import ForeignPage, TokenRequired
from mockserver.http.request import Request

_BEARER = "bearer "


class Guard:
    """Admits a request, or refuses it with a Problem."""

    def __init__(self, *, token: str | None = None, open_paths: Collection[str] = ()) -> None:
        """Without a `token` this machine alone is admitted; `open_paths` are open to everybody.

        A `{name}` in one stands for any one step.
        """
        self._token = None if token is None else token.encode()
        steps = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) for path in open_paths]
        self._open = re.compile("|".join(steps) if steps else "(?!)")

    def admit(self, request: Request) -> None:
        """TokenRequired if there is a token and it was not sent; ForeignPage for what is not from here."""
        if self._open.fullmatch(request.path):
            return
        if self._token is None:
            _refuse_what_is_not_from_here(request)
        elif not hmac.compare_digest(_sent(request).encode("utf-8", "replace"), self._token):
            reason = "the control API needs 'Authorization: Bearer …' with the token of MOCK_ADMIN_TOKEN"
            problem = TokenRequired("Token required", reason=reason)
            problem.headers["WWW-Authenticate"] = "Bearer"
            raise problem


def _sent(request: Request) -> str:
    authorization = request.header("Authorization") or ""
    return authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else ""


def _refuse_what_is_not_from_here(request: Request) -> None:
    """A browser on this machine asks for the pages of strangers too, without asking us first.

    Such a page has another `Origin`, or another name that somebody has pointed at this machine in `Host` (DNS
    rebinding), or the browser says that it is `cross-site`.
    """
    origin, host, peer = request.header("Origin"), request.header("Host") or "", request.peer
    if peer and not is_loopback(peer):
        raise ForeignPage("Foreign peer", reason=f"{peer} is not this machine; start the mock with a token")
    if origin is not None and not is_loopback_url(origin):
        raise ForeignPage("Foreign page", reason=f"pages at {origin} may not steer the mock")
    if origin is None and request.header("Sec-Fetch-Site") == "cross-site":
        raise ForeignPage("Foreign page", reason="a page of another site may not steer the mock")
    if not is_loopback_url(f"http://{host.lower()}"):
        raise ForeignPage("Foreign page", reason=f"{host!r} is not this machine's own name")
