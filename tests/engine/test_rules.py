"""Which requests a fault strikes: by what they are, by their number, by chance, for a time."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.faults.profiles import PROFILES
from mockserver.faults.rule import LONGEST_DELAY, SECOND, MatchedRequest, delay_of, matches_pattern
from mockserver.faults.rule_list import MOST_RULES, FaultDefaults, Faults
from mockserver.http.problems import Invalid

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(
        ["profile", "name", "operation", "path", "method", "caller", "header", "times", "seconds", "delay"]
    ),
    **dict.fromkeys(["error", "damage"]),
    "first": False,
    "probability": 1,
    "seed": 0,
    "skip": 0,
    "every": 1,
    "hold": None,
    "for_seconds": None,
    "handled": True,
}
BROKEN = {"error": {"status": 500}}


def faults() -> Faults:
    return Faults(FaultDefaults(DEFAULTS, ("getThing", "listThings")))


def ids() -> Callable[[str], str]:
    numbers = count(1)
    return lambda prefix: f"{prefix}_{next(numbers)}"


def with_rules(*orders: dict[str, Any]) -> Faults:
    made, new_id = faults(), ids()
    for order in orders:
        made.add({**DEFAULTS, **order}, new_id, 0)
    return made


def asked(**facts: Any) -> MatchedRequest:
    headers = facts.pop("headers", {})
    whole = {"operation": "getThing", "method": "GET", "path": "/things/1", "caller": "usr_1", **facts}
    return MatchedRequest(**whole, header=headers.get)


def struck(made: Faults, calls: int, now: int = 0) -> list[int]:
    """The numbers, from 1, of the calls that were struck."""
    return [number for number in range(1, calls + 1) if made.apply(asked(), now)]


@pytest.mark.parametrize(
    ("criterion", "other"),
    [
        ({"operation": "getThing"}, {"operation": "listThings"}),
        ({"method": "GET"}, {"method": "POST"}),
        ({"caller": "usr_1"}, {"caller": "usr_2"}),
        ({"path": "/things/*"}, {"path": "/others/1"}),
        ({"header": {"name": "X-A", "value": "1"}}, {"headers": {"X-A": "2"}}),
        ({"header": {"name": "X-A", "value": None}}, {"headers": {}}),
    ],
)
def test_a_rule_is_for_the_requests_that_it_names(criterion: dict[str, Any], other: dict[str, Any]) -> None:
    made = with_rules(criterion | BROKEN)
    assert made.apply(asked(headers={"X-A": "1"}), 0)
    assert made.apply(asked(**{"headers": {"X-A": "1"}, **other}), 0) is None


def test_the_first_rule_that_strikes_wins_and_those_behind_do_not_count() -> None:
    made = with_rules({"times": 1, "name": "one", **BROKEN}, {"name": "two", **BROKEN})
    names = [fault.name for _ in range(3) if (fault := made.apply(asked(), 0))]
    assert names == ["one", "two", "two"]
    assert [(rule["matched"], rule["struck"], rule["over"]) for rule in made.listed(0)] == [
        (1, 1, True),
        (2, 2, False),
    ]


def test_a_rule_whose_turn_it_is_not_leaves_the_request_to_the_next() -> None:
    made = with_rules({"every": 2, "name": "even", **BROKEN}, {"name": "odd", **BROKEN})
    names = [fault.name for _ in range(4) if (fault := made.apply(asked(), 0))]
    assert names == ["odd", "even", "odd", "even"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"skip": 5}, [6, 7, 8]),
        ({"times": 2}, [1, 2]),
        ({"every": 3}, [3, 6]),
        ({"skip": 1, "every": 3, "times": 2}, [4, 7]),
        ({"probability": 0}, []),
    ],
)
def test_it_counts_the_requests_that_fit(when: dict[str, Any], expected: list[int]) -> None:
    assert struck(with_rules({**when, **BROKEN}), 8) == expected


def test_chance_is_the_same_for_the_same_calls_and_another_for_another_seed() -> None:
    order = {"probability": 0.3, **BROKEN}
    once, again = struck(with_rules(order), 1000), struck(with_rules(order), 1000)
    assert once == again
    assert 240 < len(once) < 360
    assert once != struck(with_rules({**order, "seed": 1}), 1000)


def test_it_stands_only_for_its_time() -> None:
    made = with_rules({"seconds": 10, **BROKEN})
    assert made.apply(asked(), 10 * SECOND - 1)
    assert made.apply(asked(), 10 * SECOND) is None
    assert made.listed(10 * SECOND)[0]["over"] is True


def test_a_change_counts_anew_and_keeps_the_rest() -> None:
    made = with_rules({"times": 1, "name": "mine", **BROKEN})
    assert struck(made, 3) == [1]
    changed = made.change("fault_1", {"times": 2}, 0)
    assert changed is not None
    assert (changed["name"], changed["error"], changed["struck"]) == ("mine", {"status": 500}, 0)
    assert struck(made, 3) == [1, 2]


def test_a_rule_can_be_put_first() -> None:
    made = with_rules({"name": "late", **BROKEN}, {"name": "early", "first": True, **BROKEN})
    assert [rule["name"] for rule in made.listed(0)] == ["early", "late"]
    made.change("fault_1", {"first": True}, 0)
    assert [rule["name"] for rule in made.listed(0)] == ["late", "early"]


def test_one_that_is_removed_strikes_no_more_and_nothing_is_armed() -> None:
    made = with_rules(BROKEN)
    assert made.armed
    assert made.remove("fault_1")
    assert not made.remove("fault_1")
    assert not made.armed


def test_a_profile_goes_behind_and_in_place_of_another_one() -> None:
    made, new_id = with_rules({"name": "mine", **BROKEN}), ids()
    for profile in ("flaky", "offline"):
        made.add({**DEFAULTS, "profile": profile, "operation": "getThing"}, new_id, 0)
    assert [rule["id"] for rule in made.listed(0)] == ["fault_1", "offline"]
    assert made.listed(0)[1]["operation"] == "getThing"


def test_no_two_rules_of_the_profiles_share_a_name() -> None:
    names = [rule["name"] for rules in PROFILES.values() for rule in rules]
    assert sorted(set(names)) == sorted(names)


def test_an_id_that_is_taken_is_not_given_again() -> None:
    """After a reset of the ids that keeps the rules."""
    made = with_rules(BROKEN)
    made.add({**DEFAULTS, **BROKEN}, ids(), 0)
    assert [rule["id"] for rule in made.listed(0)] == ["fault_1", "fault_2"]


def test_a_mark_is_all_of_it() -> None:
    made = with_rules({"times": 2, **BROKEN})
    made.apply(asked(), 0)
    mark, other = made.checkpoint(), faults()
    other.restore(mark)
    assert other.listed(0) == made.listed(0)
    assert struck(other, 3) == [1]
    assert made.listed(0)[0]["struck"] == 1


def test_an_unknown_operation_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="nearest: getThing"):
        with_rules({"operation": "getThin"})


def test_there_is_an_end_to_the_rules() -> None:
    made, new_id = with_rules(*[BROKEN] * MOST_RULES), ids()
    with pytest.raises(Invalid, match=str(MOST_RULES)):
        made.add({**DEFAULTS, **BROKEN}, new_id, 0)


def test_counts_are_exact_for_many_at_once() -> None:
    made = with_rules({"times": 3, **BROKEN})
    found: list[int] = []
    start = threading.Barrier(32)

    def client() -> None:
        start.wait()
        found.extend(1 for _ in range(50) if made.apply(asked(), 0))

    threads = [threading.Thread(target=client) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3


def test_no_rule_is_lost_when_many_are_written_at_once() -> None:
    made, start = faults(), threading.Barrier(50)
    new_id = ids()

    def client(number: int) -> None:
        start.wait()
        made.add({**DEFAULTS, "name": f"r{number}", **BROKEN}, new_id, 0)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rule["name"] for rule in made.listed(0)) == sorted(f"r{n}" for n in range(50))


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("/v1/spaces/a", "/v1/spaces/a", True),
        ("/v1/spaces/a", "/v1/spaces/", False),
        ("/v1/spaces/a/threads/b", "/v1/*/b", True),
        ("/v1/spaces/a", "*", True),
        ("ab", "ab*b", False),
        ("abab", "ab*ab", True),
        ("a.b", "a?b", False),
    ],
)
def test_a_star_is_any_text(path: str, pattern: str, fits: bool) -> None:
    assert matches_pattern(path, pattern) is fits


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=5), st.text("ab", max_size=12))
def test_a_pattern_means_what_a_regular_expression_would(parts: list[str], text: str) -> None:
    whole = re.fullmatch(".*".join(map(re.escape, parts)), text) is not None
    assert matches_pattern(text, "*".join(parts)) is whole


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_a_delay_keeps_to_its_bounds(first: float, second: float) -> None:
    assert 200 <= delay_of({"type": "uniform", "lower": 800, "upper": 200}, first, second) <= 800
    assert 0 <= delay_of({"type": "lognormal", "median": 400, "sigma": 10}, first, second) <= LONGEST_DELAY
    assert delay_of(250, first, second) == 250


def test_half_of_the_lognormal_delays_are_under_the_median() -> None:
    order = {"delay": {"type": "lognormal", "median": 100, "sigma": 0.5}}
    made = with_rules(order)
    delays = [fault.delay for _ in range(1000) if (fault := made.apply(asked(), 0))]
    assert 440 < sum(delay < 100 for delay in delays) < 560
    assert len(set(delays)) > 900
