"""Coverage: exchanges are counted, and missed items have a reason."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contracts.checks.check import Check
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.report.coverage import Coverage, RunConditions, coverage
from contracts.report.exercised import Recorder
from contracts.verdict.failure import Outcome


def passed(operation: str) -> Outcome:
    check = Check("c", "It holds.", "behaviour", (operation,), Evidence.DOCUMENTED, None, lambda _: None)
    return Outcome(check, (), 0.0)


def sent(*exchanges: tuple[str, str, str | None, int]) -> Recorder:
    record = Recorder(document())
    record.check = "some-check"
    for method, path, role, status in exchanges:
        text = '{"error": {"code": "RESOURCE_NOT_FOUND"}}' if status == 404 else "{}"
        record.note(ClientResponse(ClientRequest(method, path, role), status, {}, text, 1.0))
    return record


def reasons(covered: Coverage, operation: str, what: str, name: str) -> list[str]:
    return [m.reason for m in covered.missed if (m.operation, m.what, m.name) == (operation, what, name)]


def test_an_exchange_counts_for_its_operation_status_role_and_check() -> None:
    covered = coverage(
        sent(("GET", "/v1/spaces/space_1?organization_id=o", "owner", 404)), (), RunConditions()
    )
    assert covered.seen == {("getSpace", 404, "owner", "some-check"): 1}
    assert reasons(covered, "getSpace", "status", "404") == []
    assert reasons(covered, "getSpace", "code", "404 RESOURCE_NOT_FOUND") == []
    assert reasons(covered, "getSpace", "parameter", "query organization_id") == []
    assert reasons(covered, "getSpace", "status", "200") != []


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/v1/spaces/", "listSpaces"),
        ("/v1/spaces/x/threads?limit=1", "listSpaceThreads"),
        ("/v1/spaces", None),
        ("/v1/spaces/x/nonsense", None),
    ],
)
def test_a_path_is_of_one_operation_or_of_none(path: str, operation: str | None) -> None:
    found = document().at("GET", path)
    assert (found.id if found else None) == operation


@pytest.mark.parametrize(
    ("terms", "operation", "what", "name", "reason"),
    [
        (RunConditions(read_only=True), "createSpace", "status", "201", "the run is read-only"),
        (RunConditions(with_model=False), "createResponse", "status", "200", "--with-model"),
        (RunConditions(), "listSpaces", "status", "500", "no request may provoke it"),
        (RunConditions(), "listSpaces", "code", "401 API_KEY_EXPIRED", "a key that has expired"),
    ],
)
def test_a_reason_is_what_the_terms_of_the_run_were(
    terms: RunConditions, operation: str, what: str, name: str, reason: str
) -> None:
    checks: Sequence[Outcome] = [passed(o.id) for o in document().operations.values()]
    (found,) = reasons(coverage(sent(), checks, terms), operation, what, name)
    assert reason in found


def test_a_key_that_is_missing_is_the_reason_for_a_403() -> None:
    terms = RunConditions(missing=("viewer", "outsider"))
    (found,) = reasons(coverage(sent(), [passed("getSpace")], terms), "getSpace", "status", "403")
    assert found == "no key: set CONTRACTS_VIEWER_KEY, CONTRACTS_OUTSIDER_KEY"


def test_what_no_chosen_check_is_about_says_so() -> None:
    covered = coverage(sent(), [passed("getSpace")], RunConditions())
    assert reasons(covered, "deleteSpace", "status", "204") == ["none of the chosen checks is about it"]


def test_an_undocumented_status_is_named() -> None:
    covered = coverage(sent(("GET", "/v1/spaces/x", "owner", 202)), [passed("getSpace")], RunConditions())
    assert covered.undocumented == (("getSpace", 202),)
    assert reasons(covered, "getSpace", "status", "200") == ["the target answers 202 in its place"]
