"""Named starting states: YAML files, checked against the same schemas as every answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mockserver.documents import Document, DocumentError
from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.sandbox import records
from mockserver.sandbox.directory import Caller, Credential, Directory, Membership, Organization
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import World, collections
from mockserver.sandbox.scenario_file import (
    MessageEntry,
    RoleEntry,
    ScenarioFile,
    SpaceEntry,
    ThreadEntry,
    UserEntry,
    VectorStoreEntry,
)

Check = Callable[[str, Any], str]
"""(component schema, record or id) -> what is wrong with it, empty if nothing is."""
Pointer = tuple[str | int, ...]


def names() -> list[str]:
    """The scenarios that come with the mock."""
    folder = resources.files("mockserver.sandbox") / "scenarios"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir())


def name_of(name_or_file: str) -> str:
    """What the world of this scenario is called."""
    return name_or_file if name_or_file in names() else Path(name_or_file).stem


def load(name_or_file: str, check: Check) -> World:
    """The world of a scenario of ours by name, or of a file by path; DocumentError if it is bad."""
    if name_or_file in names():
        path = Path(str(resources.files("mockserver.sandbox") / "scenarios" / f"{name_or_file}.yaml"))
    else:
        path = Path(name_or_file)
        if not path.is_file():
            raise DocumentError(
                f"no scenario {name_or_file!r}: give one of {', '.join(names())} or the path of a YAML file"
            )
    document = Document(path)
    try:
        content = ScenarioFile.model_validate(document.content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise document.error(first["loc"], first["msg"].removeprefix("Value error, ") + more) from error
    return _Builder(document, content, check).world(path.stem)


class _Builder:
    """Turns a scenario file into a world, refusing what does not fit together."""

    def __init__(self, document: Document, content: ScenarioFile, check: Check) -> None:
        self._document = document
        self._content = content
        self._check = check
        self._tables = collections()
        self._embeddings = Embeddings(Policy())

    def world(self, name: str) -> World:
        directory = self._directory()
        self._vector_stores(directory)
        self._threads(directory)
        self._spaces(directory)
        marks: dict[str, Any] = {n: table.mark() for n, table in self._tables.items()}
        return World(name, directory, {**marks, "embeddings": self._embeddings.mark()})

    def _known(self, id_: str, known: Any, what: str, at: Pointer) -> None:
        if id_ not in known:
            raise self._document.error(at, f"{what} {id_!r} is not in this file")

    def _once(self, ids: list[str], what: str, at: Pointer) -> None:
        for index, id_ in enumerate(ids):
            if id_ in ids[:index]:
                raise self._document.error((*at, index), f"{what} {id_!r} is here twice")

    def _add(self, table: str, id_: Any, record: Record, at: Pointer, schema: str = "") -> None:
        if id_ in self._tables[table]:
            raise self._document.error(at, f"{id_!r} is here twice")
        if schema:
            self._valid(schema, record, at)
        self._tables[table].put(id_, record)

    def _valid(self, schema: str, value: Any, at: Pointer) -> None:
        if wrong := self._check(schema, value):
            raise self._document.error(at, f"not a valid {schema}: {wrong}")

    def _directory(self) -> Directory:
        roles: dict[str, Mapping[str, RoleEntry]] = {}
        organizations: dict[str, Organization] = {}
        for number, entry in enumerate(self._content.organizations):
            self._valid("OrganizationId", entry.id, ("organizations", number, "id"))
            self._once([role.id for role in entry.roles], "role", ("organizations", number, "roles"))
            departments = [department.id for department in entry.departments]
            self._once(departments, "department", ("organizations", number, "departments"))
            roles[entry.id] = {role.id: role for role in entry.roles}
            organizations[entry.id] = Organization(
                roles=frozenset(roles[entry.id]), departments=frozenset(departments)
            )
        self._once([entry.id for entry in self._content.organizations], "organization", ("organizations",))
        users: dict[str, Caller] = {}
        credentials: dict[str, Credential] = {}
        for number, user in enumerate(self._content.users):
            if user.id in users:
                raise self._document.error(("users", number), f"user {user.id!r} is here twice")
            self._valid("UserId", user.id, ("users", number, "id"))
            users[user.id] = Caller(user.id, self._memberships(user, ("users", number), organizations, roles))
            for key in user.keys:
                if key.key in credentials:
                    raise self._document.error(("users", number, "keys"), f"key {key.key!r} is here twice")
                credentials[key.key] = Credential(users[user.id], key.state)
        return Directory(organizations, users, credentials)

    def _memberships(
        self,
        user: UserEntry,
        at: Pointer,
        organizations: Mapping[str, Organization],
        roles: Mapping[str, Mapping[str, RoleEntry]],
    ) -> dict[str, Membership]:
        memberships: dict[str, Membership] = {}
        self._once([member.organization for member in user.member_of], "membership of", (*at, "member_of"))
        for index, member in enumerate(user.member_of):
            here = (*at, "member_of", index)
            self._known(member.organization, organizations, "organization", here)
            own = roles[member.organization]
            for role in member.roles:
                self._known(role, own, "role", here)
            for department in member.departments:
                self._known(department, organizations[member.organization].departments, "department", here)
            memberships[member.organization] = Membership(
                frozenset(member.roles),
                frozenset(member.departments),
                frozenset(c for role in member.roles for c in own[role].capabilities),
            )
        return memberships

    def _vector_stores(self, directory: Directory) -> None:
        for number, entry in enumerate(self._content.vector_stores):
            at = ("vector_stores", number)
            self._known(entry.organization_id, directory.organizations, "organization", at)
            self._known(entry.created_by, directory.users, "user", at)
            store = _store(entry)
            shown = {name: value for name, value in store.items() if name != "space_id"}
            self._valid("VectorStore", {**shown, "file_count": 0, "data_size": 0}, at)
            self._add("vector_stores", entry.id, store, at)

    def _threads(self, directory: Directory) -> None:
        for number, entry in enumerate(self._content.threads):
            at = ("threads", number)
            self._known(entry.organization_id, directory.organizations, "organization", at)
            self._known(entry.user_id, directory.users, "user", at)
            self._add("threads", entry.id, _thread(entry), at, "ListedThread")
            for index, message in enumerate(entry.messages):
                record = _message(message, entry.id, index)
                self._add("messages", record["id"], record, (*at, "messages", index), "Message")

    def _spaces(self, directory: Directory) -> None:
        for number, entry in enumerate(self._content.spaces):
            at = ("spaces", number)
            self._known(entry.organization_id, directory.organizations, "organization", at)
            self._known(entry.created_by, directory.users, "user", at)
            organization = directory.organizations[entry.organization_id]
            for field, known in (
                ("access_departments", organization.departments),
                ("editable_by_roles", organization.roles),
                ("visible_to_roles", organization.roles),
            ):
                for name in getattr(entry, field) or ():
                    self._known(name, known, field, (*at, field))
            record = entry.model_dump(exclude={"threads", "vector_stores"})
            record["updated_at"] = entry.updated_at or entry.created_at
            attached = [store.id for store in entry.vector_stores]
            self._valid("Space", {**record, "additional_vector_store_ids": attached}, at)
            self._add("spaces", entry.id, record, at)
            self._add("vector_stores", entry.vector_store_id, records.dedicated_store(record), at)
            self._links(entry, at, directory)

    def _links(self, entry: SpaceEntry, at: Pointer, directory: Directory) -> None:
        for index, thread in enumerate(entry.threads):
            here = (*at, "threads", index)
            self._known(thread.id, self._tables["threads"], "thread", here)
            self._same_organization("threads", thread.id, entry, here)
            link = {"space_id": entry.id, "thread_id": thread.id, "added_at": thread.added_at}
            self._add("space_threads", (entry.id, thread.id), link, here)
            messages = self._tables["messages"].keys("thread", thread.id)
            self._embeddings.add_embedded(entry.id, thread.id, messages)
        for index, store in enumerate(entry.vector_stores):
            here = (*at, "vector_stores", index)
            self._known(store.id, self._tables["vector_stores"], "vector store", here)
            self._same_organization("vector_stores", store.id, entry, here)
            known = self._tables["vector_stores"].get(store.id)
            if known is not None and known["space_id"] is not None:
                raise self._document.error(here, f"{store.id!r} is a space's own store and can't be attached")
            self._known(store.added_by, directory.users, "user", here)
            self._add(
                "space_vector_stores",
                (entry.id, store.id),
                {
                    "id": _derived("svs", entry.id, index),
                    "space_id": entry.id,
                    "vector_store_id": store.id,
                    "added_by": store.added_by,
                    "added_at": store.added_at,
                },
                here,
            )

    def _same_organization(self, table: str, id_: str, space: SpaceEntry, at: Pointer) -> None:
        record = self._tables[table].get(id_)
        if record is not None and record["organization_id"] != space.organization_id:
            reason = f"{id_!r} belongs to {record['organization_id']}, {space.id} to {space.organization_id}"
            raise self._document.error(at, reason)


def _thread(entry: ThreadEntry) -> Record:
    given = entry.model_dump(exclude={"messages"})
    last = entry.messages[-1].created_at if entry.messages else entry.created_at
    given["updated_at"] = entry.updated_at or last
    return records.thread(given.pop("id"), **given, last_message_at=last, message_count=len(entry.messages))


def _store(entry: VectorStoreEntry) -> Record:
    given = entry.model_dump()
    return records.vector_store(given.pop("id"), **given)


def _message(entry: MessageEntry, thread_id: str, index: int) -> Record:
    given = entry.model_dump()
    id_ = given.pop("id") or _derived("msg", thread_id, index)
    return records.message(id_, **given, thread_id=thread_id)


def _derived(prefix: str, parent: str, index: int) -> str:
    """An id that depends on the place in the file alone, so that no seed changes a scenario."""
    return f"{prefix}_{blake2b(f'{parent}/{index}'.encode(), digest_size=16).hexdigest()}"
