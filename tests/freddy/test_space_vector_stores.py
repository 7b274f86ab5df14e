"""Vector stores of a space: attached, listed, detached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.sandbox.sandbox import Sandbox
from tests.conftest import Ask
from tests.freddy.conftest import fields, said

SPACE = "/v1/spaces/space_abc123"
STORES = f"{SPACE}/vector-stores"
NOW = "2026-02-26T10:30:00Z"
MOST = 20


@pytest.fixture
def many(sandbox: Sandbox) -> list[str]:
    """More stores than a space can take."""
    ids = [f"vs_more{number:02}" for number in range(MOST + 2)]
    template: dict[str, Any] = dict(sandbox.vector_stores.get("vs_def456") or {})
    for id_ in ids:
        sandbox.vector_stores.put(id_, {**template, "id": id_})
    return ids


def attached(ask: Ask) -> list[str]:
    stores = ask("GET", STORES).get_json()["vector_stores"]
    ids = [link["vector_store_id"] for link in stores]
    assert ask("GET", SPACE).get_json()["additional_vector_store_ids"] == ids
    return ids


def test_attaching_answers_with_the_published_body(ask: Ask) -> None:
    added = ask("POST", f"{STORES}/vs_def456")
    assert added.status_code == 201
    assert added.get_json() == {
        "success": True,
        "message": "Vector store added to space",
        "space_id": "space_abc123",
        "vector_store_id": "vs_def456",
        "added_at": NOW,
    }
    (link,) = ask("GET", STORES).get_json()["vector_stores"]
    assert link == {
        "id": link["id"],
        "vector_store_id": "vs_def456",
        "added_by": "usr_abc123",
        "added_at": NOW,
    }


def test_attaching_again_is_the_same_answer_with_the_first_time(ask: Ask, later: Callable[..., str]) -> None:
    """A17: who attached it first stays, too."""
    first, link = ask("POST", f"{STORES}/vs_def456"), ask("GET", STORES).data
    later()
    again = ask("POST", f"{STORES}/vs_def456", "ak_demo_editor")
    assert (again.status_code, again.data) == (201, first.data)
    assert ask("GET", STORES).data == link
    assert ask("GET", SPACE).get_json()["last_activity_at"] == NOW


def test_stores_stand_in_the_order_in_which_they_were_attached(ask: Ask, many: list[str]) -> None:
    """A47."""
    for id_ in (many[3], many[1], many[2]):
        ask("POST", f"{STORES}/{id_}")
    assert attached(ask) == [many[3], many[1], many[2]]


@pytest.mark.parametrize("store", ["vs_nowhere", "vs_other456", "vs_other123", "thrd_abc123"])
def test_a_store_that_is_missing_or_of_another_organization_is_not_found(ask: Ask, store: str) -> None:
    """A17."""
    error = said(ask("POST", f"{STORES}/{store}"))
    assert (error.status, error.code) == (404, "VECTOR_STORE_NOT_FOUND")
    assert (error.system_message, error.details) == ("Vector store not found", {"vector_store_id": store})


@pytest.mark.parametrize("store", ["vs_auto123", "vs_team"])
def test_a_spaces_own_store_cannot_be_attached_here_or_elsewhere(ask: Ask, store: str) -> None:
    """A17, A47."""
    assert fields(ask("POST", f"{STORES}/{store}")) == [("path", "vector_store_id")]
    assert attached(ask) == []


def test_a_space_takes_20_stores(ask: Ask, many: list[str]) -> None:
    """A17, A32: a missing one beats the 21st; one that is there already may come again."""
    statuses = [ask("POST", f"{STORES}/{id_}").status_code for id_ in many[:MOST]]
    assert statuses == [201] * MOST
    assert fields(ask("POST", f"{STORES}/{many[MOST]}")) == [("path", "vector_store_id")]
    assert said(ask("POST", f"{STORES}/vs_nowhere")).status == 404
    assert ask("POST", f"{STORES}/{many[0]}").status_code == 201
    assert attached(ask) == many[:MOST]
    ask("DELETE", f"{STORES}/{many[5]}")
    assert ask("POST", f"{STORES}/{many[MOST]}").status_code == 201


@pytest.mark.parametrize("store", ["vs_def456", "vs_nowhere", "vs_auto123", "vs_other456"])
def test_detaching_what_is_not_attached_is_told_so(ask: Ask, store: str) -> None:
    """A31: the same whether the store exists or not."""
    error = said(ask("DELETE", f"{STORES}/{store}"))
    details = {"space_id": "space_abc123", "vector_store_id": store}
    assert error == (404, "RESOURCE_NOT_FOUND", "Vector store not attached to space", details)


def test_a_detached_store_stays_a_store(ask: Ask) -> None:
    ask("POST", f"{STORES}/vs_def456")
    detached = ask("DELETE", f"{STORES}/vs_def456")
    assert (detached.status_code, detached.data) == (204, b"")
    assert attached(ask) == []
    assert ask("POST", f"{STORES}/vs_def456").status_code == 201


def test_attaching_and_detaching_move_the_activity_and_not_the_update(
    ask: Ask, later: Callable[..., str]
) -> None:
    """A16."""
    for method in ("POST", "DELETE"):
        now = later()
        ask(method, f"{STORES}/vs_def456")
        space = ask("GET", SPACE).get_json()
        assert (space["last_activity_at"], space["updated_at"]) == (now, "2026-02-26T10:00:00Z")


def test_one_store_serves_several_spaces(ask: Ask) -> None:
    ask("POST", f"{STORES}/vs_def456")
    assert ask("POST", "/v1/spaces/space_research/vector-stores/vs_def456").status_code == 201
    ask("DELETE", "/v1/spaces/space_research/vector-stores/vs_def456")
    assert attached(ask) == ["vs_def456"]
