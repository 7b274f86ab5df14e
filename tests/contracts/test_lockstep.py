"""Lock step: the mock is like the model, whatever the seed, the date and the ids; what is not is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import chain

import pytest

from contracts.checks.spec import document
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.lockstep.api import Step
from contracts.lockstep.layer import corpus
from contracts.lockstep.model import Model
from contracts.lockstep.play import Found, Lockstep
from contracts.lockstep.sides import Deployment, target_of
from contracts.lockstep.systematic import groups, sequence
from contracts.safety.ledger import Ledger
from contracts.settings import PROFILES, RunSettings
from contracts.suite import CHECKS
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.runner import judge
from tests.contracts.strength import fresh_app

[CHECK] = [check for check in CHECKS if check.layer == "lockstep"]
RECORDED = RunSettings(1, PROFILES["ci"]._replace(sequences=0))
"""Only the recorded sequences."""
SPACE = {"op": "createSpace", "uid": "a", "role": "owner", "path": {}, "query": {}}
SPACE |= {"body": {"organization_id": {"$": "org:own"}, "name": "n"}}
THREAD = {**SPACE, "op": "createThread", "uid": "b", "body": {"organization_id": {"$": "org:own"}}}
BOTH = {"space_id": {"$": "space:a/id"}, "thread_id": {"$": "thread:b/id"}}
ADD = {"op": "addThreadToSpace", "uid": "c", "role": "owner", "path": BOTH, "query": {}}


class Anonymous(InProcess):
    """A mock that does not say that it is one."""

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        answer = super()._answer(request, key)
        headers = {name: value for name, value in answer.headers.items() if name != "x-mock-source"}
        return answer._replace(headers=headers)


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    found = Model()
    yield found
    found.close()


def run_on(target: InProcess, keys: Mapping[str, str] = DEMO, *, read_only: bool = False) -> Run:
    about = {"ledger": Ledger(), "run_id": "test", "settings": RECORDED}
    return Run(target, keys, DEMO_ORGANIZATION, **about, model_calls=10**6, read_only=read_only)  # type: ignore[arg-type]


def lockstep(model: Model, run: Run) -> Lockstep:
    operations = {each.id: each for each in document().operations.values()}
    about = {"permits": run.permits, "allow": run.ledger.allow}
    return Lockstep(model, target_of(run), document(), operations, **about)  # type: ignore[arg-type]


def judged(target: InProcess) -> Outcome:
    return judge(CHECK, run_on(target))


@pytest.mark.slow
@pytest.mark.parametrize("group", range(9))
def test_the_mock_answers_like_the_model_at_another_date_with_another_seed(model: Model, group: int) -> None:
    pair = lockstep(model, run_on(InProcess(fresh_app())))
    pair.play(sequence(pair, groups(pair)[group]))
    assert pair.steps_taken > 140  # nine groups take more than 1,284 steps


def test_every_recorded_sequence_still_runs_on_the_mock(model: Model) -> None:
    pair = lockstep(model, run_on(InProcess(fresh_app())))
    for recorded in corpus():
        before = pair.steps_taken
        pair.play(deepcopy(recorded.steps), read_back=False)
        assert pair.steps_taken - before == len(recorded.steps), recorded.notices


def test_a_recorded_sequence_notices_something() -> None:
    names = list(chain.from_iterable(each.notices for each in corpus()))
    assert all(each.notices for each in corpus())
    assert len(names) == len(set(names))


class Otherwise(InProcess):
    """A mock whose answers to adding a thread again are replaced."""

    def __init__(self, status: int, times: int = 1000) -> None:
        super().__init__(fresh_app())
        self._status, self._left, self._added = status, times, set[str]()

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        answer = super()._answer(request, key)
        is_add = request.method == "POST" and "/threads/thrd_" in request.path and "spaces" in request.path
        if not (is_add and answer.status == 201 and self._left):
            return answer
        if request.path in self._added or self._status >= 500:
            self._left -= 1
            return answer._replace(status=self._status)
        self._added.add(request.path)
        return answer


def test_a_difference_is_told_with_both_answers_and_the_calls_that_show_it(model: Model) -> None:
    pair = lockstep(model, run_on(Otherwise(409)))
    steps: list[Step] = [SPACE, THREAD, ADD, {**ADD, "uid": "d"}]
    with pytest.raises(Found) as found:
        pair.play(deepcopy(steps))
    assert [(each.kind, each.left, each.right) for each in found.value.differences] == [("status", 201, 409)]
    assert [answer.status for answer in found.value.chain] == [201, 201, 201, 409]


def test_what_an_assumption_allows_does_not_break_the_contract() -> None:
    found = judged(Otherwise(409))
    assert found.verdict is Verdict.ASSUMPTION
    assert [failure.assumption for failure in found.failures] == ["A01"]


def test_what_nothing_explains_is_broken() -> None:
    found = judged(Otherwise(500))
    assert found.verdict is Verdict.BROKEN
    assert "the model 201, the target 500" in found.message
    assert len(found.failures[0].chain) <= 4


def test_a_difference_that_does_not_come_again_is_flaky() -> None:
    assert judged(Otherwise(500, times=1)).verdict is Verdict.FLAKY


def test_lock_step_with_a_mock_counts_in_no_coverage_and_leaves_nothing() -> None:
    run = run_on(InProcess(fresh_app()))
    seen: list[ClientResponse] = []
    run.on_exchange = seen.append
    assert judge(CHECK, run).verdict is Verdict.PASSED
    assert seen == []
    assert list(run.ledger.left()) == []


def test_a_run_that_only_reads_leaves_lock_step_out() -> None:
    outcome = judge(CHECK, run_on(InProcess(fresh_app()), read_only=True))
    assert outcome.skipped is not None
    assert outcome.skipped.excluded


@pytest.mark.parametrize("roles", [["owner"], ["owner", "viewer", "foreign"]])
def test_a_deployment_gets_no_control_calls_and_keeps_nothing(model: Model, roles: list[str]) -> None:
    run = run_on(Anonymous(fresh_app()), {role: DEMO[role] for role in roles})
    pair = lockstep(model, run)
    assert isinstance(pair.target, Deployment)
    shortest = [each for each in corpus() if not any(step.get("tick") for step in each.steps)][:3]
    for recorded in shortest:
        pair.play(deepcopy(recorded.steps))
    assert not any("/__admin" in answer.request.path for answer in run.chain)
    assert {made.kind for made in run.ledger.left()} <= {"thread"}  # those that show the users of the keys


def test_the_model_ends_with_its_parent_even_if_that_is_killed() -> None:
    module = "contracts.lockstep.model_process"
    code = f"from {module} import ModelProcess as M; m = M(); print(m.pid, flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    for _ in range(600):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("the model is still there after a minute")
