"""Whether a target can be tested, as whom, and what would be skipped there; nothing is written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from contracts.checks.check import Check
from contracts.http.credentials import Access
from contracts.http.exchange import Request, Transport
from contracts.http.run import CALLERS, Team
from contracts.safety.unanswered import who
from contracts.session import Options

_ROLE = re.compile(f"[\"']({'|'.join(CALLERS)})[\"']")


def report(
    transport: Transport, access: Access, team: Team, options: Options, checks: list[Check]
) -> Iterator[str]:
    """All of it, a line each."""
    yield f"target        {transport.url}{_version(transport, access)}"
    yield f"organization  {access.organization_id}"
    for role in CALLERS:
        yield f"{role:<13} {_role(team, role)}"
    for space_id in options.space_id:
        yield f"{space_id:<13} {_space(team, space_id)}"
    refused = {role for role in CALLERS if role not in access.keys or _status(team, role) == 401}
    skipped = 0
    for reason, some in _skipped(checks, refused, options).items():
        skipped += len(some)
        yield f"skipped       {len(some)} of {len(checks)} checks, {reason}: {', '.join(some)}"
    if not skipped:
        yield f"skipped       nothing: all {len(checks)} checks can be tried"


def _version(transport: Transport, access: Access) -> str:
    """A mock says which; a deployment does not."""
    if not access.mock:
        return ""
    health = transport.send(Request("GET", "/__admin/health", None), None).body
    version = health.get("version") if isinstance(health, dict) else None
    return f" (a mock, version {version})" if version else " (a mock)"


def _role(team: Team, role: str) -> str:
    if role not in team.roles:
        return f"no key: set CONTRACTS_{role.upper()}_KEY"
    status = _status(team, role)
    if status != 200:
        return f"the key is refused: {status}"
    user = who(team, role) or "a user without a thread, so it can't be told which"
    listing = team.caller(role).get("/v1/spaces/", organization_id=team.organization_id, limit=1)
    member = {200: "of the organization", 403: "not of the organization"}.get(listing.status)
    return f"the key works: {user}, {member or f'listing the spaces answers {listing.status}'}"


def _status(team: Team, role: str) -> int:
    return team.caller(role).get("/v1/threads", limit=1).status


def _space(team: Team, space_id: str) -> str:
    """Who may do what with a space that is there, as far as reading it tells."""
    levels = []
    for role in team.roles:
        answer = team.caller(role).get(f"/v1/spaces/{space_id}")
        space = answer.body if answer.status == 200 and isinstance(answer.body, dict) else None
        levels.append(f"{role}: {answer.status if space is None else _level(space, who(team, role))}")
    return ", ".join(levels)


def _level(space: dict[str, Any], user: str | None) -> str:
    if user is None:
        return "views, at least"
    if space.get("created_by") == user:
        return "owns"
    editors = space.get("editable_by_users") or ()
    return "edits" if user in editors or "*" in editors else "views, and edits if a role says so"


def _skipped(checks: list[Check], refused: set[str], options: Options) -> dict[str, list[str]]:
    """Reason -> the checks that would be untested for it; the first reason counts."""
    found: dict[str, list[str]] = {}
    for check in checks:
        missing = sorted(needs(check) & refused)
        if missing:
            reason = f"for want of a key of the {' and the '.join(missing)}"
        elif "createResponse" in check.operations and not options.with_model:
            reason = "without --with-model N"
        else:
            continue
        found.setdefault(reason, []).append(check.id)
    return found


def needs(check: Check) -> set[str]:
    """The roles that a check names: it can't be tried without them."""
    if check.layer != "behaviour":
        return set()
    named = _ROLE.findall(inspect.getsource(check.run))
    return set(getattr(check.run, "roles", named))
