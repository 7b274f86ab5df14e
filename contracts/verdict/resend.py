"""Sends the requests of a failure again, with the ids that the answers give this time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.checks.errors import Fingerprint, Guarded
from contracts.checks.spec import Operation, document
from contracts.http.exchange import Answer, Request
from contracts.http.run import ASKS_A_MODEL, Team
from contracts.verdict.diff import MISSING, at, same
from contracts.verdict.reproduction import words

_MADE_UP = "[A-Za-z0-9_]*contracts{run}x[A-Za-z0-9_]*"
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
"""Checks of Schemathesis that a status alone decides."""
Shows = Callable[[Answer, Mapping[str, str]], bool | None]
"""Whether an answer fails as recorded, given what now stands for what stood in the record.

None if it is another answer altogether, which does not tell.
"""


class NoReplay(Exception):
    """It can't be sent again; one line says why."""


class Sign(NamedTuple):
    """By what a failure is known again."""

    check: str
    layer: str
    fingerprint: Fingerprint
    pointer: str
    difference: Sequence[Mapping[str, Any]]


class Resend:
    """One chain, once."""

    def __init__(self, team: Team, run_id: str, organization_id: str, old: Collection[str] = ()) -> None:
        self.team = team
        self._old = old
        """Ids of the record that may not be sent: they are good still, as long as the run lasts."""
        self.new = {organization_id: team.organization_id, run_id: team.run_id}
        """What stands in the record -> what stands there now."""
        self._made_up = re.compile(_MADE_UP.format(run=re.escape(run_id)))

    def send(self, before: Answer) -> Answer:
        """One request again; NoReplay if it would write to what the chain did not make."""
        team, request = self.team, self._request(before.request)
        stale = words(request) & {*self._old}
        if stale:
            raise NoReplay(f"it names {min(stale)}, which the chain did not make")
        if request.path.partition("?")[0] == ASKS_A_MODEL and request.method == "POST":
            team.may_ask_a_model()
        if request.role is not None:
            team.caller(request.role)
        try:
            answer = team.send(request)
        except Guarded as error:
            raise NoReplay(str(error)) from error
        for was, now in _ids(before.body, answer.body):
            self.new.setdefault(was, now)
        return answer

    def _request(self, request: Request) -> Request:
        body, text = request.body, request.text
        for id_ in (*self._made_up.findall(request.path), *self._made_up.findall(text)):
            self.team.ledger.invent(renewed(id_, self.new))
        if body is not None:
            body = renewed(text, self.new) if isinstance(body, str) else json.loads(renewed(text, self.new))
        headers = {name: renewed(value, self.new) for name, value in request.headers.items()}
        return Request(request.method, renewed(request.path, self.new), request.role, body, headers)


def renewed(text: str, new: Mapping[str, str]) -> str:
    """Text with this time's ids."""
    for old in sorted(new, key=len, reverse=True):
        text = text.replace(old, new[old])
    return text


def shows(sign: Sign, last: Answer) -> Shows | None:
    """What tells by the last answer alone whether it fails again; None if nothing does."""
    print_, differences = sign.fingerprint, sign.difference
    operation = document().at(last.request.method, last.request.path)
    if operation is not None and _flawed(operation, last, print_):
        return lambda answer, _: _flawed(operation, answer, print_)
    if not sign.pointer and len(differences) == 1 and same(differences[0].get("got"), last.status):
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


def _flawed(operation: Operation, answer: Answer, print_: Fingerprint) -> bool:
    if (operation.id, answer.status) != (print_.operation, print_.status):
        return False
    flaws = document().flaws(operation, answer.status, answer.body)
    wanted = (print_.pointer, print_.keyword, print_.property)
    return any((flaw.pointer, flaw.keyword, flaw.property) == wanted for flaw in flaws)


def _documented(operation: Operation | None, status: int) -> bool:
    return operation is not None and status < 500 and str(status) in operation.raw["responses"]


def _as_got(body: Any, difference: Mapping[str, Any]) -> bool:
    return same(at(body, difference["pointer"]), difference.get("got", MISSING))


def _as_expected(body: Any, difference: Mapping[str, Any], new: Mapping[str, str]) -> bool:
    expected = difference.get("expected", MISSING)
    if expected is not MISSING:
        expected = json.loads(renewed(json.dumps(expected, ensure_ascii=False), new))
    return same(at(body, difference["pointer"]), expected)


def _ids(old: Any, new: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Ids and cursors at the same places of two answers."""
    if isinstance(old, dict) and isinstance(new, dict):
        for field in old.keys() & new.keys():
            yield from _ids(old[field], new[field], field)
    elif isinstance(old, list) and isinstance(new, list):
        for one, other in zip(old, new, strict=False):
            yield from _ids(one, other, name)
    elif isinstance(old, str) and isinstance(new, str) and old != new and len(old) > 5 and _ID.search(name):
        yield old, new
