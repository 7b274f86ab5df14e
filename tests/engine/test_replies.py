"""A reply is held to the spec in every detail; what it forbids is a 500 that names the place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import MockServer, create_app
from mockserver.freddy import HANDLERS
from mockserver.http.calls import Call, Reply
from mockserver.http.log import RequestLog
from mockserver.http.problems import NotFound, SpecViolation
from mockserver.sandbox.sandbox import Sandbox
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.engine.small import TRACE, SmallSandbox, served

LEFT = {"X-Left": "3"}


def error_of(folder: Path, reply: Any) -> Mapping[str, Any]:
    """The 500 that GET /things/1 becomes if its handler answers with `reply`."""

    def handler(call: Call[Any], sandbox: SmallSandbox) -> Any:
        if isinstance(reply, Exception):
            raise reply
        return reply

    client, _ = served(folder, handler)
    answer = client.get("/things/1")
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, TRACE)
    assert answer.headers["X-Mock-Reason"].isprintable()
    assert answer.json is not None
    error: Mapping[str, Any] = answer.json["error"]
    assert (error["code"], error["status"], error["trace_id"]) == ("INTERNAL_ERROR", 500, TRACE)
    return error


def test_a_reply_that_the_spec_allows_is_sent(tmp_path: Path) -> None:
    client, _ = served(tmp_path, lambda *_: Reply(200, {"a/b": 1}, LEFT))
    answer = client.get("/things/1")
    assert (answer.status_code, answer.json, answer.headers["X-Left"]) == (200, {"a/b": 1}, "3")
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("reply", "pointer", "message"),
    [
        (Reply(200, {"a/b": "x"}, LEFT), "/a~1b", 'not of type "integer"'),
        (Reply(200, [], LEFT), "", 'not of type "object"'),
        (Reply(200, None, LEFT), "", 'not of type "object"'),
        (Reply(201, {}), "", "no such status"),
        (Reply(99), "", "no such status"),
        (Reply(200, {}), "", "header x-left is missing"),
        (Reply(200, {}, {"x-left": "many"}), "", "header x-left"),
        (Reply(204, {}), "", "no body here"),
        (Reply(204, None, {"X-Note": "a\r\nSet-Cookie: b"}), "", "'x-note' holds a control character"),
        (Reply(204, None, {"X-Note": "€"}), "", "'x-note' holds a control character"),
        (NotFound("gone"), "", "no such status"),
    ],
)
def test_a_reply_that_the_spec_forbids_is_a_500(
    tmp_path: Path, reply: Any, pointer: str, message: str
) -> None:
    details = error_of(tmp_path, reply)["details"]
    assert details["pointer"] == pointer
    assert message in details["message"]


@pytest.mark.parametrize(
    "reply",
    [None, "text", RuntimeError("boom"), Reply(200, {"x": {1, 2}}, LEFT), Reply(200, {"x": 10**30}, LEFT)],
)
def test_a_handler_that_fails_is_a_500_that_points_to_the_log(tmp_path: Path, reply: Any) -> None:
    assert "its log says why" in error_of(tmp_path, reply)["system_message"]


def test_a_failure_is_logged_even_if_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    log = RequestLog(stream, quiet=True)
    app = create_app(Settings(quiet=True), log=log)
    monkeypatch.setitem(HANDLERS, "getSpace", lambda *_: Reply(200, {"id": "ak_secret1"}))
    headers = {"X-API-Key": "ak_demo_owner", "Origin": "http://localhost:3000"}
    answer = app.test_client().get("/v1/spaces/space_abc123", headers=headers)
    log.flush()
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["operation"] == "getSpace"
    assert "SpecViolation" in entry["traceback"]
    assert "ak_" not in line
    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_a_violation_is_raised_in_tests(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "getSpace", lambda *_: Reply(200, {}))
    with pytest.raises(SpecViolation, match=r"getSpace 200: /: "):
        ask("GET", "/v1/spaces/space_abc123")


@pytest.mark.parametrize("ending", ["exception", "violation"])
def test_what_fails_changes_nothing(
    app: MockServer, ask: Ask, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    def handler(call: Call[Any], sandbox: Sandbox) -> Reply:
        sandbox.spaces.remove("space_abc123")
        sandbox.ids.new("space")
        if ending == "exception":
            raise RuntimeError("boom")
        return Reply(299)

    monkeypatch.setitem(HANDLERS, "deleteSpace", handler)
    app.testing = False
    before = state(app)
    assert ask("DELETE", "/v1/spaces/space_abc123").status_code == 500
    assert state(app) == before


MESSAGE = "/v1/threads/thrd_abc123/messages/msg_23716a05fc0270912bb9f243a36a6110"
STORES = "/v1/organizations/org_abc123/vector-stores"
ASKED: dict[str, Any] = {"inputs": [{"role": "user", "content": "What is the launch budget?"}]}
REFUSED = [
    ("POST", "/v1/spaces/", {"organization_id": "org_abc123", "name": ""}),
    ("POST", "/v1/spaces/", {"organization_id": "org_other", "name": "x"}),
    ("POST", "/v1/spaces/", {"organization_id": "org_abc123", "name": "x", "visible_to_roles": ["none"]}),
    ("PATCH", "/v1/spaces/space_abc123", {"name": "x", "access_departments": ["none"]}),
    ("PATCH", "/v1/spaces/space_abc123", {"name": None}),
    ("PATCH", "/v1/spaces/space_other", {"name": "x"}),
    ("DELETE", "/v1/spaces/space_other", None),
    ("DELETE", "/v1/spaces/unknown", None),
    ("POST", "/v1/spaces/space_abc123/threads/unknown", None),
    ("POST", "/v1/spaces/space_abc123/threads/thrd_other1", None),
    ("POST", "/v1/spaces/space_other/threads/thrd_abc123", None),
    ("DELETE", "/v1/spaces/space_abc123/threads/thrd_def456", None),
    ("POST", "/v1/spaces/space_abc123/vector-stores/unknown", None),
    ("POST", "/v1/spaces/space_abc123/vector-stores/vs_auto123", None),
    ("DELETE", "/v1/spaces/space_abc123/vector-stores/unknown", None),
    ("POST", "/v1/threads", {"organization_id": "org_other"}),
    ("POST", "/v1/threads", {}),
    ("PATCH", "/v1/threads/thrd_other1", {"title": "x"}),
    ("PATCH", "/v1/threads/thrd_abc123", {"title": "x", "visible_in_ui": 2}),
    ("PATCH", "/v1/threads/thrd_pinned2", {"title": "x", "metadata": {f"k{n}": "v" for n in range(16)}}),
    ("DELETE", "/v1/threads/thrd_other1", None),
    ("PATCH", MESSAGE, {"content": ""}),
    ("PATCH", MESSAGE, {"metadata": {f"k{n}": "v" for n in range(17)}}),
    ("PATCH", "/v1/threads/thrd_def456/messages/unknown", {"content": "x"}),
    ("DELETE", "/v1/threads/thrd_def456/messages/unknown", None),
    ("DELETE", "/v1/threads/thrd_other1/messages/unknown", None),
    ("POST", "/v1/model/response", {"inputs": []}),
    ("POST", "/v1/model/response", ASKED | {"thread_id": "thrd_other1"}),
    ("POST", "/v1/model/response", ASKED | {"space_id": "space_other"}),
    ("POST", "/v1/model/response", ASKED | {"space_id": "unknown"}),
    ("POST", "/v1/model/response", ASKED | {"organization_id": "org_other"}),
    ("POST", "/v1/model/response", ASKED | {"space_id": "space_abc123", "vector_store_ids": ["unknown"]}),
    ("POST", STORES, {"name": ""}),
    ("POST", STORES, {"name": "x", "access_departments": ["none"]}),
    ("POST", "/v1/organizations/org_other/vector-stores", {"name": "x"}),
    ("PATCH", f"{STORES}/vs_def456", {"name": "x", "access_departments": ["none"]}),
    ("PATCH", f"{STORES}/vs_other456", {"name": "x"}),
    ("DELETE", f"{STORES}/vs_auto123", None),
    ("DELETE", f"{STORES}/unknown", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REFUSED)
def test_a_refused_call_changes_nothing(app: MockServer, ask: Ask, method: str, path: str, body: Any) -> None:
    before = state(app)
    answer = ask(method, path, json=body)
    assert 400 <= answer.status_code < 500
    assert state(app) == before


def state(app: MockServer) -> Any:
    """All of the sandbox that a call can change."""
    sandbox = app.sandboxes.get()
    return sandbox.versions(), sandbox.ids.checkpoint(), sandbox.now()
