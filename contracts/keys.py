"""Who the suite may be: keys from the environment, or a mock's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from contracts.exchange import Answer, Request
from contracts.target import Transport, Unreachable, is_mock
from contracts.team import ROLES

DEMO = {
    "owner": "ak_demo_owner",
    "editor": "ak_demo_editor",
    "viewer": "ak_demo_viewer",
    "outsider": "ak_demo_outsider",
    "foreign": "ak_demo_foreign",
}
"""A mock's keys in its demo scenario."""
DEMO_ORGANIZATION = "org_abc123"


class Access(NamedTuple):
    """What the suite found out before it began."""

    keys: dict[str, str]
    organization_id: str
    mock: bool
    missing: tuple[str, ...]
    """Roles without a key."""


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The keys that are set, by role."""
    keys = {role: environ.get(f"CONTRACTS_{role.upper()}_KEY", "") for role in ROLES}
    keys["owner"] = keys["owner"] or environ.get("FREDDY_API_KEY", "")
    return {role: key for role, key in keys.items() if key}


def open_target(transport: Transport, environ: Mapping[str, str]) -> Access:
    """Find out whether the target can be tested, and as whom; touches nothing."""
    probe = Request("GET", "/v1/threads?limit=1", None)
    first = transport.send(probe, None)
    _refuse_what_is_not_the_api(first)
    mock = is_mock(first.headers)
    keys = ({**DEMO} if mock else {}) | from_environment(environ)
    if "owner" not in keys:
        raise Unreachable("no key: set CONTRACTS_OWNER_KEY or FREDDY_API_KEY")
    answer = transport.send(probe._replace(role="owner"), keys["owner"])
    if answer.status in (401, 403):
        raise Unreachable(f"the owner's key is refused: {answer.status} {_code(answer)}")
    _refuse_what_is_not_the_api(answer)
    organization = environ.get("CONTRACTS_ORGANIZATION_ID") or (
        DEMO_ORGANIZATION if mock else _learned(answer)
    )
    if not organization:
        raise Unreachable("no organization: set CONTRACTS_ORGANIZATION_ID")
    return Access(keys, organization, mock, tuple(role for role in ROLES if role not in keys))


def _refuse_what_is_not_the_api(answer: Answer) -> None:
    kind = answer.headers.get("content-type", "nothing").partition(";")[0]
    if 300 <= answer.status < 400:
        raise Unreachable(f"not this API: it redirects to {answer.headers.get('location', 'nowhere')[:100]}")
    if answer.status >= 500:
        raise Unreachable(f"the target is not well: it answers {answer.status}")
    if answer.status == 404 or not isinstance(answer.body, dict):
        raise Unreachable(f"not this API: GET /v1/threads answers {answer.status} with {kind}")


def _code(answer: Answer) -> str:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _learned(answer: Answer) -> str:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    first = data[0] if isinstance(data, list) and data else {}
    return str(first.get("organization_id", "")) if isinstance(first, dict) else ""
