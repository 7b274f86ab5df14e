"""Who may do what in a space, as the control API shows it: always what the vendor's operations answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Ask

SPACE = "space_abc123"
KEYS = {"usr_abc123": "owner", "usr_editor": "editor", "usr_viewer": "viewer", "usr_outsider": "outsider"}


def shown(ask: Ask, space_id: str = SPACE) -> Any:
    return ask("GET", f"/__admin/access/{space_id}").get_json()


def may(found: Any, operation: str, fields: bool = False) -> list[str]:
    (row,) = [e for e in found["operations"] if e["operation"] == operation and bool(e["fields"]) is fields]
    return [user for user in row["allowed"] if user in KEYS]


def test_each_person_has_a_level_and_the_rule_behind_it(ask: Ask) -> None:
    people = {each["user_id"]: (each["level"], each["rule"]) for each in shown(ask)["people"]}
    assert people["usr_abc123"] == ("OWNER", "created_by")
    assert people["usr_outsider"] == ("NONE", None)
    assert (
        ask("PATCH", f"/__admin/records/spaces/{SPACE}", json={"access_users": ["usr_outsider"]}).status_code
        == 200
    )
    people = {each["user_id"]: (each["level"], each["rule"]) for each in shown(ask)["people"]}
    assert people["usr_outsider"] == ("VIEW", "access_users")


@pytest.mark.parametrize(
    ("operation", "method", "path", "body"),
    [
        ("getSpace", "GET", "", None),
        ("listSpaceThreads", "GET", "/threads", None),
        ("updateSpace", "PATCH", "", {}),
        ("addThreadToSpace", "POST", "/threads/thrd_def456", None),
    ],
)
def test_the_matrix_is_what_the_operations_answer(
    ask: Ask, operation: str, method: str, path: str, body: Any
) -> None:
    allowed = may(shown(ask), operation)
    for user, key in KEYS.items():
        answer = ask(method, f"/v1/spaces/{SPACE}{path}", f"ak_demo_{key}", json=body)
        reason = answer.headers.get("X-Mock-Reason", "")
        assert (user in allowed) is ("needed" not in reason or "OWNER of thread" in reason), (user, reason)


def test_fields_that_need_more_are_listed_on_their_own(ask: Ask) -> None:
    found = shown(ask)
    assert "usr_editor" in may(found, "updateSpace")
    assert may(found, "updateSpace", fields=True) == ["usr_abc123"]
    (row,) = [each for each in found["operations"] if each["fields"]]
    assert "editable_by_users" in row["fields"]
    assert "name" not in row["fields"]


def test_every_operation_of_a_space_is_listed_and_looking_changes_nothing(ask: Ask) -> None:
    before = ask("GET", "/__admin/state").data
    document: Any = ask("GET", "/__admin/specs/openapi.json").get_json()
    expected = {
        node["operationId"]
        for path, item in document["paths"].items()
        for node in item.values()
        if "{space_id}" in path
    }
    assert {each["operation"] for each in shown(ask)["operations"]} == expected
    assert ask("GET", "/__admin/state").data == before


def test_a_space_that_does_not_exist_is_a_404(ask: Ask) -> None:
    answer = ask("GET", "/__admin/access/space_none")
    assert answer.status_code == 404
    assert "GET /__admin/records/spaces lists them" in answer.get_json()["detail"]
