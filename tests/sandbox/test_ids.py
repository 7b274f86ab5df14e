"""Ids depend on the seed and on how many of their kind there were, on nothing else."""

import re
from uuid import UUID

from mockserver.sandbox.ids import Ids


def test_the_same_seed_gives_the_same_ids() -> None:
    first, second = Ids(1), Ids(1)
    assert [first.new("space") for _ in range(9)] == [second.new("space") for _ in range(9)]


def test_another_seed_gives_other_ids() -> None:
    assert Ids(1).new("space") != Ids(2).new("space")


def test_an_id_is_its_prefix_and_32_lower_case_hex_digits() -> None:
    assert re.fullmatch(r"thrd_[0-9a-f]{32}", Ids(0).new("thrd"))


def test_ids_of_one_kind_never_shift_those_of_another() -> None:
    alone, mixed = Ids(0), Ids(0)
    for _ in range(5):
        mixed.new("vs")
    assert alone.new("space") == mixed.new("space")


def test_traces_never_shift_a_records_id() -> None:
    quiet, asked = Ids(0), Ids(0)
    for _ in range(5):
        asked.trace()
    assert quiet.new("space") == asked.new("space")


def test_no_id_comes_twice() -> None:
    ids = Ids(0)
    assert len({ids.new("space") for _ in range(5000)} | {ids.trace() for _ in range(5000)}) == 10_000


def test_a_trace_is_a_uuid() -> None:
    trace = Ids(0).trace()
    assert (str(UUID(trace)), UUID(trace).version) == (trace, 4)


def test_going_back_gives_the_same_ids_again_but_new_traces() -> None:
    ids = Ids(0)
    mark, traces = ids.checkpoint(), [ids.trace()]
    first = ids.new("space")
    ids.restore(mark)
    assert ids.new("space") == first
    assert ids.trace() not in traces
