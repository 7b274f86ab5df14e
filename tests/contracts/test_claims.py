"""A verdict is founded on the weakest claim that the failure needs, and an addition breaks nothing."""

from __future__ import annotations

import json
import re

import pytest

from contracts.checks import requests
from contracts.checks.claims import basis
from contracts.checks.evidence import Evidence, effects
from contracts.checks.spec import document
from contracts.generated.layers import contract_failures
from contracts.generated.types import EngineFailure
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.suite import CHECKS
from contracts.verdict.additions import additions_of
from contracts.verdict.failure import Verdict
from contracts.verdict.runner import judge
from mockserver.app import MockServer
from tests.contracts.mutants import MUTANTS, Mutant, damaged
from tests.contracts.strength import bite, fresh_app, known, run_on

SPACE = {"organization_id": "org_one", "name": "x"}


def answer(status: int, method: str, path: str, body: object = None, text: str = "{}") -> ClientResponse:
    return ClientResponse(ClientRequest(method, path, "owner", body), status, {}, text, 1.0)


def plain(sentence: str) -> str:
    """Sentence without the table of a check of permissions."""
    return re.sub(r" \(this: .*\)", "", sentence)


def field_error(name: str) -> str:
    return json.dumps({"error": {"details": {"fields": [{"in": "body", "name": name, "message": "no"}]}}})


@pytest.mark.parametrize("closed", [False, True])
def test_an_undocumented_field_is_told_once_for_its_operation_and_breaks_only_a_closed_contract(
    app: MockServer, closed: bool
) -> None:
    chosen = [check for check in CHECKS if check.id in ("an-added-thread-is-listed", "a-viewer-may-list")]
    with damaged(app, mutant("thread-extra")):
        run = run_on(app)
        run.settings = run.settings._replace(closed=closed)
        outcomes = [judge(check, run) for check in chosen]
    found = additions_of(run).as_data()
    assert [(id_, len(pointers)) for id_, pointers in found.items()] == [("listSpaceThreads", 1)]
    assert [o.verdict for o in outcomes] == [Verdict.BROKEN if closed else Verdict.PASSED, Verdict.PASSED]


def test_a_response_without_any_field_of_its_schema_is_no_addition() -> None:
    operation = document().by_id("addThreadToSpace")
    assert [*document().additions(operation, 404, {"detail": "Not Found"})] == []
    assert [*document().additions(operation, 404, {"success": False, "region": "eu"})] == ["/region"]


@pytest.mark.parametrize(
    ("wrong", "evidence"),
    [
        ({"access_users": [1]}, Evidence.ASSUMED),
        ({"access_users": ["x"] * 1001}, Evidence.ASSUMED),
        ({"access_mode": 1}, Evidence.PUBLISHED),
        ({"access_users": [1], "access_mode": 1}, Evidence.PUBLISHED),
    ],
)
def test_accepting_a_broken_rule_is_judged_by_the_strongest_of_the_rules(
    wrong: dict[str, object], evidence: Evidence
) -> None:
    operation = document().by_id("createSpace")
    found = requests.accepted(document(), operation, answer(201, "POST", "/v1/spaces/", {**SPACE, **wrong}))
    assert found is not None
    assert found.evidence is evidence


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        (field_error("access_users.0"), Evidence.ASSUMED),
        (field_error("description"), Evidence.PUBLISHED),
        ('{"detail": [{"loc": ["body", "access_users", 0], "msg": "too many"}]}', Evidence.ASSUMED),
        ('{"detail": [{"loc": ["body", "description"], "msg": "too long"}]}', Evidence.PUBLISHED),
        ('{"error": {"system_message": "access_users has too many items"}}', Evidence.ASSUMED),
    ],
)
def test_a_refusal_is_judged_by_the_part_that_it_names(text: str, evidence: Evidence) -> None:
    body = {**SPACE, "description": "d", "access_users": ["usr_a"]}
    operation = document().by_id("createSpace")
    found = requests.refused(document(), operation, answer(422, "POST", "/v1/spaces/", body, text))
    assert found is not None
    assert found.evidence is evidence


def asked(sent: object) -> EngineFailure:
    """Failure of a wrong request that was accepted: a query of listThreads, or a body of createResponse."""
    if isinstance(sent, str):
        wrong = answer(200, "GET", f"/v1/threads?{sent}")
        return EngineFailure("GET /v1/threads", "negative_data_rejection", "accepted", wrong)
    body = {"inputs": [{"role": "user", "content": "x"}], **dict(sent)}  # type: ignore[call-overload]
    wrong = answer(200, "POST", "/v1/model/response", body)
    return EngineFailure("POST /v1/model/response", "negative_data_rejection", "accepted", wrong)


@pytest.mark.parametrize(
    "sent",
    [
        *("limit=%2B5", "limit=5.0", "limit=5.", "limit=%205", "limit=1_0", "limit=", "order="),
        *("include_total=yes", "include_total=1", "include_total=True", "include_total=", "is_pinned=off"),
        *({"stream": "true"}, {"store": 0}, {"temperature": "0.5"}, {"max_output_synapses": True}),
        *({"top_p": "1"}, {"max_output_synapses": "7", "store": "no"}),
    ],
)
def test_a_server_may_read_values_as_frameworks_do(app: MockServer, sent: object) -> None:
    assert not [*contract_failures(asked(sent), run_on(app))]


@pytest.mark.parametrize(
    ("label", "accused"), [("POST /v1/threads/{thread_id}/generateName", False), ("POST /v1/threads", True)]
)
def test_a_server_may_take_null_for_an_optional_body(app: MockServer, label: str, accused: bool) -> None:
    path = label.partition(" ")[2].format(thread_id="thrd_a")
    sent = ClientResponse(ClientRequest("POST", path, "owner", "null"), 200, {}, "{}", 1.0)
    failure = EngineFailure(label, "negative_data_rejection", "accepted", sent)
    assert bool([*contract_failures(failure, run_on(app))]) is accused


@pytest.mark.parametrize(
    "sent",
    [
        *("limit=5.5", "limit=x", "limit=101", "limit=%2B101", "include_total=2", "include_total=maybe"),
        *("order=up", "limit=0&include_total=yes"),
        *({"stream": "maybe"}, {"store": 2}, {"temperature": "2"}, {"max_output_synapses": False}),
        *({"instructions": 5}, {"top_p": "1", "inputs": []}),
    ],
)
def test_what_no_framework_reads_must_be_refused(app: MockServer, sent: object) -> None:
    assert [*contract_failures(asked(sent), run_on(app))]


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("GET", "/v1/threads?after=", None, "after"),
        ("GET", "/v1/spaces/?organization_id=org_one&cursor=", None, "cursor"),
        ("POST", "/v1/threads", {"organization_id": "org_one", "title": ""}, "title"),
        ("POST", "/v1/threads", {"organization_id": "org_one", "assistant_id": "asst_x"}, "assistant_id"),
    ],
)
def test_a_server_may_refuse_empty_text_and_names_that_no_source_says_it_takes(
    app: MockServer, method: str, path: str, body: object, name: str
) -> None:
    wrong = answer(422, method, path, body, field_error(name))
    label = f"{method} {path.partition('?')[0]}"
    failure = EngineFailure(label, "positive_data_acceptance", "refused", wrong)
    assert [broken.evidence for _, broken in contract_failures(failure, run_on(app))] == [Evidence.ASSUMED]


@pytest.mark.parametrize(
    ("time", "holds"),
    [
        ("2026-02-26T10:30:00Z", True),
        ("2026-02-26T10:30:00.123456Z", True),
        ("2026-02-26T10:30:00+00:00", True),
        ("2026-02-26 10:30:00", False),
        ("2026-02-26T10:30:00", False),
        ("1772101800", False),
    ],
)
def test_a_time_may_have_fractions_and_an_offset(time: str, holds: bool) -> None:
    """A21; any other form than RFC 3339 is a failure."""
    body = {"success": True, "message": "Thread added to space", "space_id": "space_a", "thread_id": "thrd_a"}
    operation = document().by_id("addThreadToSpace")
    found = [*document().violations(operation, 201, {**body, "added_at": time})]
    assert (found == []) is holds


def test_the_nearest_mark_counts_and_a_mark_may_name_its_keyword() -> None:
    outer, inner = {"x-evidence": "assumed", "x-assumption": ["A01"]}, {"x-evidence": "documented"}
    own = {"x-evidence": {"maxLength": "assumed"}, "x-assumption": ["A100"], "maxLength": 3, "type": "string"}
    assert basis((outer, inner), "type").evidence is Evidence.DOCUMENTED
    assert basis((outer,), "type").assumption == "A01"
    assert basis((inner, own), "type").evidence is Evidence.DOCUMENTED
    assert basis((inner, own), "maxLength").assumption == "A100"


@pytest.fixture(scope="module")
def app() -> MockServer:
    return fresh_app()


def mutant(name: str) -> Mutant:
    return next(each for each in MUTANTS if each.name == name)


def test_every_check_has_a_claim_and_every_claim_a_check() -> None:
    claims = {check.claim for check in CHECKS if check.claim}
    assert claims == effects().keys()
    own = [check for check in CHECKS if check.claim == check.id]
    assert [check.id for check in own if effects()[check.id].sentence != plain(check.sentence)] == []


def test_what_the_documents_say_is_documented_whoever_checks_it() -> None:
    spoken = {
        id_ for id_, effect in effects().items() if effect.source.startswith(("Add thread", "List space"))
    }
    assert {id_ for id_, effect in effects().items() if effect.evidence is Evidence.DOCUMENTED} == spoken
    by_claim = {check.id: check.claim for check in CHECKS}
    for check in (
        "later-messages-follow-by-themselves",
        "an-answer-is-remembered-streamed-or-not",
        "a-thread-that-leaves-one-space-is-found-in-the-other",
    ):
        assert by_claim[check] == "future-messages-are-embedded"


@pytest.mark.parametrize(
    "name", ["streamed-answer-is-not-remembered", "leaving-one-space-is-forgotten-in-all"]
)
def test_a_message_that_is_not_embedded_breaks_the_documents(app: MockServer, name: str) -> None:
    caught = bite(app, mutant(name), known()[name], alone=True).caught
    assert caught is not None
    assert (caught.verdict, caught.worst and caught.worst.evidence) == (Verdict.BROKEN, Evidence.DOCUMENTED)


def test_an_error_of_the_server_breaks_the_documents_whatever_the_check_assumes(app: MockServer) -> None:
    name = "deleted-thread-breaks-the-list"
    caught = bite(app, mutant(name), "a-deleted-thread-leaves-every-space", alone=True).caught
    assert caught is not None
    assert (caught.verdict, caught.worst and caught.worst.evidence) == (Verdict.BROKEN, Evidence.DOCUMENTED)


@pytest.mark.parametrize(
    ("method", "status", "assumption"), [("TRACE", 501, "A10"), ("TRACE", 500, None), ("GET", 501, None)]
)
def test_a_501_is_explained_for_a_method_that_no_operation_has_and_no_other_error_of_the_server_is(
    app: MockServer, method: str, status: int, assumption: str | None
) -> None:
    seen = answer(status, method, "/v1/spaces/")
    failure = EngineFailure("GET /v1/spaces/", "not_a_server_error", "error", seen)
    ((_, broken),) = contract_failures(failure, run_on(app))
    assert broken.assumption == assumption
    assert broken.evidence is (Evidence.ASSUMED if assumption else Evidence.PUBLISHED)


def test_a_text_is_assumed_where_no_source_has_it_whatever_its_neighbours_are() -> None:
    operations = {name: document().by_id(name) for name in ("deleteThreadMessage", "addThreadToSpace")}

    def founded(name: str, code: str, field: str, text: str = "") -> Evidence | None:
        found = document().text_basis(operations[name], 404, code, field, text)
        return found and found.evidence

    assert founded("deleteThreadMessage", "MESSAGE_NOT_FOUND", "message") is Evidence.ASSUMED
    assert founded("deleteThreadMessage", "MESSAGE_NOT_FOUND", "system_message") is Evidence.ASSUMED
    assert founded("addThreadToSpace", "RESOURCE_NOT_FOUND", "message") is Evidence.DOCUMENTED
    assert founded("addThreadToSpace", "RESOURCE_NOT_FOUND", "system_message", "Space not found") is (
        Evidence.DOCUMENTED
    )
    assert founded("addThreadToSpace", "RESOURCE_NOT_FOUND", "system_message", "Thread not found") is (
        Evidence.ASSUMED
    )


def test_a_fixed_step_of_a_path_beats_an_id() -> None:
    found = document().at("GET", "/v1/organizations/org_one/vector-stores/usage")
    assert found is not None
    assert found.id == "getVectorStoreUsage"
