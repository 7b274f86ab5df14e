"""Consistency checks of users and records, for state documents and scenarios alike.

Everything that a record refers to must exist and fit.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

from mockserver.file_contents.content import Content
from mockserver.openapi.record_shapes import RecordShapes
from mockserver.openapi.references import Pointer
from mockserver.sandbox.answer_stream import read_stream
from mockserver.sandbox.directory import Caller, Credential, Directory, Membership, Organization
from mockserver.sandbox.records import Record, file_pieces, public_fields
from mockserver.sandbox.reference_data import DEFAULTS
from mockserver.sandbox.sandbox import collections
from mockserver.state_document.adapted import AdaptedRecords
from mockserver.state_document.contents import Beside, read_content
from mockserver.state_document.export import NAMES, ident

EDITED = "updated_at"
"""Field that only an edited message has."""
Refuse = Callable[[Pointer, str], None]
"""Raises or collects an error at an address of the document."""


class Reader:
    """Reads `organizations`, `users` and `collections` of a state document."""

    def __init__(
        self,
        document: Mapping[str, Any],
        shapes: RecordShapes,
        refuse: Refuse,
        where: str,
        beside: Beside = lambda _: None,
        *,
        completes: bool = True,
        drops: bool = False,
    ) -> None:
        """`where`: name of the document in messages, such as 'this state'; `beside`: its large contents.

        `completes`, `drops`: how records are adapted to the schemas.
        """
        self._document = document
        self._beside = beside
        self._shapes = shapes
        self.adapted = AdaptedRecords(shapes, completes=completes, drops=drops)
        self._refuse = refuse
        self._where = where
        self.tables = collections()
        self.directory = self._people()

    def versions(self, *, checked: bool = True) -> dict[str, Any]:
        """Fill the tables; KeyError or TypeError for a badly malformed record, after reporting it.

        `checked`: whether records are held to the schemas and to each other.
        """
        self._read_contents()
        if checked:
            self._check_shapes()
        self._load()
        if checked:
            self._references()
            self._message_counts()
        streams: Any = map(read_stream, self._document.get("streams", ()))
        self.tables["streams"].load_new((stream.thread_id, stream) for stream in streams)
        extended = self._document["collections"].get("extension_records")
        if extended is not None:
            rows = [(row["key"], int(row["sequence"]), row["record"]) for row in extended["records"]]
            self.tables["extension_records"].load(rows, extended["next"])
        for attached in self.tables["vector_store_files"]:
            file = self.tables["files"].get(attached["file_id"])
            if (
                file is not None
                and isinstance(file["content"], Content)
                and isinstance(file["mime_type"], str)
            ):
                pieces = file_pieces(attached, file["content"], file["mime_type"])
                self.tables["file_pieces"].load_new(pieces)
        return {name: table.content for name, table in self.tables.items()}

    def each(self, *names: str) -> Iterator[tuple[Record, Pointer]]:
        """Records of these collections, each with its address."""
        for name in names:
            for number, row in enumerate(self._document["collections"][name]["records"]):
                at = ("collections", name, number)
                yield self.adapted.records.get(at, row["record"]), at

    def _known(self, ids: Iterable[Any], known: Container[Any], what: str, at: Pointer) -> None:
        for id_ in ids:
            if id_ not in known:
                self._refuse(at, f"{what} {id_!r} is not in {self._where}")

    def _once(self, ids: list[Any], what: str, at: Pointer) -> None:
        for index, id_ in enumerate(ids):
            if id_ in ids[:index]:
                self._refuse((*at, index), f"{what} {id_!r} is here twice")

    def _valid(self, schema: str, value: Any, at: Pointer) -> None:
        if wrong := self._shapes.wrong(schema, value):
            self._refuse(at, f"not a valid {schema}: {wrong}")

    def _fit(self, schema: str, record: Record, shown: Record, at: Pointer) -> None:
        """Check a record as answers show it, and adapt it."""
        if wrong := self.adapted.wrong(schema, record, shown, at):
            self._refuse(at, f"not a valid {schema}: {wrong}")

    def _people(self) -> Directory:
        organizations = {}
        for number, each in enumerate(self._document["organizations"]):
            at: Pointer = ("organizations", number)
            self._valid("OrganizationId", each["id"], (*at, "id"))
            roles, departments = (_named(each[kind]) for kind in ("roles", "departments"))
            self._once([id_ for id_, _ in roles], "role", (*at, "roles"))
            self._once([id_ for id_, _ in departments], "department", (*at, "departments"))
            organizations[each["id"]] = Organization(dict(roles), dict(departments), each.get("name", ""))
        for kind, what in (("organizations", "organization"), ("users", "user")):
            self._once([each["id"] for each in self._document[kind]], what, (kind,))
        users: dict[str, Caller] = {}
        credentials: dict[str, Credential] = {}
        for number, user in enumerate(self._document["users"]):
            at = ("users", number)
            self._valid("UserId", user["id"], (*at, "id"))
            members = self._memberships(user["member_of"], at, organizations)
            users[user["id"]] = Caller(user["id"], members, user.get("name", ""))
            for each in user["keys"]:
                if each["key"] in credentials:
                    self._refuse((*at, "keys"), f"key {each['key']!r} is here twice")
                credentials[each["key"]] = Credential(users[user["id"]], each["state"])
        reference = {name: tuple(rows) for name, rows in self._document.get("reference", {}).items()}
        for number, assistant in enumerate(reference.get("assistants", ())):
            at = ("reference", "assistants", number)
            self._known([assistant["organization_id"]], organizations, "organization", at)
        return Directory(organizations, users, credentials, {**DEFAULTS, **reference})

    def _memberships(
        self, members: list[Record], at: Pointer, organizations: Mapping[str, Organization]
    ) -> dict[str, Membership]:
        self._once([member["organization"] for member in members], "membership of", (*at, "member_of"))
        memberships = {}
        for index, member in enumerate(members):
            here = (*at, "member_of", index)
            self._known([member["organization"]], organizations, "organization", here)
            known = organizations.get(member["organization"], Organization())
            self._known(member["roles"], known.roles, "role", here)
            self._known(member["departments"], known.departments, "department", here)
            memberships[member["organization"]] = Membership(
                *(frozenset(member[name]) for name in Membership.__dataclass_fields__)
            )
        return memberships

    def _read_contents(self) -> None:
        """Replace the exported contents of files by the contents themselves."""
        rows = []
        for (file, at), row in zip(
            self.each("files"), self._document["collections"]["files"]["records"], strict=True
        ):
            content = None
            try:
                content = read_content(file.get("content"), file.get("file_size"), self._beside)
            except ValueError as error:
                self._refuse(at, str(error))
            rows.append({**row, "record": {**file, "content": content}})
        collections = self._document["collections"]
        files = {**collections["files"], "records": rows}
        self._document = {**self._document, "collections": {**collections, "files": files}}

    def _check_shapes(self) -> None:
        """Check records against the vendor's schemas; others were checked by the control API's document."""
        attached: dict[str, list[str]] = {}
        for link, _ in self.each("space_vector_stores"):
            attached.setdefault(link["space_id"], []).append(link["vector_store_id"])
        for space, at in self.each("spaces"):
            stores = attached.get(str(space.get("id")), [])
            self._fit("Space", space, {**space, "additional_vector_store_ids": stores}, at)
        for thread, at in self.each("threads", "deleted_threads"):
            self._fit("ListedThread", thread, public_fields(thread, "thread"), at)
            if not isinstance(thread.get("workflow_id"), str | None):
                self._refuse(at, "not a valid Thread: /workflow_id: the id of a workflow, or null")
            if not isinstance(thread.get("pin_order", 0), int):
                self._refuse(at, "not a valid Thread: /pin_order: a number")
        for message, at in self.each("messages", "deleted_messages"):
            fields = public_fields(message, "message")
            self._fit("Message", message, fields, at)
            if EDITED in message:
                self._valid("Message", {**fields, "created_at": message[EDITED]}, at)
        for store, at in self.each("vector_stores"):
            sizes = {"file_count": 0, "data_size": 0}
            self._fit("VectorStore", store, {**public_fields(store, "vector_store"), **sizes}, at)
            if not isinstance(store.get("space_id", 0), str | None):
                self._refuse(at, "not a valid VectorStore: /space_id: the id of a space, or null")
        self._file_shapes()

    def _file_shapes(self) -> None:
        for file, at in self.each("files"):
            self._fit("StoredFile", file, public_fields(file, "file"), at)
        for attached_file, at in self.each("vector_store_files"):
            state = {"processing_status": "pending", "chunk_count": 0}
            self._fit("VectorStoreFile", attached_file, {**attached_file, **state}, at)

    def _load(self) -> None:
        numbers: dict[str, set[int]] = {}
        for name in NAMES:
            # A deleted record keeps its number among the others.
            alive = name.removeprefix("deleted_")
            used, content = numbers.setdefault(alive, set()), self._document["collections"][name]
            below = self._document["collections"][alive]["next"]
            rows, seen = [], set()
            for (record, at), row in zip(self.each(name), content["records"], strict=True):
                id_, sequence = ident(name, record), row["sequence"]
                if id_ in seen or (alive != name and id_ in self.tables[alive]):
                    self._refuse(at, f"{id_!r} is here twice")
                if sequence in used or sequence >= below:
                    self._refuse(at, f"sequence {sequence} is used, or not below next")
                seen.add(id_)
                used.add(sequence)
                rows.append((id_, sequence, record))
            self.tables[name].load(rows, content["next"])

    def _references(self) -> None:
        tables, users = self.tables, self.directory.users
        for record, at in self.each("spaces", "threads", "deleted_threads", "vector_stores", "files"):
            self._known([record["organization_id"]], self.directory.organizations, "organization", at)
            by = next(
                (name for name in ("user_id", "created_by", "uploaded_by") if name in record), "user_id"
            )
            self._known([record.get(by)], users, "user", at)
        for space, at in self.each("spaces"):
            self._space(space, at)
        for store, at in self.each("vector_stores"):
            self._known({store["space_id"]} - {None}, tables["spaces"], "space", at)
        for message, at in self.each("messages", "deleted_messages"):
            if message["thread_id"] not in tables["deleted_threads"]:
                self._known([message["thread_id"]], tables["threads"], "thread", at)
        for link, at in self.each("space_threads"):
            self._link(link, "thread", at)
        for link, at in self.each("space_vector_stores"):
            self._link(link, "vector_store", at)
            self._known([link["added_by"]], users, "user", at)

        for link, at in self.each("vector_store_files"):
            self._known([link["added_by"]], users, "user", at)
            self._known([link["vector_store_id"]], tables["vector_stores"], "vector store", at)
            self._known([link["file_id"]], tables["files"], "file", at)
            one = tables["vector_stores"].get(link["vector_store_id"])
            other = tables["files"].get(link["file_id"])
            if one and other and one["organization_id"] != other["organization_id"]:
                self._refuse(at, f"{one['id']!r} and {other['id']!r} belong to different organizations")

    def _space(self, space: Record, at: Pointer) -> None:
        own = space["vector_store_id"]
        store = self.tables["vector_stores"].get(own)
        if store is None or store["space_id"] != space["id"]:
            self._refuse(at, f"its vector store {own!r} is not in {self._where}, or not its own")
        organization = self.directory.organizations.get(space["organization_id"])
        if organization is not None:
            self._known(space["access_departments"] or (), organization.departments, "access_departments", at)
            for field in ("editable_by_roles", "visible_to_roles"):
                self._known(space[field] or (), organization.roles, field, at)

    def _link(self, link: Record, kind: str, at: Pointer) -> None:
        """Check that the linked object exists, belongs to the organization, and is no space's own."""
        id_, known = link[f"{kind}_id"], self.tables[f"{kind}s"]
        self._known([link["space_id"]], self.tables["spaces"], "space", at)
        self._known([id_], known, kind.replace("_", " "), at)
        space, linked = self.tables["spaces"].get(link["space_id"]), known.get(id_)
        if space is None or linked is None:
            return
        one, other = linked["organization_id"], space["organization_id"]
        if one != other:
            self._refuse(at, f"{id_!r} belongs to {one}, {space['id']} to {other}")
        if linked.get("space_id") is not None:
            self._refuse(at, f"{id_!r} is a space's own store and can't be attached")

    def _message_counts(self) -> None:
        for thread, at in self.each("threads", "deleted_threads"):
            declared = thread["message_count"]
            count = len(self.tables["messages"].keys("thread", thread["id"]))
            if count != declared:
                self._refuse(at, f"message_count is {declared}, but {count} messages are here")


def _named(entries: list[Any]) -> list[tuple[str, str]]:
    """Ids of roles or departments with their names; an entry that is only an id has none."""
    return [(each, "") if isinstance(each, str) else (each["id"], each["name"]) for each in entries]
