"""Differences from the start: what a reset would bring back or take away."""

from __future__ import annotations

from typing import Any

from tests.conftest import Ask


def changes(ask: Ask) -> Any:
    return {
        (each["kind"], each["id"]): (each["change"], each["before"], each["after"])
        for each in ask("GET", "/__admin/changes?limit=1000").get_json()["changes"]
    }


def test_nothing_has_changed_at_the_start_and_after_a_reset(ask: Ask) -> None:
    assert changes(ask) == {}
    ask("DELETE", "/v1/spaces/space_abc123")
    assert changes(ask)
    ask("POST", "/__admin/reset")
    assert changes(ask) == {}


def test_a_changed_record_has_the_fields_that_differ(ask: Ask) -> None:
    ask("PATCH", "/v1/spaces/space_abc123", json={"description": "Another"})
    change, before, after = changes(ask)["spaces", "space_abc123"]
    assert change == "changed"
    assert after["description"] == "Another"
    assert set(before) == set(after) <= {"description", "updated_at"}


def test_added_and_deleted_records_are_whole(ask: Ask) -> None:
    ask("POST", "/v1/spaces/space_abc123/threads/thrd_def456")
    link = changes(ask)["links", "space_abc123~thrd_def456"]
    assert (link[0], link[1], link[2]["thread_id"]) == ("added", None, "thrd_def456")
    ask("DELETE", "/v1/spaces/space_abc123")
    change, before, after = changes(ask)["spaces", "space_abc123"]
    assert (change, before["id"], after) == ("deleted", "space_abc123", None)
    assert ("links", "space_abc123~thrd_def456") not in changes(ask)


def test_people_keys_and_files_are_compared_too(ask: Ask) -> None:
    ask("PATCH", "/__admin/records/keys/ak_demo_viewer", json={"state": "paused"})
    ask("PATCH", "/__admin/records/users/usr_viewer", json={"name": "Vi"})
    body = {
        "organization_id": "org_abc123",
        "uploaded_by": "usr_abc123",
        "original_filename": "a",
        "text": "one",
    }
    ask("PUT", "/__admin/records/files/file_new", json=body)
    found = changes(ask)
    assert found["keys", "ak_demo_viewer"] == ("changed", {"state": "active"}, {"state": "paused"})
    assert found["users", "usr_viewer"][2] == {"name": "Vi"}
    assert found["files", "file_new"][0] == "added"


def test_it_comes_in_pages(ask: Ask) -> None:
    ask("DELETE", "/v1/spaces/space_abc123")
    whole: Any = ask("GET", "/__admin/changes").get_json()
    first: Any = ask("GET", "/__admin/changes?limit=1").get_json()
    rest: Any = ask("GET", f"/__admin/changes?cursor={first['next_cursor']}").get_json()
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert first["changes"] + rest["changes"] == whole["changes"]
    assert len(whole["changes"]) == whole["total"] > 1
