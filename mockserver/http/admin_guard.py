"""Access to the control API: by its token, or from this machine without one."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection

from mockserver.http.cors import is_loopback, is_loopback_url
from mockserver.http.problems import ForeignPage, TokenRequired
from mockserver.http.request import Request

_BEARER = "bearer "


class AdminGuard:
    """Admits a request or raises a Problem."""

    def __init__(self, *, token: str | None = None, open_paths: Collection[str] = ()) -> None:
        """Without a `token` only this machine is admitted; `open_paths` need neither.

        A `{name}` in a path stands for any one segment. A slash at the end may be missing, for
        the redirect to the path.
        """
        self._token = None if token is None else token.encode()
        steps = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path.rstrip("/"))) + "/?" for path in open_paths]
        self._open = re.compile("|".join(steps) if steps else "(?!)")

    def admit(self, request: Request) -> None:
        """TokenRequired if the token is missing or wrong; ForeignPage for a request from elsewhere."""
        if self._open.fullmatch(request.path):
            return
        if self._token is None:
            _refuse_foreign(request)
        elif not hmac.compare_digest(_sent(request).encode("utf-8", "replace"), self._token):
            reason = "the control API needs 'Authorization: Bearer …' with the token of MOCK_ADMIN_TOKEN"
            problem = TokenRequired("Token required", reason=reason)
            problem.headers["WWW-Authenticate"] = "Bearer"
            raise problem


def _sent(request: Request) -> str:
    authorization = request.header("Authorization") or ""
    return authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else ""


def _refuse_foreign(request: Request) -> None:
    """Refuse other machines, and foreign pages in a browser on this machine.

    Such a page has another `Origin`, or another name in `Host` that resolves to this machine (DNS rebinding),
    or the browser marks the request as `cross-site`.
    """
    origin, host, peer = request.header("Origin"), request.header("Host") or "", request.peer
    if peer and not is_loopback(peer):
        raise ForeignPage("Foreign peer", reason=f"{peer} is not this machine; start the mock with a token")
    if origin is not None and not is_loopback_url(origin):
        raise ForeignPage("Foreign page", reason=f"pages at {origin} may not control the mock")
    if origin is None and request.header("Sec-Fetch-Site") == "cross-site":
        raise ForeignPage("Foreign page", reason="a page of another site may not control the mock")
    if not is_loopback_url(f"http://{host.lower()}"):
        raise ForeignPage("Foreign page", reason=f"{host!r} is not this machine's own name")
