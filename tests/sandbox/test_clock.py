"""The clock stands, advances and ticks, and never leaves the years 1 to 9999."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.sandbox.clock import Clock, as_text, duration, instant, real_time

FIRST, LAST = instant("0001-01-01T00:00:00Z"), instant("9999-12-31T23:59:59Z")
SECOND = 1_000_000
START = instant("2026-02-26T10:30:00Z")


class Ticking:
    """A source of time for a clock."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        """Microseconds since 1970."""
        return self.now


@pytest.fixture
def source() -> Ticking:
    return Ticking()


def test_a_clock_tells_real_time_unless_told_otherwise() -> None:
    before = real_time()
    assert before <= Clock().now() <= real_time()


def test_a_frozen_clock_stands_still(source: Ticking) -> None:
    clock = Clock(START, source)
    source.now += 5 * SECOND
    assert (clock.text(), clock.is_frozen) == ("2026-02-26T10:30:00Z", True)


def test_advancing_moves_a_frozen_clock_and_it_still_stands(source: Ticking) -> None:
    clock = Clock(START, source)
    clock.advance(90 * SECOND)
    source.now += SECOND
    assert clock.text() == "2026-02-26T10:31:30Z"


def test_advancing_moves_a_ticking_clock_and_it_still_ticks(source: Ticking) -> None:
    clock = Clock(source=source)
    clock.advance(60 * SECOND)
    source.now += SECOND
    assert clock.text() == "1970-01-01T00:01:01Z"
    assert not clock.is_frozen


def test_resuming_ticks_on_from_where_it_stood(source: Ticking) -> None:
    clock = Clock(START, source)
    source.now += 100 * SECOND
    clock.resume()
    assert clock.text() == "2026-02-26T10:30:00Z"
    source.now += 2 * SECOND
    assert clock.text() == "2026-02-26T10:30:02Z"


def test_resuming_a_ticking_clock_changes_nothing(source: Ticking) -> None:
    clock = Clock(source=source)
    clock.advance(SECOND)
    clock.resume()
    assert clock.now() == SECOND


def test_freezing_again_goes_to_the_new_instant_even_back(source: Ticking) -> None:
    clock = Clock(START, source)
    clock.freeze(FIRST)
    assert clock.text() == "0001-01-01T00:00:00Z"
    clock.freeze(LAST)
    assert clock.text() == "9999-12-31T23:59:59Z"


def test_the_clock_refuses_to_advance_past_the_year_9999_and_stays(source: Ticking) -> None:
    clock = Clock(LAST - SECOND, source)
    clock.advance(SECOND)
    with pytest.raises(ValueError, match="9999"):
        clock.advance(1)
    assert clock.now() == LAST


def test_a_clock_that_ticks_at_the_end_of_9999_stops_there(source: Ticking) -> None:
    """Its text must stay a date: there is no year 10000."""
    clock = Clock(LAST, source)
    clock.resume()
    source.now += 10 * SECOND
    assert (clock.text(), as_text(clock.now())) == ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z")
    with pytest.raises(ValueError, match="9999"):
        clock.advance(1)
    clock.freeze(START)
    assert clock.text() == "2026-02-26T10:30:00Z"


def test_the_api_sees_whole_seconds(source: Ticking) -> None:
    clock = Clock(START + 999_999, source)
    assert clock.text() == "2026-02-26T10:30:00Z"
    assert as_text(clock.now()) == "2026-02-26T10:30:00.999999Z"


@given(st.integers(FIRST, LAST))
def test_an_instant_is_read_as_it_is_written(microseconds: int) -> None:
    text = as_text(microseconds)
    assert instant(text) == microseconds
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-02-26T11:30:00+01:00", "2026-02-26T10:30:00Z"),
        ("2026-02-26t10:30:00z", "2026-02-26T10:30:00Z"),
        ("2026-02-26T10:30:00.25Z", "2026-02-26T10:30:00.250000Z"),
    ],
)
def test_an_instant_may_be_written_otherwise(text: str, same: str) -> None:
    assert as_text(instant(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-26T10:30:00",
        "2026-02-30T10:30:00Z",
        "10000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:59.5Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        instant(text)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600),
        (0.5, 0.5),
        (0, 0),
        ("PT1H", 3600),
        ("P2DT30M", 174_600),
        ("P1W", 604_800),
        ("PT0.25S", 0.25),
        ("P1DT1H1M1S", 90_061),
    ],
)
def test_a_duration_is_seconds_or_iso_8601(value: float | str, seconds: float) -> None:
    assert duration(value) == seconds * SECOND


@pytest.mark.parametrize("value", ["", "P", "PT", "P1DT", "1H", "-PT1H", "PT1H ", "P1Y", "PT٣H", "P1W1D"])
def test_what_is_no_duration_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration(value)


def test_a_duration_longer_than_time_is_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        duration("P99999999999999D")
