"""Threads: what is made, changed, listed and gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.sandbox.sandbox import Sandbox
from tests.conftest import Ask
from tests.freddy.conftest import fields, said

THREADS = "/v1/threads"
MINE = "/v1/threads/thrd_abc123"
HELLO: dict[str, Any] = {"inputs": [{"role": "user", "content": "Hello"}]}
NOW = "2026-02-26T10:30:00Z"


def new(ask: Ask, key: str = "ak_demo_outsider", **body: Any) -> Any:
    created = ask("POST", THREADS, key, json={"organization_id": "org_abc123", **body})
    assert created.status_code == 201
    return created.get_json()


def listed(ask: Ask, key: str = "ak_demo_owner", **query: Any) -> list[str]:
    page = ask("GET", THREADS, key, query_string={"limit": 100, **query}).get_json()
    return [thread["id"] for thread in page["data"]]


def test_a_new_thread_is_empty_and_its_creators(ask: Ask) -> None:
    """A13, A24, A42."""
    thread = new(ask)
    assert thread == {
        "id": thread["id"],
        "object": "thread",
        "created_at": NOW,
        "updated_at": NOW,
        "last_message_at": NOW,
        "metadata": {},
        "assistant_id": None,
        "organization_id": "org_abc123",
        "user_id": "usr_outsider",
        "title": None,
        "status": "inactive",
        "message_count": 0,
        "visible_in_ui": True,
        "last_model_used": None,
        "is_pinned": False,
        "pinned_at": None,
        "space_ids": [],
    }
    assert ask("GET", f"{THREADS}/{thread['id']}", "ak_demo_outsider").get_json() == thread


def test_what_is_sent_is_kept(ask: Ask) -> None:
    sent: dict[str, Any] = {
        "title": "",
        "metadata": {"a": "", "": "b"},
        "assistant_id": "any",
        "visible_in_ui": False,
    }
    assert sent.items() <= new(ask, **sent).items()
    assert new(ask, metadata=None)["metadata"] is None


def test_all_faults_are_told_at_once(ask: Ask) -> None:
    body = {
        "title": "x" * 201,
        "metadata": {"k" * 65: "", "b": "v" * 513},
        "assistant_id": 5,
        "visible_in_ui": "maybe",
        "user_id": "usr_abc123",
    }
    told = {name for _, name in fields(ask("POST", THREADS, json=body))}
    assert {"organization_id", "title", "assistant_id", "visible_in_ui", "metadata.b"} <= told
    assert "user_id" not in told  # A30


def test_only_what_is_sent_changes(ask: Ask, later: Callable[..., str]) -> None:
    before = ask("GET", MINE).get_json()
    now = later()
    changed = ask("PATCH", MINE, json={"title": "Other", "assistant_id": None})
    assert changed.get_json() == {**before, "title": "Other", "assistant_id": None, "updated_at": now}


def test_an_empty_change_changes_nothing(ask: Ask, later: Callable[..., str]) -> None:
    before = ask("GET", MINE).get_json()
    later()
    assert ask("PATCH", MINE, json={}).get_json() == before


def test_metadata_is_merged_and_null_clears_it(ask: Ask) -> None:
    """A32, A42: also from null."""

    def change(metadata: Any) -> Any:
        return ask("PATCH", MINE, json={"metadata": metadata}).get_json()["metadata"]

    assert change({"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
    assert change({"b": "3", "c": "4"}) == {"a": "1", "b": "3", "c": "4"}
    assert change({}) == {"a": "1", "b": "3", "c": "4"}
    assert change(None) is None


def test_metadata_takes_16_pairs_after_the_merge(ask: Ask, state: Callable[[], Any]) -> None:
    """A32."""
    sixteen = {f"k{n}": "v" for n in range(16)}
    assert ask("PATCH", MINE, json={"metadata": sixteen}).status_code == 200
    before = state()
    assert fields(ask("PATCH", MINE, json={"metadata": {"k16": "v"}, "title": "x"})) == [("body", "metadata")]
    assert state() == before
    assert ask("PATCH", MINE, json={"metadata": {"k3": "other"}}).get_json()["metadata"]["k3"] == "other"
    assert fields(ask("PATCH", MINE, json={"metadata": {**sixteen, "k16": ""}})) == [("body", "metadata")]


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)])
def test_an_unknown_or_deleted_thread_is_not_found(ask: Ask, method: str, body: Any) -> None:
    """A02: for everyone."""
    ask("DELETE", MINE)
    for id_ in ("thrd_nowhere", "thrd_abc123"):
        for key in ("ak_demo_owner", "ak_demo_foreign"):
            error = said(ask(method, f"{THREADS}/{id_}", key, json=body))
            assert error == (404, "RESOURCE_NOT_FOUND", "Thread not found", {"thread_id": id_})


def test_threads_are_listed_by_their_last_message_newest_first_and_pinned_before_the_others(
    ask: Ask, sandbox: Sandbox
) -> None:
    """A43: the caller's own, visible ones, of any organization."""
    own = [t for t in sandbox.threads if t["user_id"] == "usr_abc123" and t["visible_in_ui"]]
    newest = sorted(own, key=lambda t: t["last_message_at"], reverse=True)
    expected = [t["id"] for t in sorted(newest, key=lambda t: not t["is_pinned"])]
    assert listed(ask) == expected[:100]
    assert expected[:3] == ["thrd_pinned1", "thrd_pinned2", "thrd_def456"]


def test_ascending_order_is_oldest_first_after_the_pinned_which_keep_theirs(ask: Ask) -> None:
    """A43, A60."""
    pinned, others = listed(ask, is_pinned="true"), listed(ask, is_pinned="false", assistant_id="asst_def456")
    assert listed(ask, order="asc", is_pinned="true") == pinned
    assert listed(ask, order="asc", is_pinned="false", assistant_id="asst_def456") == others[::-1]
    assert listed(ask, order="asc")[:2] == pinned


def test_the_last_pinned_thread_comes_first_whatever_was_said_in_it(ask: Ask) -> None:
    """Pinned at one instant or not; an anchor keeps its place among them."""
    threads = [
        ask("POST", THREADS, json={"organization_id": "org_abc123"}).get_json()["id"] for _ in range(3)
    ]
    for thread in (threads[1], threads[2], threads[0]):
        ask("POST", f"{THREADS}/{thread}/pin")
    ask("POST", "/v1/model/response", json={**HELLO, "thread_id": threads[1]})
    expected = [threads[0], threads[2], threads[1]]
    assert listed(ask)[:3] == expected
    assert listed(ask, after=threads[0])[:2] == expected[1:]
    assert listed(ask, before=threads[1]) == expected[:2]


def test_threads_are_filtered_by_the_workflow_that_made_them(ask: Ask) -> None:
    made = ask("POST", "/v1/model/response", json={**HELLO, "workflow_id": "flow_a"}).get_json()["thread_id"]
    ask("POST", "/v1/model/response", json={**HELLO, "workflow_id": "flow_b", "thread_id": made})
    assert listed(ask, workflow_id="flow_a") == [made]
    assert listed(ask, workflow_id="flow_b") == []
    assert "workflow_id" not in ask("GET", f"{THREADS}/{made}").get_json()
    ask("POST", f"/v1/spaces/space_abc123/threads/{made}")
    shown = ask("GET", "/v1/spaces/space_abc123/threads?limit=100").get_json()["data"]
    assert "workflow_id" not in next(thread for thread in shown if thread["id"] == made)
    state = ask("GET", "/__admin/state").get_json()
    assert ask("PUT", "/__admin/state", json=state).status_code == 200
    assert listed(ask, workflow_id="flow_a") == [made]


@pytest.mark.parametrize(
    "metadata", [{"category": "support", "tags": ["billing", "urgent"]}, {"n": {"a": None}}]
)
def test_metadata_of_a_thread_holds_any_json(ask: Ask, metadata: Any) -> None:
    made = ask("POST", THREADS, json={"organization_id": "org_abc123", "metadata": metadata}).get_json()
    assert made["metadata"] == metadata
    assert ask("GET", f"{THREADS}/{made['id']}").get_json()["metadata"] == metadata


def test_null_and_unknown_fields_are_as_if_they_were_not_sent(ask: Ask) -> None:
    """A30; a client sends what it does not set as null."""
    sent = {"organization_id": "org_abc123", "visible_in_ui": None, "color": "red", "id": "thrd_mine"}
    made = ask("POST", THREADS, json=sent).get_json()
    assert made["visible_in_ui"] is True
    assert made.keys() == ask("GET", MINE).get_json().keys()
    assert made["id"] != "thrd_mine"
    hidden = ask("PATCH", f"{THREADS}/{made['id']}", json={"visible_in_ui": False, "user_id": "usr_def456"})
    assert (hidden.get_json()["visible_in_ui"], hidden.get_json()["user_id"]) == (False, made["user_id"])
    kept = ask("PATCH", f"{THREADS}/{made['id']}", json={"visible_in_ui": None, "title": "x"}).get_json()
    assert (kept["visible_in_ui"], kept["title"]) == (False, "x")


def test_filters_narrow_together(ask: Ask) -> None:
    assert listed(ask, is_pinned="true") == ["thrd_pinned1", "thrd_pinned2"]
    assert "thrd_pinned1" not in listed(ask, is_pinned="false")
    assert listed(ask, visible_in_ui="false") == ["thrd_hidden1"]
    assert listed(ask, visible_in_ui="true") == listed(ask)
    assert "thrd_hidden1" not in listed(ask)
    assert set(listed(ask, assistant_id="asst_def456")) >= {"thrd_abc123", "thrd_research1"}
    assert "thrd_def456" not in listed(ask, assistant_id="asst_def456")
    assert listed(ask, assistant_id="asst_def456", is_pinned="true") == []
    assert listed(ask, visible_in_ui="false", assistant_id="asst_def456") == ["thrd_hidden1"]
    assert listed(ask, organization_id="org_abc123") == listed(ask)
    assert listed(ask, "ak_demo_foreign", organization_id="org_other") == ["thrd_other1"]
    assert listed(ask, "ak_demo_outsider") == []


def test_a_deleted_thread_is_listed_only_when_asked_for_and_in_its_place(ask: Ask) -> None:
    before = listed(ask, assistant_id="asst_def456")
    ask("DELETE", MINE)
    rest = [id_ for id_ in before if id_ != "thrd_abc123"]
    assert listed(ask, assistant_id="asst_def456", include_deleted="true") == before
    assert listed(ask, assistant_id="asst_def456", include_deleted="false") == rest
    assert listed(ask, assistant_id="asst_def456") == rest


def test_the_total_is_told_only_when_asked_for_and_counts_beyond_the_page(ask: Ask) -> None:
    def total(**query: Any) -> Any:
        return ask("GET", THREADS, query_string={"limit": 1, **query}).get_json()["total"]

    assert total() is None
    assert total(include_total="true", is_pinned="true") == 2
    assert total(include_total="true", visible_in_ui="false") == 1
    whole = total(include_total="true")
    assert total(include_total="true", after="thrd_pinned1", order="asc") == whole
    ask("DELETE", MINE)
    assert total(include_total="true") == whole - 1
    assert total(include_total="true", include_deleted="true") == whole


def test_an_empty_page_has_no_first_and_no_last(ask: Ask) -> None:
    assert ask("GET", THREADS, "ak_demo_outsider", query_string={"include_total": "true"}).get_json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
        "limit": 20,
        "total": 0,
    }


def test_a_new_thread_is_the_newest_and_ties_go_by_creation(ask: Ask, later: Callable[..., str]) -> None:
    first, second = new(ask)["id"], new(ask)["id"]
    later()
    third = new(ask)["id"]
    assert listed(ask, "ak_demo_outsider") == [third, second, first]
    assert listed(ask, "ak_demo_outsider", order="asc") == [first, second, third]


def test_a_change_moves_no_thread_in_the_list(ask: Ask, later: Callable[..., str]) -> None:
    before = listed(ask)
    later()
    ask("PATCH", MINE, json={"title": "Other"})
    ask("POST", "/v1/spaces/space_research/threads/thrd_abc123")
    assert listed(ask) == before


def test_pinning_moves_a_thread_before_the_others_and_unpinning_moves_it_back(
    ask: Ask, later: Callable[..., str]
) -> None:
    order, before = listed(ask), ask("GET", MINE).get_json()
    now = later()
    pinned = ask("POST", f"{MINE}/pin")
    assert (pinned.status_code, pinned.get_json()) == (
        200,
        {
            "id": "thrd_abc123",
            "is_pinned": True,
            "pinned_at": now,
            "message": "Thread pinned successfully",
        },
    )
    assert ask("GET", MINE).get_json() == {**before, "is_pinned": True, "pinned_at": now}
    assert "thrd_abc123" in listed(ask, is_pinned="true")
    unpinned = ask("POST", f"{MINE}/unpin")
    assert (unpinned.status_code, unpinned.get_json()) == (
        200,
        {
            "id": "thrd_abc123",
            "is_pinned": False,
            "pinned_at": None,
            "message": "Thread unpinned successfully",
        },
    )
    assert ask("GET", MINE).get_json() == before
    assert listed(ask) == order


def test_pinning_or_unpinning_again_changes_nothing(
    ask: Ask, later: Callable[..., str], state: Callable[[], Any]
) -> None:
    """A78."""
    for verb in ("pin", "unpin"):
        first = ask("POST", f"{MINE}/{verb}").get_json()
        before = state()
        later()
        assert ask("POST", f"{MINE}/{verb}").get_json() == first
        assert state() == before


def test_a_user_pins_twenty_threads_in_each_organization(ask: Ask, state: Callable[[], Any]) -> None:
    """A78: deleted ones do not count, pinning a pinned one is never too much."""
    ids = [new(ask)["id"] for _ in range(22)]
    for id_ in ids[:20]:
        assert ask("POST", f"{THREADS}/{id_}/pin", "ak_demo_outsider").status_code == 200
    before = state()
    assert fields(ask("POST", f"{THREADS}/{ids[20]}/pin", "ak_demo_outsider")) == [("path", "thread_id")]
    assert state() == before
    assert ask("POST", f"{THREADS}/{ids[0]}/pin", "ak_demo_outsider").status_code == 200
    ask("DELETE", f"{THREADS}/{ids[0]}", "ak_demo_outsider")
    assert ask("POST", f"{THREADS}/{ids[20]}/pin", "ak_demo_outsider").status_code == 200
    ask("POST", f"{THREADS}/{ids[1]}/unpin", "ak_demo_outsider")
    assert ask("POST", f"{THREADS}/{ids[21]}/pin", "ak_demo_outsider").status_code == 200
