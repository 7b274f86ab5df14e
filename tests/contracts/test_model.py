"""Model checks: accept correct servers and permitted alternatives, find bugs of several steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from click.testing import CliRunner

from contracts.cli import main
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.model.reference import pages
from contracts.model.steps import renamed, story
from contracts.safety.ledger import Ledger
from contracts.settings import PROFILES, RunSettings
from contracts.suite import CHECKS
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.reproduction import fewest
from contracts.verdict.runner import run_checks
from tests.contracts.model_mutants import BUGS, Conflicting, Mutant, fresh, newest_first

MODEL = [check for check in CHECKS if check.layer == "model"]
QUICK = RunSettings(1, PROFILES["quick"])
CONTRACT = "the-target-behaves-like-the-model"


def judged(
    target: InProcess | None = None, settings: RunSettings = QUICK, keys: Mapping[str, str] = DEMO
) -> dict[str, Outcome]:
    """What the model checks say of a target, by check; nothing may be left over."""
    transport = target or InProcess(fresh())
    ledger = Ledger()
    run = Run(transport, keys, DEMO_ORGANIZATION, ledger=ledger, run_id="test", settings=settings)
    outcomes = run_checks(MODEL, run, on_outcome=lambda _: None)
    assert run.clean_up() == []
    assert list(ledger.left()) == []
    return {outcome.check.id: outcome for outcome in outcomes}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_the_mock_behaves_like_the_model(seed: int) -> None:
    outcomes = judged(settings=QUICK._replace(seed=seed))
    assert [o.message for o in outcomes.values() if o.verdict is not Verdict.PASSED] == []


@pytest.mark.slow
def test_the_command_takes_a_seed_and_a_profile() -> None:
    words = ["run", "--target", "mock", "--only", "model", "--seed", "5", "--profile"]
    result = CliRunner().invoke(main, [*words, "quick"])
    assert result.exit_code == 0, result.output
    assert f"{len(MODEL)} passed" in result.output
    assert CliRunner().invoke(main, [*words, "endless"]).exit_code == 2


def test_the_owners_key_alone_is_enough() -> None:
    few = QUICK._replace(profile=QUICK.profile._replace(scenarios=3))
    outcomes = judged(settings=few, keys={"owner": DEMO["owner"]})
    assert {o.verdict for o in outcomes.values()} == {Verdict.PASSED}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", BUGS, ids=lambda mutant: mutant.__name__)
def test_a_bug_breaks_the_contract(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    found = judged()[CONTRACT]
    assert found.verdict is Verdict.BROKEN
    assert "the model says" in found.message or "the order changed" in found.message


def test_a_full_space_breaks_the_contract() -> None:
    found = judged(Conflicting(fresh(), most=3))[CONTRACT]
    assert found.verdict is Verdict.BROKEN


@pytest.mark.slow
def test_another_answer_to_a_repeated_add_is_an_assumption() -> None:
    outcomes = judged(Conflicting(fresh()))
    assert Counter(o.verdict for o in outcomes.values())[Verdict.PASSED] == len(MODEL) - 1
    found = outcomes["the-model-may-assume-a01"]
    assert found.verdict is Verdict.ASSUMPTION
    assert found.message == (
        "after: create space S1, create thread T1, add T1 to S1: add T1 to S1 answers 409, the model says 201"
    )


@pytest.mark.slow
def test_another_order_is_an_assumption(monkeypatch: pytest.MonkeyPatch) -> None:
    newest_first(monkeypatch)
    outcomes = judged()
    assert outcomes[CONTRACT].message == ""
    found = outcomes["the-model-may-assume-a04"]
    assert found.verdict is Verdict.ASSUMPTION
    assert found.message.endswith("listing S1 shows T2, T1, the model says T1, T2")


class Otherwise(InProcess):
    """A mock that answers other statuses where nothing is documented: no 404 of a thread that is not in
    the space, and no 403 of somebody else's thread."""

    def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        answer = super().send(request, key)
        if "Thread not attached" in answer.text:
            return answer._replace(status=204, text="")
        return answer._replace(status=404) if "Thread access required" in answer.text else answer


@pytest.mark.slow
def test_every_allowed_outcome_is_accepted_and_named() -> None:
    outcomes = judged(Otherwise(fresh()))
    assumed = {o.check.assumption for o in outcomes.values() if o.verdict is Verdict.ASSUMPTION}
    assert assumed == {"A03", "A36"}
    assert outcomes[CONTRACT].verdict is Verdict.PASSED
    found = outcomes["the-model-may-assume-a36"].message
    assert found == "after: create thread T1: as outsider reading T1 answers 404, the model says 403"


def test_a_target_that_breaks_once_is_flaky_not_broken() -> None:
    class Once(InProcess):
        left = 1

        def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
            answer = super().send(request, key)
            if self.left and answer.status == 201 and "/threads/" in request.path:
                self.left = 0
                return answer._replace(status=500)
            return answer

    assert judged(Once(fresh()))[CONTRACT].verdict is Verdict.FLAKY


def test_pages_are_slices() -> None:
    assert pages(("a", "b", "c"), 2) == [(("a", "b"), True), (("c",), False)]
    assert pages(("a", "b"), 2) == [(("a", "b"), False)]
    assert pages((), 2) == [((), False)]


def test_steps_are_left_out_while_it_still_happens() -> None:
    steps = tuple((letter,) for letter in "abcdefg")
    assert fewest(steps, lambda some: {("b",), ("f",)} <= set(some)) == (("b",), ("f",))


def test_a_chain_is_told_with_names_from_one_on() -> None:
    steps = renamed([("create_space", "S3", "s", ()), ("create_thread", "T2"), ("add", "viewer", "S3", "T2")])
    assert story(steps) == "create space S1, create thread T1, as viewer add T1 to S1"
