"""Threads of a space: added, listed, removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Ask
from tests.freddy.conftest import said

SPACE = "/v1/spaces/space_abc123"
THREADS = f"{SPACE}/threads"
NOT_THERE = (404, "RESOURCE_NOT_FOUND", "Thread not found")


def listed(ask: Ask, space: str = "space_abc123") -> list[str]:
    return [thread["id"] for thread in ask("GET", f"/v1/spaces/{space}/threads").get_json()["data"]]


def activity(ask: Ask, path: str = SPACE) -> tuple[Any, Any]:
    """(last_activity_at, updated_at)"""
    space = ask("GET", path).get_json()
    return space["last_activity_at"], space["updated_at"]


def test_adding_again_is_the_same_answer_with_the_first_time(ask: Ask, later: Callable[..., str]) -> None:
    """A01: and once in the list, and no activity."""
    first = ask("POST", f"{THREADS}/thrd_def456")
    quiet = activity(ask)
    later()
    again = ask("POST", f"{THREADS}/thrd_def456", "ak_demo_editor")
    assert (again.status_code, again.data) == (201, first.data)
    assert listed(ask) == ["thrd_abc123", "thrd_def456"]
    assert activity(ask) == quiet


def test_a_thread_that_was_there_from_the_start_keeps_its_time_too(ask: Ask) -> None:
    added = ask("POST", f"{THREADS}/thrd_abc123").get_json()
    assert added["added_at"] == "2026-02-26T10:05:00Z"


def test_threads_stand_in_the_order_in_which_they_were_added(ask: Ask) -> None:
    """A04: even in the same second; one that comes back stands last."""
    for thread in ("thrd_team003", "thrd_def456", "thrd_team001"):
        ask("POST", f"{THREADS}/{thread}")
    assert listed(ask) == ["thrd_abc123", "thrd_team003", "thrd_def456", "thrd_team001"]
    ask("DELETE", f"{THREADS}/thrd_team003")
    ask("POST", f"{THREADS}/thrd_team003")
    assert listed(ask) == ["thrd_abc123", "thrd_def456", "thrd_team001", "thrd_team003"]


@pytest.mark.parametrize("thread", ["thrd_nowhere", "thrd_other1", "space_abc123", "%00"])
def test_a_thread_that_is_missing_or_of_another_organization_is_not_found(ask: Ask, thread: str) -> None:
    """A02."""
    error = said(ask("POST", f"{THREADS}/{thread}"))
    assert error == (*NOT_THERE, {"thread_id": thread.replace("%00", "\0")})


def test_a_deleted_thread_is_not_found(ask: Ask) -> None:
    """A02."""
    ask("DELETE", "/v1/threads/thrd_def456")
    assert said(ask("POST", f"{THREADS}/thrd_def456")) == (*NOT_THERE, {"thread_id": "thrd_def456"})


def test_any_thread_of_the_organization_can_be_added_whoever_owns_it(ask: Ask) -> None:
    """A26."""
    assert ask("GET", "/v1/threads/thrd_def456", "ak_demo_editor").status_code == 403
    assert ask("POST", f"{THREADS}/thrd_def456", "ak_demo_editor").status_code == 201


def test_an_editor_from_another_organization_adds_threads_of_the_spaces_own(ask: Ask) -> None:
    """A26, A45."""
    ask("PATCH", SPACE, json={"editable_by_users": ["usr_foreign"]})
    assert ask("POST", f"{THREADS}/thrd_def456", "ak_demo_foreign").status_code == 201
    own = said(ask("POST", f"{THREADS}/thrd_other1", "ak_demo_foreign"))
    assert own == (*NOT_THERE, {"thread_id": "thrd_other1"})


@pytest.mark.parametrize("thread", ["thrd_def456", "thrd_nowhere", "thrd_other1"])
def test_removing_what_is_not_attached_is_told_so(ask: Ask, thread: str) -> None:
    """A03, A31: the same whether the thread exists or not."""
    error = said(ask("DELETE", f"{THREADS}/{thread}"))
    details = {"space_id": "space_abc123", "thread_id": thread}
    assert error == (404, "RESOURCE_NOT_FOUND", "Thread not attached to space", details)


def test_a_removed_thread_stays_a_thread(ask: Ask) -> None:
    before = ask("GET", "/v1/threads/thrd_abc123").get_json()
    removed = ask("DELETE", f"{THREADS}/thrd_abc123")
    assert (removed.status_code, removed.data) == (204, b"")
    assert listed(ask) == []
    assert ask("GET", "/v1/threads/thrd_abc123").get_json() == {**before, "space_ids": []}
    assert said(ask("DELETE", f"{THREADS}/thrd_abc123")).status == 404


def test_a_thread_can_be_in_several_spaces(ask: Ask) -> None:
    """A29: `space_ids` tells which, in the order of adding, and only at the threads operations."""
    ask("POST", "/v1/spaces/space_research/threads/thrd_abc123")
    ask("POST", "/v1/spaces/space_support/threads/thrd_abc123")
    ids = ["space_abc123", "space_research", "space_support"]
    assert ask("GET", "/v1/threads/thrd_abc123").get_json()["space_ids"] == ids
    ask("DELETE", "/v1/spaces/space_research/threads/thrd_abc123")
    assert listed(ask, "space_support")[-1] == "thrd_abc123"
    assert "space_ids" not in ask("GET", THREADS).get_json()["data"][0]


def test_the_list_shows_a_thread_as_it_is_now(ask: Ask) -> None:
    ask("PATCH", "/v1/threads/thrd_abc123", json={"title": "Renamed", "visible_in_ui": False})
    shown = ask("GET", THREADS).get_json()["data"][0]
    assert (shown["title"], shown["visible_in_ui"]) == ("Renamed", False)


def test_deleting_a_thread_takes_it_out_of_its_spaces(ask: Ask, later: Callable[..., str]) -> None:
    """A14, A40: and that is activity there, and only there."""
    ask("POST", "/v1/spaces/space_research/threads/thrd_abc123")
    elsewhere = activity(ask, "/v1/spaces/space_support")
    now = later()
    assert ask("DELETE", "/v1/threads/thrd_abc123").status_code == 204
    assert listed(ask) == []
    assert listed(ask, "space_research") == ["thrd_research1", "thrd_research2"]
    assert activity(ask)[0] == activity(ask, "/v1/spaces/space_research")[0] == now
    assert activity(ask, "/v1/spaces/space_support") == elsewhere


def test_adding_and_removing_move_the_activity_and_not_the_update(
    ask: Ask, later: Callable[..., str]
) -> None:
    """A16."""
    updated = activity(ask)[1]
    now = later()
    ask("POST", f"{THREADS}/thrd_def456")
    assert activity(ask) == (now, updated)
    now = later()
    ask("DELETE", f"{THREADS}/thrd_def456")
    assert activity(ask) == (now, updated)


def test_what_is_refused_or_only_read_or_renamed_is_no_activity(ask: Ask, later: Callable[..., str]) -> None:
    """A16."""
    before = activity(ask)[0]
    later()
    ask("POST", f"{THREADS}/thrd_nowhere")
    ask("DELETE", f"{THREADS}/thrd_def456")
    ask("GET", THREADS)
    ask("PATCH", SPACE, json={"name": "Other"})
    assert activity(ask)[0] == before


def test_a_new_space_has_no_threads(ask: Ask) -> None:
    space = ask("POST", "/v1/spaces/", json={"organization_id": "org_abc123", "name": "New"}).get_json()
    empty = ask("GET", f"/v1/spaces/{space['id']}/threads").get_json()
    assert empty == {"object": "list", "data": [], "has_more": False, "next_cursor": None}
