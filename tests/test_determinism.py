"""The same scenario, seed, frozen clock and calls give the same bytes: alone, in a crowd, on other threads.

A player is a client with a sandbox, a seed, a clock and rules of its own. What it sees in a crowd is compared
byte for byte with what it sees alone in a fresh process.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.running import mock

pytestmark = pytest.mark.slow

PLAYERS = 16
CALLS = 150
NEW = {"organization_id": "org_abc123", "name": "New"}
Call = tuple[str, str, Any]
Seen = tuple[int, bytes, str | None, str | None]
"""status, body, x-request-id, X-Mock-Source"""


class Player(NamedTuple):
    """What is special about one client."""

    number: int

    @property
    def sandbox(self) -> str:
        """Its name."""
        return f"player-{self.number}"

    @property
    def order(self) -> Any:
        """How its sandbox is made."""
        return {
            "id": self.sandbox,
            "seed": self.number,
            "freeze": f"2026-03-{1 + self.number % 28:02}T08:00:00Z",
            "scenario": "empty" if self.number % 5 == 4 else "demo",
        }

    @property
    def rules(self) -> list[Call]:
        """Control calls before the first of its calls: faults, and a snapshot of its own."""
        often = {"operation": "listThreads", "probability": 0.3, "error": {"status": 503}}
        turns = {"path": "/v1/spaces/*", "every": 2 + self.number % 4, "damage": {"kind": "malformed"}}
        return [
            ("POST", "/__admin/faults", often if self.number % 2 else turns),
            ("PUT", f"/__admin/snapshots/{self.sandbox}", None),
        ]

    def calls(self) -> Iterator[Call]:
        """Of every kind, some of which fail."""
        dice = Random(self.number)
        for turn in range(CALLS):
            yield _call(dice, turn, self.sandbox)


def _call(dice: Random, turn: int, sandbox: str) -> Call:
    thread = dice.choice(["thrd_def456", "thrd_abc123", "thrd_team001", "thrd_nowhere"])
    space = dice.choice(["space_abc123", "space_team"])
    asked = {
        "inputs": [{"role": "user", "content": f"Which hall is booth {turn} in?"}],
        "stream": turn % 2 == 0,
    }
    choices: list[Call] = [
        ("POST", "/v1/spaces/", {**NEW, "name": f"Space {turn}"}),
        ("GET", "/v1/spaces/?organization_id=org_abc123&limit=3", None),
        ("POST", "/v1/threads", {"organization_id": "org_abc123", "title": f"Thread {turn}"}),
        ("GET", f"/v1/threads?limit=5&order={dice.choice(['asc', 'desc'])}", None),
        ("POST", f"/v1/spaces/{space}/threads/{thread}", None),
        ("DELETE", f"/v1/spaces/{space}/threads/{thread}", None),
        ("GET", f"/v1/spaces/{space}/threads?limit=4", None),
        ("GET", f"/v1/threads/{thread}/messages?limit=9", None),
        ("PATCH", f"/v1/threads/{thread}", {"metadata": {"turn": str(turn)}}),
        ("POST", "/v1/model/response", asked | {"include": ["file_search.results"], "thread_id": thread}),
        ("POST", "/v1/spaces/", {"name": 7}),
        ("PUT", "/__admin/clock", {"advance": dice.choice([0.1, 0.5, 60])}),
        ("GET", "/__admin/embeddings?limit=20", None),
        ("POST", f"/__admin/threads/{thread}/messages", {"role": "user", "content": f"Hall {turn}"}),
    ]
    rare: list[Call] = [
        ("POST", "/__admin/seed", {"threads": 2, "messages": 2, "spaces": 1}),
        ("POST", f"/__admin/snapshots/{sandbox}/restore", None),
        ("POST", "/__admin/reset?keep=clock,faults,journal", None),
        ("GET", "/__admin/faults", None),
        ("DELETE", f"/v1/threads/{thread}", None),
        ("GET", "/__admin/state", None),
    ]
    return dice.choice(rare if dice.random() < 0.05 else choices)


def play(url: str, player: Player, ready: threading.Barrier | None = None) -> list[Seen]:
    """Everything that the player sees, in order."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:

        def ask(method: str, path: str, body: Any) -> Seen:
            headers = {"Host": "localhost", "X-API-Key": "ak_demo_owner", "X-Mock-Sandbox": player.sandbox}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, content, answer.headers["x-request-id"], answer.headers["X-Mock-Source"]

        status, made, _, _ = ask("POST", "/__admin/sandboxes", player.order)
        assert status == 201, made
        for call in player.rules:
            assert ask(*call)[0] < 300, call
        if ready is not None:
            ready.wait()
        seen = [ask(*call) for call in player.calls()]
        status, told, trace_id, source = ask("GET", "/__admin/requests?limit=1000", None)
        return [
            *seen,
            (status, re.sub(rb'"milliseconds":[0-9.e-]+|"wall":"[^"]*"', b"", told), trace_id, source),
        ]


def crowd(url: str) -> list[list[Seen]]:
    """What each of all players sees, playing at the same time."""
    seen: list[list[Seen]] = [[] for _ in range(PLAYERS)]
    ready = threading.Barrier(PLAYERS)

    def run(number: int) -> None:
        try:
            seen[number] = play(url, Player(number), ready)
        except BaseException:
            ready.abort()
            raise

    threads = [threading.Thread(target=run, args=(number,)) for number in range(PLAYERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


@pytest.fixture(scope="module")
def together() -> list[list[Seen]]:
    with mock() as url:
        return crowd(url)


def test_a_crowd_plays_to_the_end_and_no_two_see_the_same(together: list[list[Seen]]) -> None:
    assert [len(seen) for seen in together] == [CALLS + 1] * PLAYERS
    statuses = {(source, status) for seen in together for status, _, _, source in seen}
    assert {("state", status) for status in (200, 201, 204, 404, 422)} <= statuses
    assert ("fault", 503) in statuses
    assert max(status for source, status in statuses if source == "state") < 500
    assert len({tuple(seen) for seen in together}) == PLAYERS


@pytest.mark.parametrize("number", range(0, PLAYERS, 4))
def test_who_plays_in_a_crowd_sees_what_it_sees_alone(together: list[list[Seen]], number: int) -> None:
    with mock() as url:
        alone = play(url, Player(number))
    for turn, (one, other) in enumerate(zip(together[number], alone, strict=True)):
        assert one == other, f"call {turn}"


def test_another_number_of_threads_changes_no_byte(together: list[list[Seen]]) -> None:
    """As long as it is enough for their streams: half of the threads, each free a moment after its end."""
    with mock("--threads", str(4 * PLAYERS)) as url:
        assert crowd(url) == together
