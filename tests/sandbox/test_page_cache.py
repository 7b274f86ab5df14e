"""A page is kept until something that it is made of changes, and not longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.store.collection import Collection
from mockserver.store.page_cache import MOST, PageCache

Table = Collection[str, dict[str, Any]]


class Desk:
    """PageCache of two collections, which are made of whatever is in them."""

    def __init__(self) -> None:
        self.one: Table = Collection()
        self.two: Table = Collection()
        self.pages = PageCache(self.one, self.two)
        self.made = 0

    def page(self, key: str = "page") -> list[Any]:
        """The page, and one more made if it was not kept."""

        def make() -> tuple[list[Any], int]:
            self.made += 1
            return [*self.one, *self.two], len(self.one)

        found: list[Any] = self.pages.get(key, make)[0]
        return found


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.one.put("a", {"n": 1})
    return made


def test_it_is_made_once(desk: Desk) -> None:
    assert [desk.page(), desk.page(), desk.page("other")] == [[{"n": 1}]] * 3
    assert desk.made == 2


CHANGES: dict[str, Callable[[Desk], Any]] = {
    "a record comes": lambda desk: desk.two.put("b", {"n": 2}),
    "a record is replaced": lambda desk: desk.one.put("a", {"n": 3}),
    "a record is replaced by an equal one": lambda desk: desk.one.put("a", {"n": 1}),
    "a record goes": lambda desk: desk.one.remove("a"),
    "everything is as at the start": lambda desk: desk.one.restore(Collection[str, Any]().content),
    "it is told to forget": lambda desk: desk.pages.forget(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_made_anew_when(desk: Desk, change: Callable[[Desk], Any]) -> None:
    desk.page()
    change(desk)
    assert desk.page() == [*desk.one, *desk.two]
    assert desk.made == 2


def test_what_was_made_of_an_undone_change_is_not_given_out(desk: Desk) -> None:
    before, mark = desk.page(), desk.one.content
    desk.one.put("b", {"n": 2})
    assert desk.page() == [{"n": 1}, {"n": 2}]
    desk.one.restore(mark)
    assert desk.page() == before


def test_so_many_are_kept_and_no_more(desk: Desk) -> None:
    for number in range(3 * MOST):
        desk.page(str(number))
    assert desk.made == 3 * MOST
    assert len(desk.pages._kept) <= MOST


def test_what_fails_to_be_made_is_not_kept(desk: Desk) -> None:
    def fail() -> tuple[Any, ...]:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        desk.pages.get("page", fail)
    assert desk.page() == [{"n": 1}]
