"""Token buckets: what a caller may send, what it is told, and when it may go on."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.faults.rate_limit import PLANS, Plan, RateLimited, RateLimiter, plan

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND


def granted(limiter: RateLimiter, calls: int, now: int, caller: str = "usr_1") -> int:
    """How many of so many calls go through."""
    count = 0
    for _ in range(calls):
        try:
            limiter.take(caller, now)
        except RateLimited:
            continue
        count += 1
    return count


def test_a_burst_goes_through_and_then_what_is_refilled() -> None:
    limiter = RateLimiter(plan("60/min,burst 5"))
    assert granted(limiter, 10, NOW) == 5
    assert granted(limiter, 10, NOW + 3 * SECOND) == 3
    assert granted(limiter, 10, NOW + 3600 * SECOND) == 5


def test_the_published_plans() -> None:
    limiter = RateLimiter(PLANS["standard"])
    assert granted(limiter, 200, NOW) == 120
    assert granted(limiter, 200, NOW + 60 * SECOND) == 100
    assert granted(RateLimiter(PLANS["premium"]), 2000, NOW) == 1200


def test_a_day_has_its_own_bucket() -> None:
    limiter = RateLimiter(Plan("custom", 1000, 1000, per_day=5))
    assert granted(limiter, 10, NOW) == 5
    with pytest.raises(RateLimited) as refused:
        limiter.take("usr_1", NOW)
    assert refused.value.headers["X-RateLimit-Limit"] == "5"
    assert refused.value.details == {"retry_after": 86_400 // 5}


def test_callers_do_not_share() -> None:
    limiter = RateLimiter(plan("1/min"))
    assert [granted(limiter, 2, NOW, caller) for caller in ("usr_1", "usr_2")] == [1, 1]


def test_headers_say_what_is_left_and_when_it_is_full_again() -> None:
    limiter = RateLimiter(plan("30/min"))
    assert limiter.take("usr_1", NOW) == {
        "X-RateLimit-Limit": "30",
        "X-RateLimit-Remaining": "29",
        "X-RateLimit-Reset": str(NOW // SECOND + 2),
    }


@given(st.integers(1, 1000), st.integers(1, 20), st.integers(0, 10**7))
def test_who_waits_as_long_as_told_goes_through_and_not_a_second_sooner(
    per_minute: int, burst: int, passed: int
) -> None:
    limiter = RateLimiter(Plan("custom", per_minute, burst))
    granted(limiter, burst, NOW)
    now = NOW + passed
    while True:
        try:
            limiter.take("usr_1", now)
        except RateLimited as refused:
            seconds = refused.details["retry_after"]
            break
    if seconds > 1:
        assert granted(limiter, 1, now + (seconds - 1) * SECOND) == 0
    assert granted(limiter, 1, now + seconds * SECOND) == 1


def test_a_clock_that_is_put_back_neither_fills_nor_empties() -> None:
    limiter = RateLimiter(plan("60/min"))
    assert granted(limiter, 20, NOW) == 20
    assert granted(limiter, 100, NOW - 10**12) == 40
    assert granted(limiter, 100, NOW - 10**12 + SECOND) == 1


def test_a_copy_goes_on_apart() -> None:
    limiter = RateLimiter(plan("10/min"))
    granted(limiter, 4, NOW)
    other = limiter.copy()
    assert granted(other, 10, NOW) == 6
    assert granted(limiter, 10, NOW) == 6


def test_it_is_exact_for_many_at_once() -> None:
    limiter, found, start = RateLimiter(plan("100/min")), [], threading.Barrier(16)

    def client() -> None:
        start.wait()
        found.append(granted(limiter, 20, NOW))

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 100


@pytest.mark.parametrize("text", ["", "30", "0/min", "30/s", "30/min,burst", "Standard", "30/min,burst 0"])
def test_a_plan_that_is_none_says_what_is_one(text: str) -> None:
    with pytest.raises(ValueError, match="30/min"):
        plan(text)
