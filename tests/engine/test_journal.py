"""What is kept of each exchange, and that it stays within its bounds."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import create_environ

from mockserver.http.calls import Reply
from mockserver.http.log import Exchange
from mockserver.http.request import Answer, Request
from mockserver.journal.journal import OVERHEAD, SHARE, Journal, JournalLimits, Journals
from tests.engine.small import TRACE, served
from tests.engine.streaming import OPEN_END, TICK, Small, stream

NOW = "2026-02-26T10:30:00Z"


def exchanged(
    journal: Journal,
    *,
    path: str = "/things/1",
    reply: bytes = b"{}",
    body: bytes = b"",
    headers: Any = None,
    operation: str = "getThing",
) -> None:
    """One exchange, recorded."""
    request = Request(create_environ(path, method="POST", data=body, headers=headers))
    exchange = Exchange("POST", path, operation=operation, status=200)
    journal.record(exchange, request, Answer(200, [], reply), TRACE)


def numbers(journal: Journal) -> list[int]:
    """Which exchanges are kept."""
    return [entry.number for entry in journal.entries()]


def test_the_oldest_goes_when_there_are_too_many() -> None:
    journal = Journals(JournalLimits(entries=3)).new()
    for _ in range(5):
        exchanged(journal)
    assert (numbers(journal), journal.dropped) == ([3, 4, 5], 2)


def test_without_entries_only_counts_are_kept() -> None:
    journal = Journals(JournalLimits(entries=0)).new()
    exchanged(journal, body=b"x", headers={"X-Long": "x"})
    assert (numbers(journal), journal.dropped, journal.bytes) == ([], 1, 0)
    assert journal.counted() == {("getThing", 200, ""): 1}


def test_a_body_is_kept_up_to_its_limit_and_told_whole() -> None:
    journal = Journals(JournalLimits(body=4)).new()
    exchanged(journal, body=b"123456", reply=b"12345")
    exchanged(journal, body=b"1234", reply=b"1234")
    cut, whole = journal.entries()
    assert (cut.body, cut.body_bytes, cut.reply, cut.reply_bytes) == (b"1234", 6, b"1234", 5)
    assert (whole.body, whole.body_bytes, whole.reply, whole.reply_bytes) == (b"1234", 4, b"1234", 4)


def test_a_body_that_nobody_read_is_kept_all_the_same() -> None:
    """It was refused before anybody looked at it; of one without a length nothing is waited for."""
    journal = Journals().new()
    exchanged(journal, body=b"refused")
    environ = create_environ("/", method="POST", data=b"endless")
    del environ["CONTENT_LENGTH"]
    journal.record(Exchange("POST", "/"), Request(environ), Answer(200, [], b""), TRACE)
    assert [entry.body for entry in journal.entries()] == [b"refused", b""]


def test_headers_paths_and_queries_are_bounded() -> None:
    journal = Journals(JournalLimits(body=100)).new()
    exchanged(
        journal, path="/" + "p" * 500 + "?" + "q" * 500, headers={"X-Long": "h" * 100_000, "X-Short": "s"}
    )
    (entry,) = journal.entries()
    assert (len(entry.path), len(entry.query)) == (100, 100)
    assert sum(len(value) for _, value in entry.headers) < 1000
    assert ("HTTP_X_SHORT", "s") in entry.headers


def test_all_together_stay_within_the_budget_and_the_biggest_pay() -> None:
    budget = 1 << 20
    journals = Journals(JournalLimits(bytes=budget, entries=10_000))
    small, big, bigger = journals.new(), journals.new(), journals.new()
    for number in range(400):
        if number % 20 == 0:
            exchanged(small)
        exchanged(big, reply=b"x" * 5000)
        exchanged(bigger, reply=b"x" * 10_000)
        assert small.bytes + big.bytes + bigger.bytes <= budget + OVERHEAD + 11_000
    assert (len(numbers(small)), small.dropped) == (20, 0)
    assert big.dropped > 0
    assert abs(big.bytes - bigger.bytes) <= budget // SHARE
    assert numbers(bigger)[-1] == 400


def test_a_sandbox_that_nobody_holds_any_more_leaves_nothing_behind() -> None:
    journals = Journals(JournalLimits(bytes=1 << 20))
    stays = journals.new()
    gone = [journals.new() for _ in range(100)]
    for journal in gone:
        exchanged(journal, reply=b"x" * 5000)
    known = [weakref.ref(journal) for journal in gone]
    entries = [weakref.ref(journal) for journal in journals._all]
    assert len(entries) == 101
    del gone, journal
    gc.collect()
    assert [ref() for ref in known if ref() is not None] == []
    assert len(journals._all) == 1
    for _ in range(60):
        exchanged(stays, reply=b"x" * 10_000)
    assert stays.dropped == 0, "the budget is all its own again"


def test_a_reset_forgets_everything_and_numbers_start_over() -> None:
    journal = Journals().new()
    exchanged(journal)
    journal.reset()
    assert (journal.entries(), journal.bytes, journal.counted()) == ([], 0, {})
    exchanged(journal)
    assert numbers(journal) == [1]


def test_many_threads_lose_nothing() -> None:
    journals = Journals(JournalLimits(entries=10_000))
    journal = journals.new()

    def work() -> None:
        for _ in range(200):
            exchanged(journal)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(journal) == list(range(1, 1601))
    assert journal.counted() == journals.seen == {("getThing", 200, ""): 1600}


def test_events_go_on_from_the_last_one_that_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.journal.event_log.MOST", 4)
    journals = Journals()
    one, other = journals.new("one"), journals.new("other")
    for journal in (one, other, one, one, other):
        journal.happened("clock", 0, "setClock")
    lost, found, event = journals.events.since(0, 3, None)
    assert (lost, [each.id for each in found], event) == (1, [2, 3, 4], 4)
    assert [each.id for each in journals.events.since(event, 3, None)[1]] == [5]
    assert [each.id for each in journals.events.since(1, 3, "one")[1]] == [3, 4]
    assert journals.events.since(999, 1, None)[2] == 2, "from another mock: begin with what there is"


def test_an_event_keeps_no_exchange_alive() -> None:
    journal = Journals().new()
    exchanged(journal)
    lost, (event,), _ = journal.events.since(0, 10, None)
    assert (lost, event.what) == (0, journal.entries()[0])
    del event
    journal.reset()
    assert journal.events.since(0, 10, None) == (1, [], 1)


def test_who_waits_is_told_of_a_change_and_of_the_end() -> None:
    journal, stopping, told = Journals().new(), threading.Event(), threading.Event()

    def wait() -> None:
        journal.wait(journal.version, 60, stopping)
        told.set()

    ends: list[Callable[[], None]] = [lambda: exchanged(journal), stopping.set]
    for end in ends:
        told.clear()
        thread = threading.Thread(target=wait)
        thread.start()
        while not told.wait(0.01):
            end()
        thread.join()
    journal.wait(journal.version, 60, stopping)  # it has stopped: nothing is waited for


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A mock whose answers are streams of two ticks."""
    return Small(tmp_path, stream(TICK, TICK))


def only(small: Small) -> Any:
    """The one exchange in the journal."""
    journal = small.sandbox.journal
    assert isinstance(journal, Journal)
    (entry,) = journal.entries()
    return entry


def test_a_stream_is_in_the_journal_before_its_first_byte_and_closed_before_its_last(small: Small) -> None:
    body = small.ask()[2]
    entry = only(small)
    assert (entry.complete, entry.reply.bytes) == (False, 0)
    assert next(body) == b'data: {"tick":1}\n\n'
    assert (entry.complete, entry.reply.bytes) == (False, 18)
    next(body)
    assert next(body) == b"data: [END]\n\n"
    entry = only(small)
    assert (entry.complete, entry.reply_bytes) == (True, 49)
    assert entry.reply == b'data: {"tick":1}\n\ndata: {"tick":1}\n\ndata: [END]\n\n'
    assert list(body) == []


def test_a_stream_whose_reader_leaves_is_closed_with_what_it_sent(tmp_path: Path) -> None:
    small = Small(tmp_path, stream(TICK, OPEN_END))
    body = small.ask()[2]
    next(body)
    body.close()
    entry = only(small)
    assert (entry.complete, entry.reply) == (True, b'data: {"tick":1}\n\n')


def test_of_a_stream_only_the_beginning_is_kept(tmp_path: Path) -> None:
    small = Small(tmp_path, stream(*[TICK] * 3000))
    assert len(b"".join(small.ask()[2])) == 3000 * 18 + 13
    entry = only(small)
    assert (len(entry.reply), entry.reply_bytes) == (16_384, 3000 * 18 + 13)


def test_a_stream_that_breaks_the_spec_is_a_violation(tmp_path: Path) -> None:
    small = Small(tmp_path, stream(TICK, {"tick": "x"}))
    b"".join(small.ask()[2])
    (violation,) = only(small).exchange.violations
    assert (violation["pointer"], violation["status"]) == ("/tick", 200)


def test_an_answer_that_breaks_the_spec_is_a_violation(tmp_path: Path) -> None:
    client, _ = served(tmp_path, lambda *_: Reply(200, {"a/b": "x"}, {"X-Left": "3"}))
    assert client.get("/things/1").status_code == 500
    corridor: Any = client.application
    journal = corridor._sandboxes.outside.journal
    assert journal.broken == 1
    (entry,) = journal.entries()
    assert entry.exchange.violations[0]["pointer"] == "/a~1b"
    assert entry.exchange.rule == "bug"


def test_the_entry_is_there_before_the_answer_begins(tmp_path: Path) -> None:
    small = Small(tmp_path, stream(TICK))
    seen: list[int] = []
    journal: Any = small.sandbox.journal

    def start(*_: Any) -> Any:
        seen.append(len(journal.entries()))

    small.corridor(create_environ("/things/1"), start)
    assert seen == [1]
