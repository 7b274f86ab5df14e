"""Pages: whatever the size and whatever happens between them, nothing is skipped or told twice."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mockserver.sandbox.sandbox import Sandbox
from mockserver.store.collection import _seal
from tests.conftest import Ask
from tests.freddy.conftest import fields

TEAM = "/v1/spaces/space_team/threads"
SPACES = "/v1/spaces/?organization_id=org_abc123"
THREADS = "/v1/threads"
SIZES = (1, 7, 50, 99, 100)
MOST_PAGES = 200
"""More than any walk here takes; a mock that goes round in circles fails instead of holding us up."""


def pages(ask: Ask, path: str, limit: int, key: str = "ak_demo_owner") -> Iterator[list[str]]:
    """The ids of each page, asked for when needed, by cursor."""
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        if "?" in path:
            query["organization_id"] = path.partition("=")[2]
        body = ask("GET", path.partition("?")[0], key, query_string=query).get_json()
        items = body["data"] if "data" in body else body["spaces"]
        assert len(items) <= limit
        assert body["has_more"] is (body["next_cursor"] is not None)  # A08
        assert items or not cursor  # a cursor never leads to an empty page unless something was removed
        yield [item["id"] for item in items]
        cursor = body["next_cursor"]
        if cursor is None:
            return
    raise AssertionError("the pages have no end")


def walk(ask: Ask, path: str, limit: int, key: str = "ak_demo_owner") -> list[str]:
    return [id_ for page in pages(ask, path, limit, key) for id_ in page]


def make_spaces(ask: Ask, count: int) -> list[str]:
    body = {"organization_id": "org_abc123", "name": "New"}
    return [ask("POST", "/v1/spaces/", json=body).get_json()["id"] for _ in range(count)]


@pytest.mark.parametrize("size", SIZES)
def test_a_spaces_threads_are_the_same_by_pages_of_any_size(ask: Ask, size: int) -> None:
    every = [f"thrd_team{number:03}" for number in range(1, 121)]
    assert walk(ask, TEAM, size) == every


@pytest.mark.parametrize("size", SIZES)
def test_spaces_are_the_same_by_pages_of_any_size(ask: Ask, size: int) -> None:
    """A05."""
    made = make_spaces(ask, 30)
    start = ["space_team", "space_research", "space_support", "space_abc123"]
    assert walk(ask, SPACES, size) == start + made


def test_what_a_caller_may_not_see_takes_no_place_on_a_page(ask: Ask) -> None:
    make_spaces(ask, 5)
    assert list(pages(ask, SPACES, 1, "ak_demo_viewer")) == [["space_team"], ["space_abc123"]]
    assert list(pages(ask, SPACES, 2, "ak_demo_viewer")) == [["space_team", "space_abc123"]]


def test_a_full_last_page_has_no_more(ask: Ask) -> None:
    assert [len(page) for page in pages(ask, TEAM, 60)] == [60, 60]
    assert [len(page) for page in pages(ask, TEAM, 40)] == [40, 40, 40]


def test_the_limit_is_50_unless_told_otherwise(ask: Ask) -> None:
    assert len(ask("GET", TEAM).get_json()["data"]) == 50


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "", "x", "1e1", "9" * 30])
@pytest.mark.parametrize("path", [TEAM, SPACES, THREADS])
def test_a_limit_is_an_integer_from_1_to_100(ask: Ask, path: str, limit: str) -> None:
    """A07, A50."""
    query = {"limit": limit} | ({"organization_id": "org_abc123"} if path == SPACES else {})
    assert fields(ask("GET", path.partition("?")[0], query_string=query)) == [("query", "limit")]


@pytest.mark.parametrize("size", [1, 7, 40])
def test_threads_added_between_pages_come_at_the_end(ask: Ask, size: int) -> None:
    reading = pages(ask, TEAM, size)
    got = next(reading)
    ask("POST", f"{TEAM}/thrd_abc123")
    ask("POST", f"{TEAM}/thrd_def456")
    for page in reading:
        got += page
    assert got == [f"thrd_team{n:03}" for n in range(1, 121)] + ["thrd_abc123", "thrd_def456"]


@pytest.mark.parametrize("size", [1, 7, 40])
@pytest.mark.parametrize("by", ["remove", "delete"])
def test_a_page_goes_on_where_its_anchor_was_even_if_that_is_gone(ask: Ask, size: int, by: str) -> None:
    """A06: the anchor is removed from the space, or deleted altogether, after every page."""
    got = []
    for page in pages(ask, TEAM, size):
        got += page
        gone = ask("DELETE", f"{TEAM if by == 'remove' else THREADS}/{page[-1]}")
        assert gone.status_code in (204, 403)  # the editor's own can't be deleted
    assert got == [f"thrd_team{n:03}" for n in range(1, 121)]


def test_what_is_removed_ahead_is_not_told_and_what_comes_back_is_told_last(ask: Ask) -> None:
    reading = pages(ask, TEAM, 50)
    got = next(reading)
    ask("DELETE", f"{TEAM}/thrd_team051")
    ask("DELETE", f"{TEAM}/thrd_team050")
    ask("POST", f"{TEAM}/thrd_team050")
    for page in reading:
        got += page
    assert got == [f"thrd_team{n:03}" for n in range(1, 121) if n != 51] + ["thrd_team050"]


def test_spaces_made_and_deleted_between_pages_skip_and_repeat_nothing(ask: Ask) -> None:
    made = make_spaces(ask, 10)
    reading = pages(ask, SPACES, 6)
    got = next(reading)
    assert got[-1] == made[1]
    ask("DELETE", f"/v1/spaces/{made[1]}")
    ask("DELETE", f"/v1/spaces/{made[2]}")
    new = make_spaces(ask, 2)
    for page in reading:
        got += page
    assert got[6:] == made[3:] + new


def test_a_cursor_whose_rest_is_gone_leads_to_an_empty_last_page(ask: Ask) -> None:
    cursor = ask("GET", f"{TEAM}?limit=100").get_json()["next_cursor"]
    for number in range(101, 121):
        ask("DELETE", f"{TEAM}/thrd_team{number:03}")
    page = ask("GET", TEAM, query_string={"cursor": cursor}).get_json()
    assert page == {"object": "list", "data": [], "has_more": False, "next_cursor": None}


def test_a_cursor_is_url_safe_and_shows_no_number(ask: Ask) -> None:
    """A06."""
    cursor = ask("GET", f"{TEAM}?limit=1").get_json()["next_cursor"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{8,}", cursor)


def test_a_cursor_can_be_used_again_and_by_others_who_may_look(ask: Ask) -> None:
    """A51: it is bound to the operation and the parent, not to the caller."""
    cursor = ask("GET", f"{TEAM}?limit=3").get_json()["next_cursor"]
    asked = [ask("GET", f"{TEAM}?limit=3&cursor={cursor}", key).data for key in ("ak_demo_owner",) * 2]
    asked.append(ask("GET", f"{TEAM}?limit=3&cursor={cursor}", "ak_demo_viewer").data)
    assert asked[0] == asked[1] == asked[2]


def test_a_cursor_is_good_after_a_reset_to_the_same_state(ask: Ask, sandbox: Sandbox) -> None:
    """A51."""
    cursor = ask("GET", f"{TEAM}?limit=3").get_json()["next_cursor"]
    before = ask("GET", f"{TEAM}?cursor={cursor}").data
    sandbox.reset()
    assert ask("GET", f"{TEAM}?cursor={cursor}").data == before


def test_a_cursor_of_elsewhere_or_of_nowhere_is_refused(ask: Ask) -> None:
    """A06: of another operation, of another parent, cut, lengthened or invented."""
    make_spaces(ask, 2)
    ask("POST", "/v1/spaces/space_research/threads/thrd_abc123")
    of_spaces = ask("GET", f"{SPACES}&limit=1").get_json()["next_cursor"]
    of_team = ask("GET", f"{TEAM}?limit=1").get_json()["next_cursor"]
    of_research = ask("GET", "/v1/spaces/space_research/threads?limit=1").get_json()["next_cursor"]
    assert len({of_spaces, of_team, of_research}) == 3
    bad = [of_research, of_spaces, of_team[:-1], of_team + "A", of_team + "=", "0", "thrd_team001", "✓"]
    for text in bad:
        assert fields(ask("GET", TEAM, query_string={"cursor": text})) == [("query", "cursor")], text
    for text in (of_team, "x"):
        query = {"organization_id": "org_abc123", "cursor": text}
        assert fields(ask("GET", "/v1/spaces/", query_string=query)) == [("query", "cursor")]


# Pages by after and before


def window(ask: Ask, **query: Any) -> Any:
    return ask("GET", THREADS, query_string=query).get_json()


def window_ids(ask: Ask, **query: Any) -> list[str]:
    page = window(ask, **query)
    ids = [thread["id"] for thread in page["data"]]
    assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    return ids


@pytest.fixture
def whole(ask: Ask) -> Callable[..., list[str]]:
    """The whole list of the owner's threads, with filters."""

    def read(**query: Any) -> list[str]:
        first = window_ids(ask, limit=100, **query)
        return first + window_ids(ask, limit=100, after=first[-1], **query)

    return read


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_walking_after_gives_the_whole_list(
    ask: Ask, whole: Callable[..., list[str]], size: int, order: str
) -> None:
    got: list[str] = []
    more = True
    while more:
        query = {"after": got[-1]} if got else {}
        page = window(ask, limit=size, order=order, **query)
        got += [thread["id"] for thread in page["data"]]
        more = page["has_more"] and len(got) < MOST_PAGES
    assert got == whole(order=order)
    assert len(got) == len(set(got)) > 100


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_walking_before_gives_the_whole_list_from_its_end(
    ask: Ask, whole: Callable[..., list[str]], size: int, order: str
) -> None:
    """Each page in the list's own order, and it ends before the anchor."""
    expected = whole(order=order)
    got = expected[-1:]
    more = True
    while more:
        page = window(ask, limit=size, order=order, before=got[0])
        got = [thread["id"] for thread in page["data"]] + got
        more = page["has_more"] and len(got) < MOST_PAGES
    assert got == expected


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_after_and_before_together_give_what_is_between(
    ask: Ask, whole: Callable[..., list[str]], order: str
) -> None:
    """From the pinned into the others too; nothing if they stand the other way round."""
    expected = whole(order=order)
    for first, last in ((0, 4), (1, 9), (5, 6), (20, 60), (7, 3), (4, 0)):
        query = {"order": order, "after": expected[first], "before": expected[last], "limit": 100}
        assert window_ids(ask, **query) == expected[first + 1 : last]
    page = window(ask, order=order, after=expected[0], before=expected[9], limit=3)
    assert ([thread["id"] for thread in page["data"]], page["has_more"]) == (expected[1:4], True)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("anchor", [0, 1, 2, 30])
def test_a_deleted_anchor_keeps_its_place(
    ask: Ask, whole: Callable[..., list[str]], order: str, anchor: int
) -> None:
    """A32: pinned or not."""
    expected = whole(order=order)
    assert ask("DELETE", f"{THREADS}/{expected[anchor]}").status_code == 204
    after = window_ids(ask, order=order, after=expected[anchor], limit=5)
    assert after == expected[anchor + 1 : anchor + 6]
    before = window_ids(ask, order=order, before=expected[anchor], limit=2)
    assert before == expected[max(0, anchor - 2) : anchor]


def test_an_anchor_that_the_filters_leave_out_still_marks_a_place(
    ask: Ask, whole: Callable[..., list[str]]
) -> None:
    expected = whole(assistant_id="asst_def456")
    every = whole()
    anchor = "thrd_def456"
    behind = [id_ for id_ in every[every.index(anchor) :] if id_ in expected]
    assert window_ids(ask, after=anchor, assistant_id="asst_def456", limit=100) == behind


def test_threads_made_between_pages_repeat_nothing(ask: Ask, later: Callable[..., str]) -> None:
    """The newest come first, so they stand before the anchor."""
    first = window_ids(ask, limit=5)
    later()
    new = ask("POST", THREADS, json={"organization_id": "org_abc123"}).get_json()["id"]
    second = window_ids(ask, limit=5, after=first[-1])
    assert not {*first, new} & {*second}


@pytest.mark.parametrize("anchor", ["thrd_nowhere", "thrd_other1", "thrd_team008", "0"])
def test_an_anchor_that_is_no_thread_of_the_caller_is_refused(ask: Ask, anchor: str) -> None:
    """A32: someone else's neither; both are told if both are wrong (A09)."""
    assert fields(ask("GET", THREADS, query_string={"after": anchor})) == [("query", "after")]
    assert fields(ask("GET", THREADS, query_string={"before": anchor})) == [("query", "before")]
    both = ask("GET", THREADS, query_string={"after": anchor, "before": anchor})
    assert fields(both) == [("query", "after"), ("query", "before")]


def test_the_first_pages_before_has_no_more(ask: Ask, whole: Callable[..., list[str]]) -> None:
    expected = whole()
    page = window(ask, before=expected[3], limit=3)
    assert ([thread["id"] for thread in page["data"]], page["has_more"]) == (expected[:3], False)
    assert window(ask, before=expected[3], limit=2)["has_more"] is True
    assert window_ids(ask, before=expected[0]) == []
    assert window_ids(ask, after=expected[-1]) == []


@pytest.mark.parametrize(
    "position", ["5", '"x"', '["a"]', "[]", "[1,2,3]", "[1e300]", "[-1]", "[true]", "[null]"]
)
def test_a_cursor_that_somebody_sealed_himself_is_refused_or_a_place(ask: Ask, position: str) -> None:
    """The seal is no secret; what it holds is looked at all the same."""
    for path, scope in ((TEAM, ("listSpaceThreads", "space_team")), ("/__admin/embeddings", ADMIN_SCOPE)):
        sealed = _seal(position.encode(), scope) + position.encode()
        cursor = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        assert ask("GET", path, query_string={"cursor": cursor}).status_code in (200, 422)


ADMIN_SCOPE = ("listEmbeddings", "None", "None", "None")
