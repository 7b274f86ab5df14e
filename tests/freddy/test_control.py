"""The control operations that move time and put everything back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Ask

CLOCK, RESET = "/__admin/clock", "/__admin/reset"
SPACES = "/v1/spaces/"
NEW = {"organization_id": "org_abc123", "name": "New"}


def test_every_timestamp_comes_from_the_clock(ask: Ask) -> None:
    ask("PUT", CLOCK, json={"freeze": "1999-12-31T23:59:58+01:00"})
    assert ask("POST", SPACES, json=NEW).get_json()["created_at"] == "1999-12-31T22:59:58Z"
    ask("PUT", CLOCK, json={"advance": "PT1H"})
    assert ask("POST", SPACES, json=NEW).get_json()["created_at"] == "1999-12-31T23:59:58Z"
    ask("PUT", CLOCK, json={"advance": 1.5})
    assert ask("GET", CLOCK).get_json() == {"now": "1999-12-31T23:59:59.500000Z", "frozen": True}
    refused = ask("GET", "/v1/spaces/space_nowhere").get_json()["error"]
    assert refused["timestamp"] == "1999-12-31T23:59:59Z"


def test_a_resumed_clock_ticks(ask: Ask) -> None:
    assert ask("PUT", CLOCK, json={"resume": True}).get_json()["frozen"] is False


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"freeze": "yesterday"},
        {"freeze": "2026-02-26"},
        {"freeze": "10000-01-01T00:00:00Z"},
        {"advance": -1},
        {"advance": "1h"},
        {"resume": False},
        {"freeze": "2026-02-26T10:30:00Z", "advance": 1},
    ],
)
def test_a_change_that_cannot_be_made_leaves_the_clock_alone(ask: Ask, change: dict[str, Any]) -> None:
    before = ask("GET", CLOCK).get_json()
    refused = ask("PUT", CLOCK, json=change)
    assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
    assert ask("GET", CLOCK).get_json() == before


def test_the_end_of_time_is_answered_like_any_other(ask: Ask) -> None:
    """Frozen there, it can't be advanced; resumed there, it stops."""
    ask("PUT", CLOCK, json={"freeze": "9999-12-31T23:59:59Z"})
    assert ask("PUT", CLOCK, json={"advance": 1}).status_code == 422
    ask("PUT", CLOCK, json={"resume": True})
    assert ask("POST", SPACES, json=NEW).get_json()["created_at"] == "9999-12-31T23:59:59Z"


def test_time_may_go_back_and_order_stays_the_order_of_calls(ask: Ask) -> None:
    """A04, A05: the sequence counts, not the timestamp."""
    first = ask("POST", SPACES, json=NEW).get_json()["id"]
    ask("PUT", CLOCK, json={"freeze": "0001-01-01T00:00:00Z"})
    second = ask("POST", SPACES, json=NEW).get_json()["id"]
    spaces = ask("GET", f"{SPACES}?organization_id=org_abc123").get_json()["spaces"]
    assert [space["id"] for space in spaces][-2:] == [first, second]


def test_a_reset_puts_back_data_ids_and_clock(ask: Ask, state: Callable[[], Any]) -> None:
    before, first = state(), ask("POST", SPACES, json=NEW).get_json()
    ask("DELETE", "/v1/spaces/space_team")
    ask("DELETE", "/v1/threads/thrd_abc123")
    ask("PUT", CLOCK, json={"advance": 3600})
    done = ask("POST", RESET)
    assert done.get_json() == {"sandbox": "default", "scenario": "demo", "now": "2026-02-26T10:30:00Z"}
    assert state() == before
    assert ask("POST", SPACES, json=NEW).get_json() == first
