"""Authentication: credential -> caller, or a 401 with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.http.problems import Unauthorized
from mockserver.http.request import Request
from mockserver.sandbox.directory import Caller, Credential
from mockserver.sandbox.sandbox import Sandbox


class InvalidApiKey(Unauthorized, code="INVALID_API_KEY", message="Your API key is invalid"):
    """Unknown key."""


class ExpiredApiKey(Unauthorized, code="API_KEY_EXPIRED", message="Your API key has expired"):
    """Expired key."""


class DeactivatedApiKey(
    Unauthorized, code="API_KEY_DEACTIVATED", message="Your API key has been deactivated"
):
    """Deactivated key."""


class PausedApiKey(Unauthorized, code="API_KEY_PAUSED", message="Your API key is paused"):
    """Paused key."""


class InvalidToken(Unauthorized, code="TOKEN_INVALID", message="Your session is invalid"):
    """Unknown bearer token."""


class ExpiredToken(Unauthorized, code="TOKEN_EXPIRED", message="Your session has expired"):
    """Expired bearer token."""


API_KEY: Mapping[str, type[Unauthorized]] = {
    "unknown": InvalidApiKey,
    "expired": ExpiredApiKey,
    "deactivated": DeactivatedApiKey,
    "paused": PausedApiKey,
}
"""State of a key -> error as an X-API-Key."""
BEARER: Mapping[str, type[Unauthorized]] = {
    "unknown": InvalidToken,
    "expired": ExpiredToken,
    "deactivated": InvalidToken,
    "paused": InvalidToken,
}
"""State of a key -> error as a bearer token."""


def authenticate(request: Request, sandbox: Sandbox) -> Caller:
    """Caller of a request; an API key precedes a bearer token (A12), and is valid as one (A35)."""
    key = request.header("X-API-Key")
    if key is not None:
        return _caller(API_KEY, key, sandbox)
    authorization = request.header("Authorization")
    if authorization is None:
        raise Unauthorized("Authentication required", reason="neither X-API-Key nor Authorization was sent")
    if not authorization.startswith("Bearer "):
        raise Unauthorized("Authentication required", reason="Authorization does not begin with 'Bearer '")
    return _caller(BEARER, authorization.removeprefix("Bearer ").strip(), sandbox)


def _caller(scheme: Mapping[str, type[Unauthorized]], secret: str, sandbox: Sandbox) -> Caller:
    if not secret:
        raise Unauthorized("Authentication required", reason="the credential is empty")
    credential: Credential | None = sandbox.directory.credentials.get(secret)
    if credential is None:
        problem = scheme["unknown"]
        raise problem(problem.message, reason=f"no such key in scenario {sandbox.data.name!r}")
    if credential.state != "active":
        problem = scheme[credential.state]
        raise problem(
            problem.message, reason=f"a key of {credential.caller.user_id} that is {credential.state}"
        )
    return credential.caller
