"""Lock step: the mock is like the model, whatever the seed, the date and the ids; what is not is found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from copy import deepcopy
from itertools import chain
from threading import Barrier, Lock

import pytest

from contracts.checks.evidence import Evidence, assumptions, effects
from contracts.checks.spec import document
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.lockstep import sides
from contracts.lockstep.api import Step
from contracts.lockstep.attribution import CONDITIONS, failures, patterns
from contracts.lockstep.found import Found
from contracts.lockstep.layer import corpus
from contracts.lockstep.model import ModelClient, shared_model
from contracts.lockstep.play import Lockstep
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
GROUPS = 18
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


class Restless(Anonymous):
    """A deployment with a field of its own in each answer, another one each time."""

    count = 0

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        answer = super()._answer(request, key)
        self.count += 1
        if answer.request.method != "GET" or "description" not in answer.fields:
            return answer
        return answer._replace(text=json.dumps({**answer.fields, "description": f"no. {self.count}"}))


@pytest.fixture
def model() -> ModelClient:
    return shared_model("2026-02")


def run_on(target: InProcess, keys: Mapping[str, str] = DEMO, *, read_only: bool = False) -> Run:
    about = {"ledger": Ledger(), "run_id": "test", "settings": RECORDED}
    return Run(target, keys, DEMO_ORGANIZATION, **about, model_calls=10**6, read_only=read_only)  # type: ignore[arg-type]


def lockstep(model: ModelClient, run: Run) -> Lockstep:
    operations = {each.id: each for each in document().operations.values()}
    about = {"permits": run.permits, "allow": run.ledger.allow}
    return Lockstep(model, target_of(run), document(), operations, **about)  # type: ignore[arg-type]


def judged(target: InProcess) -> Outcome:
    return judge(CHECK, run_on(target))


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS))
def test_the_mock_answers_like_the_model_at_another_date_with_another_seed(
    model: ModelClient, group: int
) -> None:
    pair = lockstep(model, run_on(InProcess(fresh_app())))
    assert len(groups(pair)) == GROUPS
    pair.play(sequence(pair, groups(pair)[group]))
    assert pair.steps_taken > 90


def test_every_recorded_sequence_still_runs_on_the_mock(model: ModelClient) -> None:
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
    """A mock whose answers are replaced: to a repeated add, to a new space, to a refused read."""

    def __init__(self, *, add: int = 201, space: int = 201, times: int = 1000, is_open: bool = False) -> None:
        super().__init__(fresh_app())
        self._add, self._space, self._left, self._is_open = add, space, times, is_open
        self._added: set[str] = set()

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        answer = super()._answer(request, key)
        if answer.status == 403 and self._is_open:
            return super()._answer(request, DEMO["owner"])
        if (request.method, answer.status) != ("POST", 201) or not self._left:
            return answer
        if request.path in self._added:
            return answer._replace(status=self._add)
        if request.path.endswith("/spaces/"):
            self._left -= 1
            return answer._replace(status=self._space)
        self._added |= {request.path} if "/threads/" in request.path else set()
        return answer


def difference(model: ModelClient, target: InProcess, *steps: Step) -> Found:
    """Difference that these steps show."""
    pair = lockstep(model, run_on(target))
    with pytest.raises(Found) as found:
        pair.play(deepcopy([*steps]))
    return found.value


def test_a_difference_has_both_answers_and_the_calls_that_show_it(model: ModelClient) -> None:
    found = difference(model, Otherwise(add=409), SPACE, THREAD, ADD, {**ADD, "uid": "d"})
    assert [(each.kind, each.left, each.right) for each in found.differences] == [("status", 201, 409)]
    assert [answer.status for answer in found.chain] == [201, 201, 201, 409]
    assert "Thread added to space" in found.model.text


def test_what_an_assumption_allows_does_not_break_the_contract(model: ModelClient) -> None:
    found = difference(model, Otherwise(add=409), SPACE, THREAD, ADD, {**ADD, "uid": "d"})
    assert [broken.assumption for broken in failures(found)] == ["A01"]


def test_a_status_that_no_alternative_has_breaks_the_contract(model: ModelClient) -> None:
    found = difference(model, Otherwise(add=500), SPACE, THREAD, ADD, {**ADD, "uid": "d"})
    assert [broken.assumption for broken in failures(found)] == [None]


def test_who_is_let_in_breaks_the_claim_of_the_refusal(model: ModelClient) -> None:
    read = {**ADD, "op": "getSpace", "role": "outsider", "path": {"space_id": {"$": "space:a/id"}}}
    [broken] = failures(difference(model, Otherwise(is_open=True), SPACE, read))
    assert (broken.expected, broken.got) == (403, 200)
    assert broken.evidence is not None
    assert broken.evidence > Evidence.ASSUMED


def test_what_nothing_explains_is_broken_with_the_fewest_calls() -> None:
    found = judged(Otherwise(space=500))
    assert found.verdict is Verdict.BROKEN
    assert "the model 201, the target 500" in found.message
    assert len(found.failures[0].chain) == 1


def test_a_difference_that_does_not_come_again_is_flaky() -> None:
    assert judged(Otherwise(space=500, times=1)).verdict is Verdict.FLAKY


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
def test_a_deployment_gets_no_control_calls_and_keeps_nothing(model: ModelClient, roles: list[str]) -> None:
    run = run_on(Anonymous(fresh_app()), {role: DEMO[role] for role in roles})
    pair = lockstep(model, run)
    assert isinstance(pair.target, Deployment)
    shortest = [each for each in corpus() if not any(step.get("tick") for step in each.steps)][:3]
    for recorded in shortest:
        pair.play(deepcopy(recorded.steps))
    assert not any("/__admin" in answer.request.path for answer in run.chain)
    assert {made.kind for made in run.ledger.left()} <= {"thread"}  # those that show the users of the keys


def test_a_value_that_changes_between_equal_reads_is_told_and_not_compared(
    model: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "SETTLE_SECONDS", 0)
    pair = lockstep(model, run_on(Restless(fresh_app())))
    read = {**ADD, "op": "getSpace", "path": {"space_id": {"$": "space:a/id"}}}
    pair.play([deepcopy(SPACE), read], read_back=False)
    assert pair.unsteady == {"getSpace": {"/description"}}


class Merging(InProcess):
    """A mock that answers two creations at the same time with one space."""

    def __init__(self) -> None:
        super().__init__(fresh_app())
        self._both, self._lock = Barrier(2, timeout=60), Lock()
        self._answered: list[ClientResponse] = []

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        if request.path != "/v1/spaces/":
            return super()._answer(request, key)
        self._both.wait()
        with self._lock:
            self._answered += [] if self._answered else [super()._answer(request, key)]
        return self._answered[0]


def test_two_calls_at_the_same_time_are_explained_by_an_order_of_the_model(model: ModelClient) -> None:
    twice = [{**SPACE, "beside": {**SPACE, "uid": "z"}}, THREAD, {**ADD, "beside": {**ADD, "uid": "y"}}]
    lockstep(model, run_on(InProcess(fresh_app()))).play(deepcopy(twice))
    with pytest.raises(Found) as found:
        lockstep(model, run_on(Merging())).play(deepcopy(twice))
    assert [each.pointer for each in found.value.differences] == ["/id", "/vector_store_id"]


def test_a_call_after_the_other_at_the_same_time_is_explained_too(model: ModelClient) -> None:
    gone = {**ADD, "op": "deleteThread", "uid": "d", "path": {"thread_id": {"$": "thread:b/id"}}}
    for first, second in ((ADD, gone), (gone, ADD)):
        steps = [SPACE, THREAD, {**first, "beside": second}]
        lockstep(model, run_on(InProcess(fresh_app()))).play(deepcopy(steps))


def test_every_row_of_the_differences_names_an_effect_or_an_assumption_and_known_conditions() -> None:
    assert set(patterns()) <= {*assumptions(), *effects()}
    known = {operation.id for operation in document().operations.values()}
    for id_, rows in patterns().items():
        for row in rows:
            assert row, id_
            assert set(row) <= CONDITIONS, id_
            named = f"{row.get('op', '')} {row.get('after', '')}".split()
            assert set(named) <= known, id_


def test_the_model_ends_with_its_parent_even_if_that_is_killed() -> None:
    module = "contracts.lockstep.model_process"
    code = f"from {module} import ModelProcess as M; m = M('2026-02'); print(m.pid, flush=True); input()"
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
