"""An organization's vector stores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Ask
from tests.freddy.conftest import fields, said
from tests.freddy.steps import Steps
from tests.running import FROZEN

STORES = "/v1/organizations/org_abc123/vector-stores"
HANDBOOK = f"{STORES}/vs_def456"
OWN = f"{STORES}/vs_auto123"


def new(steps: Steps, key: str = "ak_demo_owner", **body: Any) -> Any:
    return steps("POST", STORES, key, json={"name": "New", **body})["data"]


def names(steps: Steps, key: str = "ak_demo_owner", **query: Any) -> list[str]:
    return [store["name"] for store in steps("GET", STORES, key, query_string=query)["data"]]


def test_a_new_store_is_empty_and_its_creators(steps: Steps) -> None:
    """A13, A58."""
    answer = steps("POST", STORES, "ak_demo_viewer", json={"name": "New"})
    store = answer["data"]
    assert answer == {"success": True, "message": "Vector store created", "data": store}
    assert store == {
        "id": store["id"],
        "name": "New",
        "description": None,
        "organization_id": "org_abc123",
        "created_by": "usr_viewer",
        "created_at": FROZEN,
        "updated_at": FROZEN,
        "is_active": True,
        "access_mode": "organization",
        "access_departments": None,
        "access_users": None,
        "file_count": 0,
        "data_size": 0,
        "flowplate_project_id": None,
        "flow_id": None,
    }
    read = steps("GET", f"{STORES}/{store['id']}")
    assert read == {"success": True, "message": "Vector store retrieved", "data": store}


def test_what_is_sent_is_kept(steps: Steps) -> None:
    sent: dict[str, Any] = {
        "description": "",
        "access_mode": "department",
        "access_departments": ["dept_support"],
        "access_users": ["usr_nobody"],
        "flowplate_project_id": "p",
        "flow_id": "f",
    }
    assert sent.items() <= new(steps, **sent).items()


def test_only_what_is_sent_changes(steps: Steps, later: Callable[..., str]) -> None:
    """A18, A41."""
    before, now = steps("GET", HANDBOOK)["data"], later()
    assert steps("PATCH", HANDBOOK, json={})["data"] == before
    changes: dict[str, Any] = {"name": "Other", "description": None, "flow_id": "f"}
    kept: dict[str, Any] = {"access_mode": None, "is_active": False}  # null, and a field of a later revision
    changed = steps("PATCH", HANDBOOK, json={**changes, **kept})
    assert changed["message"] == "Vector store updated"
    assert changed["data"] == before | changes | {"updated_at": now}
    assert steps("GET", HANDBOOK)["data"] == changed["data"]


@pytest.mark.parametrize("body", [{"name": ""}, {"name": 1}, {"access_mode": "all"}])
def test_what_cannot_be_stored_is_told(ask: Ask, body: dict[str, Any]) -> None:
    expected = [("body", name) for name in body]
    assert fields(ask("PATCH", HANDBOOK, json=body)) == expected
    assert fields(ask("POST", STORES, json={"name": "x", **body})) == expected


def test_stores_are_filtered_by_workflow_and_project(steps: Steps) -> None:
    sent = ({"flow_id": "f"}, {"flowplate_project_id": "p"}, {"flow_id": "f", "flowplate_project_id": "p"})
    a, b, c = (steps("POST", STORES, json={"name": "x", **each})["data"]["id"] for each in sent)

    def listed(query: str) -> set[str]:
        return {store["id"] for store in steps("GET", f"{STORES}?{query}")["data"]}

    assert listed("flow_id=f") == {a, c}
    assert listed("flowplate_project_id=p") == {b, c}
    assert listed("flow_id=f&flowplate_project_id=p") == {c}
    assert listed("flow_id=other") == set()


def test_a_page_holds_20_stores_unless_asked_otherwise(steps: Steps) -> None:
    for number in range(21):
        steps("POST", STORES, json={"name": f"store {number}"})
    assert len(steps("GET", STORES)["data"]) == 20
    assert len(steps("GET", f"{STORES}?take=21")["data"]) == 21


def test_every_unknown_department_is_told(ask: Ask) -> None:
    """A74."""
    body = {"name": "x", "access_departments": ["dept_a", "dept_support", "dept_b"]}
    told = [("body", "access_departments.0"), ("body", "access_departments.2")]
    assert fields(ask("POST", STORES, json=body)) == told
    assert fields(ask("PATCH", HANDBOOK, json=body)) == told


def test_a_deleted_store_is_gone_with_its_links(ask: Ask, steps: Steps) -> None:
    """A47."""
    for space in ("space_abc123", "space_team"):
        steps("POST", f"/v1/spaces/{space}/vector-stores/vs_def456")
    assert steps("DELETE", HANDBOOK) is None
    for space in ("space_abc123", "space_team"):
        assert steps("GET", f"/v1/spaces/{space}/vector-stores")["vector_stores"] == []
        assert steps("GET", f"/v1/spaces/{space}")["additional_vector_store_ids"] == []
    assert "Product Handbook" not in names(steps)
    for method in ("GET", "PATCH", "DELETE"):
        error = said(ask(method, HANDBOOK, json={}))
        details = {"vector_store_id": "vs_def456"}
        assert error == (404, "VECTOR_STORE_NOT_FOUND", "Vector store not found", details)


def test_deleting_a_store_is_activity_in_the_spaces_that_had_it(
    steps: Steps, later: Callable[..., str]
) -> None:
    """A16: it is detached."""
    space_id = steps.space()
    steps("POST", f"/v1/spaces/{space_id}/vector-stores/vs_def456")
    now = later()
    steps("DELETE", HANDBOOK)
    assert steps("GET", f"/v1/spaces/{space_id}")["last_activity_at"] == now


def test_a_spaces_own_store_comes_and_goes_with_it_and_cannot_be_deleted(ask: Ask, steps: Steps) -> None:
    """A47."""
    space = steps("POST", "/v1/spaces/", json={"organization_id": "org_abc123", "name": "Fresh"})
    path = f"{STORES}/{space['vector_store_id']}"
    own = steps("GET", path)["data"]
    assert (own["name"], own["access_mode"], own["created_by"]) == ("Fresh", "private", "usr_abc123")
    for key in ("ak_demo_owner", "ak_demo_admin"):
        error = said(ask("DELETE", path, key))
        details = {"vector_store_id": own["id"]}
        assert error == (403, "OPERATION_NOT_ALLOWED", "Vector store belongs to a space", details)
    assert said(ask("DELETE", path, "ak_demo_editor")).system_message == "Vector store access required"
    steps("DELETE", f"/v1/spaces/{space['id']}")
    assert ask("GET", path).status_code == 404


def test_a_store_of_another_organization_is_not_found(ask: Ask) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        assert said(ask(method, f"{STORES}/vs_other456", json={})).code == "VECTOR_STORE_NOT_FOUND"


@pytest.mark.parametrize("organization", ["org_other", "org_nowhere"])
def test_the_stores_of_another_organization_are_refused(ask: Ask, organization: str) -> None:
    """A37."""
    path = f"/v1/organizations/{organization}/vector-stores"
    for method, end in (("POST", ""), ("GET", ""), ("GET", "/x"), ("PATCH", "/x"), ("DELETE", "/x")):
        error = said(ask(method, path + end, json={"name": "x"}))
        details = {"organization_id": organization}
        assert error == (403, "INSUFFICIENT_PERMISSIONS", "Organization access required", details)


VIEWERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"viewer", "support", "outsider"}),
    ({"access_mode": "organization", "access_users": ["usr_viewer"]}, {"viewer", "support", "outsider"}),
    ({"access_mode": "public"}, {"viewer", "support", "outsider"}),
    ({"access_mode": "private"}, set()),
    ({"access_mode": "private", "access_users": ["usr_viewer", "usr_foreign"]}, {"viewer"}),
    ({"access_mode": "private", "access_departments": ["dept_support"]}, set()),
    ({"access_mode": "department", "access_departments": ["dept_support"]}, {"support"}),
    ({"access_mode": "department", "access_users": ["usr_viewer"]}, set()),
]


@pytest.mark.parametrize(("access", "viewers"), VIEWERS)
def test_who_may_view_is_decided_by_the_access_mode(
    ask: Ask, steps: Steps, access: dict[str, Any], viewers: set[str]
) -> None:
    """A74: the list shows exactly what may be read; changing is the creator's and the override's."""
    path = f"{STORES}/{new(steps, 'ak_demo_editor', name='Probe', **access)['id']}"
    everybody = ["viewer", "support", "outsider", "editor", "admin"]
    readers = {key for key in everybody if ask("GET", path, f"ak_demo_{key}").status_code == 200}
    listed = {key for key in everybody if "Probe" in names(steps, f"ak_demo_{key}")}
    changers = {key for key in everybody if ask("PATCH", path, f"ak_demo_{key}", json={}).status_code == 200}
    assert readers == listed == viewers | {"editor", "admin"}
    assert changers == {"editor", "admin"}
    assert ask("GET", path, "ak_demo_foreign").status_code == 403


def test_what_may_not_be_viewed_is_refused_by_name(ask: Ask) -> None:
    error = said(ask("GET", OWN, "ak_demo_viewer"))
    details = {"vector_store_id": "vs_auto123"}
    assert error == (403, "INSUFFICIENT_PERMISSIONS", "Vector store access required", details)


def test_stores_are_listed_newest_first_and_by_other_fields_on_demand(
    steps: Steps, later: Callable[..., str]
) -> None:
    for name in "bac":
        later()
        new(steps, name=name)
    later()
    steps("PATCH", HANDBOOK, json={"description": "x"})
    assert names(steps, take=4) == ["c", "a", "b", "Project Alpha"]
    assert names(steps, sort="created_at", order="asc")[-3:] == ["b", "a", "c"]
    assert names(steps, sort="updated_at", take=2) == ["Product Handbook", "c"]
    assert names(steps, sort="name", order="asc")[-3:] == ["a", "b", "c"]
    assert names(steps, sort="name", order="desc")[:3] == ["c", "b", "a"]


def test_pages_of_any_size_tell_every_store_once(steps: Steps) -> None:
    for number in range(12):
        new(steps, name=f"store {number}")
    whole = names(steps, take=100)
    assert len(whole) == 17
    for size in (1, 5, 17):
        assert [n for skip in range(0, 20, size) for n in names(steps, skip=skip, take=size)] == whole
    assert names(steps, skip=1000) == []


def test_filters_narrow_the_list_together_before_the_page_is_cut(steps: Steps) -> None:
    for number in range(4):
        new(steps, name=f"HandBook {number}", access_mode=("public", "private")[number % 2])
    assert sorted(names(steps, search="handbook", access_mode="private")) == ["HandBook 1", "HandBook 3"]
    assert len(names(steps, search="handBOOK")) == 5
    assert len(names(steps, search="handbook", access_mode="public", take=1, skip=1)) == 1
    assert names(steps, search="nothing like it") == []


def test_bounds_of_the_page_are_told_together(ask: Ask) -> None:
    query = {"skip": -1, "take": 101, "sort": "size", "order": "up", "access_mode": "all"}
    told = fields(ask("GET", STORES, query_string=query))
    assert sorted(told) == sorted(("query", name) for name in query)


def test_a_new_store_can_be_attached_at_once(steps: Steps) -> None:
    store = new(steps)["id"]
    steps("POST", f"/v1/spaces/space_abc123/vector-stores/{store}")
    assert store in steps("GET", "/v1/spaces/space_abc123")["additional_vector_store_ids"]
