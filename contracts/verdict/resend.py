"""Resends the requests of a failure, with recorded ids mapped to new ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.checks.errors import Fingerprint, WriteGuardError
from contracts.checks.spec import DocumentedOperation, document
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.verdict.diff import MISSING, at, same
from contracts.verdict.reproduction import words

_GENERATED_ID = "[A-Za-z0-9_]*contracts{run}x[A-Za-z0-9_]*"
_ID = re.compile(r"(?:^|_)ids?$|cursor$")
_BY_STATUS = (
    "status_code_conformance",
    "not_a_server_error",
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "missing_required_header",
    "ignored_auth",
)
"""Schemathesis checks that depend on the status alone."""
Predicate = Callable[[ClientResponse, Mapping[str, str]], bool | None]
"""Whether a response fails as recorded; the mapping translates recorded values to new ones.

None if the response is unrelated, so that it proves nothing.
"""


class NotReplayable(Exception):
    """The failure can't be replayed; the message gives the reason."""


class FailureSignature(NamedTuple):
    """Signature used to match a failure across runs."""

    check: str
    layer: str
    fingerprint: Fingerprint
    pointer: str
    difference: Sequence[Mapping[str, Any]]


class Resend:
    """One pass over a chain of requests."""

    def __init__(self, run: Run, run_id: str, organization_id: str, old: Collection[str] = ()) -> None:
        self.run = run
        self._old = old
        """Recorded ids that must not be sent, since they are still valid during the run."""
        self.new = {organization_id: run.organization_id, run_id: run.run_id}
        """Recorded value -> value in this pass."""
        self._generated_id = re.compile(_GENERATED_ID.format(run=re.escape(run_id)))

    def send(self, before: ClientResponse) -> ClientResponse:
        """Resend a request; NotReplayable if it would write to a resource that the chain did not create."""
        run, request = self.run, self._request(before.request)
        stale = words(request) & {*self._old}
        if stale:
            raise NotReplayable(f"it names {min(stale)}, which the chain did not create")
        if request.asks_model:
            run.spend_model_question()
        if request.role is not None:
            run.client(request.role)
        try:
            answer = run.send(request, as_it_is=True)
        except WriteGuardError as error:
            raise NotReplayable(str(error)) from error
        for was, now in _ids(before.body, answer.body):
            self.new.setdefault(was, now)
        return answer

    def _request(self, request: ClientRequest) -> ClientRequest:
        body, text = request.body, request.text
        for id_ in (*self._generated_id.findall(request.path), *self._generated_id.findall(text)):
            self.run.ledger.allow(translated(id_, self.new))
        if body is not None:
            body = (
                translated(text, self.new)
                if isinstance(body, str)
                else json.loads(translated(text, self.new))
            )
        headers = {name: translated(value, self.new) for name, value in request.headers.items()}
        return ClientRequest(request.method, translated(request.path, self.new), request.role, body, headers)


def translated(text: str, new: Mapping[str, str]) -> str:
    """Text with recorded values replaced by new ones."""
    for old in sorted(new, key=len, reverse=True):
        text = text.replace(old, new[old])
    return text


def failure_predicate(signature: FailureSignature, last: ClientResponse) -> Predicate | None:
    """Predicate on the last response; None if it can't decide alone."""
    print_, differences = signature.fingerprint, signature.difference
    operation = document().at(last.request.method, last.request.path)
    if operation is not None and _violates(operation, last, print_):
        return lambda answer, _: _violates(operation, answer, print_)
    if not signature.pointer and len(differences) == 1 and same(differences[0].get("got"), last.status):
        return lambda answer, _: answer.status != differences[0].get("expected")
    if differences and all(each["pointer"] and _as_got(last.body, each) for each in differences):
        return lambda answer, new: (
            None
            if answer.status != last.status
            else not all(_as_expected(answer.body, each, new) for each in differences)
        )
    if print_.keyword in _BY_STATUS:
        return lambda answer, _: answer.status == print_.status or not _documented(operation, answer.status)
    return None


def _violates(operation: DocumentedOperation, answer: ClientResponse, print_: Fingerprint) -> bool:
    if (operation.id, answer.status) != (print_.operation, print_.status):
        return False
    violations = document().violations(operation, answer.status, answer.body)
    wanted = (print_.pointer, print_.keyword, print_.property)
    return any((violation.pointer, violation.keyword, violation.name) == wanted for violation in violations)


def _documented(operation: DocumentedOperation | None, status: int) -> bool:
    return operation is not None and status < 500 and str(status) in operation.raw["responses"]


def _as_got(body: Any, difference: Mapping[str, Any]) -> bool:
    return same(at(body, difference["pointer"]), difference.get("got", MISSING))


def _as_expected(body: Any, difference: Mapping[str, Any], new: Mapping[str, str]) -> bool:
    expected = difference.get("expected", MISSING)
    if expected is not MISSING:
        expected = json.loads(translated(json.dumps(expected, ensure_ascii=False), new))
    return same(at(body, difference["pointer"]), expected)


def _ids(old: Any, new: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Pairs of ids and cursors at the same places of two responses."""
    if isinstance(old, dict) and isinstance(new, dict):
        for field in old.keys() & new.keys():
            yield from _ids(old[field], new[field], field)
    elif isinstance(old, list) and isinstance(new, list):
        for one, other in zip(old, new, strict=False):
            yield from _ids(one, other, name)
    elif isinstance(old, str) and isinstance(new, str) and old != new and len(old) > 5 and _ID.search(name):
        yield old, new
