"""Revision 2026-05 of the vendor's API: what it does otherwise, as the mock serves it with `--revision`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import yaml

from mockserver.app import create_app, revision_overlays
from mockserver.freddy.revisions import DIFFERENCES
from mockserver.settings import REVISIONS, Settings, SettingsError, read_settings
from tests.running import FROZEN, ROOT, ready

ORG = "organization_id=org_abc123"
SPACE = "/v1/spaces/space_abc123"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def newer() -> Any:
    return create_app(Settings(revision="2026-05", freeze=FROZEN, quiet=True))


@pytest.fixture
def ask(newer: Any) -> Ask:
    """One request to the newer revision, in the demo scenario; returns status and JSON."""
    newer.sandboxes.get().reset()
    client = newer.test_client()

    def ask(method: str, path: str, key: str = "ak_demo_owner", **body: Any) -> tuple[int, Any]:
        headers = {"X-API-Key": key}
        answer = client.open(path, method=method, headers=headers, json=body or None)
        return answer.status_code, answer.get_json(silent=True)

    return ask


@cache
def operations_on_a_space() -> list[tuple[str, str]]:
    """Method and path of each operation below /v1/spaces/{space_id}."""
    paths = yaml.load((ROOT / "openapi.yaml").read_bytes(), yaml.CSafeLoader)["paths"]
    ids = {"{space_id}": "space_abc123", "{thread_id}": "thrd_def456", "{vector_store_id}": "vs_def456"}
    return [
        (method.upper(), re.sub(r"{\w+}", lambda match: ids[match[0]], path))
        for path, item in paths.items()
        if path.startswith("/v1/spaces/{space_id}")
        for method in item
    ]


@pytest.mark.parametrize(("method", "path"), operations_on_a_space())
def test_every_operation_on_a_space_requires_its_organization(ask: Ask, method: str, path: str) -> None:
    body = {"name": "N"} if method == "PATCH" else {}
    status, answer = ask(method, path, **body)
    assert (status, answer["error"]["details"]["fields"]) == (
        422,
        [{"in": "query", "name": "organization_id", "message": "is required"}],
    )
    assert ask(method, f"{path}?organization_id=org_other", **body)[0] == 404
    assert ask(method, f"{path}?{ORG}", **body)[0] < 300 or method == "DELETE"


def test_there_are_nine_of_them() -> None:
    assert len(operations_on_a_space()) == 9


def test_a_space_is_created_with_stores_or_not_at_all(ask: Ask) -> None:
    """Each is attached once, in order; one that can't be attached refuses the whole request."""
    new = {"organization_id": "org_abc123", "name": "S"}
    status, space = ask("POST", "/v1/spaces/", **new, vector_store_ids=["vs_def456", "vs_def456"])
    assert (status, space["additional_vector_store_ids"], space["object"]) == (201, ["vs_def456"], "space")
    before = ask("GET", f"/v1/spaces/?{ORG}")
    for store, expected in (("vs_nothing", 404), (space["vector_store_id"], 422)):
        assert ask("POST", "/v1/spaces/", **new, vector_store_ids=["vs_def456", store])[0] == expected
    assert ask("GET", f"/v1/spaces/?{ORG}") == before


def test_a_space_names_its_threads_in_order(ask: Ask) -> None:
    ask("POST", f"{SPACE}/threads/thrd_def456?{ORG}")
    whole = ask("GET", f"{SPACE}?{ORG}")[1]
    listed = {each["id"]: each for each in ask("GET", f"/v1/spaces/?{ORG}")[1]["spaces"]}
    threads = [each["id"] for each in ask("GET", f"{SPACE}/threads?{ORG}")[1]["data"]]
    assert whole["thread_ids"] == threads == listed["space_abc123"]["thread_ids"]
    assert "thrd_def456" in threads


def test_only_the_owner_of_a_thread_may_add_it_after_all_other_refusals(ask: Ask) -> None:
    added = f"{SPACE}/threads/thrd_def456?{ORG}"
    status, answer = ask("POST", added, "ak_demo_editor")
    assert (status, answer["error"]["system_message"]) == (403, "Thread access required")
    assert ask("POST", added, "ak_demo_viewer")[1]["error"]["system_message"] == "Edit access required"
    assert ask("POST", f"{SPACE}/threads/thrd_x?{ORG}", "ak_demo_editor")[0] == 404
    assert "thrd_def456" not in ask("GET", f"{SPACE}?{ORG}")[1]["thread_ids"]


def test_a_space_lists_whole_threads(ask: Ask) -> None:
    thread = ask("GET", f"{SPACE}/threads?{ORG}")[1]["data"][0]
    assert thread == ask("GET", f"/v1/threads/{thread['id']}")[1]
    assert (thread["space_ids"], thread["activated_skins"]) == (["space_abc123"], {})


def test_a_thread_is_unread_for_its_owner_alone_until_it_is_marked_as_read(ask: Ask) -> None:
    """Wherever it is shown: alone, in lists, in a space, among the changed ones."""
    inputs = [{"role": "user", "content": "?"}]
    ask("POST", "/v1/model/response", inputs=inputs, thread_id="thrd_abc123")

    def unread(key: str = "ak_demo_owner") -> list[bool]:
        lists = [(f"{SPACE}/threads?{ORG}", "data")]
        if key == "ak_demo_owner":
            lists += [
                ("/v1/threads?limit=100", "data"),
                ("/v1/threads/changes?since=2026-02-26T10:00:00Z", "threads"),
            ]
        shown = [each for path, field in lists for each in ask("GET", path, key)[1][field]]
        shown += [ask("GET", "/v1/threads/thrd_abc123")[1]] if key == "ak_demo_owner" else []
        return [each["has_unread"] for each in shown if each["id"] == "thrd_abc123"]

    assert (unread(), unread("ak_demo_editor")) == ([True] * 4, [False])
    ask("POST", "/v1/threads/thrd_abc123/read")
    assert unread() == [False] * 4


def test_threads_are_searched_by_title_in_any_case(ask: Ask) -> None:
    titles = [
        each["title"] for each in ask("GET", "/v1/threads?search=QUICK+q&include_total=true")[1]["data"]
    ]
    assert titles == ["Quick Question"]
    assert ask("GET", "/v1/threads?search=nothing")[1]["data"] == []


def test_a_thread_in_incognito_mode_names_the_day_of_its_deletion(ask: Ask) -> None:
    """Created by itself, or with an answer; other threads have none."""
    made = ask("POST", "/v1/threads", organization_id="org_abc123", is_incognito=True)[1]
    inputs = [{"role": "user", "content": "?"}]
    asked = ask("POST", "/v1/model/response", inputs=inputs, is_incognito=True)[1]["thread_id"]
    for thread in (made, ask("GET", f"/v1/threads/{asked}")[1]):
        assert (thread["is_incognito"], thread["expected_deletion_at"]) == (True, "2026-02-27T10:30:00Z")
    plain = ask("POST", "/v1/threads", organization_id="org_abc123")[1]
    assert (plain["is_incognito"], plain["expected_deletion_at"]) == (False, None)


def test_a_store_is_switched_off_by_an_update(ask: Ask) -> None:
    store = "/v1/organizations/org_abc123/vector-stores/vs_def456"
    assert ask("PATCH", store, is_active=False)[1]["data"]["is_active"] is False
    assert ask("PATCH", store, is_active=None, name="N")[1]["data"]["is_active"] is False


def test_the_differences_are_those_of_known_revisions() -> None:
    assert tuple(DIFFERENCES) == REVISIONS
    assert all(path.is_file() for revision in REVISIONS for path in revision_overlays(revision))
    with pytest.raises(SettingsError, match=r"--revision .*: is one of 2026-02, 2026-05; got '2025'"):
        read_settings({"revision": "2025"})


def test_a_state_is_carried_from_one_revision_to_the_other(ask: Ask, newer: Any) -> None:
    """What the older one does not have is left out, and said; the other way nothing is lost."""
    ask("POST", "/v1/threads", organization_id="org_abc123", is_incognito=True, title="secret")
    state = newer.test_client().get("/__admin/state").get_json()
    older = create_app(Settings(freeze=FROZEN, quiet=True)).test_client()
    assert older.put("/__admin/state", json=state).get_json()["adapted"] == [
        "collections.threads: expected_deletion_at left out of 1 record",
        "collections.threads: is_incognito left out of 1 record",
    ]
    threads = older.get("/v1/threads?limit=100", headers={"X-API-Key": "ak_demo_owner"}).get_json()["data"]
    assert [each["title"] for each in threads].count("secret") == 1
    back = newer.test_client().put("/__admin/state", json=older.get("/__admin/state").get_json())
    assert (back.status_code, "thread_ids" in str(back.get_json())) == (200, True)
    assert newer.test_client().get("/__admin/state").get_json()["spec"]["overlays"]


def test_the_line_of_a_mock_that_is_ready_names_a_revision_that_is_not_the_default() -> None:
    with ready("--revision", "2026-05", limit=None) as line:
        assert line["revision"] == "2026-05"
