"""Who may do what: every operation with every key of the demo, as one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.app import MockServer
from mockserver.handlers import HANDLERS
from mockserver.sandbox.sandbox import Sandbox
from tests.conftest import Ask
from tests.handlers.conftest import said

SPACE = "/v1/spaces/space_abc123"
MINE = "/v1/threads/thrd_abc123"
MESSAGE = f"{MINE}/messages/msg_23716a05fc0270912bb9f243a36a6110"
STORES = "/v1/organizations/org_abc123/vector-stores"
RESPONSE = "/v1/model/response"
ASKED: dict[str, Any] = {
    "inputs": [{"role": "user", "content": "What is the launch budget?"}],
    "organization_id": "org_abc123",
}
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "createSpace": ("POST", "/v1/spaces/", {"organization_id": "org_abc123", "name": "New"}),
    "listSpaces": ("GET", "/v1/spaces/?organization_id=org_abc123", None),
    "getSpace": ("GET", SPACE, None),
    "updateSpace": ("PATCH", SPACE, {"name": "Other"}),
    "updateSpace access": ("PATCH", SPACE, {"access_mode": "organization"}),
    "deleteSpace": ("DELETE", SPACE, None),
    "listSpaceThreads": ("GET", f"{SPACE}/threads", None),
    "addThreadToSpace": ("POST", f"{SPACE}/threads/thrd_def456", None),
    "removeThreadFromSpace": ("DELETE", f"{SPACE}/threads/thrd_abc123", None),
    "listSpaceVectorStores": ("GET", f"{SPACE}/vector-stores", None),
    "addVectorStoreToSpace": ("POST", f"{SPACE}/vector-stores/vs_def456", None),
    "removeVectorStoreFromSpace": ("DELETE", f"{SPACE}/vector-stores/vs_def456", None),
    "createThread": ("POST", "/v1/threads", {"organization_id": "org_abc123"}),
    "listThreads": ("GET", "/v1/threads", None),
    "getThread": ("GET", MINE, None),
    "updateThread": ("PATCH", MINE, {"title": "Other"}),
    "deleteThread": ("DELETE", MINE, None),
    "listThreadMessages": ("GET", f"{MINE}/messages", None),
    "updateThreadMessage": ("PATCH", MESSAGE, {"content": "Other"}),
    "deleteThreadMessage": ("DELETE", MESSAGE, None),
    "createResponse": ("POST", RESPONSE, ASKED),
    "createResponse thread": ("POST", RESPONSE, ASKED | {"thread_id": "thrd_abc123"}),
    "createResponse space": ("POST", RESPONSE, ASKED | {"space_id": "space_abc123"}),
    "createVectorStore": ("POST", STORES, {"name": "New"}),
    "listVectorStores": ("GET", STORES, None),
    "getVectorStore": ("GET", f"{STORES}/vs_def456", None),
    "getVectorStore own": ("GET", f"{STORES}/vs_auto123", None),
    "updateVectorStore": ("PATCH", f"{STORES}/vs_def456", {"name": "Other"}),
    "deleteVectorStore": ("DELETE", f"{STORES}/vs_def456", None),
    "deleteVectorStore own": ("DELETE", f"{STORES}/vs_auto123", None),
}
TABLE = """
                           owner admin editor viewer outsider researcher support foreign
createSpace                  201   201    201    201      201        201     201     403
listSpaces                   200   200    200    200      200        200     200     403
getSpace                     200   200    200    200      403        403     403     403
updateSpace                  200   200    200    403      403        403     403     403
updateSpace-access           200   200    403    403      403        403     403     403
deleteSpace                  204   204    204    403      403        403     403     403
listSpaceThreads             200   200    200    200      403        403     403     403
addThreadToSpace             201   201    201    403      403        403     403     403
removeThreadFromSpace        204   204    204    403      403        403     403     403
listSpaceVectorStores        200   200    200    200      403        403     403     403
addVectorStoreToSpace        201   201    201    403      403        403     403     403
removeVectorStoreFromSpace   404   404    404    403      403        403     403     403
createThread                 201   201    201    201      201        201     201     403
listThreads                  200   200    200    200      200        200     200     200
getThread                    200   403    403    403      403        403     403     403
updateThread                 200   403    403    403      403        403     403     403
deleteThread                 204   403    403    403      403        403     403     403
listThreadMessages           200   403    403    403      403        403     403     403
updateThreadMessage          200   403    403    403      403        403     403     403
deleteThreadMessage          200   403    403    403      403        403     403     403
createResponse               200   200    200    200      200        200     200     403
createResponse-thread        200   403    403    403      403        403     403     403
createResponse-space         200   200    200    403      403        403     403     403
createVectorStore            201   201    201    201      201        201     201     403
listVectorStores             200   200    200    200      200        200     200     403
getVectorStore               200   200    200    200      200        200     200     403
getVectorStore-own           200   200    403    403      403        403     403     403
updateVectorStore            200   200    403    403      403        403     403     403
deleteVectorStore            204   204    403    403      403        403     403     403
deleteVectorStore-own        403   403    403    403      403        403     403     403
"""
REFUSED = ("expired", "deactivated", "paused")
VIEWS = """
               owner admin editor viewer outsider researcher support foreign
space_team       200   200    200    200      200        200     200     403
space_research   200   200    403    403      403        200     403     403
space_support    200   200    403    403      403        403     200     403
space_abc123     200   200    200    200      403        403     403     403
space_other      403   403    403    403      403        403     403     200
space_invalid    404   404    404    404      404        404     404     404
"""
"""Reading each space: by organization, role, department, user; the override ends at its organization."""


def cells(table: str) -> list[tuple[str, str, int]]:
    """(row, key, status) of every cell."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    return [
        (row, key, int(status)) for row, *statuses in rows for key, status in zip(head, statuses, strict=True)
    ]


def test_the_table_has_every_operation_and_every_key(app: MockServer) -> None:
    rows = {row.replace("-", " ") for row, _, _ in cells(TABLE)}
    keys = {f"ak_demo_{key}" for _, key, _ in cells(TABLE)}
    assert rows == set(REQUESTS)
    assert {row.split()[0] for row in rows} == set(HANDLERS)
    refused = {f"ak_demo_{key}" for key in REFUSED}
    assert keys | refused == set(app.sandboxes.get().directory.credentials)


@pytest.mark.parametrize("operation", REQUESTS)
def test_every_operation_refuses_keys_that_are_not_good(ask: Ask, operation: str) -> None:
    method, path, body = REQUESTS[operation]
    keys = [None, "ak_nobody", *(f"ak_demo_{key}" for key in REFUSED)]
    assert [ask(method, path, key, json=body).status_code for key in keys] == [401] * 5


def test_every_operation_answers_every_key_as_the_table_says(ask: Ask, sandbox: Sandbox) -> None:
    got = []
    for row, key, _ in cells(TABLE):
        sandbox.reset()
        method, path, body = REQUESTS[row.replace("-", " ")]
        got.append((row, key, ask(method, path, f"ak_demo_{key}", json=body).status_code))
    assert got == cells(TABLE)


def test_a_refusal_changes_nothing(ask: Ask, sandbox: Sandbox, state: Callable[[], Any]) -> None:
    before = state()
    for row, key, status in cells(TABLE):
        if status >= 400:
            method, path, body = REQUESTS[row.replace("-", " ")]
            ask(method, path, f"ak_demo_{key}", json=body)
            assert state() == before, (row, key)
    assert sandbox.ids.mark() == {}


def test_every_space_shows_itself_as_the_table_says(ask: Ask) -> None:
    got = [
        (row, key, ask("GET", f"/v1/spaces/{row}", f"ak_demo_{key}").status_code)
        for row, key, _ in cells(VIEWS)
    ]
    assert got == cells(VIEWS)


def test_the_list_shows_exactly_what_may_be_read(ask: Ask) -> None:
    """By key, the spaces of org_abc123 with a 200 in the table, in order of creation (A05)."""
    for key in cells(VIEWS)[:7]:
        listed = ask("GET", "/v1/spaces/?organization_id=org_abc123", f"ak_demo_{key[1]}").get_json()
        readable = [row for row, k, status in cells(VIEWS) if k == key[1] and status == 200]
        assert [space["id"] for space in listed["spaces"]] == readable


@pytest.mark.parametrize(
    ("headers", "code", "system_message"),
    [
        ({}, "AUTHENTICATION_REQUIRED", "Authentication required"),
        ({"X-API-Key": ""}, "AUTHENTICATION_REQUIRED", "Authentication required"),
        ({"X-API-Key": "ak_nobody"}, "INVALID_API_KEY", None),
        ({"X-API-Key": "ak_demo_expired"}, "API_KEY_EXPIRED", None),
        ({"X-API-Key": "ak_demo_deactivated"}, "API_KEY_DEACTIVATED", None),
        ({"X-API-Key": "ak_demo_paused"}, "API_KEY_PAUSED", None),
        ({"X-API-Key": "ak_nobody", "Authorization": "Bearer ak_demo_owner"}, "INVALID_API_KEY", None),
        ({"Authorization": "Bearer nobody"}, "TOKEN_INVALID", None),
        ({"Authorization": "Bearer ak_demo_expired"}, "TOKEN_EXPIRED", None),
        ({"Authorization": "Bearer "}, "AUTHENTICATION_REQUIRED", "Authentication required"),
        ({"Authorization": "bearer ak_demo_owner"}, "AUTHENTICATION_REQUIRED", "Authentication required"),
        ({"Authorization": "Basic YTpi"}, "AUTHENTICATION_REQUIRED", "Authentication required"),
    ],
)
def test_a_credential_that_is_not_good_is_told_by_its_code(
    ask: Ask, headers: dict[str, str], code: str, system_message: str | None
) -> None:
    """A11, A12, A35."""
    error = said(ask("GET", SPACE, None, headers=headers))
    assert (error.status, error.code, error.details) == (401, code, {})
    assert error.system_message
    assert system_message in (None, error.system_message)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer ak_demo_owner"},
        {"x-api-key": "ak_demo_owner"},
        {"X-API-Key": "ak_demo_owner", "Authorization": "Bearer nobody"},
    ],
)
def test_a_good_credential_is_good_either_way(ask: Ask, headers: dict[str, str]) -> None:
    """A12, A35."""
    assert ask("GET", SPACE, None, headers=headers).status_code == 200


def test_view_is_named_where_view_is_missing_and_edit_where_edit_is(ask: Ask) -> None:
    for operation, key, level in (
        ("getSpace", "outsider", "View"),
        ("listSpaceVectorStores", "foreign", "View"),
        ("updateSpace", "viewer", "Edit"),
        ("updateSpace", "outsider", "Edit"),
        ("updateSpace access", "viewer", "Owner"),
        ("updateSpace access", "editor", "Owner"),
        ("deleteSpace", "viewer", "Edit"),
        ("removeVectorStoreFromSpace", "viewer", "Edit"),
    ):
        method, path, body = REQUESTS[operation]
        error = said(ask(method, path, f"ak_demo_{key}", json=body))
        expected = (403, "INSUFFICIENT_PERMISSIONS", f"{level} access required", {"space_id": "space_abc123"})
        assert error == expected, (operation, key)


@pytest.mark.parametrize(
    "operation",
    [
        "getThread",
        "updateThread",
        "deleteThread",
        "listThreadMessages",
        "updateThreadMessage",
        "deleteThreadMessage",
        "createResponse thread",
    ],
)
@pytest.mark.parametrize("key", ["editor", "admin"])
def test_someone_elses_thread_is_refused_even_to_an_administrator(ask: Ask, operation: str, key: str) -> None:
    """A36."""
    method, path, body = REQUESTS[operation]
    error = said(ask(method, path, f"ak_demo_{key}", json=body))
    details = {"thread_id": "thrd_abc123"}
    assert error == (403, "INSUFFICIENT_PERMISSIONS", "Thread access required", details)


@pytest.mark.parametrize("organization", ["org_other", "org_nowhere", "*"])
@pytest.mark.parametrize("operation", ["createSpace", "listSpaces", "createThread", "listThreads"])
def test_an_organization_one_does_not_belong_to_is_refused(
    ask: Ask, operation: str, organization: str
) -> None:
    """A37: one that is unknown too; the override does not reach there."""
    method, path, body = REQUESTS[operation]
    sent: dict[str, Any] = {"query_string": {"organization_id": organization}}
    if body is not None:
        sent = {"json": body | {"organization_id": organization}}
    error = said(ask(method, path.partition("?")[0], "ak_demo_admin", **sent))
    details = {"organization_id": organization}
    assert error == (403, "INSUFFICIENT_PERMISSIONS", "Organization access required", details)


LISTS: list[tuple[dict[str, Any], str, str]] = [
    ({"access_users": ["usr_outsider"]}, "outsider", "VIEW"),
    ({"access_users": ["*"]}, "outsider", "NONE"),
    ({"access_users": ["usr_foreign"]}, "foreign", "VIEW"),
    ({"editable_by_users": ["usr_outsider"]}, "outsider", "EDIT"),
    ({"editable_by_users": ["usr_foreign"]}, "foreign", "EDIT"),
    ({"editable_by_users": ["*"]}, "outsider", "EDIT"),
    ({"editable_by_users": ["*"]}, "foreign", "NONE"),
    ({"editable_by_roles": ["role_research"]}, "researcher", "EDIT"),
    ({"editable_by_roles": ["role_research"]}, "support", "NONE"),
    ({"visible_to_roles": ["role_research"]}, "researcher", "VIEW"),
    ({"visible_to_roles": ["role_admin"]}, "researcher", "NONE"),
    ({"access_departments": ["dept_support"]}, "support", "VIEW"),
    ({"access_departments": ["dept_support"]}, "researcher", "NONE"),
    ({"access_mode": "organization"}, "outsider", "VIEW"),
    ({"access_mode": "organization"}, "foreign", "NONE"),
    ({"access_mode": "public"}, "outsider", "VIEW"),
    ({"access_mode": "public"}, "foreign", "NONE"),
    ({"access_users": None, "editable_by_users": None}, "viewer", "NONE"),
    ({"access_users": None, "editable_by_users": None}, "editor", "NONE"),
    ({"access_users": ["usr_editor"]}, "editor", "EDIT"),
    ({}, "outsider", "NONE"),
]


@pytest.mark.parametrize(("change", "key", "level"), LISTS)
def test_each_way_to_get_access_gives_exactly_its_level(
    ask: Ask, change: dict[str, Any], key: str, level: str
) -> None:
    """A44, A45: of another organization only who is named; `"*"` is the members, and only for editing."""
    assert ask("PATCH", SPACE, json=change).status_code == 200
    statuses = {
        "NONE": (403, 403, 403),
        "VIEW": (200, 403, 403),
        "EDIT": (200, 200, 403),
    }
    got = (
        ask("GET", SPACE, f"ak_demo_{key}").status_code,
        ask("PATCH", SPACE, f"ak_demo_{key}", json={"name": "Other"}).status_code,
        ask("PATCH", SPACE, f"ak_demo_{key}", json={"access_mode": "private"}).status_code,
    )
    assert got == statuses[level]


def test_who_may_edit_is_listed_the_space_too(ask: Ask) -> None:
    ask("PATCH", SPACE, json={"editable_by_users": ["usr_outsider"], "access_users": None})
    listed = ask("GET", "/v1/spaces/?organization_id=org_abc123", "ak_demo_outsider").get_json()["spaces"]
    assert [space["id"] for space in listed] == ["space_team", "space_abc123"]


def test_a_member_sees_threads_of_others_through_the_space_only(ask: Ask) -> None:
    """A36."""
    listed = ask("GET", f"{SPACE}/threads", "ak_demo_viewer").get_json()["data"]
    assert [thread["user_id"] for thread in listed] == ["usr_abc123"]
    assert ask("GET", MINE, "ak_demo_viewer").status_code == 403


def test_an_override_gives_owners_rights_over_any_space_of_the_organization(ask: Ask) -> None:
    changed = ask("PATCH", "/v1/spaces/space_research", "ak_demo_admin", json={"access_mode": "public"})
    assert (changed.status_code, changed.get_json()["created_by"]) == (200, "usr_abc123")
