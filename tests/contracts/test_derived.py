"""Checks derived from the document, of bearer tokens and of large bodies: each fails on a wrong mock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from contracts.behaviour.collection import collections
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.safety.ledger import Ledger
from contracts.suite import CHECKS
from contracts.verdict.failure import Outcome, Verdict
from contracts.verdict.runner import judge
from tests.contracts.strength import fresh_app

KEPT = "every-field-that-is-sent-is-answered-and-read-back"
NULL = "null-that-is-sent-is-answered-and-read-back"
LISTED = "a-list-is-what-its-items-say"
BEARER = "a-key-is-a-bearer-token-too"
LARGE = "a-body-over-the-limit-is-refused"
WALKED = "a-walk-of-a-list-survives-what-happens-between-its-pages"
CHECKED = (KEPT, NULL, LISTED, WALKED, BEARER, LARGE)
"""Checks that fail on a wrong mock here."""


def boundless(answer: ClientResponse) -> ClientResponse:
    """Bodies in chunks are accepted, however large."""
    return answer._replace(status=201) if "Transfer-Encoding" in answer.request.headers else answer


def only_keys(answer: ClientResponse) -> ClientResponse:
    """Bearer tokens are refused."""
    return answer._replace(status=401) if "Authorization" in answer.request.headers else answer


class Changed(InProcess):
    """A mock whose requests or answers are changed."""

    def __init__(
        self,
        request: Callable[[ClientRequest], ClientRequest] = lambda request: request,
        answer: Callable[[ClientResponse], ClientResponse] = lambda answer: answer,
    ) -> None:
        super().__init__(fresh_app())
        self._request, self._changed = request, answer

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        return self._changed(super()._answer(self._request(request), key))._replace(request=request)


def without(
    method: str, path: str, field: str, *, null: bool = False
) -> Callable[[ClientRequest], ClientRequest]:
    """Requests without a field of the body; with `null` only if it is null."""

    def change(request: ClientRequest) -> ClientRequest:
        if request.method != method or path not in request.path or field not in request.fields:
            return request
        if null and request.fields[field] is not None:
            return request
        return request._replace(body={n: v for n, v in request.fields.items() if n != field})

    return change


def ignoring(parameter: str) -> Callable[[ClientRequest], ClientRequest]:
    """Requests without a parameter."""
    pattern = re.compile(rf"(?<=[?&]){parameter}=[^&]*&?")
    return lambda request: request._replace(path=pattern.sub("", request.path))


def shortened(answer: ClientResponse) -> ClientResponse:
    """Later pages of spaces without their first item."""
    if "cursor=" not in answer.request.path or "/v1/spaces/?" not in answer.request.path:
        return answer
    return answer._replace(text=json.dumps({**answer.fields, "spaces": answer.fields["spaces"][1:]}))


def case_sensitive(answer: ClientResponse) -> ClientResponse:
    """Stores found by a search only in the case that was asked for."""
    found = re.search(r"search=([^&]*)", answer.request.path)
    if found is None or "data" not in answer.fields:
        return answer
    kept = [each for each in answer.items if found[1].replace("+", " ") in each["name"]]
    return answer._replace(text=json.dumps({**answer.fields, "data": kept}))


def judged(check: str, target: InProcess) -> Outcome:
    run = Run(target, DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="test")
    return judge(next(each for each in CHECKS if each.id == check), run)


def test_collections_are_those_of_the_document() -> None:
    assert [each.read_list.id for each in collections()] == ["listSpaces", "listThreads", "listVectorStores"]


@pytest.mark.parametrize("check", CHECKED)
def test_a_correct_mock_passes(check: str) -> None:
    assert judged(check, Changed()).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("check", "target", "says", "verdict"),
    [
        (
            KEPT,
            Changed(without("POST", "/v1/threads", "assistant_id")),
            "assistant_id after create",
            "BROKEN",
        ),
        (KEPT, Changed(without("PATCH", "/vector-stores/", "flow_id")), "flow_id after update", "BROKEN"),
        (NULL, Changed(without("PATCH", "/v1/spaces/", "description", null=True)), "None", "ASSUMPTION"),
        (LISTED, Changed(ignoring("assistant_id")), "listThreads with {'assistant_id'", "BROKEN"),
        (LISTED, Changed(ignoring("access_mode")), "listVectorStores with {'access_mode'", "BROKEN"),
        (LISTED, Changed(answer=case_sensitive), "listVectorStores with {'search'", "BROKEN"),
        (BEARER, Changed(answer=only_keys), "bearer token", "ASSUMPTION"),
        (LARGE, Changed(answer=boundless), "a large body in chunks", "ASSUMPTION"),
        (WALKED, Changed(answer=shortened), "skips items", "ASSUMPTION"),
    ],
)
def test_a_mock_that_forgets_or_lists_wrongly_fails(
    check: str, target: InProcess, says: str, verdict: str
) -> None:
    outcome = judged(check, target)
    assert says in outcome.message
    assert outcome.verdict is Verdict[verdict]
