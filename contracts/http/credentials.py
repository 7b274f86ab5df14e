"""Who the suite may be: keys from the environment, or a mock's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from contracts.checks.errors import Unanswered, Unreachable
from contracts.http.exchange import Answer, Request, Transport
from contracts.http.run import CALLERS
from contracts.http.target import InProcess, Served

DEMO = {
    "owner": "ak_demo_owner",
    "editor": "ak_demo_editor",
    "viewer": "ak_demo_viewer",
    "outsider": "ak_demo_outsider",
    "foreign": "ak_demo_foreign",
    "admin": "ak_demo_admin",
}
"""A mock's keys in its demo scenario."""
DEMO_ORGANIZATION = "org_abc123"


SANDBOX = "X-Mock-Sandbox"
"""The header by which a mock keeps what belongs to different runs apart."""


class Access(NamedTuple):
    """What the suite found out before it began."""

    keys: dict[str, str]
    organization_id: str
    mock: bool
    missing: tuple[str, ...]
    """Roles without a key."""
    clock: str
    """What time it is there; empty if the target does not say."""


def from_environment(environ: Mapping[str, str], *, mock: bool = False) -> dict[str, str]:
    """The keys that are set, by role; FREDDY_API_KEY is a real one and never goes to a mock."""
    keys = {role: environ.get(f"CONTRACTS_{role.upper()}_KEY", "") for role in CALLERS}
    keys["owner"] = keys["owner"] or ("" if mock else environ.get("FREDDY_API_KEY", ""))
    return {role: key for role, key in keys.items() if key}


def open_target(transport: Transport, environ: Mapping[str, str], run_id: str | None = None) -> Access:
    """Find out whether the target can be tested, and as whom; touches nothing.

    On a mock that others use too, the run `run_id` has a sandbox of its own.
    """
    if isinstance(transport, (InProcess, Served)):
        environ = {}  # nobody else's, and it has its own keys
    probe = Request("GET", "/v1/threads?limit=1", None)
    try:
        first = transport.send(probe, None)
        _refuse_what_is_not_the_api(first)
        mock = "x-mock-source" in first.headers
        if mock and run_id is not None and not isinstance(transport, (InProcess, Served)):
            transport.always[SANDBOX] = f"contracts-{run_id}"
        keys = ({**DEMO} if mock else {}) | from_environment(environ, mock=mock)
        if "owner" not in keys:
            raise Unreachable("no key: set CONTRACTS_OWNER_KEY or FREDDY_API_KEY")
        answer = transport.send(probe._replace(role="owner"), keys["owner"])
    except Unanswered as error:
        raise Unreachable(str(error)) from error
    if answer.status in (401, 403):
        raise Unreachable(f"the owner's key is refused: {answer.status} {_code(answer)}")
    _refuse_what_is_not_the_api(answer)
    organization = environ.get("CONTRACTS_ORGANIZATION_ID") or (
        DEMO_ORGANIZATION if mock else _learned(answer)
    )
    if not organization:
        raise Unreachable("no organization: set CONTRACTS_ORGANIZATION_ID")
    missing = tuple(role for role in CALLERS if role not in keys)
    return Access(keys, organization, mock, missing, str(_error(first).get("timestamp", "")))


def _refuse_what_is_not_the_api(answer: Answer) -> None:
    kind = answer.headers.get("content-type", "nothing").partition(";")[0]
    if 300 <= answer.status < 400:
        raise Unreachable(f"not this API: it redirects to {answer.headers.get('location', 'nowhere')[:100]}")
    if answer.status >= 500:
        raise Unreachable(f"the target is not well: it answers {answer.status}")
    if answer.status == 404 or not isinstance(answer.body, dict):
        raise Unreachable(f"not this API: GET /v1/threads answers {answer.status} with {kind}")


def _error(answer: Answer) -> dict[str, Any]:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return error if isinstance(error, dict) else {}


def _code(answer: Answer) -> str:
    return str(_error(answer).get("code", ""))


def _learned(answer: Answer) -> str:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    first = data[0] if isinstance(data, list) and data else {}
    return str(first.get("organization_id", "")) if isinstance(first, dict) else ""
