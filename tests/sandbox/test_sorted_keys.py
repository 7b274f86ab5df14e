"""SortedKeys is a sorted list that is never changed in place."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.store.sorted_keys import CHUNK, Key, SortedKeys

SPREAD = 7919
"""Prime to every size used here, so that stepping by it visits every place in a scattered order."""
number = st.integers(-3, 40)
keys = st.tuples(number) | st.tuples(number, st.sampled_from("abc"))
edits = st.lists(st.tuples(st.booleans(), keys), max_size=60)


def apply(keys: SortedKeys, plain: set[Key], steps: list[tuple[bool, Key]]) -> SortedKeys:
    for add, key in steps:
        keys = keys.with_key(key) if add else keys.without_key(key)
        (plain.add if add else plain.discard)(key)
    return keys


def hold_together(keys: SortedKeys, plain: set[Key], probes: list[Key]) -> None:
    expected = sorted(plain)
    assert list(keys) == list(keys.after()) == expected
    assert list(keys.before()) == expected[::-1]
    assert (len(keys), bool(keys)) == (len(expected), bool(expected))
    for probe in probes:
        assert list(keys.after(probe)) == [key for key in expected if key > probe]
        for most in (0, 1, 2, CHUNK, CHUNK + 1):
            assert list(islice(keys.after(probe), most)) == [key for key in expected if key > probe][:most]
            assert list(islice(keys.after(), most)) == expected[:most]
        assert list(keys.before(probe)) == [key for key in expected[::-1] if key < probe]


@given(start=st.sets(keys), steps=edits, probes=st.lists(keys, max_size=5))
@settings(deadline=None)
def test_it_is_a_sorted_list_whatever_comes_and_goes(
    start: set[Key], steps: list[tuple[bool, Key]], probes: list[Key]
) -> None:
    plain = set(start)
    hold_together(apply(SortedKeys(start), plain, steps), plain, probes)


@given(
    size=st.integers(CHUNK - 2, 3 * CHUNK),
    steps=st.lists(st.tuples(st.booleans(), st.tuples(st.integers(-2, 6 * CHUNK))), max_size=30),
    probes=st.lists(st.tuples(st.integers(-2, 6 * CHUNK)), max_size=4),
)
@settings(deadline=None, max_examples=40)
def test_it_is_a_sorted_list_when_chunks_split(
    size: int, steps: list[tuple[bool, Key]], probes: list[Key]
) -> None:
    """Grown one by one in a scattered order, until chunks are full and split."""
    plain: set[Key] = set()
    scattered = [(True, (2 * (place * SPREAD % size),)) for place in range(size)]
    keys = apply(SortedKeys(), plain, scattered + steps)
    hold_together(keys, plain, probes)


@pytest.mark.parametrize("order", [1, -1], ids=["ascending", "descending"])
def test_it_can_be_filled_and_emptied_from_either_end(order: int) -> None:
    every = [(n,) for n in range(4 * CHUNK)][::order]
    keys = SortedKeys()
    for key in every:
        keys = keys.with_key(key)
    assert list(keys) == sorted(every)
    for count, key in enumerate(every, start=1):
        keys = keys.without_key(key)
        assert len(keys) == len(every) - count
    assert list(keys) == list(keys.before((1,))) == list(keys.after((1,))) == []


def test_a_change_leaves_the_old_one_as_it_was() -> None:
    old = SortedKeys((n,) for n in range(2 * CHUNK))
    before = list(old)
    old.with_key((0, "more"))
    old.without_key((5,))
    assert list(old) == before


def test_no_change_is_the_very_same() -> None:
    keys = SortedKeys([(1,), (2,)])
    assert keys.with_key((1,)) is keys
    assert keys.without_key((3,)) is keys
    assert keys.without_key((0,)) is keys


def test_a_change_shares_all_other_chunks() -> None:
    old = SortedKeys((n,) for n in range(40 * CHUNK))
    new = old.with_key((10 * CHUNK, "more"))
    shared = {id(chunk) for chunk in old._chunks} & {id(chunk) for chunk in new._chunks}
    assert len(shared) == len(old._chunks) - 1


def test_no_chunk_is_ever_over_its_size_or_empty() -> None:
    keys = SortedKeys()
    size = 5 * CHUNK
    for place in range(size):
        keys = keys.with_key((place * SPREAD % size,))
    for place in range(0, size, 3):
        keys = keys.without_key((place,))
    assert all(0 < len(chunk) <= CHUNK for chunk in keys._chunks)


def test_a_read_that_began_before_a_change_goes_on_undisturbed() -> None:
    keys = SortedKeys((n,) for n in range(10))
    reading = keys.after()
    first = list(islice(reading, 5))
    keys.without_key((6,))
    assert first + list(reading) == [(n,) for n in range(10)]
