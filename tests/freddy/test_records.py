"""Records that the control API edits: held to the schemas, and to what the vendor's API keeps true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.conftest import frozen_app
from tests.running import FROZEN

RECORDS = "/__admin/records"
SPACE = {"organization_id": "org_abc123", "created_by": "usr_abc123", "name": "Osaka"}
THREAD = {"organization_id": "org_abc123", "user_id": "usr_abc123", "title": "Last week"}
STORE = {"organization_id": "org_abc123", "created_by": "usr_abc123", "name": "Manuals"}
FILE = {
    "organization_id": "org_abc123",
    "uploaded_by": "usr_abc123",
    "original_filename": "a.txt",
    "text": "one",
}
OLD = "2020-01-01T00:00:00Z"
EARLIER = "2026-02-19T10:30:00Z"


@pytest.fixture
def app() -> MockServer:
    """A mock of its own for each test: it has several sandboxes."""
    return frozen_app()


@pytest.fixture
def put(ask: Ask) -> Callable[..., Any]:
    """A record as it is after a PUT that has to succeed."""

    def put(path: str, body: Any) -> Any:
        answer = ask("PUT", f"{RECORDS}/{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.get_json()["record"]

    return put


def refused(ask: Ask, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Status and reason of a call that is refused and changes nothing."""
    before = ask("GET", "/__admin/state").data
    answer = ask(method, f"{RECORDS}/{path}", json=body)
    assert answer.status_code >= 400, answer.text
    assert ask("GET", "/__admin/state").data == before
    return answer.status_code, answer.get_json()["detail"]


def test_a_thread_of_last_week_has_its_own_id_and_times(ask: Ask, put: Callable[..., Any]) -> None:
    put("threads/thrd_old", {**THREAD, "created_at": EARLIER, "is_pinned": True})
    put("messages/msg_old", {"thread_id": "thrd_old", "role": "user", "content": "Hi", "created_at": EARLIER})
    thread: Any = ask("GET", "/v1/threads/thrd_old").get_json()
    assert (thread["created_at"], thread["last_message_at"], thread["message_count"]) == (EARLIER, EARLIER, 1)
    assert (thread["title"], thread["is_pinned"], thread["pinned_at"]) == ("Last week", True, FROZEN)
    (message,) = ask("GET", "/v1/threads/thrd_old/messages").get_json()["data"]
    assert (message["id"], message["created_at"]) == ("msg_old", EARLIER)
    listed: Any = ask("GET", "/v1/threads?limit=1").get_json()
    assert listed["data"][0]["id"] == "thrd_old", "pinned ones come first"


def test_every_kind_is_made_read_changed_listed_and_deleted(ask: Ask, put: Callable[..., Any]) -> None:
    put("spaces/space_new", SPACE)
    put("threads/thrd_new", THREAD)
    put("stores/vs_new", STORE)
    put("files/file_new", FILE)
    made: dict[str, Any] = {
        "messages/msg_new": {"thread_id": "thrd_new", "role": "user", "content": "Hello"},
        "links/space_new~thrd_new": {"added_at": EARLIER},
        "links/space_new~vs_new": {"added_at": EARLIER},
        "links/vs_new~file_new": {"added_at": EARLIER},
        "users/usr_new": {"name": "New", "member_of": [{"organization": "org_abc123"}]},
        "keys/ak_new": {"user_id": "usr_new"},
    }
    for path, body in made.items():
        put(path, body)
        kind, _, id_ = path.partition("/")
        found: Any = ask("GET", f"{RECORDS}/{path}").get_json()
        assert (found["kind"], found["id"]) == (kind, id_)
        assert body.items() <= {**found["record"], "member_of": body.get("member_of")}.items()
        ids = [each["id"] for each in ask("GET", f"{RECORDS}/{kind}?limit=1000").get_json()["records"]]
        assert id_ in ids
        assert ids == sorted(ids)
    assert ask("GET", "/v1/user/me", key="ak_new").status_code == 200
    changes = {"spaces/space_new": "name", "threads/thrd_new": "title", "stores/vs_new": "name"}
    for path, field in changes.items():
        answer = ask("PATCH", f"{RECORDS}/{path}", json={field: "Changed"})
        assert (answer.status_code, answer.get_json()["record"][field]) == (200, "Changed")
    for path in [*reversed(made), "files/file_new", "stores/vs_new", "threads/thrd_new", "spaces/space_new"]:
        assert ask("DELETE", f"{RECORDS}/{path}").status_code == 204, path
        assert ask("GET", f"{RECORDS}/{path}").status_code == 404


SAME: list[tuple[str, str, Any, str, str, Any]] = [
    ("DELETE", "/v1/spaces/space_abc123", None, "DELETE", "spaces/space_abc123", None),
    ("DELETE", "/v1/threads/thrd_abc123", None, "DELETE", "threads/thrd_abc123", None),
    ("PATCH", "/v1/threads/thrd_abc123", {"title": "A"}, "PATCH", "threads/thrd_abc123", {"title": "A"}),
    ("POST", "/v1/threads/thrd_def456/pin", None, "PATCH", "threads/thrd_def456", {"is_pinned": True}),
    ("PATCH", "/v1/spaces/space_abc123", {"name": "A"}, "PATCH", "spaces/space_abc123", {"name": "A"}),
    (
        "POST",
        "/v1/spaces/space_abc123/threads/thrd_def456",
        None,
        "PUT",
        "links/space_abc123~thrd_def456",
        {"added_at": FROZEN},
    ),
    (
        "DELETE",
        "/v1/spaces/space_abc123/threads/thrd_abc123",
        None,
        "DELETE",
        "links/space_abc123~thrd_abc123",
        None,
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "by", "record", "fields"), SAME, ids=lambda each: str(each)[:40]
)
def test_a_change_leaves_the_state_that_the_same_change_through_the_vendors_api_leaves(
    ask: Ask, method: str, path: str, body: Any, by: str, record: str, fields: Any
) -> None:
    answers = [
        ask(method, f"/__sandbox/a{path}", json=body),
        ask(by, f"/__sandbox/b{RECORDS}/{record}", json=fields),
    ]
    assert all(answer.status_code < 300 for answer in answers), [answer.text for answer in answers]
    one, other = (ask("GET", f"/__sandbox/{name}/__admin/state").get_json() for name in "ab")
    for state in (one, other):
        state["ids"].pop("requests")
    assert one == other


def test_messages_are_edited_and_deleted_as_through_the_vendors_api(ask: Ask) -> None:
    path = "/v1/threads/thrd_abc123/messages"
    first, second = [each["id"] for each in ask("GET", path).get_json()["data"]][:2]
    ask("PATCH", f"/__sandbox/a{path}/{first}", json={"content": "Other"})
    ask("DELETE", f"/__sandbox/a{path}/{second}")
    ask("PATCH", f"/__sandbox/b{RECORDS}/messages/{first}", json={"content": "Other"})
    ask("DELETE", f"/__sandbox/b{RECORDS}/messages/{second}")
    one, other = (ask("GET", f"/__sandbox/{name}/__admin/state").get_json() for name in "ab")
    assert (one["collections"], one["queue"]) == (other["collections"], other["queue"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "named"),
    [
        ("PUT", "spaces/space_x", {"name": "A"}, 422, "organization_id"),
        ("PUT", "spaces/space_x", {**SPACE, "color": "red"}, 422, "color"),
        ("PUT", "spaces/space_x", {**SPACE, "id_": "red"}, 422, "id_"),
        ("PUT", "spaces/space_x", {**SPACE, "id": "space_y"}, 422, "as in the path"),
        ("PUT", "spaces/space_x", {**SPACE, "name": 7}, 422, "not a valid Space"),
        ("PUT", "spaces/space_x", {**SPACE, "created_by": ["usr_abc123"]}, 422, "not a valid Space"),
        ("PUT", "spaces/space_x", {**SPACE, "created_by": "usr_no"}, 409, "user 'usr_no'"),
        ("PUT", "spaces/space_x", {**SPACE, "organization_id": "org_no"}, 409, "'org_no'"),
        ("PUT", "spaces/space_x", {**SPACE, "visible_to_roles": ["role_no"]}, 409, "role_no"),
        ("PATCH", "spaces/space_abc123", {"organization_id": "org_other"}, 409, "organization_id"),
        ("PATCH", "spaces/space_no", {"name": "A"}, 404, "space_no"),
        ("PATCH", "threads/thrd_abc123", {"message_count": 7}, 409, "message_count"),
        ("PATCH", "threads/thrd_abc123", {"is_pinned": "yes"}, 422, "not a valid"),
        ("PATCH", "threads/thrd_abc123", {"created_at": "yesterday"}, 422, "not a valid"),
        ("PUT", "messages/msg_x", {"thread_id": "thrd_no", "role": "user", "content": "A"}, 409, "thrd_no"),
        ("PUT", "messages/msg_x", {"thread_id": "thrd_abc123", "role": "king", "content": "A"}, 422, "role"),
        (
            "PUT",
            "messages/msg_x",
            {
                "thread_id": "thrd_abc123",
                "role": "user",
                "content": "A",
                "created_at": "2020-01-01T00:00:00Z",
            },
            409,
            "order of time",
        ),
        ("PUT", "stores/vs_x", {**STORE, "space_id": "space_abc123"}, 422, "space_id"),
        ("PUT", "files/file_x", {**FILE, "text": 7}, 422, "text"),
        ("PUT", "files/file_x", {**FILE, "base64": "?"}, 422, "base64"),
        ("PUT", "links/space_abc123~thrd_no", {"added_at": EARLIER}, 409, "does not name"),
        ("PUT", "links/space_abc123~thrd_def456", {"added_at": 7}, 422, "added_at"),
        ("PUT", "links/space_abc123~thrd_def456", {"added_at": "today"}, 422, "added_at"),
        ("PUT", "links/space_abc123~thrd_def456", {"added_at": None}, 422, "added_at"),
        ("PUT", "links/space_abc123~thrd_def456", {"color": 7}, 422, "color"),
        ("DELETE", "links/space_abc123~thrd_def456", None, 404, ""),
        ("PUT", "users/usr_x", {"member_of": [{"organization": "org_no"}]}, 409, "org_no"),
        ("PUT", "users/usr_x", {"member_of": {"organization": "org_no"}}, 422, "member_of"),
        ("PUT", "users/usr_x", {"keys": []}, 422, "keys"),
        ("DELETE", "users/usr_abc123", None, 409, "keys"),
        ("PUT", "keys/ak_x", {"user_id": "usr_no"}, 409, "usr_no"),
        ("PUT", "keys/ak_x", {"user_id": "usr_abc123", "state": "lost"}, 422, "state"),
        ("PUT", "dogs/dog_x", {"name": "A"}, 422, "kind"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(
    ask: Ask, method: str, path: str, body: Any, status: int, named: str
) -> None:
    found = refused(ask, method, path, body)
    assert found[0] == status, found
    assert named in found[1]


def test_what_others_need_is_not_deleted_and_they_are_named(ask: Ask, put: Callable[..., Any]) -> None:
    put("users/usr_new", {"member_of": [{"organization": "org_abc123"}]})
    put("threads/thrd_new", {**THREAD, "user_id": "usr_new"})
    assert refused(ask, "DELETE", "users/usr_new") == (
        409,
        "threads thrd_new: user 'usr_new' is not in this state",
    )
    own: Any = ask("GET", "/v1/spaces/space_abc123").get_json()["vector_store_id"]
    status, reason = refused(ask, "DELETE", f"stores/{own}")
    assert status == 409
    assert "the own store of space_abc123" in reason


def test_a_message_in_a_space_is_embedded_and_a_space_comes_with_its_store(
    ask: Ask, put: Callable[..., Any]
) -> None:
    put("messages/msg_new", {"thread_id": "thrd_abc123", "role": "user", "content": "Hello"})
    jobs: Any = ask("GET", "/__admin/embeddings?state=processing").get_json()["jobs"]
    assert [(job["space_id"], job["message_id"]) for job in jobs] == [("space_abc123", "msg_new")]
    store: Any = put("spaces/space_new", SPACE)["vector_store_id"]
    assert ask("GET", f"{RECORDS}/stores/{store}").get_json()["record"]["space_id"] == "space_new"


def test_no_more_threads_are_pinned_than_there_may_be(ask: Ask, put: Callable[..., Any]) -> None:
    for number in range(20):
        put(f"threads/thrd_{number}", {**THREAD, "user_id": "usr_viewer", "is_pinned": True})
    body = {**THREAD, "user_id": "usr_viewer", "is_pinned": True}
    status, reason = refused(ask, "PUT", "threads/thrd_20", body)
    assert (status, "the most there may be" in reason) == (409, True)


def test_the_key_of_the_environment_is_not_shown() -> None:
    client = create_app(Settings(quiet=True, api_key="ak_from_environment")).test_client()
    assert "ak_from_environment" not in client.get(f"{RECORDS}/keys").get_data(as_text=True)
    assert client.get(f"{RECORDS}/keys/ak_from_environment").status_code == 404
    assert (
        client.put(f"{RECORDS}/keys/ak_from_environment", json={"user_id": "usr_abc123"}).status_code == 409
    )
