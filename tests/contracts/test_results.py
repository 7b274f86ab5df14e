"""Result of a run: green only if most checks were tried, and each cause is told once."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Excluded, OutOfQuestions, Untested
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.redact import Redactor
from contracts.http.run import Run
from contracts.report.data import joined
from contracts.report.exercised import Recorder
from contracts.report.live import Live
from contracts.verdict.failure import Failure, Outcome, Skipped, Verdict, failure_of
from contracts.verdict.result import Result, judgement
from contracts.verdict.runner import judge
from tests.contracts.strength import fresh_app, run_on
from tests.contracts.test_cli import contracts, only
from tests.running import mock


def check(name: str = "c", operation: str = "getSpace") -> Check:
    return Check(name, "It holds.", "behaviour", (operation,), Evidence.DOCUMENTED, None, lambda _: None)


def passed(number: int) -> list[Outcome]:
    return [Outcome(check(f"passed-{n}"), (), 0.0) for n in range(number)]


def skipped(verdict: Verdict, reason: str, **more: bool) -> Outcome:
    return Outcome(check("skipped"), (), 0.0, Skipped(verdict, reason, **more))


def result(outcomes: list[Outcome], **more: Any) -> tuple[Result, str]:
    judged = judgement(outcomes, strict=False, min_coverage=more.pop("min_coverage", 90), **more)
    return judged.result, judged.reason


def test_a_run_that_tried_too_few_checks_has_no_result() -> None:
    untested = skipped(Verdict.UNTESTED, "a space can't be created: 402")
    assert result([*passed(9), untested]) == (Result.HOLDS, "")
    found, reason = result([*passed(8), untested])
    assert found is Result.UNJUDGED
    assert reason.startswith("8 of 9 checks were tried, less than 90% (--min-coverage): a space can't be")
    assert result([*passed(8), untested], min_coverage=88) == (Result.HOLDS, "")


def test_what_keys_and_options_exclude_does_not_count_as_missed() -> None:
    excluded = skipped(Verdict.UNTESTED, "no key: set CONTRACTS_VIEWER_KEY", excluded=True)
    assert result([*passed(1), excluded, excluded])[0] is Result.HOLDS
    assert result([excluded, excluded]) == (
        Result.UNJUDGED,
        "nothing was executed: no key: set CONTRACTS_VIEWER_KEY",
    )
    assert result([])[0] is Result.UNJUDGED


def test_a_check_that_ran_out_of_questions_leaves_the_run_without_a_result() -> None:
    asking = skipped(Verdict.UNTESTED, "used up", out_of_questions=True)
    found, reason = result([*passed(99), asking])
    assert (found, "--with-model" in reason) == (Result.UNJUDGED, True)


def test_a_failure_that_could_not_be_repeated_leaves_the_run_without_a_result() -> None:
    broken = failure_of(check(), Broken("once"), (), run_on(fresh_app()))
    assert broken.confirmed is Verdict.UNCONFIRMED
    assert result([*passed(99), Outcome(check(), (broken,), 0.0)])[0] is Result.UNJUDGED


def test_a_stopped_run_never_says_that_the_contract_holds() -> None:
    for outcomes in ([], passed(99)):
        assert result(outcomes, stopped=True)[0] is Result.STOPPED


@pytest.mark.parametrize(
    ("error", "excluded"),
    [(Excluded("no key"), True), (Untested("402"), False), (OutOfQuestions("used up"), False)],
)
def test_a_check_says_whether_keys_and_options_exclude_it(error: Untested, excluded: bool) -> None:
    def run(_: Run) -> None:
        raise error

    outcome = judge(check()._replace(function=run), run_on(fresh_app()))
    assert outcome.skipped is not None
    assert (outcome.verdict, outcome.skipped.excluded) == (Verdict.UNTESTED, excluded)


def test_too_few_questions_end_with_3_and_say_so() -> None:
    words = only("a-new-space-has-no-threads", "later-messages-follow-by-themselves")
    done = contracts("run", "--target", "mock", *words, "--with-model", "1")
    assert done.exit_code == 3, done.output
    assert "ran out of questions to the model: allow more with --with-model N" in done.stderr
    assert "the contract holds" not in done.output


def test_a_budget_that_is_too_small_ends_with_3_and_says_so() -> None:
    words = only("a-new-space-has-no-threads", "the-page-size-is-fifty-by-default")
    words += ["--max-requests", "60"]
    done = contracts("run", "--target", "mock", *words)
    assert done.exit_code == 3, done.output
    assert "--min-coverage): the requests of --max-requests are used up" in done.stderr
    assert "the contract holds" not in done.output
    assert contracts("run", "--target", "mock", *words, "--min-coverage", "50").exit_code == 0


def status_failure(name: str, expected: int, got: int, role: str = "owner") -> Failure:
    """Failure of an add that answers another status, each time with other ids."""
    path = f"/v1/spaces/space_{name}00000/threads/thrd_{name}00000"
    answer = ClientResponse(ClientRequest("POST", path, role), got, {}, "{}", 1.0)
    broken = Broken(f"{path} answers {got}", expected=expected, got=got)
    return failure_of(check(name), broken, [answer], run_on(fresh_app()))


def test_failures_with_one_operation_claim_and_difference_are_joined() -> None:
    same = [status_failure("a", 201, 409), status_failure("b", 201, 409)]
    others = [
        status_failure("c", 201, 500),
        status_failure("d", 403, 409),
        status_failure("e", 201, 409, "viewer"),
    ]
    groups = joined([Outcome(failure.check, (failure,), 0.0) for failure in (*same, *others)])
    assert [[failure.check.id for failure in group] for group in groups] == [["a", "b"], ["c"], ["d"], ["e"]]


def test_two_missing_fields_are_two_causes_and_one_of_two_lists_is_one() -> None:
    def missing(pointer: str) -> Failure:
        body = '{"data": [{"id": "thrd_aaaaaaaaaa1"}, {"id": "thrd_aaaaaaaaaa2"}]}'
        request = ClientRequest("GET", "/v1/spaces/space_aaaaaaaaaa1/threads", "owner")
        answer = ClientResponse(request, 200, {}, body, 1.0)
        return failure_of(
            check(), Broken("a field is missing", pointer=pointer), [answer], run_on(fresh_app())
        )

    found = [missing(pointer) for pointer in ("/data/0/title", "/data/1/title", "/data/0/object")]
    groups = joined([Outcome(check(), tuple(found), 0.0)])
    assert [len(group) for group in groups] == [2, 1]
    assert found[0].fingerprint.keyword == "required"


@pytest.mark.parametrize("form", ["thrd_{}", "{}-7f.3-x", "urn.thread.{}"])
def test_a_fingerprint_has_no_id_of_any_form(form: str) -> None:
    def found(id_: str) -> Failure:
        read = ClientRequest("GET", f"/v1/threads/{id_}", "owner")
        answer = ClientResponse(read, 200, {}, f'{{"id": "{id_}"}}', 1.0)
        broken = Broken(f"{id_} is listed twice", what=f"{id_} is listed twice")
        return failure_of(check(), broken, [answer], run_on(fresh_app()))

    assert found(form.format("a1b2c3")).fingerprint == found(form.format("d4e5f6")).fingerprint


def lines(*outcomes: Outcome) -> str:
    """What a run without a terminal shows of them."""
    console = Console(file=io.StringIO(), width=300)
    live = Live(console, len(outcomes), Recorder(document()), Redactor({}))
    for outcome in outcomes:
        live.finish(outcome)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_cause_is_told_once_whatever_request_met_it() -> None:
    reasons = [f"the target answers 502 to POST /v1/spaces/{n}" for n in range(5)]
    named = [(check(f"c{n}"), Skipped(Verdict.UNANSWERED, reason)) for n, reason in enumerate(reasons)]
    shown = lines(*(Outcome(one, (), 0.0, skip) for one, skip in named))
    assert shown.count("answers 502") == 1
    reason = result([*passed(1), *(skipped(Verdict.UNANSWERED, reason) for reason in reasons)])[1]
    assert reason == f"5 checks got no answer: {reasons[0]}"


def test_a_failure_is_shown_by_its_difference_not_by_the_way_to_it() -> None:
    broken = Broken(
        "after: " + "create space S1, " * 40 + "listing S1 shows nothing", brief="listing S1 shows nothing"
    )
    many = Broken("the spaces: expected " + "x" * 600, ["b", *"acdef"], ["b", *"acdeg"], what="the spaces")
    run = run_on(fresh_app())
    shown = [failure_of(check(), each, (), run)._replace(confirmed=Verdict.BROKEN) for each in (broken, many)]
    assert shown[0].brief == "listing S1 shows nothing"
    assert shown[1].brief == "the spaces at /5: expected 'f', got 'g'"
    assert "listing S1 shows nothing" in lines(Outcome(check(), (shown[0],), 0.0))


def test_a_refused_request_that_was_no_question_allows_no_further_question() -> None:
    """A request without a key to the model is refused, and never was one of the questions."""
    run = run_on(fresh_app(), model_calls=1)
    for _ in range(3):
        assert run.send(ClientRequest("POST", "/v1/model/response", None, [])).status == 401
    run.spend_model_question()
    assert run.send(ClientRequest("POST", "/v1/model/response", "owner", [])).status == 422
    run.spend_model_question()  # the question was refused, and so it is still there
    with pytest.raises(OutOfQuestions):
        run.spend_model_question()


def test_a_budget_that_ends_before_the_first_check_ends_with_3_and_one_line() -> None:
    with mock() as url:
        done = contracts("run", "--target", url, *only("a-new-space-has-no-threads"), "--max-requests", "3")
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1), done.output
    assert "--max-requests are used up" in done.stderr
