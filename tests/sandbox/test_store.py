"""Collections keep records in order, go back to any mark, and give out cursors."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.store.collection import Collection, Index, cursor, decode_cursor, key_after, page

Records = Collection[str, dict[str, Any]]
ids = st.sampled_from("abcdefgh")
edits = st.lists(
    st.tuples(ids, st.none() | st.tuples(st.sampled_from(["home", "away"]), st.integers(0, 3))), max_size=40
)


@pytest.fixture
def records() -> Records:
    return make()


def make() -> Records:
    return Collection(
        parent=Index(parent=lambda record: record["parent"]),
        rank=Index(parent=lambda record: record["parent"], order=lambda record: (record["rank"],)),
    )


def apply(records: Records, plain: dict[str, dict[str, Any]], steps: Any) -> None:
    """Put and remove in both; the plain dict keeps the order of first puts."""
    for id_, content in steps:
        if content is None:
            assert records.remove(id_) == plain.pop(id_, None)
        else:
            plain[id_] = {"parent": content[0], "rank": content[1]}
            records.put(id_, plain[id_])


def hold_together(records: Records, plain: dict[str, dict[str, Any]]) -> None:
    assert list(records) == list(plain.values())
    assert len(records) == len(plain)
    for parent in ("home", "away"):
        own = [id_ for id_, record in plain.items() if record["parent"] == parent]
        assert list(records.ids("parent", parent)) == own
        assert list(records.ids("rank", parent)) == sorted(own, key=lambda id_: plain[id_]["rank"])


@given(edits)
@settings(deadline=None)
def test_every_index_follows_every_change(steps: Any) -> None:
    records, plain = make(), dict[str, dict[str, Any]]()
    apply(records, plain, steps)
    hold_together(records, plain)


@given(edits, edits)
@settings(deadline=None)
def test_going_back_to_a_mark_undoes_all_that_came_after(steps: Any, undone: Any) -> None:
    records, plain = make(), dict[str, dict[str, Any]]()
    apply(records, plain, steps)
    mark, next_before = records.content, records.content.next
    apply(records, dict(plain), undone)
    records.restore(mark)
    hold_together(records, plain)
    assert records.content.next == next_before


def test_a_record_keeps_its_place_when_it_is_replaced(records: Records) -> None:
    for id_ in "abc":
        records.put(id_, {"parent": "home", "rank": 0})
    records.put("a", {"parent": "home", "rank": 0, "more": True})
    assert list(records.ids("parent", "home")) == ["a", "b", "c"]


def test_a_record_that_comes_back_stands_at_the_end(records: Records) -> None:
    for id_ in "abc":
        records.put(id_, {"parent": "home", "rank": 0})
    records.remove("a")
    records.put("a", {"parent": "home", "rank": 0})
    assert list(records.ids("parent", "home")) == ["b", "c", "a"]


def test_a_moved_record_keeps_its_position(records: Records) -> None:
    other = make()
    for id_ in "abc":
        records.put(id_, {"parent": "home", "rank": 5})
    before = records.position("rank", "b")
    records.move("b", other)
    assert records.get("b") is None
    assert records.position("rank", "b") is None
    assert other.position("rank", "b") == before == (5, 2)


def test_a_page_tells_whether_there_are_more() -> None:
    keys = [(n,) for n in range(4)]
    assert page(keys, 4) == (keys, False)
    assert page(keys, 3) == (keys[:3], True)
    assert page(keys, 2, lambda key: key[0] > 1) == (keys[2:], False)
    assert page([], 1) == ([], False)


def test_behind_a_position_is_before_the_next() -> None:
    assert (3, 1, "z") < key_after((3, 1)) < (3, 2, "a")


positions = st.tuples(st.integers(1, 10**9)) | st.tuples(st.text("0123TZ:-"), st.integers(1, 10**9))
scopes = st.lists(st.text(min_size=1), min_size=1, max_size=2).map(tuple)


@given(positions, scopes)
def test_a_cursor_leads_back_to_its_position_and_needs_no_escape(
    position: tuple[Any, ...], scope: tuple[str, ...]
) -> None:
    text = cursor(position, *scope)
    assert decode_cursor(text, *scope, shape=tuple(map(type, position))) == position
    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()


@given(positions, scopes, scopes)
def test_a_cursor_of_another_list_is_no_cursor(
    position: tuple[Any, ...], scope: tuple[str, ...], other: tuple[str, ...]
) -> None:
    if "\0".join(scope) != "\0".join(other):
        assert decode_cursor(cursor(position, *scope), *other) is None


@given(st.text())
def test_any_other_text_is_no_cursor(text: str) -> None:
    assert decode_cursor(text, "list") is None


@given(positions, st.data())
def test_a_cursor_with_one_character_changed_is_no_cursor(position: tuple[Any, ...], data: Any) -> None:
    text = cursor(position, "list")
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCDEFabcdef0123456789-_=%").filter(lambda c: c != text[at]))
    assert decode_cursor(text[:at] + letter + text[at + 1 :], "list") is None
    assert decode_cursor(text + letter, "list") is None


def test_many_at_once_are_as_if_put_one_by_one() -> None:
    one, other = (
        Collection[str, Any](all=Index(parent=lambda r: r["p"], order=lambda r: (r["o"],))) for _ in "12"
    )
    rows = [(f"i{n}", n + 1, {"p": n % 3, "o": -n % 7}) for n in range(2000)]
    for id_, _, record in rows:
        one.put(id_, record)
    other.load(rows[:700])
    other.load(rows[700:])
    assert list(one) == list(other)
    assert [list(one.keys("all", p)) for p in range(3)] == [list(other.keys("all", p)) for p in range(3)]
    for each in (one, other):
        each.put("new", {"p": 0, "o": 0})
    assert one.position("all", "new") == other.position("all", "new")
