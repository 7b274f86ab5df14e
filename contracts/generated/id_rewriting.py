"""Rewrites ids in generated requests, so that writes only name resources of the run."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from contracts.checks.errors import Spent, Unanswered, Untested, WriteGuardError
from contracts.http.exchange import ASKS_A_MODEL, SAFE, ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.safety.ledger import RESOURCE_PATH

PREFIXES = {
    "organization_id": "org",
    "space_id": "space",
    "thread_id": "thrd",
    "vector_store_id": "vs",
    "message_id": "msg",
    "file_id": "file",
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
"""Parameters and body fields that hold ids -> prefix of such an id."""
KINDS = {"space_id": "space", "thread_id": "thread", "vector_store_id": "vector_store", "file_id": "file"}
_LIKE_AN_ID = re.compile(
    r"(?<![A-Za-z0-9])(?:space|thrd|thread|vs|usr|org|dept|role|asst|msg|file)_[A-Za-z0-9_]++(?:[.-]++[A-Za-z0-9_]++)*+(?!\"\s*:)"
)
"""Id in a URL or body, but not a field name."""
_NAMED_THREAD = re.compile(r"/v1/threads/([^/?]+)/generateName")
_REGISTERS = re.compile(r"/v1/organizations/[^/]+/files")
DELETE_TARGETS = 3
"""Resources of each kind that are created for DELETE requests."""


class IdRewriter:
    """Supplies ids for generated requests, and blocks requests that name others."""

    def __init__(self, run: Run, own_ids: dict[str, str] | None = None) -> None:
        self.run = run
        self._own_ids = {} if own_ids is None else own_ids
        self._unknown_ids: dict[tuple[str, str], str] = {}
        self._delete_targets: dict[str, int] = {}

    def own_id(self, parameter: str) -> str:
        """Id of an existing resource of this run; an unknown id if none can be created."""
        if parameter == "organization_id":
            return self.run.organization_id
        kind = KINDS.get(parameter)
        if kind == "space" and self.run.read_only and self.run.space_ids:
            return self.run.space_ids[0]
        if kind is None or self.run.read_only:
            return self.unknown_id(parameter, "")
        if self._own_ids.get(kind) not in {made.id for made in self.run.ledger.left()}:
            self._own_ids[kind] = self.create(kind) or self.unknown_id(parameter, "")
        return self._own_ids[kind]

    def create(self, kind: str) -> str | None:
        """Create a resource and return its id; None if refused."""
        try:
            id_: str = getattr(self.run.owner, f"new_{kind}")()["id"]
        except (Untested, Unanswered):
            return None
        return id_

    def unknown_id(self, parameter: str, instead_of: str) -> str:
        """Unknown id, the same for the same replaced text."""
        key = (parameter, instead_of)
        if key not in self._unknown_ids:
            self._unknown_ids[key] = self.run.unknown_id(PREFIXES[parameter])
        return self._unknown_ids[key]

    def rewrite_id(self, parameter: str, value: Any, method: str, *, last: bool = False) -> Any:
        """Replacement for a generated id: an id of the run in three of four cases, else unknown."""
        if not isinstance(value, str) or not value or self._known(value):
            return value
        if parameter in KINDS or parameter == "organization_id":
            kind = KINDS.get(parameter, "")
            if method == "DELETE" and last and kind and self._delete_targets.get(kind, 0) < DELETE_TARGETS:
                self._delete_targets[kind] = self._delete_targets.get(kind, 0) + 1
                return self.create(kind) or self.unknown_id(parameter, value)
            if zlib.crc32(value.encode("utf-8", "replace")) % 4:
                return self.own_id(parameter)
        return self.unknown_id(parameter, value)

    def parameters(self, method: str, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Path or query parameters with ids rewritten; values are converted to text."""
        rewritten = dict(values)
        for name in PREFIXES.keys() & values.keys():
            value = values[name] if isinstance(values[name], str) else json.dumps(values[name], default=str)
            rewritten[name] = self.rewrite_id(name, value, method, last=path.endswith("{" + name + "}"))
        return rewritten

    def body(self, path: str, body: Any) -> Any:
        """Body with ids rewritten; model calls get a thread of the run."""
        if not isinstance(body, Mapping):
            return body
        rewritten = dict(body)
        if path == ASKS_A_MODEL and body.get("thread_id") is None:
            rewritten["thread_id"] = self.own_id("thread_id")
        for name in PREFIXES.keys() & body.keys():
            value = rewritten[name]
            if isinstance(value, list):
                rewritten[name] = [self.rewrite_id(name, item, "POST") for item in value]
            else:
                rewritten[name] = self.rewrite_id(name, value, "POST")
        return rewritten

    def _known(self, id_: str) -> bool:
        return id_ == self.run.organization_id or self.run.ledger.owns(id_)

    def refusal(self, request: ClientRequest) -> str:
        """Reason for not sending a request; empty if it may be sent."""
        if request.method in SAFE:
            return ""
        for id_ in _LIKE_AN_ID.findall(request.path) + _LIKE_AN_ID.findall(request.text):
            if not self._known(id_) and f"contracts{self.run.run_id}" not in id_:
                return f"it names {id_}, which this run did not create"
        if request.method == "DELETE" and not RESOURCE_PATH.match(request.path.partition("?")[0]):
            return "it deletes a whole collection"
        if request.method == "POST" and _REGISTERS.fullmatch(request.path.partition("?")[0]):
            return "it registers a file, an operation of the vendor that the document does not have"
        return ""

    def send(self, request: ClientRequest) -> ClientResponse | None:
        """Send a request; None if it is blocked."""
        if self.refusal(request):
            return None
        try:
            if request.asks_model:
                self._spend_question(request)
            return self.run.send(request, as_it_is=True)
        except Spent:
            raise
        except (WriteGuardError, Untested):
            return None

    def _spend_question(self, request: ClientRequest) -> None:
        thread_id = request.fields.get("thread_id")
        if match := _NAMED_THREAD.match(request.path):
            thread_id = match[1]
        if not isinstance(thread_id, str) or not self.run.ledger.owns(thread_id):
            raise Untested("model calls are only sent to threads of the run")
        self.run.spend_model_question(generated=True)
