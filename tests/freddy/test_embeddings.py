"""The simulated embedding queue through the API, on a clock that stands still (A15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.app import create_app
from mockserver.sandbox.clock import instant
from mockserver.sandbox.sandbox import Record, Sandbox
from mockserver.settings import Settings
from tests.conftest import Ask
from tests.freddy.conftest import said
from tests.freddy.steps import Steps
from tests.running import FROZEN

TURN = 0.2
"""Seconds that an attempt takes; four run at a time."""
TEN = tuple(f"message {number}" for number in range(10))
QUEUE = "/__admin/embeddings"


@pytest.fixture
def other() -> Callable[..., Steps]:
    """Another mock, with other settings."""

    def make(**settings: Any) -> Steps:
        app = create_app(Settings(freeze=FROZEN, quiet=True, **settings))
        app.testing = True
        client = app.test_client()

        def ask(method: str, path: str, key: str, **sent: Any) -> Any:
            return client.open(path, method=method, headers={"X-API-Key": key}, **sent)

        return Steps(ask)

    return make


@pytest.fixture
def space(steps: Steps) -> str:
    """An empty space."""
    return steps.space()


def order(steps: Steps, space: str) -> list[str]:
    """The messages whose jobs are in line, in its order."""
    return [job["message_id"] for job in steps.queue(space_id=space)["jobs"]]


def ids(steps: Steps, thread: str) -> list[str]:
    """The thread's messages."""
    return [message["id"] for message in steps.messages(thread)]


def test_what_the_demo_starts_with_is_embedded(steps: Steps, sandbox: Sandbox) -> None:
    """A55."""
    found = steps.queue()
    links = list(sandbox.space_threads)
    expected = sum(len(sandbox.messages.keys("thread", link["thread_id"])) for link in links)
    assert found["counts"] == {"pending": 0, "processing": 0, "completed": expected, "failed": 0}
    assert {(job["state"], job["begun"], job["queued_at"]) for job in found["jobs"]} == {
        ("completed", 1, None)
    }
    assert steps.advance(3600) == {"completed": 0, "failed": 0, "retried": 0, "first": []}


def test_four_run_at_a_time_first_come_first_served(steps: Steps, space: str) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    assert order(steps, space) == ids(steps, thread)
    seen = [steps.line(space)]
    for _ in range(3):
        steps.advance(TURN)
        seen.append(steps.line(space))
    assert seen == ["rrrrwwwwww", "ccccrrrrww", "ccccccccrr", "cccccccccc"]


def test_an_attempt_always_takes_the_same_time(steps: Steps, space: str) -> None:
    steps.add(space, steps.thread(*TEN))
    steps.advance(TURN / 2)
    assert steps.line(space) == "rrrrwwwwww"
    ends = [due["at"][17:-1] for due in steps.advance(60)["first"]]
    assert ends == ["00.200000"] * 4 + ["00.400000"] * 4 + ["00.600000"] * 2


def test_spaces_do_not_wait_for_each_other(steps: Steps) -> None:
    thread, spaces = steps.thread(*TEN), [steps.space(), steps.space()]
    for space in spaces:
        steps.add(space, thread)
    assert [steps.line(space) for space in spaces] == ["rrrrwwwwww"] * 2
    assert steps.advance(TURN)["completed"] == 8
    assert [steps.line(space) for space in spaces] == ["ccccrrrrww"] * 2


def test_what_arrives_during_a_backfill_queues_behind_it_once(steps: Steps, space: str) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    steps.advance(TURN)
    late = steps.say(thread, "late")
    assert steps.line(space) == "ccccrrrrwww"
    assert order(steps, space) == ids(steps, thread)
    due = steps.advance(60)
    assert (due["completed"], due["first"][-1]["message_id"]) == (7, late)
    assert steps.line(space) == "c" * 11


def test_what_arrives_while_slots_are_free_starts_at_once(steps: Steps, space: str) -> None:
    thread = steps.thread("one", "two")
    steps.add(space, thread)
    steps.advance(TURN / 2)
    steps.say(thread, "three")
    steps.say(thread, "four")
    steps.say(thread, "five")
    assert steps.line(space) == "rrrrw"
    steps.advance(TURN / 2)
    assert steps.line(space) == "ccrrr"


def test_threads_wait_in_the_order_in_which_they_were_added(steps: Steps, space: str) -> None:
    first, second = steps.thread(*TEN), steps.thread("a", "b")
    steps.add(space, second)
    steps.add(space, first)
    assert order(steps, space) == ids(steps, second) + ids(steps, first)


def test_adding_again_enqueues_nothing(steps: Steps, space: str) -> None:
    """A01."""
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    before = steps.queue(space_id=space)
    steps.add(space, thread)
    assert steps.queue(space_id=space) == before


def test_removing_cancels_what_waits_and_drops_what_is_done(steps: Steps, space: str) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    steps.advance(TURN)
    steps.remove(space, thread)
    assert steps.line(space) == ""
    assert steps.advance(60)["completed"] == 0
    assert steps.found("message 0 1 2", space_id=space) == []


def test_who_waited_behind_a_removed_thread_starts_when_a_slot_is_free(steps: Steps, space: str) -> None:
    """What runs ends, though nobody wants it any more."""
    thread, waiting = steps.thread(*TEN), steps.thread("a", "b")
    steps.add(space, thread)
    steps.add(space, waiting)
    steps.advance(TURN / 2)
    steps.remove(space, thread)
    assert steps.line(space) == "ww"
    steps.advance(TURN / 2)
    assert steps.line(space) == "rr"


def test_removing_from_one_space_leaves_the_other_alone(steps: Steps) -> None:
    thread, spaces = steps.thread(*TEN), [steps.space(), steps.space()]
    for space in spaces:
        steps.add(space, thread)
    steps.remove(spaces[0], thread)
    steps.advance(60)
    assert [steps.line(space) for space in spaces] == ["", "c" * 10]


@pytest.mark.parametrize("waited", [0, TURN, 60])
def test_adding_once_more_after_a_removal_backfills_again(steps: Steps, space: str, waited: float) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    steps.advance(waited)
    before = {job["id"] for job in steps.queue(space_id=space)["jobs"]}
    steps.remove(space, thread)
    steps.say(thread, "meanwhile")
    steps.advance(60)
    steps.add(space, thread)
    steps.say(thread, "after")
    assert steps.line(space) == "rrrr" + "w" * 8
    assert order(steps, space) == ids(steps, thread)
    assert before.isdisjoint(job["id"] for job in steps.queue(space_id=space)["jobs"])
    assert steps.advance(60)["completed"] == 12


@pytest.mark.parametrize(
    ("waited", "place", "before", "after"),
    [
        (0, 9, "rrrrwwwwww", "rrrrwwwwww"),  # it waits, and will be embedded with the new text
        (0, 0, "rrrrwwwwww", "rrrwwwwwww"),  # it runs: once more, at the end
        (TURN, 0, "ccccrrrrww", "cccrrrrwww"),  # it is done: once more, at the end
        (60, 0, "cccccccccc", "cccccccccr"),
    ],
)
def test_an_edited_message_is_embedded_with_its_new_text_exactly_once(
    steps: Steps, space: str, waited: float, place: int, before: str, after: str
) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    steps.advance(waited)
    assert steps.line(space) == before
    edited = ids(steps, thread)[place]
    steps.edit(thread, edited, "zebra crossing")
    assert steps.line(space) == after
    assert order(steps, space)[-1] == edited
    assert sorted(order(steps, space)) == sorted(ids(steps, thread))
    steps.advance(60)
    assert steps.line(space) == "c" * 10
    assert steps.found("zebra crossing today", space_id=space) == ["zebra crossing"]


def test_an_edit_of_metadata_alone_embeds_nothing_again(steps: Steps, space: str) -> None:
    thread = steps.thread("one")
    steps.add(space, thread)
    steps.drain()
    path = f"/v1/threads/{thread}/messages/{ids(steps, thread)[0]}"
    steps("PATCH", path, json={"metadata": {"a": "b"}})
    steps("PATCH", path, json={})
    assert steps.line(space) == "c"


@pytest.mark.parametrize(
    ("waited", "place", "after"),
    [(0, 9, "rrrrwwwww"), (0, 0, "rrrwwwwww"), (TURN, 0, "cccrrrrww"), (60, 0, "ccccccccc")],
)
def test_a_deleted_message_loses_its_job_and_no_one_elses_changes(
    steps: Steps, space: str, waited: float, place: int, after: str
) -> None:
    """What runs is heeded no more, but holds its slot until it ends."""
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    steps.advance(waited)
    steps.delete(thread, ids(steps, thread)[place])
    assert steps.line(space) == after
    assert order(steps, space) == ids(steps, thread)
    steps.advance(60)
    assert steps.line(space) == "c" * 9


def test_a_message_deleted_and_written_again_is_a_new_job(steps: Steps, space: str) -> None:
    thread = steps.thread("one", "two")
    steps.add(space, thread)
    steps.drain()
    steps.delete(thread, ids(steps, thread)[0])
    again = steps.say(thread, "one")
    assert (steps.line(space), order(steps, space)[-1]) == ("cr", again)


def test_a_deleted_message_is_not_backfilled(steps: Steps, space: str) -> None:
    thread = steps.thread(*TEN)
    steps.delete(thread, ids(steps, thread)[4])
    steps.add(space, thread)
    assert order(steps, space) == ids(steps, thread)
    assert len(steps.line(space)) == 9


@pytest.mark.parametrize("waited", [0, TURN, 60])
def test_deleting_a_thread_empties_its_line_in_every_space(steps: Steps, waited: float) -> None:
    """A14."""
    thread, other, spaces = steps.thread(*TEN), steps.thread("stays"), [steps.space(), steps.space()]
    for space in spaces:
        steps.add(space, thread)
        steps.add(space, other)
    steps.advance(waited)
    steps("DELETE", f"/v1/threads/{thread}")
    steps.advance(60)
    assert [steps.line(space) for space in spaces] == ["c", "c"]
    assert steps.queue(thread_id=thread)["jobs"] == []


def test_deleting_a_space_ends_its_line_and_no_other(steps: Steps) -> None:
    thread, spaces = steps.thread(*TEN), [steps.space(), steps.space()]
    for space in spaces:
        steps.add(space, thread)
    steps("DELETE", f"/v1/spaces/{spaces[0]}")
    assert [steps.line(space) for space in spaces] == ["", "rrrrwwwwww"]
    assert steps.advance(60)["completed"] == 10


def test_a_response_queues_the_question_and_the_answer(steps: Steps, space: str) -> None:
    """A33."""
    thread = steps.answer("What is new?", space_id=space)["thread_id"]
    assert steps.line(space) == "rr"
    steps.answer("And else?", thread_id=thread)
    assert (steps.line(space), order(steps, space)) == ("rrrr", ids(steps, thread))


def test_an_attempt_that_fails_queues_behind_its_own_batch_and_ahead_of_the_next(
    other: Callable[..., Steps],
) -> None:
    steps = other(embedding_failure_rate=1.0, embedding_retries=1)
    space, thread = steps.space(), steps.thread(*TEN[:5])
    steps.add(space, thread)
    steps.say(thread, "later")
    seen = [steps.line(space)]
    planned = [job["attempts"] for job in steps.queue(space_id=space)["jobs"]]
    kinds = []
    for _ in range(5):
        due = steps.advance(TURN)
        kinds.append((due["retried"], due["failed"]))
        seen.append(steps.line(space))
    assert seen == ["rrrrww", "wwwwrw", "rrrrww", "ffffrr", "fffffr", "ffffff"]
    assert kinds == [(4, 0), (1, 0), (0, 4), (1, 1), (0, 1)]
    assert planned == [job["attempts"] for job in steps.queue(space_id=space)["jobs"]]
    assert [each["outcome"] for each in planned[0]] == ["retried", "failed"]
    turns = ["10:30:00Z", "10:30:00.200000Z", "10:30:00.400000Z", "10:30:00.600000Z"]
    assert [each["starts_at"].partition("T")[2] for each in planned[0]] == turns[:4:2]
    assert [each["ends_at"].partition("T")[2] for each in planned[0]] == turns[1:4:2]
    assert steps.found("message 1", space_id=space) == []


def test_an_edit_gives_a_failed_message_another_chance(other: Callable[..., Steps]) -> None:
    steps = other(embedding_failure_rate=1.0, embedding_retries=0)
    space, thread = steps.space(), steps.thread("one", "two")
    steps.add(space, thread)
    steps.advance(60)
    assert steps.line(space) == "ff"
    steps.edit(thread, ids(steps, thread)[0], "uno")
    assert steps.line(space) == "fr"


def test_which_attempts_fail_is_decided_by_the_seed(other: Callable[..., Steps]) -> None:
    def outcome(seed: int) -> tuple[str, Any]:
        steps = other(embedding_failure_rate=0.5, embedding_retries=1, seed=seed)
        space = steps.space()
        steps.add(space, steps.thread(*TEN, *TEN))
        due = steps.advance(60)
        return steps.line(space), {k: v for k, v in due.items() if k != "first"}

    first = outcome(1)
    assert outcome(1) == first
    assert outcome(2) != first
    assert set(first[0]) == {"c", "f"}


def test_a_drained_queue_ends_as_it_would_have_ended(other: Callable[..., Steps]) -> None:
    outcomes = []
    for hurry in (True, False):
        steps = other(embedding_failure_rate=0.5, embedding_retries=1)
        space = steps.space()
        steps.add(space, steps.thread(*TEN))
        steps.advance(TURN)
        if hurry:
            counts = steps.drain()
            assert counts["pending"] == counts["processing"] == 0
        else:
            steps.advance(3600)
        outcomes.append(steps.line(space))
    assert outcomes[0] == outcomes[1]


def test_a_drain_leaves_the_clock_and_nothing_to_fall_due(steps: Steps, space: str) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    before = steps("GET", "/__admin/clock")
    steps.drain()
    assert steps("GET", "/__admin/clock") == before
    assert steps.line(space) == "c" * 10
    assert steps.advance(60)["completed"] == 0
    steps.say(thread, "next")
    assert steps.line(space) == "c" * 10 + "r"


def test_a_moved_clock_tells_how_many_fell_due_and_the_first_hundred_in_order(steps: Steps) -> None:
    thread, spaces = steps.thread(*(f"m{number}" for number in range(80))), [steps.space(), steps.space()]
    for space in spaces:
        steps.add(space, thread)
    due = steps.advance(3600)
    assert {k: v for k, v in due.items() if k != "first"} == {"completed": 160, "failed": 0, "retried": 0}
    ends = [instant(one["at"]) - instant(FROZEN) for one in due["first"]]
    assert ends == [200_000 * (1 + number // 8) for number in range(100)]
    assert len({(one["space_id"], one["message_id"]) for one in due["first"]}) == 100


def test_a_clock_that_is_put_back_finds_nothing_due(steps: Steps, space: str) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    steps.advance(60)
    back = steps("PUT", "/__admin/clock", json={"freeze": "1999-12-31T23:59:59Z"})
    assert back["due"] == {"completed": 0, "failed": 0, "retried": 0, "first": []}
    steps.say(thread, "in the past")
    steps.edit(thread, ids(steps, thread)[0], "changed in the past")
    steps.delete(thread, ids(steps, thread)[1])
    assert len(steps.line(space)) == 10
    steps("PUT", "/__admin/clock", json={"freeze": "2030-01-01T00:00:00Z"})
    assert steps.line(space) == "c" * 10


def test_a_reset_puts_the_queue_back(steps: Steps, space: str, sandbox: Sandbox) -> None:
    steps.add("space_abc123", steps.thread(*TEN))
    changed = steps.queue()
    steps("POST", "/__admin/reset")
    again = steps.queue()
    assert changed != again
    assert again["counts"]["pending"] == again["counts"]["processing"] == 0
    assert sandbox.embeddings.checkpoint() == sandbox.data.versions["embeddings"]


def many(sandbox: Sandbox, thread: str, count: int) -> None:
    """Messages put where the control API would put them, without as many calls."""
    with sandbox.transaction():
        for number in range(count):
            message: Record = {"id": f"msg_{number:06}", "thread_id": thread, "content": f"message {number}"}
            sandbox.messages.put(message["id"], message)


@pytest.mark.slow
def test_a_hundred_thousand_messages_are_one_batch_and_a_million_jobs_are_counted(
    steps: Steps, sandbox: Sandbox
) -> None:
    thread, spaces = steps.thread(), [steps.space() for _ in range(10)]
    many(sandbox, thread, 100_000)
    before = steps.queue()["counts"]["completed"]
    for space in spaces:
        steps.add(space, thread)
        assert len(sandbox.embeddings.checkpoint().queues[space].batches) == 1
    due = steps.advance(100)
    assert (due["completed"], len(due["first"])) == (20_000, 100)  # 10 spaces, 500 turns, 4 slots
    counts = steps.queue(limit=1)["counts"]
    done = before + 20_000
    assert counts == {"pending": 1_000_000 - 20_040, "processing": 40, "completed": done, "failed": 0}
    one = steps.queue(space_id=spaces[3], thread_id=thread, state="processing")
    assert [job["message_id"] for job in one["jobs"]] == [f"msg_{number:06}" for number in range(2000, 2004)]
    steps.remove(spaces[0], thread)
    assert sum(steps.queue(limit=1)["counts"].values()) == before + 900_000
    assert steps.drain()["completed"] == before + 900_000


PAGED: list[dict[str, str]] = [
    {},
    {"space_id": "SPACE"},
    {"thread_id": "THREAD"},
    {"space_id": "SPACE", "thread_id": "THREAD", "state": "pending"},
    {"state": "completed"},
    {"state": "failed"},
    {"space_id": "space_nowhere"},
]


@pytest.mark.parametrize("filters", PAGED)
def test_the_queue_is_the_same_by_pages_of_any_size(
    steps: Steps, space: str, filters: dict[str, str]
) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, steps.thread("a", "b"))
    steps.add(space, thread)
    steps.add("space_abc123", thread)
    steps.advance(TURN)
    names = {"SPACE": space, "THREAD": thread}
    query = {name: names.get(value, value) for name, value in filters.items()}
    whole = steps.queue(**query)
    assert whole["has_more"] is (whole["next_cursor"] is not None) is False
    for size in (1, 3, 7):
        found, sent = [], {"limit": size, **query}
        while True:
            page = steps.queue(**sent)
            found += page["jobs"]
            assert page["counts"] == whole["counts"]
            if page["next_cursor"] is None:
                break
            sent["cursor"] = page["next_cursor"]
            if size == 1 and len(found) == 20:
                break  # enough
        assert found == whole["jobs"][: len(found)]
        assert size == 1 or len(found) == len(whole["jobs"])


def test_a_cursor_of_another_list_is_refused(ask: Ask, steps: Steps, space: str) -> None:
    steps.add(space, steps.thread(*TEN))
    cursor = steps.queue(limit=2, space_id=space)["next_cursor"]
    for query in ({"space_id": "space_abc123"}, {}, {"space_id": space, "state": "pending"}):
        refused = ask("GET", QUEUE, query_string={"cursor": cursor, **query})
        assert refused.status_code == 422
        assert [(e["in"], e["name"]) for e in refused.get_json()["errors"]] == [("query", "cursor")]


def test_pages_tell_every_job_once_while_time_goes_by_and_messages_come_and_go(
    steps: Steps, space: str
) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    expected, found = ids(steps, thread), []
    cursor: dict[str, str] = {}
    for number in range(40):
        page = steps.queue(space_id=space, limit=2, **cursor)
        found += [job["message_id"] for job in page["jobs"]]
        steps.advance(TURN / 3)
        if number == 1:
            steps.delete(thread, expected[0])  # told already, and its page's last one is next
            steps.delete(thread, expected[3])
        if number == 2:
            expected.append(steps.say(thread, "one more"))
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == expected


def test_a_refused_call_leaves_the_queue_as_it_was(
    ask: Ask, steps: Steps, space: str, state: Callable[[], Any]
) -> None:
    thread = steps.thread(*TEN)
    steps.add(space, thread)
    steps.advance(TURN)
    before = state()
    message = ids(steps, thread)[0]
    refused = [
        ("POST", f"/v1/spaces/{space}/threads/{thread}", "ak_demo_viewer", None),
        ("POST", f"/v1/spaces/{space}/threads/thrd_other1", "ak_demo_owner", None),
        ("DELETE", f"/v1/spaces/{space}/threads/{thread}", "ak_demo_editor", None),
        ("DELETE", f"/v1/threads/{thread}", "ak_demo_admin", None),
        ("PATCH", f"/v1/threads/{thread}/messages/{message}", "ak_demo_admin", {"content": "x"}),
        ("PATCH", f"/v1/threads/{thread}/messages/{message}", "ak_demo_owner", {"content": ""}),
        ("DELETE", f"/v1/threads/{thread}/messages/{message}", "ak_demo_admin", None),
    ]
    for method, path, key, body in refused:
        assert said(ask(method, path, key, json=body)).status in (403, 404, 422)
    assert ask("POST", f"/__admin/threads/{thread}/messages", json={"role": "user"}).status_code == 422
    assert ask("POST", "/__admin/threads/thrd_nowhere/messages", json=DRAFT).status_code == 404
    assert state() == before


DRAFT = {"role": "user", "content": "x"}


def test_a_spaces_own_store_grows_with_what_is_embedded(steps: Steps) -> None:
    """A75."""
    space = steps("POST", "/v1/spaces/", json={"organization_id": "org_abc123", "name": "New"})
    path = f"/v1/organizations/org_abc123/vector-stores/{space['vector_store_id']}"
    steps.add(space["id"], steps.thread(*TEN))
    sizes = [steps("GET", path)["data"]["data_size"]]
    for _ in range(3):
        steps.advance(TURN)
        sizes.append(steps("GET", path)["data"]["data_size"])
    assert sizes == [0, 4 * 256, 8 * 256, 10 * 256]
