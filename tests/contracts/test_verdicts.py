"""Verdicts: a failure counts if every retry on fresh resources fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import Evidence
from contracts.http.run import Run
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.runner import judge, run_checks
from tests.contracts.strength import fresh_app, run_on

Try = Callable[[Run], None]


def check(name: str, run: Try, evidence: Evidence = Evidence.DOCUMENTED) -> Check:
    return Check(name, "It holds.", "behaviour", ("getSpace",), evidence, None, run)


def fails_when(*broken: bool) -> Try:
    """Fails in those of its tries."""
    tries = iter(broken)

    def run(_: Run) -> None:
        if next(tries):
            raise Broken("it does not hold")

    return run


@pytest.fixture(scope="module")
def run() -> Run:
    return run_on(fresh_app())


def test_what_fails_every_time_is_broken(run: Run) -> None:
    assert judge(check("always", fails_when(True, True, True)), run).verdict is Verdict.BROKEN


def test_an_answer_of_another_shape_than_a_check_takes_apart_is_a_failure(run: Run) -> None:
    def take_apart(_: Run) -> None:
        int("no number")

    outcome = judge(check("apart", take_apart), run)
    assert outcome.verdict is Verdict.BROKEN
    assert "has not the documented shape: ValueError" in outcome.message


def test_what_is_only_assumed_breaks_no_contract(run: Run) -> None:
    outcome = judge(check("assumed", fails_when(True, True, True), Evidence.ASSUMED), run)
    assert outcome.verdict is Verdict.ASSUMPTION


@pytest.mark.parametrize("later", [(True, False), (False, True), (False, False, False, True)])
def test_what_fails_now_and_then_is_flaky(run: Run, later: tuple[bool, ...]) -> None:
    outcome = judge(check("sometimes", fails_when(True, *later, False, False)), run)
    assert (outcome.verdict, outcome.message) == (Verdict.FLAKY, "it does not hold")


def test_what_fails_only_after_what_ran_before_it_is_order_dependent(run: Run) -> None:
    state = {"spoilt": False}

    def spoil(_: Run) -> None:
        state["spoilt"] = True

    def look(_: Run) -> None:
        if state.pop("spoilt", False):
            raise Broken("somebody was here")

    first, second = run_checks([check("spoils", spoil), check("looks", look)], run, on_outcome=lambda _: None)
    assert (first.verdict, second.verdict) == (Verdict.PASSED, Verdict.ORDER)


@pytest.mark.parametrize("then", [Broken("half a check"), AssertionError("a library in disorder"), None])
def test_a_check_that_a_signal_interrupts_counts_for_nothing_whatever_it_makes_of_it(
    run: Run, then: Exception | None
) -> None:
    signals: list[int] = []

    def swallow(_: Run) -> None:
        signals.append(2)
        if then is not None:
            raise then

    told: list[Outcome] = []
    with pytest.raises(KeyboardInterrupt):
        run_checks([check("swallows", swallow)], run, on_outcome=told.append, signals=signals)
    assert told == []


def test_what_can_not_be_tried_again_is_told_and_does_not_count(run: Run) -> None:
    tries = iter([Broken("it does not hold"), Untested("nothing is left to try it with")])

    def spend(_: Run) -> None:
        raise next(tries)

    assert judge(check("spends", spend), run).verdict is Verdict.UNCONFIRMED


def test_a_failure_beside_one_that_repeats_is_judged_by_itself(run: Run) -> None:
    seen = iter([True, False, False, False, False])

    def two(_: Run) -> None:
        broken = Broken("it never holds", what="never")
        if next(seen):
            broken.more = (Broken("it did not hold once", what="once"),)
        raise broken

    outcome = judge(check("two", two), run)
    assert [failure.verdict for failure in outcome.failures] == [Verdict.BROKEN, Verdict.FLAKY]


def test_a_failure_is_tried_again_without_what_earlier_checks_made(run: Run) -> None:
    fresh_resources = []

    def note(run: Run) -> None:
        fresh_resources.append(run.fresh_resources)
        raise Broken("it does not hold")

    judge(check("notes", note), run)
    assert (fresh_resources, run.fresh_resources) == ([False, True, True], False)
