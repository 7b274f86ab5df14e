"""The control operations that make, copy, list and drop sandboxes, and those that go to another state."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.conftest import frozen_app
from tests.freddy.steps import Steps
from tests.running import FROZEN

SANDBOXES, SNAPSHOTS, RESET, SPACES = (
    "/__admin/sandboxes",
    "/__admin/snapshots",
    "/__admin/reset",
    "/v1/spaces/",
)
NEW = {"organization_id": "org_abc123", "name": "New"}


@pytest.fixture
def app() -> MockServer:
    """A mock of its own for each test."""
    return frozen_app()


def within(name: str) -> dict[str, str]:
    return {"X-Mock-Sandbox": name}


def names(ask: Ask, sandbox: str) -> list[str]:
    """Of the spaces that are there."""
    answer: Any = ask("GET", f"{SPACES}?organization_id=org_abc123", headers=within(sandbox)).get_json()
    return [space["name"] for space in answer["spaces"]]


def test_one_is_made_with_its_own_start_and_a_reset_goes_back_there(ask: Ask) -> None:
    order = {"id": "a", "scenario": "empty", "seed": 7, "freeze": "2030-01-01T00:00:00Z"}
    made = ask("POST", SANDBOXES, json=order)
    assert made.status_code == 201
    assert made.get_json() == {
        "id": "a",
        "origin": "scenario:empty",
        "scenario": "empty",
        "seed": 7,
        "now": "2030-01-01T00:00:00Z",
        "frozen": True,
        "idle_seconds": 0.0,
        "counts": {"spaces": 0, "threads": 0, "messages": 0, "vector_stores": 0},
    }
    first = ask("POST", SPACES, json=NEW, headers=within("a")).get_json()
    assert first["id"] != ask("POST", SPACES, json=NEW, headers=within("b")).get_json()["id"]
    assert names(ask, "a") == ["New"]
    ask("POST", RESET, headers=within("a"))
    assert names(ask, "a") == []
    assert ask("POST", SPACES, json=NEW, headers=within("a")).get_json() == first


def test_a_name_is_made_up_where_none_is_given(ask: Ask) -> None:
    made: Any = [ask("POST", SANDBOXES, json=body).get_json()["id"] for body in ({}, {"seed": 1})]
    made.append(ask("POST", SANDBOXES).get_json()["id"])
    assert len(set(made)) == 3


def test_the_sandbox_of_the_request_has_nothing_to_do_with_it(ask: Ask) -> None:
    for method, path in (
        ("GET", "/__admin/health"),
        ("GET", "/__admin/ready"),
        ("GET", SANDBOXES),
        ("GET", SNAPSHOTS),
    ):
        assert ask(method, path, headers=within("never")).status_code == 200
    listed = ask("GET", SANDBOXES).get_json()["sandboxes"]
    assert [sandbox["id"] for sandbox in listed] == ["default"]


def test_they_are_listed_page_by_page(ask: Ask) -> None:
    for name in ("c", "a", "b"):
        names(ask, name)
    seen, cursor = list[str](), ""
    while cursor is not None:
        page: Any = ask("GET", f"{SANDBOXES}?limit=2{cursor and '&cursor=' + cursor}").get_json()
        seen += [sandbox["id"] for sandbox in page["sandboxes"]]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
    assert seen == ["a", "b", "c", "default"]
    cursor = ask("GET", SANDBOXES + "?limit=1").get_json()["next_cursor"]
    assert ask("GET", f"{SNAPSHOTS}?cursor={cursor}").status_code == 422


def test_a_copy_goes_on_as_the_original_would_and_shares_nothing_with_it(ask: Ask) -> None:
    ask("POST", SPACES, json={**NEW, "name": "Before"}, headers=within("a"))
    ask("PUT", "/__admin/clock", json={"advance": 60}, headers=within("a"))
    ask("POST", "/__admin/replies", json={"text": "Hello"}, headers=within("a"))
    fork = ask("POST", f"{SANDBOXES}/a/fork", json={"id": "b"})
    assert fork.status_code == 201
    assert (fork.get_json()["origin"], fork.get_json()["now"]) == ("sandbox:a", "2026-02-26T10:31:00Z")
    answers = [ask("POST", SPACES, json=NEW, headers=within(name)) for name in ("b", "a")]
    assert answers[0].data == answers[1].data
    assert answers[0].headers["x-request-id"] == answers[1].headers["x-request-id"]
    replies = [ask("GET", "/__admin/replies", headers=within(name)).get_json()["replies"] for name in "ab"]
    assert replies[0] == replies[1] != []
    ask("DELETE", f"{SPACES}space_abc123", headers=within("b"))
    assert "Project Alpha" in names(ask, "a")
    ask("POST", RESET, headers=within("b"))
    assert names(ask, "b")[-1] == "Before", "a reset restores the state of the copy"


def test_a_dropped_one_is_gone_until_it_is_made_again(ask: Ask) -> None:
    names(ask, "a")
    assert ask("DELETE", f"{SANDBOXES}/a").status_code == 204
    for path in (SPACES, "/__admin/clock"):
        gone = ask("GET", path, headers=within("a"))
        assert gone.status_code == 410
        assert gone.headers["X-Mock-Reason"] == (
            "sandbox 'a' was deleted; "
            'POST /__admin/sandboxes {"id": "a"} starts it again, or use another name'
        )
    assert gone.get_json()["type"] == "urn:freddy-mock:problem:sandbox-gone"
    for method, path in (("GET", "/a"), ("DELETE", "/a"), ("POST", "/a/fork"), ("GET", "/b")):
        assert ask(method, SANDBOXES + path).status_code == 404
    assert ask("POST", SANDBOXES, json={"id": "a"}).status_code == 201
    assert names(ask, "a")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "default"}, 409),
        ({"id": "there"}, 409),
        ({"scenario": "nope"}, 404),
        ({"scenario": "demo.yaml"}, 404),
        ({"scenario": "../scenarios/demo"}, 422),
        ({"snapshot": "nope"}, 404),
        ({"scenario": "demo", "snapshot": "nope"}, 422),
        ({"id": "a b"}, 422),
        ({"id": None}, 422),
        ({"seed": "one"}, 422),
        ({"freeze": "yesterday"}, 422),
        ({"freeze": "0001-01-01T00:00:00+01:00"}, 422),
        ({"scnario": "demo"}, 422),
    ],
)
def test_what_cannot_be_made_is_refused_and_makes_nothing(
    ask: Ask, body: dict[str, Any], status: int
) -> None:
    names(ask, "there")
    before = [sandbox["id"] for sandbox in ask("GET", SANDBOXES).get_json()["sandboxes"]]
    assert ask("POST", SANDBOXES, json=body).status_code == status
    assert [sandbox["id"] for sandbox in ask("GET", SANDBOXES).get_json()["sandboxes"]] == before


def test_where_a_sandbox_is_required_only_what_is_about_none_works_without(ask: Ask) -> None:
    strict = create_app(Settings(freeze=FROZEN, quiet=True, require_sandbox=True))
    strict.testing = True
    client = strict.test_client()
    for path in ("/__admin/health", "/__admin/ready", SANDBOXES, SNAPSHOTS):
        assert client.get(path).status_code == 200
    for path in (SPACES, "/__admin/clock", "/__admin/embeddings", "/nowhere"):
        refused = client.get(path)
        assert refused.status_code == 400
        assert "X-Mock-Sandbox" in refused.headers["X-Mock-Reason"]
        assert client.get("/__sandbox/a" + path).status_code != 400
    assert client.post(RESET).status_code == 400


# Snapshots


def test_a_snapshot_brings_back_data_ids_clock_and_queue(ask: Ask, steps: Steps) -> None:
    steps.add("space_abc123", "thrd_def456")
    steps.advance(0.2)
    assert ask("PUT", f"{SNAPSHOTS}/here").status_code == 201
    before = steps.queue(), steps.space()
    steps.advance(60)
    steps.remove("space_abc123", "thrd_def456")
    assert ask("POST", f"{SNAPSHOTS}/here/restore").get_json() == {
        "sandbox": "default",
        "scenario": "demo",
        "now": FROZEN,
    }
    assert (steps.queue(), steps.space()) == before
    ask("POST", RESET)
    assert steps.line("space_abc123", thread_id="thrd_def456") == "", "the sandbox's own start"


def test_a_snapshot_is_there_for_every_sandbox(ask: Ask) -> None:
    ask("POST", SPACES, json=NEW, headers=within("a"))
    ask("PUT", f"{SNAPSHOTS}/here", headers=within("a"))
    made = ask("POST", SANDBOXES, json={"id": "b", "snapshot": "here"}).get_json()
    assert made["origin"] == "snapshot:here"
    ask("POST", f"{SNAPSHOTS}/here/restore", headers=within("c"))
    assert names(ask, "a") == names(ask, "b") == names(ask, "c")
    assert names(ask, "d") != names(ask, "a")
    ask("DELETE", SPACES + "space_team", headers=within("b"))
    ask("POST", RESET, headers=within("b"))
    assert names(ask, "b") == names(ask, "a")


def test_snapshots_are_listed_replaced_and_deleted(ask: Ask) -> None:
    ask("PUT", f"{SNAPSHOTS}/b")
    ask("POST", SPACES, json=NEW)
    assert [ask("PUT", f"{SNAPSHOTS}/{name}").status_code for name in "ab"] == [201, 200]
    shown: Any = ask("GET", SNAPSHOTS).get_json()["snapshots"]
    assert [(each["name"], each["counts"]["spaces"]) for each in shown] == [("a", 6), ("b", 6)]
    assert ask("GET", f"{SNAPSHOTS}/a").get_json() == shown[0]
    assert ask("DELETE", f"{SNAPSHOTS}/a").status_code == 204
    for method, path in (("GET", "/a"), ("DELETE", "/a"), ("POST", "/a/restore")):
        assert ask(method, SNAPSHOTS + path).status_code == 404
    assert ask("PUT", f"{SNAPSHOTS}/a%20b").status_code == 422


# Reset


def test_an_emptied_sandbox_still_knows_its_people(ask: Ask) -> None:
    assert ask("POST", RESET + "?to=empty").get_json()["scenario"] == "demo"
    assert names(ask, "default") == []
    assert ask("POST", SPACES, json={**NEW, "visible_to_roles": ["role_research"]}).status_code == 201
    ask("POST", RESET)
    assert len(names(ask, "default")) == 4


def test_a_reset_goes_where_it_is_told_and_keeps_what_it_is_told(ask: Ask) -> None:
    ask("PUT", f"{SNAPSHOTS}/here")
    ask("PUT", "/__admin/clock", json={"advance": 60})
    kept = ask("POST", RESET + "?to=scenario:empty&keep=faults,clock,journal").get_json()
    assert kept == {"sandbox": "default", "scenario": "empty", "now": "2026-02-26T10:31:00Z"}
    assert ask("POST", RESET + "?to=snapshot:here").get_json()["now"] == FROZEN
    assert "Project Alpha" in names(ask, "default")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("to=scenario:nope", 404),
        ("to=snapshot:nope", 404),
        ("to=scenario:../demo", 422),
        ("to=demo", 422),
        ("to=", 422),
        ("keep=clocks", 422),
        ("keep=", 422),
    ],
)
def test_a_reset_to_nowhere_changes_nothing(ask: Ask, query: str, status: int) -> None:
    ask("POST", SPACES, json=NEW)
    before = names(ask, "default")
    assert ask("POST", f"{RESET}?{query}").status_code == status
    assert names(ask, "default") == before


def test_a_fork_has_the_faults_of_its_source_also_after_a_reset(ask: Ask) -> None:
    order = {"operation": "getSpace", "error": {"status": 503}}
    ask("POST", "/__sandbox/source-of-faults/__admin/faults", json=order)
    ask("POST", "/__admin/sandboxes/source-of-faults/fork", json={"id": "fork-of-faults"})
    for base in ("/__sandbox/fork-of-faults", "/__sandbox/source-of-faults"):
        assert ask("GET", f"{base}/v1/spaces/space_abc123").status_code == 503
    ask("POST", "/__sandbox/fork-of-faults/__admin/reset")
    assert ask("GET", "/__sandbox/fork-of-faults/v1/spaces/space_abc123").status_code == 503
    ask("DELETE", "/__sandbox/fork-of-faults/__admin/faults")
    assert ask("GET", "/__sandbox/fork-of-faults/v1/spaces/space_abc123").status_code == 200
    assert ask("GET", "/v1/spaces/space_abc123").status_code == 200
