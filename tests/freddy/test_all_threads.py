"""A name made of a thread's messages, and the deletion of all threads of a user."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.app import MockServer
from tests.conftest import Ask

NAME = "/v1/threads/thrd_abc123/generateName"


def user(*texts: str) -> list[Any]:
    return [{"role": "user", "content": text} for text in texts]


@pytest.mark.parametrize(
    ("messages", "title"),
    [
        (user("How do I configure Docker volumes?"), "How do I configure Docker"),
        (user('"Billing?"'), "Billing"),
        (user("  \n- first\tpoint"), "first point"),
        (user("...", "Second"), "Second"),
        ([{"role": "assistant", "content": "Hello"}, *user("Help me")], "Help me"),
        ([{"role": "assistant", "content": "Hello"}], "Hello"),
        (user("a" * 60), "a" * 50),
        ([{"role": "user", "content": f"number {n}"} for n in range(12)], "number 2"),
        ([], "New conversation"),
    ],
)
def test_a_name_is_the_first_words_of_the_user(ask: Ask, messages: Any, title: str) -> None:
    """A83: at most five words and 50 characters of the last ten messages; the same each time."""
    named = [ask("POST", NAME, json={"messages": messages}).get_json() for _ in range(2)]
    assert named == [{"id": "thrd_abc123", "title": title, "updated_at": "2026-02-26T10:30:00Z"}] * 2
    assert ask("GET", "/v1/threads/thrd_abc123").get_json()["title"] == title


@pytest.mark.parametrize("body", [None, {}, {"messages": None}])
def test_without_messages_a_name_is_made_of_the_threads_own(ask: Ask, body: Any) -> None:
    last = ask("GET", "/v1/threads/thrd_abc123/messages?limit=100").get_json()["data"][-10:]
    first = next(message["content"] for message in last if message["role"] == "user")
    kind = {} if body is None else {"json": body}
    title = ask("POST", NAME, **kind).get_json()["title"]
    assert first.startswith(title)
    assert 1 < len(title.split()) <= 5


def test_all_threads_of_the_caller_are_deleted_and_no_others(app: MockServer, ask: Ask) -> None:
    """Hidden and pinned ones too; their spaces lose them."""
    sandbox = app.sandboxes.get()
    own = [thread["id"] for thread in sandbox.threads if thread["user_id"] == "usr_abc123"]
    others = [thread["id"] for thread in sandbox.threads if thread["user_id"] != "usr_abc123"]
    answer = ask("DELETE", "/v1/threads")
    assert (answer.status_code, answer.get_json()) == (
        200,
        {"deleted": len(own), "message": f"Successfully deleted {len(own)} thread(s)"},
    )
    assert [thread["id"] for thread in sandbox.threads] == others
    assert {link["thread_id"] for link in sandbox.space_threads} <= {*others}
    assert ask("GET", "/v1/threads").get_json()["data"] == []
    assert ask("DELETE", "/v1/threads").get_json()["deleted"] == 0


def test_the_threads_of_one_organization_are_deleted(app: MockServer, ask: Ask) -> None:
    sandbox = app.sandboxes.get()
    thread = next(iter(sandbox.threads))
    sandbox.threads.put("thrd_far", {**thread, "id": "thrd_far", "organization_id": "org_def456"})
    ask("DELETE", "/v1/threads?organization_id=org_abc123")
    left = [each["id"] for each in sandbox.threads if each["user_id"] == thread["user_id"]]
    assert left == ["thrd_far"]


@pytest.mark.parametrize(("organization", "status"), [("org_def456", 403), ("nope", 403), ("", 422)])
def test_another_organizations_threads_are_not_the_callers(ask: Ask, organization: str, status: int) -> None:
    before = ask("GET", "/v1/threads").data
    assert ask("DELETE", f"/v1/threads?organization_id={organization}").status_code == status
    assert ask("GET", "/v1/threads").data == before
