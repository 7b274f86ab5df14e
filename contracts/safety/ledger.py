"""What a run has made, on disk: the intent before a request goes out, the id after it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from contracts.http.exchange import Answer, Request

_MAKES = (
    (re.compile(r"/v1/spaces/"), "space"),
    (re.compile(r"/v1/threads"), "thread"),
    (re.compile(r"/v1/organizations/[^/]+/vector-stores"), "vector_store"),
)
REMOVES = re.compile(r"/v1/(?:spaces|threads|organizations/[^/]+/vector-stores)/([^/]+)")
"""The paths of single things, which their deletion takes away."""


def removes(request: Request) -> str:
    """The id of the single thing that a DELETE is about; empty for all else."""
    gone = REMOVES.fullmatch(request.path.partition("?")[0])
    return gone[1] if gone and request.method == "DELETE" else ""


class Made(NamedTuple):
    """Something that the run made and has to remove."""

    kind: str
    """space, thread or vector_store"""
    id: str
    role: str
    organization_id: str


class Ledger:
    """An append-only file of JSON lines; without a path it is in memory alone."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.about: dict[str, Any] = {}
        """Of which run it is, and what was there before; empty if nobody said so."""
        self._lock = threading.Lock()
        self._made: dict[str, Made] = {}
        self._invented: set[str] = set()
        self._intents: dict[int, dict[str, Any]] = {}
        self._next = 1

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """The ledger of a run that has ended, or was killed."""
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
        """Note whose ledger this is, before anything is made."""
        self._note({"about": {**about, "at": time.time()}})

    def owns(self, id_: str) -> bool:
        """Whether this run made the thing, or made the id up."""
        return id_ in self._made or id_ in self._invented

    def invent(self, id_: str) -> str:
        """Note an id that the run made up: no deployment has anything of this name."""
        self._invented.add(id_)
        return id_

    def intend(self, request: Request) -> int | None:
        """Note that a request is about to make something; the number goes to `answered` or `unmade`."""
        path = request.path.partition("?")[0]
        kind = next((kind for pattern, kind in _MAKES if pattern.fullmatch(path)), None)
        if request.method != "POST" or kind is None:
            return None
        named = request.fields.get("name", request.fields.get("title"))
        name = named if isinstance(named, str) else ""
        with self._lock:
            number, self._next = self._next, self._next + 1
        role = request.role or "owner"  # what nobody should have made
        self._note({"intent": number, "kind": kind, "role": role, "name": name, "at": time.time()})
        return number

    def answered(self, intent: int | None, answer: Answer, organization_id: str) -> None:
        """Note what came of a request: what it made, with the store that came with it, or took away."""
        if intent is not None:
            body = answer.body if isinstance(answer.body, dict) else {}
            kind, role = self._intents[intent]["kind"], self._intents[intent]["role"]
            made = body.get("data") if kind == "vector_store" else body
            id_ = made.get("id") if isinstance(made, dict) else None
            if answer.status >= 300 or not isinstance(made, dict) or not isinstance(id_, str):
                self.unmade(intent)
                return
            self.made(intent, Made(kind, id_, role, organization_id))
            if isinstance(made.get("vector_store_id"), str):
                self.invent(made["vector_store_id"])
        elif answer.status == 204 and (gone := removes(answer.request)):
            self.removed(gone)

    def made(self, intent: int, made: Made) -> None:
        """Note what came of an intent."""
        self._note({"made": intent, **made._asdict()})

    def unmade(self, intent: int) -> None:
        """Note that nothing came of an intent: it was refused, or not sent."""
        self._note({"unmade": intent})

    def removed(self, id_: str) -> None:
        """Note that the thing is gone."""
        self._note({"removed": id_})

    def left(self) -> Iterator[Made]:
        """What is still to be removed, the last made first."""
        return reversed(list(self._made.values()))

    @property
    def unanswered(self) -> list[dict[str, Any]]:
        """Intents without an answer: perhaps something was made, perhaps not."""
        return list(self._intents.values())

    def _note(self, entry: dict[str, Any]) -> None:
        with self._lock:
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")  # closed, so a killed run has lost nothing
            self._apply(entry)

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
            fields = {name: entry[name] for name in Made._fields}
            self._made[entry["id"]] = Made(**fields)
        elif "removed" in entry:
            gone = self._made.pop(entry["removed"], None)
            if gone is not None:
                self._invented.add(gone.id)
