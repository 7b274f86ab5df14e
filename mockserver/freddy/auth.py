"""Authentication: credential -> caller, or a 401 with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from mockserver.http.problems import Unauthorized
from mockserver.http.request import Request
from mockserver.sandbox.directory import Caller, Credential
from mockserver.sandbox.sandbox import Sandbox

Scheme: TypeAlias = Mapping[str, tuple[str, str]]
API_KEY: Scheme = {
    "unknown": ("INVALID_API_KEY", "Your API key is invalid"),
    "expired": ("API_KEY_EXPIRED", "Your API key has expired"),
    "deactivated": ("API_KEY_DEACTIVATED", "Your API key has been deactivated"),
    "paused": ("API_KEY_PAUSED", "Your API key is paused"),
}
"""State of a key -> code and message as an X-API-Key."""
_INVALID_TOKEN = ("TOKEN_INVALID", "Your session is invalid")
BEARER: Scheme = {
    "unknown": _INVALID_TOKEN,
    "expired": ("TOKEN_EXPIRED", "Your session has expired"),
    "deactivated": _INVALID_TOKEN,
    "paused": _INVALID_TOKEN,
}
"""State of a key -> code and message as a bearer token."""


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


def token_first(request: Request, sandbox: Sandbox) -> Caller:
    """Caller of a request, if a bearer token precedes an API key."""
    authorization = request.header("Authorization") or ""
    if authorization.startswith("Bearer "):
        return _caller(BEARER, authorization.removeprefix("Bearer ").strip(), sandbox)
    return authenticate(request, sandbox)


def _caller(scheme: Scheme, secret: str, sandbox: Sandbox) -> Caller:
    if not secret:
        raise Unauthorized("Authentication required", reason="the credential is empty")
    credential: Credential | None = sandbox.directory.credentials.get(secret)
    if credential is None:
        state, reason = "unknown", f"no such key in scenario {sandbox.data.name!r}"
    elif credential.state == "active":
        return credential.caller
    else:
        state = credential.state
        reason = f"a key of {credential.caller.user_id} that is {state}"
    code, message = scheme[state]
    raise Unauthorized(message, code=code, message=message, reason=reason)
