"""The judges of `bench.replicas` accept every history of one register, and refuse those of a stale one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from bench.replicas.history import INITIAL, LOST, History, Operation
from bench.replicas.linearizable import by_positions, by_search


def judged(operations: Sequence[tuple[str, str, float, float]], log: Sequence[str]) -> tuple[bool, bool]:
    """Whether each judge accepts a history of (kind, value, begin, end)."""
    history = History()
    for each in operations:
        history.add(Operation("r", *each))
    known = history.registers().get("r", [])
    positions = {value: number for number, value in enumerate(log)}
    return not list(by_positions(known, positions)), not list(by_search(known))


@pytest.mark.parametrize(
    ("operations", "log"),
    [
        ([], ""),
        ([("read", INITIAL, 0, 1)], ""),
        ([("write", "a", 0, 1), ("read", "a", 2, 3)], "a"),
        ([("write", "a", 0, 3), ("read", INITIAL, 1, 2), ("read", "a", 1, 2.5)], "a"),
        ([("write", "a", 0, 9), ("write", "b", 0, 9), ("read", "b", 1, 2), ("read", "a", 3, 4)], "ba"),
        ([("write", "a", 0, LOST), ("read", INITIAL, 5, 6), ("read", "a", 7, 8)], "a"),
        ([("write", "a", 0, LOST), ("write", "b", 1, 2), ("read", "b", 5, 6)], "ba"),
        ([("write", "a", 0, LOST), ("read", INITIAL, 5, 6)], ""),
    ],
)
def test_what_one_register_can_answer_is_accepted(
    operations: Sequence[tuple[str, str, float, float]], log: str
) -> None:
    assert judged(operations, log) == (True, True)


@pytest.mark.parametrize(
    ("operations", "log"),
    [
        ([("write", "a", 0, 1), ("read", INITIAL, 2, 3)], "a"),
        ([("write", "a", 0, 1), ("write", "b", 2, 3), ("read", "a", 4, 5)], "ab"),
        ([("write", "a", 0, 9), ("read", "a", 1, 2), ("read", INITIAL, 3, 4)], "a"),
        ([("write", "a", 0, LOST), ("read", "a", 1, 2), ("read", INITIAL, 3, 4)], "a"),
        ([("read", "a", 0, 1), ("write", "a", 2, 3)], "a"),
        ([("read", "a", 0, 1)], ""),
        (
            [
                ("write", "a", 0, 1),
                ("write", "b", 0, 1),
                *[("read", v, t, t + 1) for t, v in enumerate("abab", 2)],
            ],
            "ab",
        ),
    ],
)
def test_what_no_register_can_answer_is_refused(
    operations: Sequence[tuple[str, str, float, float]], log: str
) -> None:
    assert judged(operations, log) == (False, False)


def test_the_log_alone_shows_that_an_answered_write_is_lost() -> None:
    assert judged([("write", "a", 0, 1), ("write", "b", 0, 1), ("read", "b", 2, 3)], "b") == (False, True)


def played(seed: int, *, stale: float) -> tuple[list[tuple[str, str, float, float]], list[str]]:
    """Three clients of a register whose reads are sometimes of the past, with lost answers; and its log."""
    pick, now, free = Random(seed), 0.0, [0.0, 0.0, 0.0]
    values, log, done = [INITIAL], list[str](), list[tuple[str, str, float, float]]()
    for number in range(60):
        now += pick.random()
        client = pick.randrange(3)
        begin = max(free[client], now - pick.random() * 2)
        end = max(begin, now) + pick.random()
        now, free[client] = max(now, begin), end
        if pick.random() < 0.4:
            log.append(f"v{number}")
            values.append(f"v{number}")
            done.append(("write", f"v{number}", begin, LOST if pick.random() < 0.2 else end))
        else:
            back = min(len(values), pick.choice([2, 3]) if pick.random() < stale else 1)
            done.append(("read", values[-back], begin, end))
    return done, log


@pytest.mark.parametrize("seed", range(20))
def test_every_history_of_a_correct_register_is_accepted(seed: int) -> None:
    assert judged(*played(seed, stale=0)) == (True, True)


def test_stale_reads_are_found_by_both_and_neither_accuses_more_than_the_log() -> None:
    verdicts = [judged(*played(seed, stale=0.3)) for seed in range(20)]
    assert all(search or not log for log, search in verdicts), "a search that refuses more than the log does"
    assert sum(not log for log, _ in verdicts) >= 15
    assert sum(not search for _, search in verdicts) >= 10
