"""Layers 1 and 2: generated requests on the mock, on faulty mocks, and over a socket."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import schemathesis
from werkzeug.serving import make_server

from contracts.checks.errors import Untested
from contracts.checks.spec import document
from contracts.generated import schemathesis_driver
from contracts.generated.exemptions import Exemptions
from contracts.generated.id_rewriting import IdRewriter
from contracts.generated.layers import contract_failures
from contracts.generated.types import KEY, GenerationPlan
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.deployment import Http
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.http.transport import Transport
from contracts.report.curl import commands
from contracts.safety.ledger import Ledger
from contracts.settings import PROFILES, Profile, RunSettings
from contracts.suite import CHECKS
from contracts.verdict import runner
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.runner import judge
from mockserver.app import MockServer, create_app
from mockserver.http import wire
from mockserver.settings import Settings as MockSettings

pytestmark = pytest.mark.slow

OPERATIONS, LINKS = ("examples", "coverage", "fuzzing"), ("stateful",)
"""Phases of the engine: single requests, and chains that follow the links of openapi.yaml."""
QUICK = PROFILES["quick"]


class Watched(Transport):
    """A transport that remembers what went out."""

    def __init__(self, inner: Transport) -> None:
        super().__init__("http://watched", None)
        self._inner = inner
        self.always, self.limit = inner.always, inner.limit
        self.sent: list[ClientRequest] = []
        self.answers: list[ClientResponse] = []

    def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        self.sent.append(request)
        self.answers.append(self._inner.send(request, key))
        return self.answers[-1]

    def close(self) -> None:
        self._inner.close()


@cache
def app() -> MockServer:
    """One mock for all tests: none of them leaves a mark on its demo data."""
    return create_app(MockSettings(quiet=True))


def run_on(
    transport: Transport,
    *,
    seed: int = 1,
    model_calls: int = 0,
    read_only: bool = False,
    examples: int = 1,
    run_id: str = "t1",
    profile: Profile = QUICK,
) -> Run:
    """With the coverage phase, which has a number of cases of its own, and little else."""
    return Run(
        transport,
        DEMO,
        DEMO_ORGANIZATION,
        ledger=Ledger(),
        run_id=run_id,
        read_only=read_only,
        model_calls=model_calls,
        settings=RunSettings(seed, profile._replace(examples=examples)),
    )


def explored(run: Run, phases: tuple[str, ...], examples: int, operation: str | None = None) -> list[str]:
    gateway = schemathesis_driver.Gateway(IdRewriter(run))
    plan = GenerationPlan(phases, examples, run.settings.seed, operation)
    return [
        f"{place} {broken.message}"
        for finding in schemathesis_driver.explore(gateway, plan)
        for place, broken in contract_failures(finding, run)
    ]


def outcome(id_: str, run: Run) -> Outcome:
    return judge(next(check for check in CHECKS if check.id == id_), run)


def state(transport: Transport) -> list[str]:
    """What a demo mock holds, as every one of its users sees it."""
    paths = [
        f"/v1/spaces/?organization_id={DEMO_ORGANIZATION}&limit=100",
        "/v1/threads?limit=100",
        f"/v1/organizations/{DEMO_ORGANIZATION}/vector-stores?take=100",
        *(f"/v1/spaces/{id_}" for id_ in ("space_abc123", "space_team")),
        *(f"/v1/spaces/{id_}/threads" for id_ in ("space_abc123", "space_team")),
    ]
    return [
        transport.send(ClientRequest("GET", path, None), key).text for path in paths for key in DEMO.values()
    ]


def steady(texts: list[str]) -> list[str]:
    """Without what differs in every error."""
    return ["" if '"success":false' in text else text for text in texts]


def test_the_engine_is_pinned() -> None:
    assert schemathesis.__version__ == schemathesis_driver.VERSION


def test_the_sample_of_a_small_run_is_the_same_in_another_run_and_with_another_seed() -> None:
    sent = []
    for run_id, seed in (("t1", 1), ("b2c3", 2)):
        transport = Watched(InProcess(app()))
        run = run_on(transport, seed=seed, run_id=run_id, profile=PROFILES["small"])
        explored(run, ("coverage",), 1, "addThreadToSpace")
        ids = re.compile(rf"{run_id}|[0-9a-f]{{32}}")
        paths = [(each.method, ids.sub("", each.path)) for each in transport.sent]
        sent.append([pair for pair in paths if "/threads/" in pair[1]])
        assert run.clean_up() == []
    assert len(sent[0]) > 5
    assert sent[0] == sent[1]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_correct_mock_has_no_failure_and_nothing_of_its_own_is_touched(seed: int) -> None:
    """The seed changes the two random phases alone; the others are tried with the first."""
    transport = Watched(InProcess(app()))
    before, contract = steady(state(transport)), deepcopy(document().raw)
    transport.sent.clear()
    run = run_on(transport, seed=seed, model_calls=3)
    phases = OPERATIONS if seed == 1 else ("fuzzing",)
    assert explored(run, phases, 2) == []
    assert explored(run, LINKS, 8) == []
    assert run.clean_up() == []
    for request in transport.sent:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            for demo in ("space_abc123", "thrd_abc123", "vs_def456", "usr_def456", "space_team"):
                assert demo not in f"{request.path} {request.body}"
    assert steady(state(transport)) == before
    assert document().raw == contract, "the engine changed the document that the suite reads"


class _Spoilt:
    def __init__(self, operation: str, spoil: Callable[[wire.Checked], wire.Checked]) -> None:
        self.operation, self.spoil, self.app = operation, spoil, app()

    def check(self, operation: Any, reply: Any, trace_id: str) -> wire.Checked:
        checked = _check(operation, reply, trace_id)
        if operation.id == self.operation and checked.status < 300:
            return self.spoil(checked)
        return checked


_check = wire.check


def body(**changes: Any) -> Callable[[wire.Checked], wire.Checked]:
    """Changes fields; what is changed to Ellipsis is dropped."""

    def spoil(checked: wire.Checked) -> wire.Checked:
        changed = {**checked.body, **changes}
        return checked._replace(body={name: v for name, v in changed.items() if v is not ...})

    return spoil


def header(value: str) -> Callable[[wire.Checked], wire.Checked]:
    return lambda checked: checked._replace(
        headers=[(n, value if n.lower() == "content-type" else v) for n, v in checked.headers]
    )


MUTANTS: dict[str, tuple[str, Callable[[wire.Checked], wire.Checked], str, Verdict]] = {
    "wrong status": ("createSpace", lambda c: c._replace(status=200), "answers 200", Verdict.ASSUMPTION),
    "undocumented status": ("getSpace", lambda c: c._replace(status=202), "answers 202", Verdict.BROKEN),
    "dropped field": ("getSpace", body(vector_store_id=...), "vector_store_id", Verdict.BROKEN),
    "other constant": ("addThreadToSpace", body(message="done"), "Thread added", Verdict.BROKEN),
    "null": ("getThread", body(status=None), "status", Verdict.BROKEN),
    "wrong type": ("listSpaceThreads", body(has_more="no"), "has_more", Verdict.BROKEN),
    "bad timestamp": ("getSpace", body(created_at="2026-01-01 00:00"), "created_at", Verdict.ASSUMPTION),
    "wrong content type": ("listSpaces", header("text/html"), "text/html", Verdict.BROKEN),
    "page too long": ("listSpaceThreads", body(next_cursor="x"), "has_more", Verdict.ASSUMPTION),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mock_that_breaks_the_shape_of_an_answer_is_caught(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, spoil, says, verdict = MUTANTS[name]
    monkeypatch.setattr(runner, "RETRIES", 0)
    bad = _Spoilt(operation, spoil)
    monkeypatch.setattr(wire, "check", bad.check)
    result = outcome(f"operation-{operation}", run_on(InProcess(bad.app)))
    found = [(failure.verdict, failure.broken.message) for failure in result.failures]
    assert any(judged is verdict and says in message for judged, message in found), found
    assert result.failures[0].chain


def test_a_server_error_at_the_largest_page_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    read = wire.read

    def broken(context: Any, limits: Any) -> Any:
        call = read(context, limits)
        if call.operation == "listSpaceThreads" and call.query["limit"] == 100:
            raise ZeroDivisionError
        return call

    monkeypatch.setattr(wire, "read", broken)
    result = outcome("operation-listSpaceThreads", run_on(InProcess(app())))
    assert result.verdict is Verdict.BROKEN
    assert "answers 500" in result.message
    assert "limit=100" in result.failures[0].chain[-1].request.path


def test_what_an_assumption_allows_breaks_no_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """409 for a thread that is in the space already is not documented, and A01 allows it."""
    bad = _Spoilt("addThreadToSpace", lambda checked: checked._replace(status=409))
    monkeypatch.setattr(wire, "check", bad.check)
    result = outcome("operation-addThreadToSpace", run_on(InProcess(bad.app)))
    assert (result.verdict, result.failures[0].assumption) == (Verdict.ASSUMPTION, "A01")


def test_a_write_to_what_the_run_did_not_make_is_not_sent() -> None:
    transport = Watched(InProcess(app()))
    rewriter = IdRewriter(run_on(transport))
    for request in (
        ClientRequest("DELETE", "/v1/spaces/space_abc123", "owner"),
        ClientRequest("PATCH", "/v1/threads/anything", "owner", "{}"),
        ClientRequest("POST", "/v1/spaces/", "owner", '{"editable_by_users": ["usr_def456"]}'),
        ClientRequest("PUT", "/v1/spaces/x?organization_id=org_other", "owner"),
        ClientRequest("DELETE", "/v1/threads", "owner"),
        ClientRequest("POST", "/v1/model/response", "owner", '{"inputs": "hello"}'),
    ):
        assert rewriter.send(request) is None
    assert transport.sent == []


def test_a_read_only_run_sends_no_write() -> None:
    transport = Watched(InProcess(app()))
    run = run_on(transport, read_only=True)
    assert outcome("operation-listSpaces", run).verdict is Verdict.PASSED
    assert outcome("operation-createSpace", run).verdict is Verdict.UNTESTED
    assert {request.method for request in transport.sent} <= {"GET", "HEAD", "OPTIONS"}


def test_a_model_is_asked_as_often_as_the_run_allows() -> None:
    transport = Watched(InProcess(app()))
    assert outcome("operation-createResponse", run_on(transport)).verdict is Verdict.UNTESTED
    assert outcome("operation-createResponse", run_on(transport, model_calls=4)).verdict is Verdict.PASSED
    answered = [a for a in transport.answers if a.request.path == "/v1/model/response" and a.status == 200]
    assert 1 <= len(answered) <= 4


@contextmanager
def served() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_over_a_socket_nothing_differs_and_no_key_is_told() -> None:
    with served() as url:
        transport = Http(url)
        run = run_on(transport)
        outcomes = [outcome(f"operation-{id_}", run) for id_ in ("listSpaces", "addThreadToSpace")]
        assert [o.verdict for o in outcomes] == [Verdict.PASSED] * 2
        assert run.clean_up() == []
        transport.close()


def test_no_output_holds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = _Spoilt("getSpace", body(name=...))
    monkeypatch.setattr(wire, "check", bad.check)
    result = outcome("operation-getSpace", run_on(InProcess(bad.app)))
    texts = str(commands(result.failures[0].chain)) + str(
        [answer.text for answer in result.failures[0].chain]
    )
    assert "$CONTRACTS_OWNER_KEY" in texts
    assert not any(key in texts for key in (*DEMO.values(), KEY))


def test_a_refused_question_costs_nothing_and_an_answered_one_does() -> None:
    run = run_on(InProcess(app()), model_calls=1)
    thread_id = run.owner.new_thread()["id"]
    for inputs, status in (([], 422), ([{"role": "user", "content": "Good morning."}], 200)):
        run.spend_model_question()
        body = {"thread_id": thread_id, "inputs": inputs}
        assert run.owner.ask("POST", "/v1/model/response", body).status == status
    with pytest.raises(Untested):
        run.spend_model_question()
    run.clean_up()


def test_a_list_without_a_cursor_returns_no_valid_anchor() -> None:
    """A link that takes an empty page's last id sends "None", which no target has to accept."""
    exemptions = Exemptions(Ledger())
    listed = ClientRequest("GET", "/v1/threads", "owner")
    exemptions.note(ClientResponse(listed, 200, {}, '{"data": [], "last_id": null}', 1.0))
    assert not exemptions._is_valid("query", "/v1/threads", "None")


def test_generated_pins_are_taken_off_again() -> None:
    """A user has twenty: what the generated requests pin would be missing to the other checks."""
    run = run_on(InProcess(create_app(MockSettings(quiet=True))))
    outcome("operation-pinThread", run)
    page = run.owner.get("/v1/threads", limit=100, is_pinned="true", organization_id=run.organization_id)
    own = {resource.id for resource in run.ledger.left()}
    assert [thread["id"] for thread in page.items if thread["id"] in own] == []
