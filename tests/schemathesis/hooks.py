"""What Schemathesis takes for a fault and is none: requests that only the state can tell to be wrong.

Each exception names one operation, one check, one parameter and a value that shows it. It holds only for
values that the mock never gave out itself: a cursor of its own or a role that exists is never excused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import schemathesis


class Excuse(NamedTuple):
    """Why a request that the spec allows may be a 422 all the same."""

    operation: str
    check: str
    place: str
    parameter: str
    path: str
    """Where the case that shows it is sent,"""
    value: Any
    """and what is sent there for the parameter."""


ACCEPT = "positive_data_acceptance"
TEAM, RENAMED = "/v1/spaces/space_team/threads", "/v1/spaces/space_abc123"
SPACES = "/v1/spaces/?organization_id=org_abc123"
NOTED = "/v1/threads/thrd_pinned2"
SIXTEEN = {f"k{number}": "" for number in range(16)}
EXCUSES = (
    # A cursor is opaque: no schema can say which texts the server gave out (A06).
    Excuse("GET /v1/spaces/", ACCEPT, "query", "cursor", SPACES, "0"),
    Excuse("GET /v1/spaces/{space_id}/threads", ACCEPT, "query", "cursor", TEAM, "0"),
    # An anchor is the id of one of the caller's threads (A32).
    Excuse("GET /v1/threads", ACCEPT, "query", "after", "/v1/threads", "0"),
    Excuse("GET /v1/threads", ACCEPT, "query", "before", "/v1/threads", "0"),
    # Departments and roles must exist in the organization (A32).
    Excuse("POST /v1/spaces/", ACCEPT, "body", "access_departments", "/v1/spaces/", ["0"]),
    Excuse("POST /v1/spaces/", ACCEPT, "body", "editable_by_roles", "/v1/spaces/", ["0"]),
    Excuse("POST /v1/spaces/", ACCEPT, "body", "visible_to_roles", "/v1/spaces/", ["0"]),
    Excuse("PATCH /v1/spaces/{space_id}", ACCEPT, "body", "access_departments", RENAMED, ["0"]),
    Excuse("PATCH /v1/spaces/{space_id}", ACCEPT, "body", "editable_by_roles", RENAMED, ["0"]),
    Excuse("PATCH /v1/spaces/{space_id}", ACCEPT, "body", "visible_to_roles", RENAMED, ["0"]),
    # Metadata is merged with what the thread has, and the sum may have 16 pairs (A32).
    Excuse("PATCH /v1/threads/{thread_id}", ACCEPT, "body", "metadata", NOTED, SIXTEEN),
)

given_out: set[tuple[str, str]] = {
    ("access_departments", "dept_support"),
    ("editable_by_roles", "role_admin"),
    ("editable_by_roles", "role_research"),
    ("visible_to_roles", "role_admin"),
    ("visible_to_roles", "role_research"),
}
"""(parameter, value) that must be accepted; a cursor at its own path. Grows with the mock's answers."""


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember the cursors and the caller's own threads that an answer shows."""
    if response.status_code not in (200, 201):
        return
    body = response.json()
    if body.get("next_cursor"):
        given_out.add((f"cursor {case.formatted_path}", body["next_cursor"]))
    if case.operation.path.startswith("/v1/threads"):
        for thread in body.get("data", [body]):
            given_out.update({("after", thread["id"]), ("before", thread["id"])})


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """False, which drops the failure, if everything that the 422 complains of is excused."""
    if response is None or response.status_code != 422:
        return True
    flaws = response.json()["error"]["details"]["fields"]
    return not all(_excused(failure.checks, case, flaw["in"], flaw["name"]) for flaw in flaws)


def _excused(checks: tuple[str, ...], case: Any, place: str, name: str) -> bool:
    parameter, _, index = name.partition(".")
    known = {(e.operation, e.check, e.place, e.parameter) for e in EXCUSES}
    if not any((case.operation.label, check, place, parameter) in known for check in checks):
        return False
    if parameter == "metadata":
        return bool(case.body[parameter])
    if place == "body":
        return (parameter, case.body[parameter][int(index)]) not in given_out
    source = f"cursor {case.formatted_path}" if parameter == "cursor" else parameter
    return (source, case.query[parameter]) not in given_out
