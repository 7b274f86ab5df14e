"""Unread and changed threads, for clients that keep a list of threads up to date."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Ask

UNREAD = "/v1/threads/unread"
THREAD = "/v1/threads/thrd_abc123"


def unread(ask: Ask, query: str = "", **options: Any) -> list[str]:
    """Ids of the unread threads; their number fits."""
    answer = ask("GET", UNREAD + query, **options).get_json()
    assert answer["unread_count"] == len(answer["unread_thread_ids"])
    ids: list[str] = answer["unread_thread_ids"]
    return ids


def say(ask: Ask, thread_id: str = "thrd_abc123") -> None:
    sent = {"inputs": [{"role": "user", "content": "Hello"}], "thread_id": thread_id}
    assert ask("POST", "/v1/model/response", json=sent).status_code == 200


def test_a_thread_with_an_answer_is_unread_until_it_is_marked_as_read(ask: Ask) -> None:
    assert "thrd_abc123" in unread(ask)
    assert ask("POST", f"{THREAD}/read").get_json() == {"success": True}
    assert "thrd_abc123" not in unread(ask)
    say(ask)
    assert "thrd_abc123" in unread(ask)


def test_a_thread_without_an_answer_is_never_unread(ask: Ask) -> None:
    new = ask("POST", "/v1/threads", json={"organization_id": "org_abc123"}).get_json()["id"]
    assert new not in unread(ask)
    assert ask("POST", f"/v1/threads/{new}/read").status_code == 200
    say(ask, new)
    assert new in unread(ask)


def test_a_read_thread_stays_read_whatever_message_is_deleted(ask: Ask) -> None:
    """Also the one up to which it was read."""
    ask("POST", f"{THREAD}/read")
    last = ask("GET", f"{THREAD}/messages?order=desc&limit=1").get_json()["data"][0]["id"]
    assert ask("DELETE", f"{THREAD}/messages/{last}").status_code == 200
    assert "thrd_abc123" not in unread(ask)


def test_reading_is_the_callers_own(ask: Ask) -> None:
    assert ask("POST", f"{THREAD}/read", key="ak_demo_editor").status_code == 403
    assert "thrd_abc123" not in unread(ask, key="ak_demo_editor")
    assert unread(ask, "?organization_id=org_abc123") == unread(ask)
    assert ask("GET", f"{UNREAD}?organization_id=org_other").status_code == 403


def test_changes_are_the_threads_changed_after_an_instant(ask: Ask) -> None:
    """A116: the last change first; a change at the instant itself is not one after it."""

    def changes(since: str) -> list[str]:
        answer = ask("GET", "/v1/threads/changes", query_string={"since": since}).get_json()
        return [thread["id"] for thread in answer["threads"]]

    now = ask("PUT", "/__admin/clock", json={"advance": 86_400 * 7}).get_json()["now"]
    assert now == "2026-03-05T10:30:00Z"
    assert changes(now) == []
    ask("PUT", "/__admin/clock", json={"advance": 1})
    ask("PATCH", THREAD, json={"title": "Changed"})
    ask("PUT", "/__admin/clock", json={"advance": 1})
    ask("PATCH", "/v1/threads/thrd_def456", json={"title": "Changed"})
    assert changes(now) == ["thrd_def456", "thrd_abc123"]
    assert changes("2026-03-05T11:30:01+01:00") == ["thrd_def456"]
    assert (
        ask("GET", THREAD).get_json() in ask("GET", f"/v1/threads/changes?since={now}").get_json()["threads"]
    )


@pytest.mark.parametrize(
    ("since", "instant"),
    [
        ("2026-02-26", "2026-02-26T00:00:00Z"),
        ("2026-02-26T10:30:00", "2026-02-26T10:30:00Z"),
        ("2026-02-26T11:30:00+01:00", "2026-02-26T10:30:00Z"),
        ("1772101800", "2026-02-26T10:30:00Z"),
        ("1772101800500", "2026-02-26T10:30:00.500000Z"),
    ],
)
def test_a_time_is_read_as_the_vendors_framework_reads_it(ask: Ask, since: str, instant: str) -> None:
    """A50."""
    answer = ask("GET", "/v1/threads/changes", query_string={"since": since}).get_json()
    assert answer["since"] == instant


@pytest.mark.parametrize("since", ["", "yesterday", "2026-13-01", "1e99", "0001-01-01T00:00:00+01:00"])
def test_a_text_that_is_no_time_is_refused(ask: Ask, since: str) -> None:
    assert ask("GET", "/v1/threads/changes", query_string={"since": since}).status_code == 422
