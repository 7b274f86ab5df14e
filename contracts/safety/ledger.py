"""Ledger of created resources on disk: an intent before each request, the id after it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from contracts.checks.errors import Broken, Unwritable
from contracts.http.exchange import ClientRequest, ClientResponse

_CREATES = (
    (re.compile(r"/v1/spaces/"), "space"),
    (re.compile(r"/v1/threads"), "thread"),
    (re.compile(r"/v1/organizations/[^/]+/vector-stores"), "vector_store"),
    (re.compile(r"/v1/organizations/[^/]+/files/upload"), "file"),
    (re.compile(r"/v1/organizations/[^/]+/vector-stores/[^/]+/files/upload-base64"), "file"),
)
RESOURCE_PATH = re.compile(r"/v1/(?:spaces|threads|organizations/[^/]+/(?:vector-stores|files))/([^/]+)")
"""Paths of single resources, which a DELETE removes."""

_FILENAME = re.compile(r"""filename"?[:=] ?"([^"\r\n]{1,255})\"""")
"""Name of the first file in a form or a JSON body."""


def deleted_id(request: ClientRequest) -> str:
    """Id of the resource that a DELETE addresses; empty for other requests."""
    match = RESOURCE_PATH.fullmatch(request.path.partition("?")[0])
    return match[1] if match and request.method == "DELETE" else ""


class CreatedResource(NamedTuple):
    """Resource that the run created and has to delete."""

    kind: str
    """space, thread, vector_store or file"""
    id: str
    role: str
    organization_id: str


def _unmasked(data: Any) -> Any:
    return data


class Ledger:
    """Append-only file of JSON lines; in memory only without a path."""

    def __init__(self, path: Path | None = None, redact: Callable[[Any], Any] = _unmasked) -> None:
        self.path = path
        self.redact = redact
        """Masks secrets in data before it is written, or cut."""
        self._torn = False
        """Whether the file may end with half a line."""
        self.about: dict[str, Any] = {}
        """Run, target and existing ids at its start; empty if not recorded."""
        self._lock = threading.Lock()
        self._created: dict[str, CreatedResource] = {}
        self._allowed: set[str] = set()
        self._intents: dict[int, dict[str, Any]] = {}
        self._next = 1

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Ledger of a finished or killed run."""
        ledger = cls()
        for line in path.read_text("utf-8", "replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the last line of a killed run can be half written
            ledger._apply(entry if isinstance(entry, dict) else {})
        ledger.path = path
        return ledger

    def begin(self, **about: Any) -> None:
        """Record the run, before anything is created."""
        self._note({"about": {**about, "at": time.time()}}, required=True)

    def owns(self, id_: str) -> bool:
        """Whether a write of this run may name the id."""
        return id_ in self._created or id_ in self._allowed

    def allow(self, id_: str) -> str:
        """Permit writes to name an id that the run generated, or that came with a created resource."""
        self._allowed.add(id_)
        return id_

    def intend(self, request: ClientRequest) -> int | None:
        """Record that a request is about to create a resource; returns the number of the intent."""
        path = request.path.partition("?")[0]
        kind = next((kind for pattern, kind in _CREATES if pattern.fullmatch(path)), None)
        if request.method != "POST" or kind is None:
            return None
        named = request.fields.get("name", request.fields.get("title"))
        if kind == "file" and (found := _FILENAME.search(request.text)):
            named = found[1]
        name = named.encode("utf-8", "replace").decode() if isinstance(named, str) else ""
        with self._lock:
            number, self._next = self._next, self._next + 1
        role = request.role or "owner"  # a resource created without a key is deleted by the owner
        about = {"kind": kind, "role": role, "name": name, "at": time.time()}
        self._note({"intent": number, **about}, required=True)
        return number

    def answered(self, intent: int | None, answer: ClientResponse, organization_id: str) -> None:
        """Record the result of a request: the created or deleted resource."""
        if intent is not None:
            kind, role = self._intents[intent]["kind"], self._intents[intent]["role"]
            if 300 <= answer.status < 500:
                self.not_created(intent)
            if kind == "file":
                self._uploaded(intent, answer, role, organization_id)
                return
            resource = answer.fields.get("data") if kind == "vector_store" else answer.fields
            id_ = resource.get("id") if isinstance(resource, dict) else None
            # Without a new id in the answer, the clean-up looks for what may have been created.
            if answer.status >= 300 or not isinstance(resource, dict) or not isinstance(id_, str):
                return
            if self._was_there(id_):
                path = answer.request.path.partition("?")[0]
                raise Broken(f"POST {path} answers with {id_}, which was there before the run", pointer="/id")
            self.created(intent, CreatedResource(kind, id_, role, organization_id))
            store = resource.get("vector_store_id")
            if isinstance(store, str) and not self._was_there(store):
                self.allow(store)
        elif answer.status == 204 and (gone := deleted_id(answer.request)):
            self.removed(gone)

    def _uploaded(self, intent: int, answer: ClientResponse, role: str, organization_id: str) -> None:
        """Record the files that one upload created."""
        files = answer.fields.get("files") if answer.status < 300 else None
        for file in files if isinstance(files, list) else ():
            id_ = file.get("file_id", file.get("id")) if isinstance(file, dict) else None
            if isinstance(id_, str) and not self._was_there(id_):
                self.created(intent, CreatedResource("file", id_, role, organization_id))

    def _was_there(self, id_: str) -> bool:
        """Whether the resource existed before the run, which then never writes to it."""
        before = self.about.get("before", {}).values()
        return any(id_ in (ids or ()) for kinds in before for ids in kinds.values())

    def created(self, intent: int, resource: CreatedResource) -> None:
        """Record the resource that an intent led to."""
        self._note({"made": intent, **resource._asdict()})

    def not_created(self, intent: int) -> None:
        """Record that an intent created nothing: refused, or not sent."""
        self._note({"unmade": intent})

    def removed(self, id_: str) -> None:
        """Record a deletion."""
        self._note({"removed": id_})

    def left(self) -> Iterator[CreatedResource]:
        """Resources that still have to be deleted, newest first."""
        return reversed(list(self._created.values()))

    @property
    def unanswered(self) -> list[dict[str, Any]]:
        """Intents without a response, which may have created a resource."""
        return list(self._intents.values())

    def _note(self, entry: dict[str, Any], *, required: bool = False) -> None:
        """Record an entry; with `required`, Unwritable if it can't be written to the file.

        Other entries are kept in memory then, so that everything can still be deleted.
        """
        with self._lock:
            try:
                self._write(entry)
            except OSError as error:
                if required:
                    why = error.strerror or error
                    raise Unwritable(f"the ledger {self.path} can't be written: {why}") from error
            self._apply(entry)

    def _write(self, entry: dict[str, Any]) -> None:
        if self.path is None:
            return
        line = json.dumps(self.redact(entry)) + "\n"
        torn, self._torn = self._torn, True
        with self.path.open("a", encoding="utf-8") as file:  # closed each time: a killed run loses nothing
            file.write(f"\n{line}" if torn else line)
        self._torn = False

    def _apply(self, entry: dict[str, Any]) -> None:
        if "about" in entry:
            self.about = entry["about"]
        elif "intent" in entry:
            self._next = max(self._next, entry["intent"] + 1)
            self._intents[entry["intent"]] = entry
        elif "unmade" in entry:
            self._intents.pop(entry["unmade"], None)
        elif "made" in entry:
            self._intents.pop(entry["made"], None)
            fields = {name: entry[name] for name in CreatedResource._fields}
            self._created[entry["id"]] = CreatedResource(**fields)
        elif "removed" in entry and self._created.pop(entry["removed"], None) is not None:
            self._allowed.add(entry["removed"])
