"""Diagnosis of a target: credentials, roles and checks that would be skipped. Writes nothing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from contracts.checks.check import Check
from contracts.checks.cost import expected, fitting
from contracts.checks.missing import REDIRECTS, missing_operations
from contracts.checks.revision import words
from contracts.http.credentials import TargetAccess
from contracts.http.exchange import MODEL_OPERATIONS, ClientRequest
from contracts.http.keys import refused_key
from contracts.http.run import KEY_ROLES, Run
from contracts.http.transport import Transport
from contracts.pace import Pace
from contracts.safety.unanswered import user_of_key
from contracts.session import Options

_ROLE = re.compile(f"[\"']({'|'.join(KEY_ROLES)})[\"']")


def report(
    transport: Transport,
    access: TargetAccess,
    run: Run,
    options: Options,
    checks: list[Check],
    spoken: str | None = None,
) -> Iterator[str]:
    """Lines of the diagnosis; `spoken` is the revision that the target speaks, if that is known."""
    yield f"target        {transport.url}{_version(transport, access)}"
    yield f"revision      {words(spoken)}"
    yield f"organization  {access.organization_id}"
    for role in KEY_ROLES:
        yield f"{role:<13} {_role(run, role)}"
    yield from _routes(run)
    for space_id in options.space_id:
        yield f"{space_id:<13} {_space(run, space_id)}"
    refused = {role for role in KEY_ROLES if role not in access.keys or _status(run, role) == 401}
    skipped = 0
    for reason, some in _skipped(checks, refused, options).items():
        skipped += len(some)
        yield f"skipped       {len(some)} of {len(checks)} checks, {reason}: {', '.join(some)}"
    if not skipped:
        yield f"skipped       nothing: all {len(checks)} checks can be tried"
    pace = Pace.of(run.chain, transport.limit.per_minute)
    for profile in ("small", "quick"):
        chosen = [check for check in checks if check.id in fitting(checks, profile)]
        yield f"{profile:<13} {pace.words(expected(chosen, profile, len(run.roles)))}"


def faults(run: Run) -> list[str]:
    """Reasons why a run has no result: refused keys, and operations at another path."""
    moved = [each for each in missing_operations(run).values() if each.answer.status in REDIRECTS]
    return [*filter(None, (refused_key(run, role) for role in run.roles)), *map(str, moved)]


def _routes(run: Run) -> Iterator[str]:
    """Operations that a GET shows to be missing, or at another path."""
    for missing in missing_operations(run).values():
        yield f"missing       {missing}"


def _version(transport: Transport, access: TargetAccess) -> str:
    """Version of a mock; a deployment does not report one."""
    if not access.mock:
        return ""
    health = transport.send(ClientRequest("GET", "/__admin/health", None), None).body
    version = health.get("version") if isinstance(health, dict) else None
    return f" (a mock, version {version})" if version else " (a mock)"


def _role(run: Run, role: str) -> str:
    if role not in run.roles:
        return f"no key: set CONTRACTS_{role.upper()}_KEY"
    status = _status(run, role)
    if status != 200:
        return f"the key is refused: {status}"
    user = user_of_key(run, role) or "a user without a thread, so the id is unknown"
    listing = run.client(role).get("/v1/spaces/", organization_id=run.organization_id, limit=1)
    member = {200: "of the organization", 403: "not of the organization"}.get(listing.status)
    return f"the key works: {user}, {member or f'listing the spaces answers {listing.status}'}"


def _status(run: Run, role: str) -> int:
    return run.client(role).get("/v1/threads", limit=1).status


def _space(run: Run, space_id: str) -> str:
    """Access of each role to an existing space, as far as reading shows."""
    levels = []
    for role in run.roles:
        answer = run.client(role).get(f"/v1/spaces/{space_id}")
        space = answer.body if answer.status == 200 and isinstance(answer.body, dict) else None
        levels.append(f"{role}: {answer.status if space is None else _level(space, user_of_key(run, role))}")
    return ", ".join(levels)


def _level(space: dict[str, Any], user: str | None) -> str:
    if user is None:
        return "views, at least"
    if space.get("created_by") == user:
        return "owns"
    editors = space.get("editable_by_users") or ()
    return "edits" if user in editors or "*" in editors else "views, and edits if a role says so"


def _skipped(checks: list[Check], refused: set[str], options: Options) -> dict[str, list[str]]:
    """Reason -> checks that it would leave untested; the first reason counts."""
    skipped: dict[str, list[str]] = {}
    for check in checks:
        if check.left_out:
            continue
        missing = sorted(needs(check) & refused)
        if missing:
            reason = f"no key of the {' and the '.join(missing)}"
        elif {*MODEL_OPERATIONS} & {*check.operations} and not options.with_model:
            reason = "without --with-model N"
        else:
            continue
        skipped.setdefault(reason, []).append(check.id)
    return skipped


def needs(check: Check) -> set[str]:
    """Roles that a check requires, found in its source."""
    if check.layer != "behaviour":
        return set()
    named = _ROLE.findall(inspect.getsource(check.function))
    return set(getattr(check.function, "roles", named))
