"""A moment from a JSON document, or every reason why it can't be one.

That the document has the right shape is known already: the control API's spec says so. Here is what a schema
can't say: what it was made for, that its records fit the vendor's API, and that whatever it names is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.embeddings import state as queue_state
from mockserver.openapi.flaw import Flaw
from mockserver.sandbox.clock import Dial, instant
from mockserver.sandbox.directory import KEY_HOLDER
from mockserver.sandbox.ids import Counters
from mockserver.sandbox.sandbox import Moment, World
from mockserver.state_document.consistency import Check, Pointer, Reader
from mockserver.state_document.export import FORMAT, with_integers
from mockserver.store.sorted_keys import Key, Ordered

MOST_REASONS = 100
"""Told one by one; of more only the number."""


class Refused(Exception):
    """The document can't be a state of this mock; `flaws` says why."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__("; ".join(f"{flaw.name}: {flaw.message}" for flaw in flaws[:3]))
        self.flaws = flaws


def moment(
    document: Mapping[str, Any], spec: Mapping[str, str], check: Check, key: str | None, origin: str
) -> Moment:
    """The moment that a document of the right shape holds; Refused with every reason.

    `key` is the one from outside that is good here, whoever wrote the document.
    """
    return _Reading(document, spec, check).moment(key, origin)


class _Reading:
    """One document on its way in."""

    def __init__(self, document: Mapping[str, Any], spec: Mapping[str, str], check: Check) -> None:
        self._flaws: list[Flaw] = []
        self._more = 0
        self._document = document = with_integers(document)
        self._policy = queue_state.policy_read(document["policy"], document["seed"])
        self._spec = spec
        self._reader = Reader(document, check, self._refuse_at, "this state")

    def moment(self, key: str | None, origin: str) -> Moment:
        document, clock, now = self._document, self._document["clock"], 0
        if document["format"] != FORMAT:
            self._refuse("format", f"is {document['format']!r}, this mock reads {FORMAT!r}")
        for name, ours in self._spec.items():
            if document["spec"][name] != ours:
                self._refuse(f"spec.{name}", f"is {document['spec'][name]!r}, this mock serves {ours!r}")
        try:
            now = instant(clock["now"])
        except ValueError as error:
            self._refuse("clock.now", str(error))
        marks: dict[str, Any] = {}
        try:
            self._reader.read()
            marks = {name: table.mark() for name, table in self._reader.tables.items()}
            marks["embeddings"] = self._queue()
        except (KeyError, TypeError):
            if not self._flaws:  # else a record is so far from its shape that no more can be told
                raise
        if self._flaws:
            if self._more:
                self._flaws.append(Flaw("body", "", f"and {self._more} more"))
            raise Refused(self._flaws)
        directory = self._reader.directory
        return Moment(
            World(document["scenario"], directory.with_key(key, KEY_HOLDER) if key else directory, marks),
            self._policy,
            Counters(document["ids"]["ordinals"], document["ids"]["requests"]),
            Dial(now, clock["frozen"]),
            origin,
        )

    def _refuse_at(self, at: Pointer, why: str) -> None:
        self._refuse(".".join(map(str, at)), why)

    def _refuse(self, at: str, why: str) -> None:
        if len(self._flaws) < MOST_REASONS:
            self._flaws.append(Flaw("body", at, why))
        else:
            self._more += 1

    def _queue(self) -> Any:
        messages, links = self._reader.tables["messages"], self._reader.tables["space_threads"]
        deleted = self._reader.tables["deleted_messages"]

        def key_of(message_id: str) -> Key | None:
            position = messages.position("thread", message_id) or deleted.position("thread", message_id)
            return None if position is None else (*position, message_id)

        def listed(thread_id: str) -> Ordered:
            return messages.keys("thread", thread_id)

        queued = set()
        for space_id, queue in self._document["queue"]["spaces"].items():
            for number, batch in enumerate(queue["batches"]):
                queued.add((space_id, batch["thread_id"]))
                if (space_id, batch["thread_id"]) not in links:
                    at = f"queue.spaces.{space_id}.batches.{number}"
                    self._refuse(at, f"thread {batch['thread_id']!r} is not in space {space_id!r}")
        for link, place in self._reader.each("space_threads"):
            if (link["space_id"], link["thread_id"]) not in queued:
                self._refuse_at(place, "the queue has no batch of it")
        return queue_state.read(self._document["queue"], self._policy, key_of, listed, self._refuse)
