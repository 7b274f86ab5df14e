"""Answers that take much memory, and streams: so many at a time, and one kind does not displace another."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from mockserver.admin.replies import MOST_QUEUED
from mockserver.app import MockServer, create_app
from mockserver.http.large_answers import LARGE, MOST
from mockserver.settings import Settings
from tests.running import ready
from tests.wire_client import ask, begun

KEY = {"X-API-Key": "ak_demo_owner"}
STATE = "/__admin/state"


def made(threads: int = 512) -> MockServer:
    """A mock whose state is larger than a megabyte."""
    app = create_app(Settings(quiet=True, generate="threads=100,messages=50,spaces=1", threads=threads))
    app.testing = True
    return app


@pytest.fixture
def app() -> MockServer:
    return made()


class Call:
    """An answer over WSGI, whose body is read by nobody until it is closed."""

    def __init__(self, app: MockServer, path: str, method: str = "GET", **environ: Any) -> None:
        start = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": "localhost", **environ}
        self.body: Any = app.wsgi_app(start, self._started)

    def _started(self, status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        self.status, self.headers = int(status.split()[0]), {k.lower(): v for k, v in headers}

    def close(self) -> None:
        """As a client that leaves."""
        if hasattr(self.body, "close"):
            self.body.close()


def test_large_answers_are_limited_until_they_are_sent_or_closed(app: MockServer) -> None:
    """One more is a 503 that says so; small ones are answered meanwhile."""
    held = [Call(app, STATE) for _ in range(MOST)]
    assert {call.status for call in held} == {200}
    assert int(held[0].headers["content-length"]) > LARGE
    refused = Call(app, STATE)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert f"{MOST} answers over 1 MB" in refused.headers["x-mock-reason"]
    assert Call(app, "/__admin/clock").status == 200
    assert Call(app, STATE, "HEAD").status == 503
    held[0].close()
    whole = Call(app, STATE)
    assert sum(map(len, whole.body)) == int(whole.headers["content-length"])
    for _ in range(2 * MOST):
        assert Call(app, STATE, "HEAD").status == 200
    assert Call(app, STATE).status == 200


def test_a_large_answer_arrives_whole_and_its_reader_may_leave() -> None:
    with ready("--quiet", "--generate", "threads=100,messages=50,spaces=1") as line:
        for _ in range(3):
            with ExitStack() as stack:
                for _ in range(20):
                    stack.enter_context(begun(line["url"], f"GET {STATE}"))
        answer = ask(line["url"], f"GET {STATE}")
        while answer.status == 503:
            answer = ask(line["url"], f"GET {STATE}")
        assert answer.status == 200
        assert len(answer.body) == int(answer.headers["content-length"]) > LARGE
        assert answer.body.endswith(b"}\n") or answer.body.endswith(b"}")


def test_open_event_streams_leave_the_streams_of_answers_alone() -> None:
    """With four threads there is one of each."""
    app = made(threads=4)
    events = Call(app, "/__admin/events")
    next(events.body)
    assert (events.status, Call(app, "/__admin/events").status) == (200, 503)
    body = {"inputs": [{"role": "user", "content": "Hello"}], "stream": True}
    answer = app.test_client().post("/v1/model/response", json=body, headers=KEY)
    assert answer.status_code == 200
    assert b"[DONE]" in answer.data
    events.close()


def test_queued_replies_are_limited(app: MockServer) -> None:
    client = app.test_client()
    for _ in range(MOST_QUEUED):
        assert client.post("/__admin/replies", json={"text": "x"}).status_code == 201
    refused = client.post("/__admin/replies", json={"text": "x"})
    assert refused.status_code == 409
    assert "DELETE /__admin/replies" in refused.get_json()["detail"]
    client.delete("/__admin/replies")
    assert client.post("/__admin/replies", json={"text": "x"}).status_code == 201
