"""Steers generated requests to what the run made: a write never names anything else."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from contracts.checks.errors import Guarded, Spent, Unanswered, Untested
from contracts.http.exchange import SAFE, Answer, Request
from contracts.http.run import ASKS_A_MODEL, Team
from contracts.safety.ledger import REMOVES

PREFIXES = {
    "organization_id": "org",
    "space_id": "space",
    "thread_id": "thrd",
    "vector_store_id": "vs",
    "message_id": "msg",
    "assistant_id": "asst",
    "workflow_id": "wf",
    "flow_id": "flow",
    "flowplate_project_id": "flowplate",
    "vector_store_ids": "vs",
    "access_users": "usr",
    "editable_by_users": "usr",
    "access_departments": "dept",
    "editable_by_roles": "role",
    "visible_to_roles": "role",
}
"""Parameters and body fields that name something, and how such an id begins."""
KINDS = {"space_id": "space", "thread_id": "thread", "vector_store_id": "vector_store"}
_LIKE_AN_ID = re.compile(
    r"(?<![A-Za-z0-9])(?:space|thrd|thread|vs|usr|org|dept|role|asst|msg)_[A-Za-z0-9_]++(?!\"\s*:)"
)
"""In a URL or a body; the name of a field is none."""
VICTIMS = 3
"""How many things are made for each kind only to be deleted."""


class Steer:
    """What one run offers to generated requests, and what it lets out of them."""

    def __init__(self, team: Team, mine: dict[str, str] | None = None) -> None:
        self.team = team
        self._mine = {} if mine is None else mine
        self._invented: dict[tuple[str, str], str] = {}
        self._victims: dict[str, int] = {}

    def mine(self, parameter: str) -> str:
        """A living thing of this run; one that nothing has if none can be made."""
        if parameter == "organization_id":
            return self.team.organization_id
        kind = KINDS.get(parameter)
        if kind == "space" and self.team.read_only and self.team.space_ids:
            return self.team.space_ids[0]
        if kind is None or self.team.read_only:
            return self.invented(parameter, "")
        if self._mine.get(kind) not in {made.id for made in self.team.ledger.left()}:
            self._mine[kind] = self.fresh(kind) or self.invented(parameter, "")
        return self._mine[kind]

    def fresh(self, kind: str) -> str | None:
        """Something new; None if it can't be made."""
        try:
            id_: str = getattr(self.team.owner, f"new_{kind}")()["id"]
        except (Untested, Unanswered):
            return None
        return id_

    def invented(self, parameter: str, instead_of: str) -> str:
        """An id that nothing has, the same for the same text."""
        key = (parameter, instead_of)
        if key not in self._invented:
            self._invented[key] = self.team.invented(PREFIXES[parameter])
        return self._invented[key]

    def one(self, parameter: str, value: Any, method: str, *, last: bool = False) -> Any:
        """The id to send in place of a generated one: mine three times of four, else an invented one."""
        if not isinstance(value, str) or not value or self._known(value):
            return value
        if len(value) > 255:
            return self.team.ledger.invent("x" + self.invented(parameter, value) * 30)
        if parameter in KINDS or parameter == "organization_id":
            kind = KINDS.get(parameter, "")
            if method == "DELETE" and last and kind and self._victims.get(kind, 0) < VICTIMS:
                self._victims[kind] = self._victims.get(kind, 0) + 1
                return self.fresh(kind) or self.invented(parameter, value)
            if zlib.crc32(value.encode("utf-8", "replace")) % 4:
                return self.mine(parameter)
        return self.invented(parameter, value)

    def parameters(self, method: str, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Path or query parameters as they may be sent; all of them are text on the way."""
        steered = dict(given)
        for name in PREFIXES.keys() & given.keys():
            value = given[name] if isinstance(given[name], str) else json.dumps(given[name], default=str)
            steered[name] = self.one(name, value, method, last=path.endswith("{" + name + "}"))
        return steered

    def body(self, path: str, body: Any) -> Any:
        """A body as it may be sent; a model is asked in threads of the run alone."""
        if not isinstance(body, Mapping):
            return body
        steered = dict(body)
        if path == ASKS_A_MODEL and body.get("thread_id") is None:
            steered["thread_id"] = self.mine("thread_id")
        for name in PREFIXES.keys() & body.keys():
            value = steered[name]
            if isinstance(value, list):
                steered[name] = [self.one(name, item, "POST") for item in value]
            else:
                steered[name] = self.one(name, value, "POST")
        return steered

    def _known(self, id_: str) -> bool:
        return id_ == self.team.organization_id or self.team.ledger.owns(id_)

    def refusal(self, request: Request) -> str:
        """Why a request must not go out, whatever made it; empty if it may."""
        if request.method in SAFE:
            return ""
        for id_ in _LIKE_AN_ID.findall(request.path) + _LIKE_AN_ID.findall(request.text):
            if not self._known(id_) and not self._part_of_mine(id_):
                return f"it names {id_}, which this run did not make"
        if request.method == "DELETE" and not REMOVES.match(request.path.partition("?")[0]):
            return "it deletes a whole collection"
        return ""

    def _part_of_mine(self, text: str) -> bool:
        return f"contracts{self.team.run_id}" in text

    def send(self, request: Request) -> Answer | None:
        """Send a request; None if it must not go out."""
        if self.refusal(request):
            return None
        try:
            if request.path.partition("?")[0] == ASKS_A_MODEL:
                self._ask_a_model(request)
            return self.team.send(request)
        except Spent:
            raise
        except (Guarded, Untested):
            return None

    def _ask_a_model(self, request: Request) -> None:
        if request.method != "POST":
            return
        thread_id = request.fields.get("thread_id")
        if not isinstance(thread_id, str) or not self.team.ledger.owns(thread_id):
            raise Untested("a model is asked in threads of the run alone")
        self.team.may_ask_a_model(made_up=True)
