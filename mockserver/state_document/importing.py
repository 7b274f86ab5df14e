"""Import of one state document: the state, or every reason against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.embeddings import queue_json
from mockserver.embeddings.policy import Policy
from mockserver.faults.faults_json import read_faults
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.record_shapes import RecordShapes
from mockserver.openapi.references import Pointer
from mockserver.sandbox.clock import ClockStart, instant
from mockserver.sandbox.directory import KEY_HOLDER
from mockserver.sandbox.ids import Counters
from mockserver.sandbox.sandbox import Data, SandboxState
from mockserver.state_document import november
from mockserver.state_document.consistency import Reader
from mockserver.state_document.contents import Beside
from mockserver.state_document.export import FORMAT, with_integers
from mockserver.store.sorted_keys import Key, SortedKeys

_NO_FILES = {name: {"next": 1, "records": []} for name in ("files", "vector_store_files", "foreign_rows")}
"""Collections that older documents do not have."""
MOST_REASONS = 100
"""Most errors listed one by one."""


class InvalidState(Exception):
    """Invalid state document; `errors` lists the reasons."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{each.name}: {each.message}" for each in errors[:3]))
        self.errors = errors


class Refusals:
    """Reasons against a document, collected."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._more = 0

    def add(self, at: str, why: str) -> None:
        """One more reason."""
        if len(self.errors) < MOST_REASONS:
            self.errors.append(FieldError("body", at, why))
        else:
            self._more += 1

    def raise_all(self) -> None:
        """InvalidState if there is a reason."""
        if self._more:
            self.errors.append(FieldError("body", "", f"and {self._more} more"))
        if self.errors:
            raise InvalidState(self.errors)


class Import:
    """Import of one document of the right shape."""

    def __init__(
        self,
        document: Mapping[str, Any],
        spec: Mapping[str, Any],
        shapes: RecordShapes,
        beside: Beside,
        refusals: Refusals,
        at: Pointer = (),
    ) -> None:
        """`spec`: what the mock serves, as `Spec.served`; `beside`: the document's large contents.

        `at`: address within the whole document, for `refusals`.
        """
        self._refusals = refusals
        self._at = at
        document = november.with_lists(with_integers(document))
        self._document = document = {**document, "collections": {**_NO_FILES, **document["collections"]}}
        self._policy = Policy.from_json(document["policy"], document["seed"])
        self._queues = november.converted(document["queue"], self._policy.retries)
        foreign = document["spec"] != spec
        whole = (document, shapes, self._refuse_at, "this state", beside)
        self._reader = Reader(*whole, completes=foreign, drops=foreign)

    @property
    def notes(self) -> list[str]:
        """What was completed or left out because the document belongs to another spec."""
        return self._reader.adapted.notes

    def state(
        self, key: str | None, origin: str, defaults: Mapping[str, Any], *, checked: bool = True
    ) -> SandboxState:
        """The state, with the faults of the document; InvalidState with every reason.

        `key`: this mock's key from the environment, added to the document's own; `defaults`: of the fields of
        a rule.
        """
        document, clock, now = self._document, self._document["clock"], None
        if document["format"] != FORMAT:
            self._refuse("format", f"is {document['format']!r}, this mock reads {FORMAT!r}")
        try:
            now = None if clock["now"] is None else instant(clock["now"])
        except ValueError as error:
            self._refuse("clock.now", str(error))
        marks: dict[str, Any] = {}
        try:
            marks = {**self._reader.versions(checked=checked), "embeddings": self._queue()}
        except (KeyError, TypeError):
            if not self._refusals.errors:  # otherwise a record is too malformed to check further
                raise
        faults = document.get("faults")
        read = None if faults is None else read_faults(faults, defaults, self._refuse_fault)
        self._refusals.raise_all()
        directory = self._reader.directory
        return SandboxState(
            Data(document["scenario"], directory.with_key(key, KEY_HOLDER) if key else directory, marks),
            self._policy,
            Counters(document["ids"]["ordinals"], document["ids"]["requests"]),
            ClockStart(now, clock["frozen"]),
            origin,
            read,
        )

    def _refuse_fault(self, at: str, why: str) -> None:
        self._refuse(f"faults.{at}", why)

    def _refuse_at(self, at: Pointer, why: str) -> None:
        self._refuse(".".join(map(str, at)), why)

    def _refuse(self, at: str, why: str) -> None:
        self._refusals.add(".".join((*map(str, self._at), at)), why)

    def _queue(self) -> Any:
        tables = self._reader.tables
        messages, links, pieces = tables["messages"], tables["space_threads"], tables["file_pieces"]
        files = {(each["vector_store_id"], each["id"]) for each in tables["vector_store_files"]}

        def key_of(message_id: str) -> Key | None:
            deleted = tables["deleted_messages"]
            searched = (table.position("thread", message_id) for table in (messages, deleted, pieces))
            position = next(filter(None, searched), None)
            return None if position is None else (*position, message_id)

        queued = set()
        for space_id, queue in self._queues["spaces"].items():
            for number, batch in enumerate(queue["batches"]):
                home = (space_id, batch["thread_id"])
                queued.add(home)
                if home not in links and home not in files:
                    at = f"queue.spaces.{space_id}.batches.{number}"
                    self._refuse(at, f"thread {batch['thread_id']!r} is not in space {space_id!r}")
        for link, place in self._reader.each("space_threads"):
            if (link["space_id"], link["thread_id"]) not in queued:
                self._refuse_at(place, "the queue has no batch of it")
        for attached, place in self._reader.each("vector_store_files"):
            home = (attached["vector_store_id"], attached["id"])
            if pieces.keys("thread", attached["id"]) and home not in queued:
                self._refuse_at(place, "the queue has no batch of it")

        def listed(thread_id: str) -> SortedKeys:
            return messages.keys("thread", thread_id) or pieces.keys("thread", thread_id)

        return queue_json.read(self._queues, self._policy, key_of, listed, self._refuse)
