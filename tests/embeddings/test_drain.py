"""A drained queue, looked at by a clock that was put back."""

from __future__ import annotations

from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.store.sorted_keys import SortedKeys


def test_what_was_drained_ended_at_that_instant_and_not_before() -> None:
    """However few of the attempts are asked for, they are the first that ended."""
    queue = Embeddings(Policy(slots=3, duration=25))
    queue.add_thread("space_a", "t1", SortedKeys([(1, "a"), (2, "b")]), 0)
    queue.add_thread("space_a", "t2", SortedKeys([(3, "c"), (4, "d")]), 0)
    queue.drain(20)
    _, ended = queue.ended(0, 100, 10)
    assert [(due.at, due.message_id) for due in ended] == [(20, message) for message in "abcd"]
    assert queue.ended(0, 100, 3)[1] == ended[:3]
    assert queue.counts(19).completed == 0


def test_a_drain_leaves_what_had_ended_by_itself() -> None:
    queue = Embeddings(Policy(slots=3, duration=25))
    queue.add_thread("space_a", "t1", SortedKeys([(1, "a"), (2, "b")]), 0)
    queue.add_thread("space_a", "t2", SortedKeys([(3, "c"), (4, "d")]), 0)
    queue.drain(25)
    _, ended = queue.ended(0, 100, 10)
    assert [(due.at, due.message_id) for due in ended] == [(25, message) for message in "abcd"]
    assert queue.ended(0, 100, 3)[1] == ended[:3]


def test_a_drain_does_not_wait_for_what_was_queued_later_than_the_clock_shows() -> None:
    """The clock was put back since."""
    queue = Embeddings(Policy(slots=1, duration=25))
    queue.add_thread("space_a", "t1", SortedKeys([(1, "a"), (2, "b")]), 100)
    queue.drain(90)
    assert queue.counts(90).completed == 2
