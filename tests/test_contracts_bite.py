"""The suite bites: a correct mock passes every check, and each mock with one fault fails one."""

from __future__ import annotations

import pytest

from contracts.behaviour import stream_control
from contracts.checks.check import declared
from contracts.verdict.failure import Verdict
from contracts.verdict.runner import judge
from mockserver.app import MockServer
from mockserver.freddy import HANDLERS
from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants import MUTANTS, Mutant, damaged
from tests.contracts.mutants.source import parts
from tests.contracts.mutants.stream_control import LATE, paced
from tests.contracts.strength import BEHAVIOUR, CHEAPEST_FIRST, ROOT, bite, fresh_app, key, known, run_on

pytestmark = pytest.mark.slow

LASTING = [check for check in declared(stream_control) if "cancelled" in check.id]
"""Checks of streams that last, which a mock's do not."""
OVER = "the stream was over before it could be cancelled"
SPREAD = [mutant for number, mutant in enumerate(MUTANTS) if mutant.concurrent or number % 3 == 0]
"""Every third, and all that need calls at the same time; `make mutants` tries them all."""


@pytest.fixture(scope="module")
def app() -> MockServer:
    return fresh_app()


@pytest.fixture(scope="module")
def hints() -> dict[str, str]:
    """What caught each mutant before: tried first, so that it is fast."""
    return known()


def test_a_correct_mock_passes_every_check(app: MockServer) -> None:
    with damaged(app, None):
        run = run_on(app)
        outcomes = [judge(check, run) for check in BEHAVIOUR]
        left = run.clean_up()
    failed = [o for o in outcomes if o.verdict is not Verdict.PASSED]
    assert [(o.verdict, o.message) for o in failed] == [(Verdict.UNTESTED, OVER)] * len(LASTING)
    assert [o.check for o in failed] == LASTING
    assert left == []


@pytest.mark.parametrize("words", [0, 40])
def test_a_correct_mock_whose_answers_take_time_passes_the_checks_of_streams(
    app: MockServer, monkeypatch: pytest.MonkeyPatch, words: int
) -> None:
    monkeypatch.setattr(stream_control, "LATE", LATE)
    with damaged(app, None) as bench:
        paced(bench, words)
        run = run_on(app)
        outcomes = {check.id: judge(check, run) for check in declared(stream_control)}
        run.clean_up()
    late = outcomes.pop("a-stream-that-is-cancelled-late-keeps-what-was-said")
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.PASSED}
    assert late.verdict is Verdict.PASSED, late.message


@pytest.mark.parametrize("mutant", SPREAD, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(app: MockServer, hints: dict[str, str], mutant: Mutant) -> None:
    assert bite(app, mutant, hints.get(mutant.name)).caught is not None, mutant.sentence


def test_the_table_has_every_mutant(hints: dict[str, str]) -> None:
    assert sorted(hints) == sorted(mutant.name for mutant in MUTANTS)
    assert set(hints.values()) <= {check.id for check in CHEAPEST_FIRST}


def test_a_mutant_is_the_same_wherever_the_project_lies() -> None:
    told = [part for mutant in MUTANTS for part in parts(mutant)]
    assert [part for part in told if str(ROOT) in part or " at 0x" in part] == []


def test_a_mutant_is_measured_again_if_its_check_or_the_code_that_it_breaks_changed_and_only_then(
    app: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "wrong-status-addThreadToSpace")
    row = key(app, mutant, "add-answers-as-documented")

    def other(call: Call, sandbox: Sandbox) -> Reply:
        return Reply(200, {})

    monkeypatch.setitem(HANDLERS, "getSpace", other)
    assert key(app, mutant, "a-viewer-may-list") == row  # a check of the same file
    assert key(app, mutant, "a-viewer-may-list") != key(app, mutant, "parallel-adds-lose-nothing")
    monkeypatch.setitem(HANDLERS, "addThreadToSpace", other)
    assert key(app, mutant, "add-answers-as-documented") != row
