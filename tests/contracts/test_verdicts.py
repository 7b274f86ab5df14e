"""A failure counts if it repeats on fresh resources; what does not is told apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import Evidence
from contracts.http.run import Team
from contracts.verdict.failure import Verdict
from contracts.verdict.runner import judge, run
from tests.contracts.strength import fresh_app, team_for

Try = Callable[[Team], None]


def check(name: str, run: Try, evidence: Evidence = Evidence.DOCUMENTED) -> Check:
    return Check(name, "It holds.", "behaviour", ("getSpace",), evidence, None, run)


def fails_when(*broken: bool) -> Try:
    """Fails in those of its tries."""
    tries = iter(broken)

    def run(_: Team) -> None:
        if next(tries):
            raise Broken("it does not hold")

    return run


@pytest.fixture(scope="module")
def team() -> Team:
    return team_for(fresh_app())


def test_what_fails_every_time_is_broken(team: Team) -> None:
    assert judge(check("always", fails_when(True, True, True)), team).verdict is Verdict.BROKEN


def test_an_answer_of_another_shape_than_a_check_takes_apart_is_a_failure(team: Team) -> None:
    def run(_: Team) -> None:
        int("no number")

    outcome = judge(check("apart", run), team)
    assert outcome.verdict is Verdict.BROKEN
    assert "has not the documented shape: ValueError" in outcome.message


def test_what_is_only_assumed_breaks_no_contract(team: Team) -> None:
    outcome = judge(check("assumed", fails_when(True, True, True), Evidence.ASSUMED), team)
    assert outcome.verdict is Verdict.ASSUMPTION


@pytest.mark.parametrize("later", [(True, False), (False, True), (False, False, False, True)])
def test_what_fails_now_and_then_is_flaky(team: Team, later: tuple[bool, ...]) -> None:
    outcome = judge(check("sometimes", fails_when(True, *later, False, False)), team)
    assert (outcome.verdict, outcome.message) == (Verdict.FLAKY, "it does not hold")


def test_what_fails_only_after_what_ran_before_it_is_order_dependent(team: Team) -> None:
    state = {"spoilt": False}

    def spoil(_: Team) -> None:
        state["spoilt"] = True

    def look(_: Team) -> None:
        if state.pop("spoilt", False):
            raise Broken("somebody was here")

    first, second = run([check("spoils", spoil), check("looks", look)], team, tell=lambda _: None)
    assert (first.verdict, second.verdict) == (Verdict.PASSED, Verdict.ORDER)


def test_what_can_not_be_tried_again_is_told_and_does_not_count(team: Team) -> None:
    tries = iter([Broken("it does not hold"), Untested("nothing is left to try it with")])

    def spend(_: Team) -> None:
        raise next(tries)

    assert judge(check("spends", spend), team).verdict is Verdict.UNCONFIRMED


def test_a_failure_beside_one_that_repeats_is_judged_by_itself(team: Team) -> None:
    seen = iter([True, False, False, False, False])

    def two(_: Team) -> None:
        broken = Broken("it never holds", what="never")
        if next(seen):
            broken.more = (Broken("it did not hold once", what="once"),)
        raise broken

    outcome = judge(check("two", two), team)
    assert [failure.verdict for failure in outcome.failures] == [Verdict.BROKEN, Verdict.FLAKY]


def test_a_failure_is_tried_again_without_what_earlier_checks_made(team: Team) -> None:
    afresh = []

    def note(team: Team) -> None:
        afresh.append(team.afresh)
        raise Broken("it does not hold")

    judge(check("notes", note), team)
    assert (afresh, team.afresh) == ([False, True, True], False)
