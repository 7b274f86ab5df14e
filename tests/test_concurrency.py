"""Sixteen clients at once leave the state that some order of their calls, one after another, leaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from tests.running import FROZEN, ROOT, mock

CLIENTS = 16
CALLS = 40
NEW = {"organization_id": "org_abc123", "name": "New"}


class Client:
    """One connection of its own to the mock."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and body."""
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, path, sent, {"X-API-Key": "ak_demo_owner"})
        answer = self._connection.getresponse()
        got = answer.read()
        return answer.status, json.loads(got) if got else None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


Job = Callable[[Client, int], Any]
AtOnce = Callable[[int, Job], list[Any]]


@pytest.fixture
def url() -> Iterator[str]:
    """A fresh mock."""
    with mock("--freeze", FROZEN) as address:
        yield address


@pytest.fixture
def one(url: str) -> Iterator[Client]:
    """A client for what comes before and after."""
    with closing(Client(url)) as client:
        yield client


@pytest.fixture
def at_once(url: str) -> AtOnce:
    return lambda count, job: together(url, count, job)


def together(url: str, count: int, job: Job) -> list[Any]:
    """What `job` gives each of `count` clients that all begin at the same time."""
    begin, results = threading.Barrier(count), [None] * count
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            with closing(Client(url)) as client:
                begin.wait()
                results[number] = job(client, number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


class Event(NamedTuple):
    """One call about one thread in one space, as its client saw it."""

    start: float
    end: float
    verb: str
    status: int
    seen: Any
    """added_at of an addition; whether the list had the thread."""


class Model(NamedTuple):
    """What one thread is to one space: there at all, and since when in it."""

    exists: bool = True
    added_at: str | None = None

    def after(self, event: Event) -> Model | None:
        """The model after the call; None if it could not have been answered like this."""
        allowed: dict[tuple[str, int], tuple[bool, Model]] = {
            ("add", 201): (
                self.exists and self.added_at in (None, event.seen),
                Model(True, event.seen),
            ),
            ("add", 404): (not self.exists, self),
            ("remove", 204): (self.added_at is not None, Model(self.exists, None)),
            ("remove", 404): (self.added_at is None, self),
            ("list", 200): ((self.added_at is not None) == event.seen, self),
            ("delete", 204): (self.exists, Model(False, None)),
            ("delete", 404): (not self.exists, self),
        }
        possible, model = allowed.get((event.verb, event.status), (False, self))
        return model if possible else None


def has_an_order(events: list[Event], start: Model) -> bool:
    """Whether some order of the calls, true to the clock, explains every answer."""
    events = sorted(events)
    seen: set[tuple[int, Model]] = set()
    stack = [((1 << len(events)) - 1, start)]
    while stack:
        left, model = stack.pop()
        if not left:
            return True
        if (left, model) in seen:
            continue
        seen.add((left, model))
        waiting = [number for number in range(len(events)) if left >> number & 1]
        first_end = min(events[number].end for number in waiting)
        for number in waiting:
            if events[number].start > first_end:
                break
            after = model.after(events[number])
            if after is not None:
                stack.append((left & ~(1 << number), after))
    return False


def test_adds_and_removes_on_shared_spaces_have_an_order(one: Client, at_once: AtOnce) -> None:
    """For each thread in each space there is an order of the calls that explains every answer."""
    spaces = [one("POST", "/v1/spaces/", NEW)[1]["id"] for _ in range(2)]
    threads = [one("POST", "/v1/threads", {"organization_id": "org_abc123"})[1]["id"] for _ in range(3)]

    def play(client: Client, number: int) -> list[tuple[str, str, Event]]:
        """Random calls; (space, thread, event) of each, a thread's deletion for every space."""
        dice = Random(number)
        log: list[tuple[str, str, Event]] = []
        for _ in range(CALLS):
            (verb,) = dice.choices(["add", "remove", "list", "tick", "delete"], [40, 35, 18, 6, 1])
            space, thread = dice.choice(spaces), dice.choice(threads)
            begin = time.monotonic()
            if verb == "tick":
                client("PUT", "/__admin/clock", {"advance": 1})
            elif verb == "delete":
                status, _ = client("DELETE", f"/v1/threads/{thread}")
                event = Event(begin, time.monotonic(), verb, status, None)
                log += [(each, thread, event) for each in spaces]
            elif verb == "list":
                status, page = client("GET", f"/v1/spaces/{space}/threads")
                end, there = time.monotonic(), {listed["id"] for listed in page["data"]}
                log += [(space, each, Event(begin, end, verb, status, each in there)) for each in threads]
            else:
                method = "POST" if verb == "add" else "DELETE"
                status, body = client(method, f"/v1/spaces/{space}/threads/{thread}")
                seen = body["added_at"] if status == 201 else None
                log.append((space, thread, Event(begin, time.monotonic(), verb, status, seen)))
        return log

    log = [entry for each in at_once(CLIENTS, play) for entry in each]
    log += [
        (space, thread, Event(end, end, "list", 200, thread in there))
        for end in [time.monotonic()]
        for space in spaces
        for there in [{each["id"] for each in one("GET", f"/v1/spaces/{space}/threads")[1]["data"]}]
        for thread in threads
    ]
    for space in spaces:
        for thread in threads:
            events = [event for where, what, event in log if (where, what) == (space, thread)]
            assert len(events) > CLIENTS
            assert has_an_order(events, Model()), (space, thread, events)


def test_twenty_adds_of_one_thread_are_one_membership_with_one_time(one: Client, at_once: AtOnce) -> None:
    """A01, though the clock moves on between them."""

    def add(client: Client, _: int) -> Any:
        client("PUT", "/__admin/clock", {"advance": 1})
        return client("POST", "/v1/spaces/space_abc123/threads/thrd_def456")

    answers = at_once(20, add)
    assert {status for status, _ in answers} == {201}
    assert len({body["added_at"] for _, body in answers}) == 1
    listed = one("GET", "/v1/spaces/space_abc123/threads")[1]["data"]
    assert [thread["id"] for thread in listed] == ["thrd_abc123", "thrd_def456"]


@pytest.mark.parametrize(
    "path",
    ["/v1/spaces/space_abc123/threads/thrd_abc123", "/v1/spaces/space_abc123", "/v1/threads/thrd_abc123"],
)
def test_one_of_many_deletes_succeeds(at_once: AtOnce, path: str) -> None:
    statuses = at_once(CLIENTS, lambda client, _: client("DELETE", path)[0])
    assert sorted(statuses) == [204] + [404] * (CLIENTS - 1)


def test_spaces_made_and_deleted_at_once_are_all_there_and_all_gone(one: Client, at_once: AtOnce) -> None:
    """Each client deletes every other space of its own; ids never come twice."""

    def play(client: Client, _: int) -> tuple[list[str], list[str]]:
        made = [client("POST", "/v1/spaces/", NEW)[1]["id"] for _ in range(6)]
        for id_ in made[::2]:
            assert client("DELETE", f"/v1/spaces/{id_}")[0] == 204
            assert client("GET", f"/v1/spaces/{id_}")[0] == 404
        return made, made[1::2]

    results = at_once(CLIENTS, play)
    made = [id_ for all_of_them, _ in results for id_ in all_of_them]
    left = {id_ for _, kept in results for id_ in kept}
    page = one("GET", "/v1/spaces/?organization_id=org_abc123&limit=100")[1]
    listed = [space["id"] for space in page["spaces"] if space["name"] == "New"]
    assert len(made) == len(set(made)) == CLIENTS * 6
    assert (set(listed), len(listed)) == (left, len(left))


def test_no_change_of_a_thread_is_lost(one: Client, at_once: AtOnce) -> None:
    """Each client adds a pair of its own to the metadata, a seventeenth is refused (A32)."""

    def write(client: Client, number: int) -> int:
        path = "/v1/threads/thrd_abc123"
        return client("PATCH", path, {"metadata": {f"k{number}": str(number)}})[0]

    assert sorted(at_once(CLIENTS + 4, write)) == [200] * 16 + [422] * 4
    assert len(one("GET", "/v1/threads/thrd_abc123")[1]["metadata"]) == 16


def test_twenty_of_many_stores_get_into_a_space(tmp_path: Path) -> None:
    """A17: nobody slips in between the count and the attachment."""
    scenario = yaml.safe_load((ROOT / "mockserver/scenarios/empty.yaml").read_text(encoding="utf-8"))
    fixed = {"organization_id": "org_abc123", "created_by": "usr_abc123", "created_at": FROZEN}
    scenario["vector_stores"] = [{"id": f"vs_{number}", "name": "Store", **fixed} for number in range(26)]
    file = tmp_path / "stores.yaml"
    file.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    with mock("--scenario", str(file)) as url, closing(Client(url)) as one:
        space = f"/v1/spaces/{one('POST', '/v1/spaces/', NEW)[1]['id']}"

        def attach(client: Client, number: int) -> int:
            return client("POST", f"{space}/vector-stores/vs_{number}")[0]

        assert sorted(together(url, 26, attach)) == [201] * 20 + [422] * 6
        assert len(one("GET", space)[1]["additional_vector_store_ids"]) == 20


@pytest.mark.parametrize(
    ("write", "seen"),
    [
        (lambda n: ("PUT", f"/__admin/snapshots/s-{n}", None), "/__admin/snapshots?limit=1000"),
        (lambda n: ("POST", "/__admin/sandboxes", {"id": f"s-{n}"}), "/__admin/sandboxes?limit=1000"),
        (
            lambda n: ("POST", "/__admin/sandboxes/default/fork", {"id": f"s-{n}"}),
            "/__admin/sandboxes?limit=1000",
        ),
        (lambda n: ("POST", "/__admin/replies", {"text": f"s-{n}"}), "/__admin/replies"),
        (
            lambda n: (
                "POST",
                "/__admin/threads/thrd_abc123/messages",
                {"role": "user", "content": f"s-{n}"},
            ),
            "/v1/threads/thrd_abc123/messages?limit=100",
        ),
    ],
    ids=["snapshots", "sandboxes", "forks", "replies", "messages"],
)
def test_of_fifty_control_writes_at_once_none_is_lost(
    one: Client, at_once: AtOnce, write: Callable[[int], tuple[str, str, Any]], seen: str
) -> None:
    answers = at_once(50, lambda client, number: client(*write(number)))
    assert {status for status, _ in answers} == {201}
    text = json.dumps(one("GET", seen)[1])
    assert [number for number in range(50) if f'"s-{number}"' not in text] == []


# That the search for an order would notice


def history(*calls: tuple[float, float, str, int, Any]) -> list[Event]:
    return [Event(*call) for call in calls]


def test_calls_at_the_same_time_may_have_come_in_either_order() -> None:
    assert has_an_order(history((0, 3, "remove", 204, None), (1, 2, "add", 201, "t")), Model())
    assert has_an_order(history((0, 3, "list", 200, True), (1, 2, "add", 201, "t")), Model())


@pytest.mark.parametrize(
    "calls",
    [
        history((0, 1, "add", 201, "t"), (2, 3, "add", 201, "u")),
        history((0, 1, "add", 201, "t"), (2, 3, "list", 200, False)),
        history((0, 1, "add", 201, "t"), (2, 5, "remove", 204, None), (3, 4, "remove", 204, None)),
        history((0, 1, "add", 201, "t"), (2, 3, "delete", 204, None), (4, 5, "list", 200, True)),
        history((0, 1, "add", 500, None)),
    ],
)
def test_a_history_without_an_order_is_noticed(calls: list[Event]) -> None:
    assert not has_an_order(calls, Model())
