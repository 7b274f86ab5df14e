"""Requests and minutes of a run: limits, profiles, --skip, and what is expected."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contracts.checks.cost import expected
from contracts.checks.errors import Unanswered, Untested
from contracts.cli import main
from contracts.http.deployment import Http
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.transport import RequestLimit, retry_delay
from contracts.pace import Pace
from contracts.safety.ledger import CreatedResource, Ledger
from contracts.settings import PROFILES
from contracts.suite import CHECKS, selected
from tests.contracts.habits import Answer
from tests.contracts.habits_table import KEYS
from tests.contracts.other_server import Handler, running
from tests.contracts.other_state import Reply
from tests.running import ROOT

LIST = ClientRequest("GET", "/v1/threads?limit=1", "owner")
OWNER = KEYS["CONTRACTS_OWNER_KEY"]


def contracts(*words: object, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env={**KEYS, **environment})


DATE = "Mon, 30 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Mon, 30 Nov 2026 08:00:05 GMT", "date": DATE}, 5.0),
        ({"x-ratelimit-reset": "1796025603", "date": DATE}, 3.0),
        ({"x-ratelimit-reset": "4", "date": DATE}, 4.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_limited_target_says_how_long_to_wait_by_its_own_clock(
    headers: dict[str, str], delay: float | None
) -> None:
    assert retry_delay(headers) == delay


def test_a_wait_that_does_not_fit_the_run_is_not_begun() -> None:
    def habit(request: Handler, answer: Callable[[], Reply]) -> Reply:
        return Reply(429, b"", {"Retry-After": "36000"})

    with running(habit) as (url, _), pytest.raises(Unanswered, match="asks to wait 36,000 s"):
        Http(url).send(LIST, OWNER)
    limit = RequestLimit()
    limit.hold(3600)
    limit.lift(1)
    with pytest.raises(Untested, match="the time of the run is over"):
        limit.wait(1)


@pytest.mark.parametrize("name", ["add-answers-as-documented", "listSpaceThreads", "behaviour"])
def test_what_is_skipped_is_untested_and_said(name: str, tmp_path: Path) -> None:
    only = ("--only", "add-answers-as-documented", "--only", "a-new-space-has-no-threads")
    with running() as (url, _):
        result = contracts("run", "--target", url, *only, "--skip", name, "--report-dir", tmp_path)
    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    skipped = {o["id"] for o in data["outcomes"] if o["message"] == f"left out by --skip {name}"}
    assert len(data["outcomes"]) == 2
    assert len(skipped) == {"behaviour": 2}.get(name, 1)
    assert data["run"]["skip"] == [name]
    assert f"{len(skipped)} checks left out by --skip {name}" in result.output
    assert result.exit_code == (3 if name == "behaviour" else 0)


def test_small_fits_1500_requests_and_names_what_it_leaves_out() -> None:
    chosen = selected((), (), "small")
    assert len(chosen) == len(CHECKS)
    assert expected(chosen, "small", 6) < 1500 * 0.9
    assert {check.left_out for check in chosen} == {
        "",
        "left out by --profile small: name it with --only, or use a larger profile",
    }
    assert not [check.id for check in selected(("getSpace",), (), "small") if check.left_out]
    assert PROFILES["small"].most == 1500


def test_the_page_about_deployments_has_the_expected_numbers() -> None:
    text = (ROOT / "docs" / "contracts-deployment.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) min \| ([\d,]+) min \|$", text, re.MULTILINE)
    assert {name for name, *_ in rows} == {*PROFILES}
    for name, *numbers in rows:
        requests = expected(selected((), (), name), name, 6)
        wanted = (requests, requests * 0.3 / 60, requests / 100)
        for number, value in zip(numbers, wanted, strict=True):
            assert int(number.replace(",", "")) == pytest.approx(value, rel=0.1)


@pytest.mark.slow
def test_small_sends_at_most_1500_requests_and_the_costs_are_those_of_now(tmp_path: Path) -> None:
    result = contracts("run", "--target", "mock", "--profile", "small", "--report-dir", tmp_path)
    assert result.exit_code == 0, result.output
    requests = json.loads((tmp_path / "report.json").read_text("utf-8"))["coverage"]["requests"]
    assert abs(requests - expected(selected((), (), "small"), "small", 6)) < 200
    assert requests <= 1500


def answers(milliseconds: float, **headers: str) -> list[ClientResponse]:
    return [ClientResponse(LIST, 200, headers, "", milliseconds)] * 3


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (Pace.of(answers(300), None), "about 9,000 requests, 45 min at 300 ms an answer"),
        (Pace.of(answers(1), 100), "about 9,000 requests, 90 min at 100 requests a minute"),
        (
            Pace.of(answers(1, **{"x-ratelimit-limit": "100"}), None),
            "about 9,000 requests, 90 min at 100 requests a minute",
        ),
        (Pace.of(answers(1), None), "about 2,000 requests, under 1 min at 1 ms an answer"),
    ],
)
def test_the_minutes_to_expect_follow_from_the_slower_of_answers_and_limit(pace: Pace, said: str) -> None:
    assert pace.words(int(said.split()[1].replace(",", ""))) == said


@pytest.mark.slow
def test_a_run_and_the_doctor_say_what_to_expect_of_a_slow_target() -> None:
    """Quick ends within ten minutes: small takes its place, unless --max-time allows more."""

    def slow(_: Handler, answer: Answer) -> Reply:
        time.sleep(0.1)
        return answer()

    with running(slow) as (url, _):
        doctor = contracts("doctor", "--target", url)
        small = contracts("run", "--target", url, "--max-requests", 5)
        quick = contracts("run", "--target", url, "--max-requests", 5, "--max-time", "2h")
    assert re.search(r"^quick +about \d,\d\d\d requests, \d+ min at 1\d\d ms an", doctor.output, re.M)
    assert re.search(r"^small +about 1,\d\d\d requests, \d min at 1\d\d ms an answer$", doctor.output, re.M)
    assert re.search(r"^expected +about 1,\d\d\d requests, .*, profile small", small.output, re.M)
    assert "checks left out by --profile small" in small.output
    assert re.search(r"^expected +about \d,\d\d\d requests, .*, profile quick$", quick.output, re.M)


def test_the_clean_up_of_many_resources_has_time_for_each() -> None:
    """At 100 requests a minute, a thousand deletions take ten minutes."""
    with running() as (url, _):
        target, ledger = Http(url), Ledger()
        for n in range(1000):
            ledger.created(n, CreatedResource("space", f"space_{n}", "nobody", "org_one"))
        Run(target, {}, "org_one", ledger=ledger, run_id="r").clean_up()
        assert target.limit.longest_delay > 600
