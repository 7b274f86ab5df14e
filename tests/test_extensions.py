"""Routes that a user adds: Flask views beside the documents, in the sandbox of their request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from flask import Blueprint, Response, abort, g, request, session, stream_with_context, url_for

from mockserver.app import MockServer, create_app
from mockserver.http.log import RequestLog
from mockserver.settings import Settings
from tests.running import FROZEN, ROOT

OWNER = {"X-API-Key": "ak_demo_owner"}
SPACE = "/v1/spaces/space_abc123"
EXAMPLE = ROOT / "examples/login/login.py"
own = Blueprint("own", __name__)


@own.get("/my/route")
def my_route() -> dict[str, Any]:
    """What a view sees of its request."""
    caller = None if g.caller is None else g.caller.user_id
    return {
        "sandbox": g.sandbox.name,
        "now": g.sandbox.now(),
        "caller": caller,
        "url": url_for("own.my_route"),
    }


@own.post("/my/route")
def echo() -> Any:
    """The body."""
    return request.get_json()


@own.get("/my/<int:status>")
def aborted(status: int) -> Any:
    """An error of Flask."""
    abort(status, "Because")


@own.get("/my/crash")
def crash() -> Any:
    """An error of the view."""
    raise ValueError("no such luck, ak_demo_owner")


@own.get("/my/exit")
def leave() -> Any:
    """A view that would end its thread."""
    raise SystemExit(3)


@own.get("/my/stream")
def stream() -> Response:
    """Three pieces, each of which knows its sandbox."""

    def pieces() -> Iterator[str]:
        for number in range(3):
            yield f"{number} {g.sandbox.name}\n"

    return Response(stream_with_context(pieces()), mimetype="text/plain")


@own.get("/my/broken/stream")
def broken_stream() -> Response:
    """A stream that fails."""

    def pieces() -> Iterator[str]:
        yield "one\n"
        raise ValueError("two")

    return Response(pieces())


@own.get("/my/slash/")
def slash() -> str:
    """A path with a slash at its end."""
    return "slash"


class Own:
    """A mock with the routes above, and what it logs."""

    def __init__(self) -> None:
        self.log = StringIO()
        self._log = RequestLog(self.log)
        self.app = create_app(Settings(freeze=FROZEN), log=self._log)
        self.app.register_blueprint(own)
        self.client = self.app.test_client()

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        self._log.flush()
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture(scope="module")
def _own() -> Own:
    return Own()


@pytest.fixture
def mine(_own: Own) -> Own:
    """A mock with routes of its own, as it starts."""
    _own.logged()
    _own.log.truncate(0)
    _own.log.seek(0)
    _own.app.testing = False
    for sandbox in _own.app.sandboxes.listed():
        sandbox.reset()
    return _own


def test_a_view_answers_where_no_document_has_the_path(mine: Own) -> None:
    answer = mine.client.get("/my/route")
    assert answer.get_json() == {"sandbox": "default", "now": FROZEN, "caller": None, "url": "/my/route"}
    assert answer.headers["X-Mock-Source"] == "extension"
    assert len(answer.headers["x-request-id"]) == 36
    assert answer.headers.getlist("Content-Length") == [str(len(answer.data))]


def test_documents_are_served_as_before(mine: Own) -> None:
    answer = mine.client.get(SPACE, headers=OWNER)
    assert answer.status_code == 200
    assert answer.headers["X-Mock-Source"] == "state"


@pytest.mark.parametrize(
    ("path", "headers"), [("/__sandbox/room/my/route", {}), ("/my/route", {"X-Mock-Sandbox": "room"})]
)
def test_a_view_is_in_the_sandbox_that_its_request_names(
    mine: Own, path: str, headers: dict[str, str]
) -> None:
    seen = mine.client.get(path, headers=headers).get_json()
    assert (seen["sandbox"], seen["url"]) == ("room", path)


def test_a_sandbox_that_cannot_be_entered_is_refused_before_the_view(mine: Own) -> None:
    assert mine.client.get("/__sandbox/no!/my/route").status_code == 400


def test_a_view_needs_no_key_and_knows_the_caller_of_a_valid_one(mine: Own) -> None:
    assert mine.client.get("/my/route", headers=OWNER).get_json()["caller"] == "usr_abc123"
    expired = mine.client.get("/my/route", headers={"X-API-Key": "ak_demo_expired"})
    assert (expired.status_code, expired.get_json()["caller"]) == (200, None)


def test_an_error_is_in_the_vendors_envelope(mine: Own) -> None:
    answer = mine.client.get("/my/404")
    error = answer.get_json()["error"]
    assert (error["code"], error["system_message"]) == ("RESOURCE_NOT_FOUND", "Because")
    assert error["trace_id"] == answer.headers["x-request-id"]
    assert answer.headers["X-Mock-Reason"] == "Because"
    assert mine.client.get("/my/409").get_json()["error"]["code"] == "CONFLICT"
    assert mine.client.post("/my/route", data="{").get_json()["error"]["status"] == 415


def test_an_unknown_path_or_method_is_answered_as_for_a_document(mine: Own) -> None:
    unknown, wrong = mine.client.get("/mine"), mine.client.delete("/my/route")
    assert (unknown.status_code, unknown.get_json()) == (404, {"detail": "Not Found"})
    assert (wrong.status_code, wrong.get_json()) == (405, {"detail": "Method Not Allowed"})
    assert wrong.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_failing_view_is_a_500_with_one_line_and_its_traceback_in_the_log(mine: Own) -> None:
    answer = mine.client.get("/my/crash")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert answer.headers["X-Mock-Reason"] == "ValueError: no such luck, ***"
    failure, line = mine.logged()
    assert failure["traceback"].startswith("Traceback")
    assert failure["traceback"].endswith("ValueError: no such luck, ***")
    assert "NoRoute" not in failure["traceback"]
    assert (line["status"], line["reason"]) == (500, "ValueError: no such luck, ***")


def test_a_view_that_exits_is_a_500_and_no_lost_answer(mine: Own) -> None:
    answer = mine.client.get("/my/exit")
    assert (answer.status_code, answer.headers["X-Mock-Reason"][-13:]) == (500, "SystemExit(3)")


def test_the_host_decides_about_no_route(mine: Own) -> None:
    assert mine.client.get("/my/route", headers={"Host": "elsewhere.example"}).status_code == 200
    assert mine.client.get("/my/route", headers={"Host": "a" * 300}).status_code == 400
    assert mine.client.get(SPACE, headers={**OWNER, "Host": "a" * 300}).status_code == 200


def test_a_failing_view_is_raised_in_a_test(mine: Own) -> None:
    mine.app.testing = True
    with pytest.raises(ValueError, match="no such luck"):
        mine.client.get("/my/crash")


def test_error_handlers_of_the_user_take_precedence() -> None:
    mine = Own()
    mine.app.register_error_handler(500, lambda error: (f"sorry: {error.original_exception}", 500))
    mine.app.register_error_handler(404, lambda error: (error.description, 410))
    assert mine.client.get("/my/crash").text.startswith("sorry: no such luck")
    assert mine.client.get("/my/404").status_code == 410


def test_hooks_and_sessions_are_flasks_own() -> None:
    mine = Own()
    mine.app.secret_key = "of this test"
    mine.app.before_request(lambda: session.update(seen=g.sandbox.name))
    mine.app.after_request(
        lambda response: (response.headers.update({"X-Seen": session["seen"]}), response)[1]
    )
    answer = mine.client.get("/my/route")
    assert answer.headers["X-Seen"] == "default"
    assert answer.headers["Set-Cookie"].startswith("session=")


def test_a_path_without_its_slash_is_redirected_within_the_sandbox(mine: Own) -> None:
    answer = mine.client.get("/__sandbox/room/my/slash")
    assert answer.headers["Location"].endswith("/__sandbox/room/my/slash/")
    assert mine.client.get(answer.headers["Location"]).text == "slash"


def test_head_has_the_headers_of_get(mine: Own) -> None:
    got, head = mine.client.get("/my/route"), mine.client.head("/my/route")
    assert head.data == b""
    assert head.headers.getlist("Content-Length") == got.headers.getlist("Content-Length")


def test_a_rule_of_faults_matches_a_view_by_path_and_method(mine: Own) -> None:
    mine.client.post("/__admin/faults", json={"path": "/my/*", "method": "POST", "error": {"status": 503}})
    assert mine.client.get("/my/route").status_code == 200
    answer = mine.client.post("/my/route", json={})
    assert (answer.status_code, answer.headers["X-Mock-Source"]) == (503, "fault")
    assert answer.get_json()["error"]["code"] == "SERVICE_UNAVAILABLE"


def test_the_headers_of_faults_work_on_a_view(mine: Own) -> None:
    delayed = mine.client.get("/my/route", headers={"X-Mock-Delay": "1"})
    assert (delayed.headers["X-Mock-Delay"], delayed.headers["X-Mock-Source"]) == ("1", "extension")
    assert mine.client.get("/my/route", headers={"X-Mock-Fault": "429"}).status_code == 429
    truncated = mine.client.get("/my/route", headers={"X-Mock-Fault": "malformed"})
    assert truncated.data.endswith(b'"/my/route"')
    assert mine.client.get("/my/route", headers={"Prefer": "code=403"}).status_code == 400


def test_a_page_may_read_a_view(mine: Own) -> None:
    page = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    assert mine.client.options("/my/route", headers=page).headers["Access-Control-Allow-Methods"]
    answer = mine.client.get("/my/route", headers={"Origin": "http://localhost:3000"})
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_a_view_is_recorded_with_its_bodies(mine: Own) -> None:
    mine.client.post("/my/route", json={"name": "Ann"}, headers=OWNER)
    (entry,) = mine.client.get("/__admin/requests").get_json()["requests"]
    assert (entry["operation"], entry["caller"], entry["source"]) == (None, "usr_abc123", "extension")
    assert json.loads(entry["request"]["body"]) == json.loads(entry["response"]["body"]) == {"name": "Ann"}
    assert entry["why"] == ["auth: usr_abc123", "extension: by a view of an extension"]


def test_a_body_over_the_limit_is_refused() -> None:
    app = create_app(Settings(quiet=True, max_body_bytes=10))
    app.register_blueprint(own)
    assert app.test_client().post("/my/route", json={"name": "longer than this"}).status_code == 413


def test_a_stream_is_sent_in_pieces_that_know_their_request(mine: Own) -> None:
    answer = mine.client.get("/__sandbox/room/my/stream")
    assert list(answer.iter_encoded()) == [b"0 room\n", b"1 room\n", b"2 room\n"]
    (entry,) = mine.client.get("/__sandbox/room/__admin/requests").get_json()["requests"]
    assert (entry["complete"], entry["response"]["body"]) == (True, "0 room\n1 room\n2 room\n")


def test_a_failing_stream_ends_and_is_logged(mine: Own) -> None:
    assert mine.client.get("/my/broken/stream").data == b"one\n"
    failure = mine.logged()[-1]
    assert failure["traceback"].endswith("ValueError: two")
    mine.app.testing = True
    with pytest.raises(ValueError, match="two"):
        mine.client.get("/my/broken/stream").get_data()


@pytest.mark.parametrize(
    "rule",
    [SPACE, "/v1/spaces", "/v1/spaces/<int:number>", "/v1/spaces/<id>.json", "/__admin/mine", "/__sandbox/a"],
)
def test_a_route_that_could_not_be_reached_is_refused(app: MockServer, rule: str) -> None:
    with pytest.raises(ValueError, match=r"choose another path"):
        app.add_url_rule(rule, "mine", my_route)


def test_a_route_for_the_rest_of_the_paths_is_accepted() -> None:
    app = create_app(Settings(quiet=True))
    app.add_url_rule("/v1/<path:rest>", "rest", lambda rest: rest)
    assert app.test_client().get("/v1/files/7").text == "files/7"
    assert app.test_client().get(SPACE, headers=OWNER).headers["X-Mock-Operation"] == "getSpace"
