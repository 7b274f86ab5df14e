"""Credential -> Caller, or a 401 that says what is wrong with it."""

from __future__ import annotations

from typing import ClassVar

from mockserver.engine.problems import Unauthorized
from mockserver.engine.request import Request
from mockserver.sandbox.directory import Caller, Credential
from mockserver.sandbox.sandbox import Sandbox


class InvalidApiKey(Unauthorized):
    """No such key."""

    code = "INVALID_API_KEY"
    message = "Your API key is invalid"


class ExpiredApiKey(Unauthorized):
    """A key past its time."""

    code = "API_KEY_EXPIRED"
    message = "Your API key has expired"


class DeactivatedApiKey(Unauthorized):
    """A key that was switched off."""

    code = "API_KEY_DEACTIVATED"
    message = "Your API key has been deactivated"


class PausedApiKey(Unauthorized):
    """A key that is switched off for a while."""

    code = "API_KEY_PAUSED"
    message = "Your API key is paused"


class InvalidToken(Unauthorized):
    """No such bearer token."""

    code = "TOKEN_INVALID"
    message = "Your session is invalid"


class ExpiredToken(Unauthorized):
    """A bearer token past its time."""

    code = "TOKEN_EXPIRED"
    message = "Your session has expired"


class _Scheme:
    """One way to say who you are, and what its failures are called."""

    def __init__(self, unknown: type[Unauthorized], states: dict[str, type[Unauthorized]]) -> None:
        self.unknown = unknown
        self.states = states


class Schemes:
    """X-API-Key and Bearer."""

    api_key: ClassVar = _Scheme(
        InvalidApiKey,
        {"expired": ExpiredApiKey, "deactivated": DeactivatedApiKey, "paused": PausedApiKey},
    )
    bearer: ClassVar = _Scheme(
        InvalidToken, {"expired": ExpiredToken, "deactivated": InvalidToken, "paused": InvalidToken}
    )


def authenticate(request: Request, sandbox: Sandbox) -> Caller:
    """Who calls; the API key wins over a bearer token (A12), and a key is good as a token (A35)."""
    key = request.header("X-API-Key")
    if key is not None:
        return _caller(Schemes.api_key, key, sandbox)
    authorization = request.header("Authorization")
    if authorization is None:
        raise Unauthorized("Authentication required", reason="neither X-API-Key nor Authorization was sent")
    if not authorization.startswith("Bearer "):
        raise Unauthorized("Authentication required", reason="Authorization does not begin with 'Bearer '")
    return _caller(Schemes.bearer, authorization.removeprefix("Bearer ").strip(), sandbox)


def _caller(scheme: _Scheme, secret: str, sandbox: Sandbox) -> Caller:
    if not secret:
        raise Unauthorized("Authentication required", reason="the credential is empty")
    credential: Credential | None = sandbox.directory.credentials.get(secret)
    if credential is None:
        problem = scheme.unknown
        raise problem(problem.message, reason=f"no such key in scenario {sandbox.world.name!r}")
    if credential.state != "active":
        problem = scheme.states[credential.state]
        raise problem(
            problem.message, reason=f"a key of {credential.caller.user_id} that is {credential.state}"
        )
    return credential.caller
