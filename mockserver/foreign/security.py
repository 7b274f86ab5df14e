"""Credentials that a foreign document asks for: any of the right kind is accepted."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.operations import ForeignOperation
from mockserver.http.problems import Unauthorized
from mockserver.http.request import Request


def cookies(request: Request) -> dict[str, str]:
    """Cookies of a request by name."""
    try:
        return {name: each.value for name, each in SimpleCookie(request.header("Cookie") or "").items()}
    except CookieError:
        return {}


class Security:
    """Security schemes of a document."""

    def __init__(self, document: ForeignDocument) -> None:
        components = document.content.get("components") or {}
        named = components.get("securitySchemes") or {}
        self._schemes = {name: document.resolved(node) for name, node in named.items()}

    def credentials(self, request: Request) -> Iterator[str]:
        """Values in the request that are secret because a scheme says so."""
        for node in self._schemes.values():
            if (node.get("type"), node.get("in")) == ("apiKey", "header"):
                yield request.header(str(node.get("name"))) or ""
            elif node.get("type") == "apiKey":
                yield self._key(node, request)

    def caller(self, operation: ForeignOperation, request: Request) -> str:
        """Names of the schemes of the credential; Unauthorized without one that is asked for."""
        reasons = []
        for alternative in operation.security:
            missing = [why for name in alternative if (why := self._missing(name, request))]
            if not missing:
                return "+".join(alternative) or "-"
            reasons.append(" and ".join(missing))
        if not reasons:
            return "-"
        problem = Unauthorized("No credential", reason=f"send {', or '.join(dict.fromkeys(reasons))}")
        problem.headers["WWW-Authenticate"] = "Bearer"
        return self._refused(problem)

    @staticmethod
    def _refused(problem: Unauthorized) -> str:
        raise problem

    def _missing(self, name: str, request: Request) -> str:
        """What to send for a scheme; empty if it was sent."""
        node: Mapping[str, Any] = self._schemes.get(name, {})
        kind, sent = node.get("type"), request.header("Authorization") or ""
        scheme, _, rest = sent.partition(" ")
        if kind == "apiKey":
            return "" if self._key(node, request) else f"{node.get('name')} as {node.get('in')}"
        if kind == "http" and str(node.get("scheme", "")).lower() == "basic":
            return "" if scheme.lower() == "basic" and _is_pair(rest) else "Authorization: Basic …"
        if kind in ("oauth2", "openIdConnect") or (kind == "http" and node.get("scheme")):
            wanted = str(node.get("scheme", "bearer")).lower()
            return "" if scheme.lower() == wanted and rest.strip() else f"Authorization: {wanted.title()} …"
        return ""  # mutualTLS, or a scheme that the document does not have

    @staticmethod
    def _key(node: Mapping[str, Any], request: Request) -> str:
        name = str(node.get("name", ""))
        match node.get("in"):
            case "header":
                return request.header(name) or ""
            case "query":
                return parse_qs(request.query).get(name, [""])[0]
            case _:
                return cookies(request).get(name, "")


def _is_pair(text: str) -> bool:
    try:
        return b":" in b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
