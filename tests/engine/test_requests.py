"""Odd requests get a plain answer that says everything that is wrong; none of them is a 5xx."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.conftest import Ask

SPACES = "/v1/spaces/"
JSON = {"Content-Type": "application/json"}
NEW = {"organization_id": "org_abc123", "name": "New"}


def fields(answer: TestResponse) -> set[tuple[str, str]]:
    """(place, name) of every error of a 422."""
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["error"]["code"] == "VALIDATION_ERROR"
    return {(field["in"], field["name"]) for field in answer.json["error"]["details"]["fields"]}


def create(ask: Ask, body: bytes, **headers: str) -> TestResponse:
    """POST /v1/spaces/ with these bytes."""
    return ask("POST", SPACES, data=body, headers={**JSON, **headers})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b"[1",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"NaN",
        b"[" * 100_000,
        b"[" * 1000 + b"]" * 1000,
        b'{"name": ' + b"[" * 256 + b"]" * 256 + b', "organization_id": "org_abc123"}',
        b'{"name": 1e999, "organization_id": "org_abc123"}',
        b'{"name": ' + b"9" * 400 + b', "organization_id": "org_abc123"}',
        b'{"name": "\\ud800", "organization_id": "org_abc123"}',
        b'{"name": "\xed\xa0\x80", "organization_id": "org_abc123"}',
    ],
)
def test_a_body_that_is_no_json_object_is_a_flaw_of_the_body(ask: Ask, body: bytes) -> None:
    """A49, A56."""
    assert fields(create(ask, body)) == {("body", "")}


def test_a_byte_order_mark_before_a_body_is_skipped(ask: Ask) -> None:
    assert create(ask, codecs.BOM_UTF8 + json.dumps(NEW).encode()).status_code == 201


def test_a_body_of_another_content_type_is_a_flaw_of_the_body(ask: Ask) -> None:
    answer = ask("POST", SPACES, data=json.dumps(NEW), headers={"Content-Type": "text/plain"})
    assert fields(answer) == {("body", "")}
    assert answer.headers["X-Mock-Reason"] == "body: content type 'text/plain' is not application/json"


@pytest.mark.parametrize("content_type", ["", "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_may_come_without_a_content_type_or_with_parameters(ask: Ask, content_type: str) -> None:
    """A56."""
    answer = ask("POST", SPACES, data=json.dumps(NEW), content_type=content_type)
    assert answer.status_code == 201


def test_of_duplicate_keys_the_last_wins(ask: Ask) -> None:
    """A49."""
    body = b'{"name": "first", "organization_id": "org_abc123", "name": "last"}'
    answer = create(ask, body)
    assert answer.json is not None
    assert answer.json["name"] == "last"


@pytest.mark.parametrize("name", ["a\0b", " padded ", "日本", "\U0001f600", "a\r\nb", "x" * 255])
def test_text_is_kept_as_it_was_sent(ask: Ask, name: str) -> None:
    """A19, A49."""
    answer = create(ask, json.dumps({**NEW, "name": name}).encode())
    assert answer.json is not None
    assert (answer.status_code, answer.json["name"]) == (201, name)


def test_all_flaws_are_told_at_once_with_dotted_names(ask: Ask) -> None:
    """A09, A54."""
    body = {"name": "", "access_mode": "secret", "access_users": ["usr_editor", 5], "nonsense": 1, "more": 2}
    found = fields(ask("POST", SPACES, json=body))
    assert {("body", name) for name in ("organization_id", "name", "nonsense", "more")} <= found
    assert {("body", "access_mode"), ("body", "access_users.1")} <= found


def test_flaws_of_query_and_body_are_told_together(ask: Ask) -> None:
    answer = ask("POST", "/v1/threads/thrd_abc123/generateName?stream=maybe", json={"messages": [{}]})
    assert {("query", "stream"), ("body", "messages.0.role")} <= fields(answer)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "", "five", "٥", "1e1", "9" * 400])
def test_a_limit_that_is_no_integer_of_1_to_100_is_a_flaw(ask: Ask, limit: str) -> None:
    """A07, A50."""
    answer = ask("GET", "/v1/spaces/space_abc123/threads", query_string={"limit": limit})
    assert fields(answer) == {("query", "limit")}


@pytest.mark.parametrize(
    ("query", "count"), [("limit=0&limit=2", 2), ("limit=3&LIMIT=2", 3), ("limit=01", 1)]
)
def test_of_a_repeated_parameter_the_last_counts(ask: Ask, query: str, count: int) -> None:
    """A50."""
    answer = ask("GET", f"/v1/spaces/space_team/threads?{query}")
    assert answer.json is not None
    assert len(answer.json["data"]) == count


@pytest.mark.parametrize(
    "query", ["x=1", "&&&", "=", "%", "x=%ff", "organization_ids=a", "x=" + "y" * 50_000]
)
def test_unknown_query_parameters_are_ignored(ask: Ask, query: str) -> None:
    """A30."""
    assert ask("GET", f"/v1/spaces/space_abc123?{query}").status_code == 200


def test_a_body_where_none_is_expected_is_ignored(ask: Ask) -> None:
    """A56; even one that would be too large."""
    path = "/v1/spaces/space_abc123/threads/thrd_def456"
    assert ask("POST", path, data=b"{" * 2_000_000, headers=JSON).status_code == 201
    assert ask("GET", "/v1/spaces/space_abc123", data=b"x").status_code == 200


def test_a_body_over_the_limit_is_413(ask: Ask) -> None:
    """A49."""
    answer = create(ask, b" " * 1_048_577)
    assert answer.json is not None
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert fields(create(ask, b" " * 1_048_576)) == {("body", "")}


def test_the_limit_can_be_set() -> None:
    app: MockServer = create_app(Settings(max_body_bytes=10, quiet=True))
    headers = {"X-API-Key": "ak_demo_owner"}
    answer = app.test_client().post(SPACES, data=b"12345678901", headers=headers)
    assert answer.status_code == 413
    assert "limit of --max-body-bytes" in answer.headers["X-Mock-Reason"]


@pytest.mark.parametrize(
    "space",
    ["caf%C3%A9", "%FF", "%00", "%0D%0AX-Evil:1", "..", "%2e%2e", "a b", "x" * 50_000, "%", "{space_id}"],
)
def test_any_text_is_an_id_that_is_not_found(ask: Ask, space: str) -> None:
    """A22."""
    answer = ask("GET", f"/v1/spaces/{space}")
    assert answer.json is not None
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("path", ["/v1/spaces/a%2Fb", "/v1/spaces//threads", "/v1/spaces/x/threads/", "/v2"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_is_never_a_failure(ask: Ask, method: str, path: str) -> None:
    assert ask(method, path).status_code in (307, 404)


def test_an_unknown_route_names_the_nearest_operations(ask: Ask) -> None:
    """A10; without a credential, too."""
    answer = ask("GET", "/v1/space/space_abc123/threads", key=None)
    assert (answer.status_code, answer.json) == (404, {"detail": "Not Found"})
    assert "nearest: GET /v1/spaces/{space_id}/threads" in answer.headers["X-Mock-Reason"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "TRACE", "BREW"])
def test_a_method_that_is_not_offered_is_405_with_allow(ask: Ask, method: str) -> None:
    """A10, A52."""
    answer = ask(method, "/v1/spaces/space_abc123", key=None)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, PATCH")
    assert method == "HEAD" or answer.json == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/v1/spaces", "/v1/spaces/"),
        ("/v1/spaces?organization_id=org_abc123&limit=2", "/v1/spaces/?organization_id=org_abc123&limit=2"),
        ("/v1/spaces/space_abc123/", "/v1/spaces/space_abc123"),
        ("/v1/spaces/caf%C3%A9%3F/?x=%C3%A9%0A", "/v1/spaces/caf%C3%A9%3F?x=%C3%A9%0A"),
        ("/v1/spaces/%5C%5Cevil.example/", "/v1/spaces/%5C%5Cevil.example"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_slash_is_redirected_with_its_query(ask: Ask, method: str, path: str, location: str) -> None:
    """A20, A48."""
    answer = ask(method, path)
    assert (answer.status_code, answer.headers["Location"]) == (307, location)


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//evil.example/v1/spaces", "/\\evil.example/", "//v1/spaces"]
)
def test_no_redirect_leads_to_another_host(app: MockServer, path: str) -> None:
    with app.test_request_context():
        environ: dict[str, Any] = {"PATH_INFO": path}
    answer = app.test_client().get("/", environ_overrides=environ)
    assert answer.status_code == 404


def test_every_answer_has_a_request_id_of_its_own(ask: Ask) -> None:
    """A25, A53."""
    answers = [
        ask("GET", SPACES, key=None),
        ask("GET", SPACES + "space_abc123"),
        ask("GET", "/v1/spaces"),
        ask("HEAD", SPACES),
        ask("GET", "/nowhere"),
        ask("GET", "/__admin/health"),
        ask("DELETE", SPACES + "space_abc123"),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    assert answers[0].json is not None
    assert answers[0].json["error"]["trace_id"] == answers[0].headers["x-request-id"]


def test_every_refusal_says_why_in_ascii(ask: Ask) -> None:
    answers = [
        ask("POST", "/v1/spaces/space_abc123/threads/thrd_def456", key="ak_demo_viewer"),
        ask("GET", "/v1/spaces/caf%C3%A9%0A%0D%00"),
        ask("GET", "/v1/nowhere/%E2%82%AC"),
        ask("PUT", "/v1/spaces/space_abc123"),
        ask("GET", SPACES, key="wrong"),
        ask("POST", SPACES, json={"é\n": 1}),
        ask("GET", "/__admin/nowhere"),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert answer.headers["X-Mock-Reason"].isascii()
        assert answer.headers["X-Mock-Reason"].isprintable()
    assert answers[0].headers["X-Mock-Reason"] == "usr_viewer has VIEW by access_users, EDIT needed"
