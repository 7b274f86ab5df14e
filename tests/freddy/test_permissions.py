"""Who may do what: every operation with every key of the demo, as one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from contracts.behaviour.permission_table import COLUMNS, ROWS, request_of
from contracts.http.role_client import FORM_HEADERS, file_form
from mockserver.app import MockServer
from mockserver.freddy import HANDLERS
from mockserver.sandbox.sandbox import Sandbox
from tests.conftest import Ask
from tests.freddy.conftest import said

SPACE = "/v1/spaces/space_abc123"
MINE = "/v1/threads/thrd_abc123"
MESSAGE = f"{MINE}/messages/msg_23716a05fc0270912bb9f243a36a6110"
STORES = "/v1/organizations/org_abc123/vector-stores"
UPLOAD = "/v1/organizations/org_abc123/files/upload"
RESPONSE = "/v1/model/response"
ASKED: dict[str, Any] = {
    "inputs": [{"role": "user", "content": "What is the launch budget?"}],
    "organization_id": "org_abc123",
}
ALIKE = {"researcher": "outsider", "support": "outsider"}
"""Keys of the demo that the suite's table has no column for, by one that means the same there."""
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "addVectorStoreToSpace demo": ("POST", f"{SPACE}/vector-stores/vs_def456", None),
    "removeVectorStoreFromSpace unattached": ("DELETE", f"{SPACE}/vector-stores/vs_def456", None),
    "listThreads everywhere": ("GET", "/v1/threads", None),
    "deleteAllThreads organization": ("DELETE", "/v1/threads?organization_id=org_abc123", None),
    "updateThreadMessage demo": ("PATCH", MESSAGE, {"content": "Other"}),
    "deleteThreadMessage demo": ("DELETE", MESSAGE, None),
    "createResponse demo": ("POST", RESPONSE, ASKED),
    "createResponse thread": ("POST", RESPONSE, ASKED | {"thread_id": "thrd_abc123"}),
    "createResponse space": ("POST", RESPONSE, ASKED | {"space_id": "space_abc123"}),
    "getVectorStore demo": ("GET", f"{STORES}/vs_def456", None),
    "getVectorStore own": ("GET", f"{STORES}/vs_auto123", None),
    "updateVectorStore demo": ("PATCH", f"{STORES}/vs_def456", {"name": "Other"}),
    "deleteVectorStore demo": ("DELETE", f"{STORES}/vs_def456", None),
    "deleteVectorStore own": ("DELETE", f"{STORES}/vs_auto123", None),
}
TABLE = """
                                      owner admin editor viewer outsider researcher support foreign
addVectorStoreToSpace-demo             201   201    201    403      403        403     403     403
removeVectorStoreFromSpace-unattached  404   404    404    403      403        403     403     403
listThreads-everywhere                 200   200    200    200      200        200     200     200
deleteAllThreads-organization          200   200    200    200      200        200     200     403
updateThreadMessage-demo               200   403    403    403      403        403     403     403
deleteThreadMessage-demo               200   403    403    403      403        403     403     403
createResponse-demo                    200   200    200    200      200        200     200     403
createResponse-thread                  200   403    403    403      403        403     403     403
createResponse-space                   200   200    200    403      403        403     403     403
getVectorStore-demo                    200   200    200    200      200        200     200     403
getVectorStore-own                     200   200    403    403      403        403     403     403
updateVectorStore-demo                 200   200    403    403      403        403     403     403
deleteVectorStore-demo                 204   204    403    403      403        403     403     403
deleteVectorStore-own                  403   403    403    403      403        403     403     403
"""
"""What the demo adds to the suite's table, which holds each operation on things of the owner's."""
ON_DEMO = {("reconnectStream", "owner"): 200}
"""Where it differs: the demo's threads have an answer, and the suite's have none."""
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


def staged(ask: Ask, sandbox: Sandbox, row: str = "") -> dict[str, str]:
    """The names that the suite's rows use, on the demo: the owner's space, threads, two stores and files."""
    sandbox.reset()
    attached, loose = (
        ask("POST", STORES, json={"name": name}).get_json()["data"]["id"] for name in ("One", "Two")
    )
    assert ask("POST", f"{SPACE}/vector-stores/{attached}").status_code == 201
    files = dict.fromkeys(("stored", "unstored") if "File" in row else (), "")
    for name in files:
        form = file_form(f"{name}.txt", "Text")
        answer = ask("POST", UPLOAD, data=form, headers=FORM_HEADERS)
        files[name] = answer.get_json()["files"][0]["id"]
    if files:
        ask("POST", f"{STORES}/{loose}/files", json={"file_id": files["stored"]})
    return {
        **files,
        "organization_id": "org_abc123",
        "space_id": "space_abc123",
        "inside": "thrd_abc123",
        "beside": "thrd_def456",
        "attached": attached,
        "loose": loose,
        "message_id": "msg_nowhere",
        "name": "New",
    }


def every_cell() -> Iterator[tuple[str, str, int]]:
    """(row, key, status) of every cell of both tables."""
    head = TABLE.split()[:8]
    for name, row in ROWS.items():
        statuses = dict(zip(COLUMNS, row.statuses, strict=True))
        yield from ((name, key, ON_DEMO.get((name, key), statuses[ALIKE.get(key, key)])) for key in head)
    yield from ((row.replace("-", " "), key, status) for row, key, status in cells(TABLE))


def asked(ask: Ask, sandbox: Sandbox, row: str, key: str | None) -> TestResponse:
    """The answer to a row's request with a key, on a fresh stage."""
    names = staged(ask, sandbox, row)
    method, path, body = request_of(row, names) if row in ROWS else REQUESTS[row]
    return send(ask, method, path, key, body)


def send(ask: Ask, method: str, path: str, key: str | None, body: Any) -> TestResponse:
    """The answer to a request with a body of JSON or, if it is a text, a form."""
    if isinstance(body, str):
        return ask(method, path, key, data=body, headers=FORM_HEADERS)
    return ask(method, path, key, json=body)


def test_the_tables_have_every_operation_and_every_key(app: MockServer) -> None:
    missing = sorted(HANDLERS.keys() - {row.partition(" ")[0] for row in ROWS} - {"deleteAllThreads"})
    assert not missing, f"say who may do it: add {missing} to ROWS in contracts/behaviour/permission_table.py"
    assert {row.partition(" ")[0] for row, *_ in every_cell()} == set(HANDLERS)
    keys = {f"ak_demo_{key}" for _, key, _ in every_cell()}
    refused = {f"ak_demo_{key}" for key in REFUSED}
    assert keys | refused == set(app.sandboxes.get().directory.credentials)


@pytest.mark.parametrize("row", [*ROWS, *REQUESTS])
def test_every_operation_refuses_keys_that_are_not_good(ask: Ask, sandbox: Sandbox, row: str) -> None:
    keys = [None, "ak_nobody", *(f"ak_demo_{key}" for key in REFUSED)]
    expected = ROWS[row].statuses[COLUMNS.index("nobody")] if row in ROWS else 401
    assert [asked(ask, sandbox, row, key).status_code for key in keys] == [expected] * 5


def test_every_operation_answers_every_key_as_the_tables_say(ask: Ask, sandbox: Sandbox) -> None:
    got = [(row, key, asked(ask, sandbox, row, f"ak_demo_{key}").status_code) for row, key, _ in every_cell()]
    assert got == list(every_cell())


def test_a_refusal_changes_nothing(ask: Ask, sandbox: Sandbox, state: Callable[[], Any]) -> None:
    names = staged(ask, sandbox, "File")
    before, ids = state(), sandbox.ids.checkpoint()
    for row, key, status in every_cell():
        if status >= 400:
            method, path, body = request_of(row, names) if row in ROWS else REQUESTS[row]
            send(ask, method, path, f"ak_demo_{key}", body)
            assert state() == before, (row, key)
    assert sandbox.ids.checkpoint() == ids


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


def test_view_is_named_where_view_is_missing_and_edit_where_edit_is(ask: Ask, sandbox: Sandbox) -> None:
    for operation, key, level in (
        ("getSpace", "outsider", "View"),
        ("listSpaceVectorStores", "foreign", "View"),
        ("updateSpace", "viewer", "Edit"),
        ("updateSpace", "outsider", "Edit"),
        ("updateSpace (access)", "viewer", "Owner"),
        ("updateSpace (access)", "editor", "Owner"),
        ("deleteSpace", "viewer", "Edit"),
        ("removeVectorStoreFromSpace", "viewer", "Edit"),
    ):
        error = said(asked(ask, sandbox, operation, f"ak_demo_{key}"))
        expected = (403, "INSUFFICIENT_PERMISSIONS", f"{level} access required", {"space_id": "space_abc123"})
        assert error == expected, (operation, key)


@pytest.mark.parametrize(
    "operation",
    [
        "getThread",
        "updateThread",
        "deleteThread",
        "listThreadMessages",
        "updateThreadMessage demo",
        "deleteThreadMessage demo",
        "createResponse thread",
    ],
)
@pytest.mark.parametrize("key", ["editor", "admin"])
def test_someone_elses_thread_is_refused_even_to_an_administrator(
    ask: Ask, sandbox: Sandbox, operation: str, key: str
) -> None:
    """A36."""
    error = said(asked(ask, sandbox, operation, f"ak_demo_{key}"))
    details = {"thread_id": "thrd_abc123"}
    assert error == (403, "INSUFFICIENT_PERMISSIONS", "Thread access required", details)


@pytest.mark.parametrize("organization", ["org_other", "org_nowhere", "*"])
@pytest.mark.parametrize("operation", ["createSpace", "listSpaces", "createThread", "listThreads"])
def test_an_organization_one_does_not_belong_to_is_refused(
    ask: Ask, sandbox: Sandbox, operation: str, organization: str
) -> None:
    """A37: one that is unknown too; the override does not reach there."""
    method, path, body = request_of(operation, staged(ask, sandbox))
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
