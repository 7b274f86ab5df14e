"""API keys of the roles: from the environment, or a mock's demo keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from contracts.checks.errors import TargetUnreachable, Unanswered, Usage
from contracts.http.connection import FRESH, Connection, TargetUrl
from contracts.http.exchange import ClientRequest, ClientResponse, is_mock
from contracts.http.redact import Redactor
from contracts.http.run import KEY_ROLES
from contracts.http.transport import Transport

DEMO = {role: f"ak_demo_{role}" for role in KEY_ROLES}
"""Keys of the mock's demo scenario."""
DEMO_ORGANIZATION = "org_abc123"


PROXIES = [f"{kind}_PROXY" for kind in ("HTTPS", "HTTP", "ALL")]
"""Variables whose URLs may have a password."""
SANDBOX = "X-Mock-Sandbox"
"""Header that selects a mock's sandbox, so that runs don't share data."""


class TargetAccess(NamedTuple):
    """Credentials and identity of a target, found before the first check."""

    keys: dict[str, str]
    organization_id: str
    mock: bool
    missing: tuple[str, ...]
    """Roles without a key."""
    clock: str
    """Target's time as sent in an error; empty if it sends none."""


def from_environment(environ: Mapping[str, str], *, mock: bool = False) -> dict[str, str]:
    """Keys by role; FREDDY_API_KEY is a real key and is never sent to a mock."""
    names = {role: f"CONTRACTS_{role.upper()}_KEY" for role in KEY_ROLES}
    if not mock and not environ.get(names["owner"]):
        names["owner"] = "FREDDY_API_KEY"
    keys = {role: environ.get(name, "").strip() for role, name in names.items()}
    for role, key in keys.items():
        if not re.fullmatch(r"[\x20-\x7e]*", key):
            raise Usage(f"{names[role]}: a key has characters that no header can have; set it again")
    return {role: key for role, key in keys.items() if key}


def redactor(target: str | None, connection: Connection, environ: Mapping[str, str]) -> Redactor:
    """Redactor of every credential that a command may send."""
    keys = {role: environ.get(f"CONTRACTS_{role.upper()}_KEY", "").strip() for role in KEY_ROLES}
    return Redactor(keys, _secrets(target, connection, environ))


def _secrets(
    target: str | None, connection: Connection, environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    yield from ((f"$CONTRACTS_{role.upper()}_KEY", key) for role, key in DEMO.items())
    yield "$FREDDY_API_KEY", environ.get("FREDDY_API_KEY", "").strip()
    yield from connection.secrets()
    if target is not None and target not in FRESH:
        yield from TargetUrl.parse(target).secrets
    for name in PROXIES:
        parts = urlsplit(environ.get(name) or environ.get(name.lower()) or "")
        for kind, value in (("USER", parts.username), ("PASSWORD", parts.password)):
            yield from ((f"${name}_{kind}", form) for form in {value or "", unquote(value or "")})


def open_target(transport: Transport, environ: Mapping[str, str], run_id: str | None = None) -> TargetAccess:
    """Check that the target can be tested, and with which roles; writes nothing.

    On a shared mock the run gets its own sandbox, named after `run_id`.
    """
    if transport.fresh:
        environ = {}  # a fresh mock uses its demo keys
    probe = ClientRequest("GET", "/v1/threads?limit=1", None)
    try:
        first = transport.send(probe, None)
        _refuse_what_is_not_the_api(first)
        mock = is_mock(lambda request: transport.send(request, None), first)
        if mock and run_id is not None and not transport.fresh:
            transport.always[SANDBOX] = f"contracts-{run_id}"
        keys = ({**DEMO} if mock else {}) | from_environment(environ, mock=mock)
        if "owner" not in keys:
            raise TargetUnreachable("no key: set CONTRACTS_OWNER_KEY or FREDDY_API_KEY")
        answer = transport.send(probe._replace(role="owner"), keys["owner"])
    except Unanswered as error:
        raise TargetUnreachable(str(error)) from error
    if answer.status in (401, 403):
        raise TargetUnreachable(f"the owner's key is refused: {answer.status} {answer.error.get('code', '')}")
    _refuse_what_is_not_the_api(answer)
    own = next((str(thread.get("organization_id", "")) for thread in answer.items), "")
    organization = environ.get("CONTRACTS_ORGANIZATION_ID") or (DEMO_ORGANIZATION if mock else own)
    if not organization:
        raise TargetUnreachable("no organization: set CONTRACTS_ORGANIZATION_ID")
    missing = tuple(role for role in KEY_ROLES if role not in keys)
    return TargetAccess(keys, organization, mock, missing, str(first.error.get("timestamp", "")))


def _refuse_what_is_not_the_api(answer: ClientResponse) -> None:
    kind = answer.headers.get("content-type", "nothing").partition(";")[0]
    if 300 <= answer.status < 400:
        raise TargetUnreachable(
            f"not this API: it redirects to {answer.headers.get('location', 'nowhere')[:100]}"
        )
    if answer.status >= 500:
        raise TargetUnreachable(f"the target fails: it answers {answer.status}")
    if answer.status == 404 or not isinstance(answer.body, dict):
        raise TargetUnreachable(f"not this API: GET /v1/threads answers {answer.status} with {kind}")
