"""A moment from a JSON document, or every reason why it can't be one.

That the document has the right shape is known already: the control API's spec says so. Here is what a schema
can't say: what it was made for, that its records fit the vendor's API, and that whatever it names is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

from mockserver.embeddings import state as queue_state
from mockserver.engine.problems import Flaw
from mockserver.sandbox.clock import Dial, instant
from mockserver.sandbox.directory import KEY_HOLDER, Caller, Credential, Directory, Membership, Organization
from mockserver.sandbox.ids import Counters
from mockserver.sandbox.ordered import Key, Ordered
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Moment, World, collections
from mockserver.sandbox.state import FORMAT, IDENT, with_integers

MOST_REASONS = 100
"""Told one by one; of more only the number."""
EDITED = "updated_at"
"""What a message has only once it was edited."""
Check = Callable[[str, Record], str]
"""(component schema, record) -> what is wrong with it, empty if nothing is."""


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
        self._document = document = with_integers(document)
        self._policy = queue_state.policy_read(document["policy"], document["seed"])
        self._spec = spec
        self._check = check
        self._flaws: list[Flaw] = []
        self._more = 0
        self._tables = collections()
        self._records: dict[str, list[Record]] = {
            name: [row["record"] for row in document["collections"][name]["records"]] for name in IDENT
        }

    def moment(self, key: str | None, origin: str) -> Moment:
        document, clock = self._document, self._document["clock"]
        if document["format"] != FORMAT:
            self._refuse("format", f"is {document['format']!r}, this mock reads {FORMAT!r}")
        for name, ours in self._spec.items():
            if document["spec"][name] != ours:
                self._refuse(f"spec.{name}", f"is {document['spec'][name]!r}, this mock serves {ours!r}")
        directory, now = self._directory(), 0
        try:
            now = instant(clock["now"])
        except ValueError as error:
            self._refuse("clock.now", str(error))
        self._shapes()
        marks: dict[str, Any] = {}
        try:
            self._load()
            self._references(directory)
            self._message_counts()
            marks = {name: table.mark() for name, table in self._tables.items()}
            marks["embeddings"] = self._queue()
        except (KeyError, TypeError):
            if not self._flaws:  # else a record is so far from its shape that no more can be told
                raise
        if self._flaws:
            if self._more:
                self._flaws.append(Flaw("body", "", f"and {self._more} more"))
            raise Refused(self._flaws)
        if key:
            directory = directory.with_key(key, KEY_HOLDER)
        return Moment(
            World(document["scenario"], directory, marks),
            self._policy,
            Counters(document["ids"]["ordinals"], document["ids"]["requests"]),
            Dial(now, clock["frozen"]),
            origin,
        )

    def _refuse(self, at: str, why: str) -> None:
        if len(self._flaws) < MOST_REASONS:
            self._flaws.append(Flaw("body", at, why))
        else:
            self._more += 1

    def _known(self, ids: Iterable[Any], known: Container[Any], what: str, at: str) -> None:
        for id_ in ids:
            if id_ not in known:
                self._refuse(at, f"{what} {id_!r} is not in this state")

    def _directory(self) -> Directory:
        organizations = {
            each["id"]: Organization(frozenset(each["roles"]), frozenset(each["departments"]))
            for each in self._document["organizations"]
        }
        users: dict[str, Caller] = {}
        credentials: dict[str, Credential] = {}
        for number, user in enumerate(self._document["users"]):
            at, memberships = f"users.{number}", dict[str, Membership]()
            for member in user["member_of"]:
                self._known([member["organization"]], organizations, "organization", at)
                known = organizations.get(member["organization"], Organization(frozenset(), frozenset()))
                self._known(member["roles"], known.roles, "role", at)
                self._known(member["departments"], known.departments, "department", at)
                memberships[member["organization"]] = Membership(
                    *(frozenset(member[name]) for name in Membership.__dataclass_fields__)
                )
            if user["id"] in users:
                self._refuse(at, f"user {user['id']!r} is here twice")
            users[user["id"]] = Caller(user["id"], memberships)
            for each in user["keys"]:
                if each["key"] in credentials:
                    self._refuse(f"{at}.keys", "a key of this user is here twice, or another's too")
                credentials[each["key"]] = Credential(users[user["id"]], each["state"])
        return Directory(organizations, users, credentials)

    def _shapes(self) -> None:
        """Records as the vendor's API shows them; those that it never shows alone are in our own spec."""
        for name, schema, shown in (
            ("spaces", "Space", lambda record: {**record, "additional_vector_store_ids": []}),
            ("threads", "ListedThread", lambda record: record),
            ("deleted_threads", "ListedThread", lambda record: record),
            ("messages", "Message", _as_message),
            ("deleted_messages", "Message", _as_message),
            ("vector_stores", "VectorStore", _as_store),
        ):
            for number, record in enumerate(self._records[name]):
                wrong = self._check(schema, shown(record)) or self._more_of(name, record)
                if wrong:
                    self._refuse(f"collections.{name}.{number}", f"not a valid {schema}: {wrong}")

    def _more_of(self, name: str, record: Record) -> str:
        """What is wrong with that part of a record that its schema does not have."""
        if name == "vector_stores" and not isinstance(record.get("space_id", 0), str | None):
            return "/space_id: the id of a space, or null"
        if EDITED in record and "messages" in name:
            return self._check("Message", {**_as_message(record), "created_at": record[EDITED]})
        return ""

    def _load(self) -> None:
        numbers: dict[str, set[int]] = {}
        for name, ident in IDENT.items():
            # What was deleted keeps the number that it had among what was not.
            alive = name.removeprefix("deleted_")
            used, content = numbers.setdefault(alive, set()), self._document["collections"][name]
            below = self._document["collections"][alive]["next"]
            rows, seen = [], set()
            for number, row in enumerate(content["records"]):
                id_, sequence = ident(row["record"]), row["sequence"]
                if id_ in seen or (alive != name and id_ in self._tables[alive]):
                    self._refuse(f"collections.{name}.{number}", f"{id_!r} is here twice")
                if sequence in used or sequence >= below:
                    self._refuse(
                        f"collections.{name}.{number}", f"sequence {sequence} is used, or not below next"
                    )
                seen.add(id_)
                used.add(sequence)
                rows.append((id_, sequence, row["record"]))
            self._tables[name].load(rows, content["next"])

    def _references(self, directory: Directory) -> None:
        tables, organizations, users = self._tables, directory.organizations, directory.users
        for name in ("spaces", "threads", "deleted_threads", "vector_stores"):
            by = "user_id" if "threads" in name else "created_by"
            for record, at in self._each(name):
                self._known([record["organization_id"]], organizations, "organization", at)
                self._known([record[by]], users, "user", at)
        for space, at in self._each("spaces"):
            self._space(space, directory, at)
        spaces = {None, *(space["id"] for space in tables["spaces"])}
        for store, at in self._each("vector_stores"):
            self._known([store["space_id"]], spaces, "space", at)
        threads = {thread["id"] for name in ("threads", "deleted_threads") for thread in tables[name]}
        for name in ("messages", "deleted_messages"):
            for message, at in self._each(name):
                self._known([message["thread_id"]], threads, "thread", at)
        for link, at in self._each("space_threads"):
            self._known([link["space_id"]], tables["spaces"], "space", at)
            self._known([link["thread_id"]], tables["threads"], "thread", at)
        for link, at in self._each("space_vector_stores"):
            self._known([link["space_id"]], tables["spaces"], "space", at)
            self._known([link["vector_store_id"]], tables["vector_stores"], "vector store", at)
            self._known([link["added_by"]], users, "user", at)

    def _message_counts(self) -> None:
        for name in ("threads", "deleted_threads"):
            for thread, at in self._each(name):
                count = len(self._tables["messages"].keys("thread", thread["id"]))
                if count != thread["message_count"]:
                    self._refuse(
                        at, f"message_count is {thread['message_count']}, but {count} messages are here"
                    )

    def _each(self, name: str) -> Iterator[tuple[Record, str]]:
        """The records of a collection, each with its address."""
        for number, record in enumerate(self._records[name]):
            yield record, f"collections.{name}.{number}"

    def _space(self, space: Record, directory: Directory, at: str) -> None:
        store = self._tables["vector_stores"].get(space["vector_store_id"])
        if store is None or store["space_id"] != space["id"]:
            self._refuse(
                at, f"its vector store {space['vector_store_id']!r} is not in this state, or not its own"
            )
        organization = directory.organizations.get(space["organization_id"])
        if organization is not None:
            self._known(space["access_departments"] or (), organization.departments, "department", at)
            for field in ("editable_by_roles", "visible_to_roles"):
                self._known(space[field] or (), organization.roles, "role", at)

    def _queue(self) -> Any:
        messages, links = self._tables["messages"], self._tables["space_threads"]
        deleted = self._tables["deleted_messages"]

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
        for number, link in enumerate(self._records["space_threads"]):
            if (link["space_id"], link["thread_id"]) not in queued:
                self._refuse(f"collections.space_threads.{number}", "the queue has no batch of it")
        return queue_state.read(self._document["queue"], self._policy, key_of, listed, self._refuse)


def _as_message(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != EDITED}


def _as_store(record: Record) -> Record:
    fields = {name: value for name, value in record.items() if name != "space_id"}
    return {**fields, "file_count": 0, "data_size": 0}
