"""What a request orders for itself."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.faults.broken_body import KINDS
from mockserver.faults.request_headers import RequestOverrides, overrides_of
from mockserver.faults.rule import Fault
from mockserver.http.problems import BadControl
from mockserver.http.request import Request


def overrides(trace_id: str = "a", **headers: str) -> RequestOverrides:
    environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return overrides_of(Request({"REQUEST_METHOD": "GET", **environ}), trace_id)


@pytest.mark.parametrize(
    ("prefer", "code", "example", "handling"),
    [
        ("code=403", 403, None, None),
        ("Code=403", 403, None, None),
        ('code="403"', 403, None, None),
        ("code = 403", 403, None, None),
        ("code=403; why=not", 403, None, None),
        ("code=403, code=500", 403, None, None),
        ("respond-async, wait=10, code=404", 404, None, None),
        ('foo="a, code=500", code=404', 404, None, None),
        ('foo=1; bar="x, code=500", code=404', 404, None, None),
        ('example="no \\"such\\""', None, 'no "such"', None),
        ("handling=lenient, example=tooMany", None, "tooMany", "lenient"),
        ("handling=strict", None, None, "strict"),
        ("handling=whatever", None, None, None),
        ("codex=403", None, None, None),
        (",,, ,code=403,", 403, None, None),
        ("", None, None, None),
    ],
)
def test_preferences_are_read_as_the_rfc_says(
    prefer: str, code: int | None, example: str | None, handling: str | None
) -> None:
    found = overrides(prefer=prefer)
    assert (found.code, found.example, found.handling) == (code, example, handling)


@given(st.text(max_size=300))
def test_no_preference_breaks_the_reading(prefer: str) -> None:
    with suppress(BadControl):
        assert overrides(prefer=prefer).code in (None, *range(200, 600))


@pytest.mark.parametrize("code", ["abc", "99", "600", "4O3", ""])
def test_a_code_that_is_none_is_refused(code: str) -> None:
    with pytest.raises(BadControl):
        overrides(prefer=f"code={code}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_named_by_its_kind(kind: str) -> None:
    assert overrides(x_mock_fault=kind).fault == Fault(kind, damage={"kind": kind})


def test_a_fault_is_named_by_its_status() -> None:
    assert overrides(x_mock_fault="503").fault == Fault("503", error={"status": 503})


def test_none_is_a_fault_that_keeps_the_rules_away() -> None:
    assert overrides(x_mock_fault="none")[0] is None
    assert overrides(x_mock_fault="none").passes
    assert not overrides(prefer="handling=lenient", x_mock_delay="5").passes


@pytest.mark.parametrize("fault", ["", "boom", "Reset", "199", "600", "503 "[:2]])
def test_a_fault_that_is_none_is_refused_with_all_there_are(fault: str) -> None:
    with pytest.raises(BadControl, match="truncate, malformed, drip, hang, reset, empty"):
        overrides(x_mock_fault=fault)


def test_a_delay_is_so_long_or_drawn_from_a_range() -> None:
    assert overrides(x_mock_delay="250").delay == 250
    drawn = [overrides(str(number), x_mock_delay="200-800").delay for number in range(100)]
    assert all(200 <= delay <= 800 for delay in drawn)
    assert len(set(drawn)) > 90
    assert drawn[0] == overrides("0", x_mock_delay="200-800").delay


@pytest.mark.parametrize("delay", ["", "-1", "1.5", "200-", "60001", "1-60001", "999999", "٣"])
def test_a_delay_that_is_none_is_refused(delay: str) -> None:
    with pytest.raises(BadControl, match="60000"):
        overrides(x_mock_delay=delay)
