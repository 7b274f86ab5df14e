"""A list of stored records is held to its schema, and what was held is what is sent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mockserver.openapi.record_cache import MOST, RecordCache, lists_of
from mockserver.openapi.schemas import Schema
from tests.conftest import Ask

NODE: dict[str, Any] = {
    "type": "object",
    "required": ["data", "more"],
    "properties": {
        "data": {
            "type": "array",
            "maxItems": 3,
            "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
        },
        "more": {"type": "boolean"},
    },
}


@pytest.fixture
def stored() -> RecordCache:
    return lists_of(Schema(NODE, {}), NODE)["data"]


def body(*records: Any, more: Any = False) -> dict[str, Any]:
    return {"data": list(records), "more": more}


def test_the_same_bytes_are_sent_again(stored: RecordCache) -> None:
    whole = body({"n": 1}, {"n": 2})
    for _ in range(2):
        assert orjson.dumps(stored.sent(whole)) == orjson.dumps(whole)


def test_records_may_come_in_another_order_and_among_new_ones(stored: RecordCache) -> None:
    one, two = {"n": 1}, {"n": 2}
    stored.sent(body(one, two))
    page = body(two, {"n": 3}, one)
    assert orjson.dumps(stored.sent(page)) == orjson.dumps(page)


def test_a_page_that_only_equals_the_last_one_is_sent_as_it_is(stored: RecordCache) -> None:
    for number in (1, 1.0):
        page = body({"n": number}, {"n": 2})
        assert orjson.dumps(stored.sent(page)) == orjson.dumps(page)
    assert orjson.dumps(stored.sent(body())) == orjson.dumps(body())


def test_a_record_that_breaks_its_schema_is_refused_beside_known_ones(stored: RecordCache) -> None:
    known = {"n": 1}
    stored.sent(body(known))
    assert stored.sent(body(known, {"n": "2"})) is None


def test_a_record_that_was_refused_is_refused_again(stored: RecordCache) -> None:
    wrong = body({"n": "1"})
    assert [stored.sent(wrong), stored.sent(wrong)] == [None, None]


def test_what_stands_around_the_list_is_held_to_the_schema_each_time(stored: RecordCache) -> None:
    known = {"n": 1}
    stored.sent(body(known))
    assert stored.sent(body(known, more="no")) is None
    assert stored.sent({"data": [known]}) is None


def test_more_records_than_the_schema_allows_are_refused_though_known(stored: RecordCache) -> None:
    known = {"n": 1}
    stored.sent(body(known))
    assert stored.sent(body(known, known, known)) is not None
    assert stored.sent(body(known, known, known, known)) is None


@pytest.mark.parametrize("wrong", [None, [], {}, {"data": None, "more": True}, {"data": {}, "more": True}])
def test_what_is_no_such_list_is_refused(stored: RecordCache, wrong: Any) -> None:
    assert stored.sent(wrong) is None


def test_an_edit_in_place_is_not_sent(stored: RecordCache) -> None:
    """What is sent is what was held to the schema."""
    record: dict[str, Any] = {"n": 1}
    stored.sent(body(record))
    record["n"] = "one"
    assert orjson.dumps(stored.sent(body(record))) == orjson.dumps(body({"n": 1}))


def test_it_holds_no_more_than_its_bound(stored: RecordCache) -> None:
    for n in range(MOST + 10):
        stored.sent(body({"n": n}))
    assert len(stored._kept) <= MOST


@pytest.mark.parametrize(
    "node",
    [
        {"properties": {"data": {"type": "array", "minItems": 1}}},
        {"properties": {"data": {"type": "array", "uniqueItems": True}}},
        {"properties": {"data": {"type": ["array", "null"]}}},
        {"properties": {"data": {"type": "array"}}, "anyOf": [{}]},
    ],
)
def test_a_schema_that_asks_for_all_records_together_is_left_alone(node: dict[str, Any]) -> None:
    assert lists_of(Schema(node, {}), node) == {}


def test_a_changed_thread_is_listed_as_it_is_now(ask: Ask) -> None:
    listed = "/v1/spaces/space_abc123/threads"
    before = ask("GET", listed).text
    ask("PATCH", "/v1/threads/thrd_abc123", json={"title": "Renamed"})
    after = ask("GET", listed).text
    assert [text.count('"title":"Renamed"') for text in (before, after)] == [0, 1]
