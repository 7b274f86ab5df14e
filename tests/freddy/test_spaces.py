"""Spaces: what is made, changed and gone, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.freddy.spaces import ACCESS_FIELDS
from mockserver.sandbox.sandbox import Sandbox
from tests.conftest import Ask
from tests.freddy.conftest import fields, said

SPACES = "/v1/spaces/"
SPACE = "/v1/spaces/space_abc123"
NOW = "2026-02-26T10:30:00Z"
UNKNOWN = (404, "RESOURCE_NOT_FOUND", "Space not found", {"space_id": "space_abc123"})


def test_a_new_space_is_private_and_its_creators(ask: Ask) -> None:
    """A13, A24, A40."""
    created = ask("POST", SPACES, "ak_demo_viewer", json={"organization_id": "org_abc123", "name": "New"})
    space = created.get_json()
    assert created.status_code == 201
    assert space == {
        "id": space["id"],
        "organization_id": "org_abc123",
        "created_by": "usr_viewer",
        "name": "New",
        "description": None,
        "vector_store_id": space["vector_store_id"],
        "access_mode": "private",
        "access_users": None,
        "access_departments": None,
        "editable_by_users": None,
        "editable_by_roles": None,
        "visible_to_roles": None,
        "additional_vector_store_ids": [],
        "last_activity_at": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert ask("GET", f"{SPACES}{space['id']}", "ak_demo_viewer").get_json() == space


def test_a_new_space_has_a_store_of_its_own_that_is_not_among_the_attached(
    ask: Ask, sandbox: Sandbox
) -> None:
    space = ask("POST", SPACES, json={"organization_id": "org_abc123", "name": "New"}).get_json()
    store = sandbox.vector_stores.get(space["vector_store_id"])
    assert store is not None
    assert (store["space_id"], store["organization_id"]) == (space["id"], "org_abc123")
    listed = ask("GET", f"{SPACES}{space['id']}/vector-stores").get_json()
    assert listed == {"vector_stores": []}


def test_what_is_sent_is_kept(ask: Ask) -> None:
    sent = {
        "organization_id": "org_abc123",
        "name": "New",
        "description": "",
        "access_mode": "public",
        "access_users": ["usr_viewer", "usr_nobody", "usr_viewer"],
        "access_departments": ["dept_support"],
        "editable_by_users": [],
        "editable_by_roles": ["role_research", "role_admin"],
        "visible_to_roles": None,
    }
    assert sent.items() <= ask("POST", SPACES, json=sent).get_json().items()


@pytest.mark.parametrize(
    "name", ["x", " padded ", " ", "é" * 255, "\U0001f600" * 255, "a\u0000b", "Project Alpha"]
)
def test_a_name_is_kept_as_sent_and_need_not_be_unique(ask: Ask, name: str) -> None:
    """A19."""
    created = ask("POST", SPACES, json={"organization_id": "org_abc123", "name": name})
    assert (created.status_code, created.get_json()["name"]) == (201, name)
    assert ask("PATCH", SPACE, json={"name": name}).get_json()["name"] == name


@pytest.mark.parametrize("name", ["", "x" * 256, None, 5, ["x"]])
def test_a_name_has_1_to_255_characters(ask: Ask, name: Any) -> None:
    """A18, A19."""
    created = ask("POST", SPACES, json={"organization_id": "org_abc123", "name": name})
    assert fields(created) == fields(ask("PATCH", SPACE, json={"name": name})) == [("body", "name")]


@pytest.mark.parametrize("field", ["vector_store_ids", "created_by", "id", "thread_ids", ""])
def test_an_unknown_field_is_refused(ask: Ask, field: str) -> None:
    """A30."""
    body = {"organization_id": "org_abc123", "name": "New", field: []}
    assert fields(ask("POST", SPACES, json=body)) == [("body", field)]
    assert fields(ask("PATCH", SPACE, json={field: []})) == [("body", field)]


def test_all_faults_are_told_at_once(ask: Ask) -> None:
    """A09, A54."""
    body = {"access_mode": "custom", "access_users": ["usr_a", 1, None], "more": 1}
    expected = {
        ("body", "organization_id"),
        ("body", "name"),
        ("body", "access_mode"),
        ("body", "access_users.1"),
        ("body", "access_users.2"),
        ("body", "more"),
    }
    assert set(fields(ask("POST", SPACES, json=body))) == expected


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_unknown_roles_and_departments_are_told_all_at_once(ask: Ask, method: str) -> None:
    """A32: users may be unknown, roles and departments may not."""
    body = {
        "access_users": ["usr_nobody"],
        "access_departments": ["dept_support", "dept_nowhere"],
        "editable_by_roles": ["role_nobody", "role_research", "*"],
        "visible_to_roles": ["dept_support"],
    }
    whole = {"organization_id": "org_abc123", "name": "New", **body}
    refused = ask("POST", SPACES, json=whole) if method == "POST" else ask("PATCH", SPACE, json=body)
    expected = ["access_departments.1", "editable_by_roles.0", "editable_by_roles.2", "visible_to_roles.0"]
    assert fields(refused) == [("body", name) for name in expected]


def test_an_empty_change_changes_nothing(ask: Ask, later: Callable[..., str]) -> None:
    """A18, A41; it needs edit access all the same."""
    before = ask("GET", SPACE).get_json()
    later()
    changed = ask("PATCH", SPACE, "ak_demo_editor", json={})
    assert (changed.status_code, changed.get_json()) == (200, before)
    assert ask("PATCH", SPACE, "ak_demo_viewer", json={}).status_code == 403


def test_only_what_is_sent_changes(ask: Ask, later: Callable[..., str]) -> None:
    before = ask("GET", SPACE).get_json()
    now = later()
    changed = ask("PATCH", SPACE, "ak_demo_editor", json={"name": "Other"})
    assert changed.get_json() == {**before, "name": "Other", "updated_at": now}
    assert ask("GET", SPACE).get_json() == changed.get_json()


def test_a_change_to_the_same_values_moves_updated_at(ask: Ask, later: Callable[..., str]) -> None:
    """A41."""
    before = ask("GET", SPACE).get_json()
    now = later()
    assert ask("PATCH", SPACE, json={"name": before["name"]}).get_json() == {**before, "updated_at": now}


def test_null_clears_the_description_and_the_lists_and_absent_keeps_them(ask: Ask) -> None:
    """A18."""
    lists = (
        "access_users",
        "access_departments",
        "editable_by_users",
        "editable_by_roles",
        "visible_to_roles",
    )
    full = {
        "description": "d",
        "access_users": ["usr_a"],
        "access_departments": ["dept_support"],
        "editable_by_users": ["usr_a"],
        "editable_by_roles": ["role_research"],
        "visible_to_roles": ["role_research"],
    }
    assert ask("PATCH", SPACE, json=full).status_code == 200
    for field in ("description", *lists):
        before = ask("GET", SPACE).get_json()
        assert before[field] == full[field]
        assert ask("PATCH", SPACE, json={field: None}).get_json() == {**before, field: None}


@pytest.mark.parametrize("field", ["name", "access_mode"])
def test_name_and_access_mode_cannot_be_cleared(ask: Ask, field: str) -> None:
    """A18."""
    assert set(fields(ask("PATCH", SPACE, json={field: None}))) == {("body", field)}


@pytest.mark.parametrize("key", ["ak_demo_editor", "ak_demo_viewer", "ak_demo_outsider"])
@pytest.mark.parametrize("field", ACCESS_FIELDS)
def test_only_an_owner_changes_who_has_access(ask: Ask, field: str, key: str) -> None:
    """A39: whatever is sent along, and whatever the value."""
    value = "private" if field == "access_mode" else None
    refused = ask("PATCH", SPACE, key, json={"name": "Other", field: value})
    details = {"space_id": "space_abc123"}
    assert said(refused) == (403, "INSUFFICIENT_PERMISSIONS", "Owner access required", details)
    assert ask("GET", SPACE).get_json()["name"] == "Project Alpha"


def test_a_deleted_space_is_gone_for_everyone(ask: Ask) -> None:
    """A27: an editor may."""
    assert ask("DELETE", SPACE, "ak_demo_editor").status_code == 204
    for method, path in (
        ("GET", SPACE),
        ("DELETE", SPACE),
        ("GET", f"{SPACE}/threads"),
        ("POST", f"{SPACE}/threads/thrd_def456"),
        ("DELETE", f"{SPACE}/threads/thrd_abc123"),
        ("GET", f"{SPACE}/vector-stores"),
        ("POST", f"{SPACE}/vector-stores/vs_def456"),
        ("DELETE", f"{SPACE}/vector-stores/vs_def456"),
    ):
        for key in ("ak_demo_owner", "ak_demo_outsider"):
            assert said(ask(method, path, key)) == UNKNOWN, (method, path)
    listed = ask("GET", f"{SPACES}?organization_id=org_abc123").get_json()["spaces"]
    assert "space_abc123" not in [space["id"] for space in listed]


def test_deleting_a_space_takes_its_store_and_links_and_leaves_threads_and_attached_stores(
    ask: Ask, sandbox: Sandbox
) -> None:
    ask("POST", f"{SPACE}/vector-stores/vs_def456")
    ask("POST", "/v1/spaces/space_research/threads/thrd_abc123")
    ask("POST", "/v1/spaces/space_research/vector-stores/vs_def456")
    ask("DELETE", SPACE)
    assert sandbox.vector_stores.get("vs_auto123") is None
    assert sandbox.vector_stores.get("vs_def456") is not None
    assert [link for link in sandbox.space_threads if link["space_id"] == "space_abc123"] == []
    assert [link for link in sandbox.space_vector_stores if link["space_id"] == "space_abc123"] == []
    assert ask("GET", "/v1/threads/thrd_abc123").get_json()["space_ids"] == ["space_research"]
    research = ask("GET", "/v1/spaces/space_research").get_json()
    assert research["additional_vector_store_ids"] == ["vs_def456"]


def test_naming_the_right_organization_changes_nothing_and_another_finds_no_space(ask: Ask) -> None:
    """A23, on every operation under a space."""
    for method, path, body in (
        ("GET", SPACE, None),
        ("PATCH", SPACE, {"name": "Other"}),
        ("GET", f"{SPACE}/threads", None),
        ("POST", f"{SPACE}/threads/thrd_def456", None),
        ("DELETE", f"{SPACE}/threads/thrd_def456", None),
        ("GET", f"{SPACE}/vector-stores", None),
        ("POST", f"{SPACE}/vector-stores/vs_def456", None),
        ("DELETE", f"{SPACE}/vector-stores/vs_def456", None),
        ("DELETE", SPACE, None),
    ):
        for other in ("org_other", "org_nowhere"):
            assert said(ask(method, f"{path}?organization_id={other}", json=body)) == UNKNOWN, (method, path)
        assert ask(method, f"{path}?organization_id=org_abc123", json=body).status_code < 300


def test_another_organizations_space_is_refused_and_an_unknown_one_is_not_found(ask: Ask) -> None:
    """A46."""
    refused = ask("GET", "/v1/spaces/space_other")
    details = {"space_id": "space_other"}
    assert said(refused) == (403, "INSUFFICIENT_PERMISSIONS", "View access required", details)
    missing = said(ask("GET", "/v1/spaces/any%20text%E2%9C%93", "ak_demo_foreign"))
    assert missing == (404, "RESOURCE_NOT_FOUND", "Space not found", {"space_id": "any text✓"})


def test_the_same_calls_after_a_reset_give_the_same_answers(ask: Ask, sandbox: Sandbox) -> None:
    """Ids too."""

    def run() -> list[Any]:
        sandbox.reset()
        created = ask("POST", SPACES, json={"organization_id": "org_abc123", "name": "New"})
        ask("GET", SPACE)
        thread = ask("POST", "/v1/threads", json={"organization_id": "org_abc123"}).get_json()
        added = ask("POST", f"{SPACE}/threads/{thread['id']}")
        return [created.get_json(), thread, added.get_json(), ask("GET", f"{SPACE}/threads").data]

    assert run() == run()


def test_a_refused_create_uses_up_no_id(ask: Ask, sandbox: Sandbox) -> None:
    body = {"organization_id": "org_abc123", "name": "New"}
    first = ask("POST", SPACES, json=body).get_json()["id"]
    sandbox.reset()
    assert ask("POST", SPACES, json={**body, "visible_to_roles": ["role_x"]}).status_code == 422
    assert ask("POST", SPACES, json={**body, "organization_id": "org_other"}).status_code == 403
    assert ask("POST", SPACES, json=body).get_json()["id"] == first
