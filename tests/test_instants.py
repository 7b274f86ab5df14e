"""Each request has one instant: calls that are sent again at their instants are answered as before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import accumulate, count, islice
from random import Random
from threading import Thread
from typing import Any, NamedTuple

import pytest
from werkzeug.test import run_wsgi_app

from mockserver.app import MockServer, create_app
from mockserver.sandbox.clock import Clock, instant
from mockserver.sandbox.sandbox import Sandbox
from mockserver.settings import Settings
from tests.running import FROZEN

CALLS = 400
KEYS = ("ak_demo_owner", "ak_demo_owner", "ak_demo_owner", "ak_demo_editor", "ak_demo_viewer", "unknown")
ORGANIZATION = "org_abc123"
Seen = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers and body."""


class Call(NamedTuple):
    """One request."""

    method: str
    path: str
    body: Any
    key: str


def later_each_time(dice: Random) -> Callable[[], int]:
    """A time that is up to half a second later whenever it is asked for."""
    readings = accumulate(iter(lambda: dice.randrange(500_000), -1), initial=instant(FROZEN))
    return lambda: next(readings)


def calls(dice: Random, known: dict[str, list[str]]) -> Iterator[Call]:
    """Requests of every kind, some of them wrong; `known` are the ids to choose from, by prefix."""

    def id_of(kind: str) -> str:
        return dice.choice([*known[kind][-5:], dice.choice(known[kind]), f"{kind}_unknown"])

    while True:
        space, thread, store, message = (id_of(kind) for kind in ("space", "thrd", "vs", "msg"))
        word = f"word {dice.randrange(9)}"
        stores, in_space = f"/v1/organizations/{ORGANIZATION}/vector_stores", f"/v1/spaces/{space}"
        question: Any = {"inputs": [{"role": "user", "content": f"What of {word}?"}]}
        question |= {"thread_id": dice.choice([None, thread]), "stream": dice.random() < 0.5}
        question |= {"include": ["file_search.results"]}
        method, path, body = dice.choice(
            [
                ("POST", "/v1/spaces/", {"organization_id": ORGANIZATION, "name": word}),
                ("GET", f"/v1/spaces/?organization_id={ORGANIZATION}&limit=3", None),
                ("GET", in_space, None),
                ("PATCH", in_space, {"description": word}),
                ("DELETE", in_space if dice.random() < 0.3 else "/v1/spaces/space_unknown", None),
                ("GET", f"{in_space}/threads?limit=3", None),
                *[("POST", f"{in_space}/threads/{thread}", None)] * 3,
                ("DELETE", f"{in_space}/threads/{thread}", None),
                ("GET", f"{in_space}/vector_stores", None),
                ("POST", f"{in_space}/vector_stores/{store}", None),
                ("DELETE", f"{in_space}/vector_stores/{store}", None),
                ("POST", "/v1/threads", {"organization_id": ORGANIZATION, "title": word}),
                ("GET", f"/v1/threads?limit=5&order={dice.choice(['asc', 'desc'])}", None),
                ("GET", f"/v1/threads/{thread}", None),
                ("PATCH", f"/v1/threads/{thread}", {"metadata": {"word": word}}),
                ("DELETE", f"/v1/threads/{thread}", None),
                ("GET", f"/v1/threads/{thread}/messages?limit=5", None),
                ("PATCH", f"/v1/threads/{thread}/messages/{message}", {"content": word}),
                ("DELETE", f"/v1/threads/{thread}/messages/{message}", None),
                ("POST", stores, {"name": word}),
                ("GET", f"{stores}?limit=3", None),
                *[("GET", f"{stores}/{store}", None)] * 2,
                ("PATCH", f"{stores}/{store}", {"name": word}),
                ("DELETE", f"{stores}/{store}", None),
                *[("POST", "/v1/model/response", question)] * 4,
                ("POST", "/v1/threads", {"title": 7}),
                ("GET", "/v1/nowhere", None),
            ]
        )
        yield Call(method, path, body, dice.choice(KEYS))


def ask(app: MockServer, sandbox: Sandbox, call: Call) -> Seen:
    """Send the request, read the whole answer."""
    path, _, query = call.path.partition("?")
    body = b"" if call.body is None else json.dumps(call.body).encode()
    environ: Any = {"REQUEST_METHOD": call.method, "PATH_INFO": path, "QUERY_STRING": query}
    environ |= {"HTTP_X_API_KEY": call.key, "HTTP_X_MOCK_SANDBOX": sandbox.name}
    environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    content, status, headers = run_wsgi_app(app.wsgi_app, environ)
    return status, list(headers), b"".join(content)


def learn(value: Any, known: dict[str, list[str]]) -> None:
    """Add the ids in an answer to those that are known."""
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(inner, str) and (kind := inner.partition("_")[0]) in known and inner not in known[kind]:
            known[kind].append(inner)
        learn(inner, known)


@pytest.fixture(scope="module")
def app() -> MockServer:
    """A mock that embeds slowly and fails at times, so that instants matter."""
    settings = Settings(quiet=True, embedding_seconds=2, embedding_failure_rate=0.2, freeze=FROZEN)
    app = create_app(settings)
    app.testing = True
    return app


@pytest.fixture
def new(app: MockServer) -> Callable[[], Sandbox]:
    """Sandboxes at their start, frozen."""
    return lambda: app.sandboxes.create(None, app.sandboxes.start)


def ticking(sandbox: Sandbox, real: Callable[[], int]) -> None:
    """Let the sandbox's clock tick by `real`."""
    sandbox.source.real = real
    sandbox.clock = Clock(source=sandbox.source)


@pytest.mark.parametrize("seed", range(6))
def test_calls_sent_again_at_their_instants_are_answered_as_before(
    seed: int, app: MockServer, new: Callable[[], Sandbox]
) -> None:
    dice, first = Random(seed), new()
    ticking(first, later_each_time(dice))
    known = {"space": ["space_abc123"], "thrd": ["thrd_abc123"], "vs": ["vs_abc123"], "msg": ["msg_1"]}
    log: list[tuple[Call, int, Seen]] = []
    for call in islice(calls(dice, known), CALLS):
        seen = ask(app, first, call)
        log.append((call, first.journal.entries()[-1].exchange.instant, seen))
        if seen[2].startswith(b"{"):
            learn(json.loads(seen[2]), known)
    instants = [at for _, at, _ in log]
    assert instants == sorted(instants)
    statuses = {seen[0][:3] for _, _, seen in log}
    assert statuses >= {"200", "201", "204", "401", "403", "404", "422"}

    again = new()
    for number, (call, at, seen) in enumerate(log):
        again.clock.freeze(at)
        assert ask(app, again, call) == seen, f"call {number}: {call}"
    assert [entry.exchange.instant for entry in again.journal.entries()] == instants
    first.clock.freeze(instants[-1])
    one, other = (app.states.document(sandbox.state("")) for sandbox in (first, again))
    assert one == other


def test_who_has_to_wait_for_another_comes_after_it(app: MockServer, new: Callable[[], Sandbox]) -> None:
    sandbox = new()
    ticking(sandbox, count(instant(FROZEN)).__next__)
    create = Call("POST", "/v1/threads", {"organization_id": ORGANIZATION}, KEYS[0])
    waiting = Thread(target=ask, args=(app, sandbox, create))
    with sandbox.transaction():
        first = sandbox.instant()
        waiting.start()
        waiting.join(0.05)  # it has entered by then, most likely
        assert sandbox.instant() == first
    waiting.join()
    assert sandbox.journal.entries()[-1].exchange.instant > first
