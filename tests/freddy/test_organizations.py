"""What a client can find out before it knows an id: the caller, organizations, and what they contain."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.app import create_app
from mockserver.settings import Settings
from tests.conftest import Ask

ORG = "/v1/organizations/org_abc123"
ASSISTANTS = "/v1/assistants?organization_id=org_abc123"
SCENARIO = """
organizations: [{id: org_abc123, name: Abc}, {id: org_two, name: Two}]
users:
  - id: usr_a
    name: Ada
    keys: [{key: ak_demo_owner}]
    member_of: [{organization: org_abc123}, {organization: org_two}]
models: [{id: mdl_a, key: a, name: A, details: {badge: recommended}}]
assistants:
  - {id: ass_1, organization_id: org_abc123, name: Billing, created_by: usr_a,
     created_at: "2026-02-01T00:00:00Z"}
  - {id: ass_2, organization_id: org_abc123, name: Art, description: Draws bills, created_by: usr_a,
     created_at: "2026-02-02T00:00:00Z"}
  - {id: ass_3, organization_id: org_abc123, name: Old, is_active: false, created_by: usr_a,
     created_at: "2026-01-01T00:00:00Z"}
  - {id: ass_4, organization_id: org_two, name: Away, created_by: usr_a, created_at: "2026-01-01T00:00:00Z"}
"""


@pytest.fixture
def own(tmp_path: Path) -> Ask:
    """The mock with the scenario above."""
    file = tmp_path / "own.yaml"
    file.write_text(SCENARIO, "utf-8")
    client = create_app(Settings(scenario=str(file), quiet=True)).test_client()
    return lambda method, path: client.open(path, method=method, headers={"X-API-Key": "ak_demo_owner"})


def test_a_key_finds_the_organization_that_other_operations_ask_for(ask: Ask) -> None:
    for key, user, organization in (
        ("ak_demo_owner", "usr_abc123", "org_abc123"),
        ("ak_demo_foreign", "usr_foreign", "org_other"),
    ):
        me = ask("GET", "/v1/user/me", key=key).get_json()
        assert (me["id"], me["current_organization_id"]) == (user, organization)
        listed = ask("GET", "/v1/organizations", key=key).get_json()
        assert [each["id"] for each in listed["organizations"]] == [organization]
        spaces = ask("GET", f"/v1/spaces/?organization_id={organization}", key=key)
        assert spaces.status_code == 200
        assert (
            ask("GET", f"/v1/organizations/{organization}", key=key).get_json() == listed["organizations"][0]
        )


def test_organizations_are_paged(own: Ask) -> None:
    pages = [own("GET", f"/v1/organizations?skip={skip}&limit=1").get_json() for skip in (0, 1, 2)]
    assert [[each["id"] for each in page["organizations"]] for page in pages] == [
        ["org_abc123"],
        ["org_two"],
        [],
    ]
    assert [page["total"] for page in pages] == [2, 2, 2]


def test_the_names_that_access_lists_take_can_be_listed(ask: Ask) -> None:
    roles, departments = (ask("GET", f"{ORG}/{kind}").get_json() for kind in ("roles", "departments"))
    assert [(each["id"], each["name"]) for each in roles] == [
        ("role_research", "Research"),
        ("role_admin", "Administrator"),
    ]
    assert [(each["id"], each["member_count"]) for each in departments] == [("dept_support", 1)]
    space = {
        "name": "Shared",
        "organization_id": "org_abc123",
        "visible_to_roles": [roles[0]["id"]],
        "access_departments": [departments[0]["id"]],
    }
    assert ask("POST", "/v1/spaces/", json=space).status_code == 201


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["ass_2", "ass_1"]),
        ("&sort_by=created_at", ["ass_1", "ass_2"]),
        ("&sort_order=desc", ["ass_1", "ass_2"]),
        ("&include_inactive=true", ["ass_2", "ass_1", "ass_3"]),
        ("&search=BILL", ["ass_2", "ass_1"]),
        ("&search=draws", ["ass_2"]),
        ("&limit=1", ["ass_2"]),
        ("&limit=1&offset=1", ["ass_1"]),
    ],
)
def test_assistants_are_filtered_sorted_and_paged(own: Ask, query: str, ids: list[str]) -> None:
    answer = own("GET", ASSISTANTS + query).get_json()
    assert [each["id"] for each in answer["assistants"]] == ids
    assert answer["pagination"]["has_more"] is (query == "&limit=1")


def test_models_have_the_details_that_the_call_asks_for(ask: Ask, own: Ask) -> None:
    """A114: the scenario lists them."""
    flags = (
        "include_pricing",
        "include_capabilities",
        "include_recent_usage",
        "include_deprecated",
        "ui_models_only",
    )
    plain = ask("GET", "/v1/models").get_json()["models"]
    assert [model["key"] for model in plain] == ["gpt-4o", "ftg-3.0"]
    assert {"pricing", "last_used_at"}.isdisjoint(plain[0])
    whole = ask("GET", "/v1/models?" + "&".join(f"{flag}=true" for flag in flags[:4])).get_json()["models"]
    assert [model["key"] for model in whole] == ["gpt-4o", "ftg-3.0", "gpt-3.5-turbo"]
    assert {"pricing", "capabilities", "last_used_at"} <= whole[0].keys()
    assert "capabilities" not in ask("GET", "/v1/models?include_capabilities=false").get_json()["models"][0]
    shown = ask("GET", "/v1/models?include_deprecated=true&ui_models_only=true").get_json()["models"]
    assert [model["key"] for model in shown] == ["gpt-4o", "ftg-3.0"]
    assert [model["key"] for model in own("GET", "/v1/models").get_json()["models"]] == ["a"]
    assert own("GET", "/v1/models?include_details=true").get_json()["models"][0]["badge"] == "recommended"


def test_the_use_of_a_model_is_seen_in_the_list(ask: Ask) -> None:
    sent = {
        "inputs": [{"role": "user", "content": "Hello"}],
        "organization_id": "org_abc123",
        "model": "ftg-3.0",
    }
    assert ask("POST", "/v1/model/response", json=sent).status_code == 200
    models = ask("GET", "/v1/models?include_recent_usage=true").get_json()["models"]
    assert {model["key"]: model["last_used_at"] for model in models}["ftg-3.0"] == "2026-02-26T10:30:00Z"


@pytest.mark.parametrize(
    ("path", "name", "field"),
    [("output-modes", "output_modes", "mode"), ("reasoning-levels", "reasoning_levels", "level")],
)
def test_every_listed_mode_and_level_is_taken_by_a_response(
    ask: Ask, path: str, name: str, field: str
) -> None:
    listed = ask("GET", f"/v1/model/response/{path}").get_json()[name]
    assert sum(each["is_default"] for each in listed) == 1
    for each in listed:
        choice = {"output_mode": each[field]} if field == "mode" else {"reasoning": {"effort": each[field]}}
        sent = {
            "inputs": [{"role": "user", "content": "Hello"}],
            "organization_id": "org_abc123",
            "model": "ftg-3.0",
        }
        assert ask("POST", "/v1/model/response", json={**sent, **choice}).status_code == 200, each


def test_names_and_lists_are_part_of_the_state(own: Ask, tmp_path: Path) -> None:
    paths = ("/v1/user/me", "/v1/organizations", f"{ORG}/roles", "/v1/models", ASSISTANTS)
    state = own("GET", "/__admin/state").get_json()
    before = [own("GET", path).get_json() for path in paths]
    other = create_app(Settings(quiet=True)).test_client()
    assert other.put("/__admin/state", json=state).status_code == 200
    after = [other.get(path, headers={"X-API-Key": "ak_demo_owner"}).get_json() for path in paths]
    assert after == before
