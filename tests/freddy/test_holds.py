"""Answers that wait until a tester releases them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mockserver.app import MockServer, create_app
from mockserver.settings import Settings
from tests.conftest import Ask

SPACE = "/v1/spaces/space_abc123"
FAULTS = "/__admin/faults"
STREAM = {"inputs": [{"role": "user", "content": "?"}], "stream": True, "organization_id": "org_abc123"}


@pytest.fixture
def app() -> Iterator[MockServer]:
    """A mock of its own for each test, which holds nothing in the end."""
    app = create_app(Settings(quiet=True))
    app.testing = True
    yield app
    app.stopping.set()


class Held:
    """A request that is sent by a thread of its own."""

    def __init__(self, app: MockServer, method: str, path: str) -> None:
        self.answer: TestResponse | None = None
        self._thread = threading.Thread(target=self._ask, args=(app, method, path))
        self._thread.start()

    def _ask(self, app: MockServer, method: str, path: str) -> None:
        self.answer = app.test_client().open(path, method=method, headers={"X-API-Key": "ak_demo_owner"})

    def status(self) -> int:
        """Of the answer, when it has come."""
        self._thread.join(60)
        assert self.answer is not None
        return self.answer.status_code


def hold(ask: Ask, **rule: Any) -> str:
    """Id of a new rule."""
    made: Any = ask("POST", FAULTS, json={"hold": {}, **rule}).get_json()
    return str(made["faults"][0]["id"])


def until_waiting(ask: Ask, id_: str, count: int = 1, prefix: str = "") -> None:
    for _ in range(1000):
        rule: Any = ask("GET", f"{prefix}{FAULTS}/{id_}").get_json()
        if rule["waiting"] == count:
            return
        threading.Event().wait(0.01)
    pytest.fail(f"{rule['waiting']} wait")


RELEASES: list[Callable[[Ask, str], Any]] = [
    lambda ask, id_: ask("POST", f"{FAULTS}/{id_}/release"),
    lambda ask, id_: ask("DELETE", f"{FAULTS}/{id_}"),
    lambda ask, id_: ask("PATCH", f"{FAULTS}/{id_}", json={"times": 1}),
    lambda ask, _: ask("DELETE", FAULTS),
    lambda ask, _: ask("POST", "/__admin/reset"),
]


@pytest.mark.parametrize("release", RELEASES)
def test_an_answer_waits_until_it_is_released(
    app: MockServer, ask: Ask, release: Callable[[Ask, str], Any]
) -> None:
    id_ = hold(ask, operation="getSpace")
    held = Held(app, "GET", SPACE)
    until_waiting(ask, id_)
    assert held.answer is None
    assert ask("GET", "/v1/threads").status_code == 200, "others do not wait"
    assert release(ask, id_).status_code < 300
    assert held.status() == 200


def test_nothing_is_changed_before_the_release(app: MockServer, ask: Ask) -> None:
    id_ = hold(ask, operation="deleteSpace")
    held = Held(app, "DELETE", SPACE)
    until_waiting(ask, id_)
    assert ask("GET", SPACE).status_code == 200
    ask("POST", f"{FAULTS}/{id_}/release")
    assert held.status() == 204
    assert ask("GET", SPACE).status_code == 404


def test_what_comes_after_a_release_waits_again_as_often_as_the_rule_says(app: MockServer, ask: Ask) -> None:
    id_ = hold(ask, operation="getSpace", times=2)
    for _ in range(2):
        held = Held(app, "GET", SPACE)
        until_waiting(ask, id_)
        ask("POST", f"{FAULTS}/{id_}/release")
        assert held.status() == 200
    assert ask("GET", SPACE).status_code == 200


def test_the_end_of_the_mock_and_of_the_sandbox_release(app: MockServer, ask: Ask) -> None:
    rule: Any = ask("POST", f"/__sandbox/a{FAULTS}", json={"hold": {}}).get_json()
    held = Held(app, "GET", f"/__sandbox/a{SPACE}")
    until_waiting(ask, rule["faults"][0]["id"], prefix="/__sandbox/a")
    ask("DELETE", "/__admin/sandboxes/a")
    assert held.status() == 200
    id_ = hold(ask)
    held = Held(app, "GET", SPACE)
    until_waiting(ask, id_)
    app.stopping.set()
    assert held.status() == 200


def test_a_copy_of_the_sandbox_holds_for_itself(app: MockServer, ask: Ask) -> None:
    ask("POST", f"/__sandbox/a{FAULTS}", json={"hold": {}})
    ask("POST", "/__admin/sandboxes/a/fork", json={"id": "b"})
    listed: Any = ask("GET", f"/__sandbox/b{FAULTS}").get_json()
    id_ = listed["faults"][0]["id"]
    held = Held(app, "GET", f"/__sandbox/b{SPACE}")
    until_waiting(ask, id_, prefix="/__sandbox/b")
    ask("DELETE", f"/__sandbox/a{FAULTS}")
    until_waiting(ask, id_, prefix="/__sandbox/b")
    ask("DELETE", f"/__sandbox/b{FAULTS}")
    assert held.status() == 200


@pytest.mark.parametrize("after", [0, 2])
def test_a_stream_waits_after_so_many_events(ask: Ask, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.http.event_stream.HEARTBEAT", 0.05)
    ask("POST", "/__admin/replies", json={"text": "one two three"})
    id_ = hold(ask, hold={"after_events": after})
    pieces = iter(ask("POST", "/v1/model/response", json=STREAM).response)
    seen = [next(pieces) for _ in range(after + 2)]
    assert [b"heartbeat" in piece for piece in seen] == [False] * after + [True] * 2
    until_waiting(ask, id_)
    ask("POST", f"{FAULTS}/{id_}/release")
    assert list(pieces)[-1] == b"data: [DONE]\n\n"
    until_waiting(ask, id_, 0)


def test_a_stream_whose_client_leaves_waits_no_longer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.http.event_stream.HEARTBEAT", 0.05)
    id_ = hold(ask, hold={"after_events": 0})
    answer = ask("POST", "/v1/model/response", json=STREAM)
    next(iter(answer.response))
    until_waiting(ask, id_)
    answer.close()
    until_waiting(ask, id_, 0)


def test_an_answer_that_is_no_stream_does_not_wait_for_events(ask: Ask) -> None:
    hold(ask, hold={"after_events": 1})
    assert ask("GET", SPACE).status_code == 200


def test_a_rule_that_is_not_there_releases_nothing(ask: Ask) -> None:
    assert ask("POST", f"{FAULTS}/none/release").status_code == 404
