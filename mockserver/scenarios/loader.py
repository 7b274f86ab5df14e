"""Named starting states: YAML files, checked against the same schemas as every answer."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.openapi.yaml_document import Document, DocumentError
from mockserver.sandbox import records
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import World
from mockserver.scenarios.file_format import MessageEntry, ScenarioFile, ThreadEntry, VectorStoreEntry
from mockserver.state_document.consistency import Check, Pointer, Reader
from mockserver.state_document.export import IDENT


def names() -> list[str]:
    """The scenarios that come with the mock."""
    files = (file.name for file in resources.files("mockserver.scenarios").iterdir())
    return sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml"))


def name_of(name_or_file: str) -> str:
    """What the world of this scenario is called."""
    return name_or_file if name_or_file in names() else Path(name_or_file).stem


def load(name_or_file: str, check: Check) -> World:
    """The world of a scenario of ours by name, or of a file by path; DocumentError if it is bad."""
    if name_or_file in names():
        path = Path(str(resources.files("mockserver.scenarios") / f"{name_or_file}.yaml"))
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
    return _world(document, content, check, path.stem)


def _world(document: Document, content: ScenarioFile, check: Check, name: str) -> World:
    """The file's world: read as the state document that it stands for."""
    rows: dict[str, list[Record]] = {table: [] for table in IDENT}
    places: dict[Pointer, Pointer] = {}
    for table, at, record in _records(content):
        places["collections", table, len(rows[table])] = at
        rows[table].append({"sequence": len(rows[table]) + 1, "record": record})

    def refuse(at: Pointer, why: str) -> None:
        raise document.error(places.get(at, at), why)

    tables = {table: {"next": len(found) + 1, "records": found} for table, found in rows.items()}
    reader = Reader({**_people(content), "collections": tables}, check, refuse, "this file")
    reader.read()
    embeddings = Embeddings(Policy())
    for link in reader.tables["space_threads"]:
        messages = reader.tables["messages"].keys("thread", link["thread_id"])
        embeddings.add_embedded(link["space_id"], link["thread_id"], messages)
    marks: dict[str, Any] = {n: table.mark() for n, table in reader.tables.items()}
    return World(name, reader.directory, {**marks, "embeddings": embeddings.mark()})


def _people(content: ScenarioFile) -> Record:
    """Organizations and users as a state document has them: with the capabilities of the roles."""
    roles = {(each.id, role.id): role.capabilities for each in content.organizations for role in each.roles}
    return {
        "organizations": [
            {
                "id": each.id,
                "roles": [role.id for role in each.roles],
                "departments": [department.id for department in each.departments],
            }
            for each in content.organizations
        ],
        "users": [
            {
                "id": user.id,
                "keys": [key.model_dump() for key in user.keys],
                "member_of": [
                    {
                        **member.model_dump(),
                        "capabilities": [
                            c for role in member.roles for c in roles.get((member.organization, role), ())
                        ],
                    }
                    for member in user.member_of
                ],
            }
            for user in content.users
        ],
    }


def _records(content: ScenarioFile) -> Iterator[tuple[str, Pointer, Record]]:
    """Collection, address in the file, record; what the file leaves out has its default."""
    at: Pointer
    for number, store in enumerate(content.vector_stores):
        yield "vector_stores", ("vector_stores", number), _store(store)
    for number, thread in enumerate(content.threads):
        at = ("threads", number)
        yield "threads", at, _thread(thread)
        for index, message in enumerate(thread.messages):
            yield "messages", (*at, "messages", index), _message(message, thread.id, index)
    for number, space in enumerate(content.spaces):
        at = ("spaces", number)
        record = space.model_dump(exclude={"threads", "vector_stores"})
        record["updated_at"] = space.updated_at or space.created_at
        yield "spaces", at, record
        yield "vector_stores", at, records.dedicated_store(record)
        for index, link in enumerate(space.threads):
            values = {"space_id": space.id, "thread_id": link.id, "added_at": link.added_at}
            yield "space_threads", (*at, "threads", index), values
        for index, attached in enumerate(space.vector_stores):
            values = {
                "id": _derived("svs", space.id, index),
                "space_id": space.id,
                "vector_store_id": attached.id,
                "added_by": attached.added_by,
                "added_at": attached.added_at,
            }
            yield "space_vector_stores", (*at, "vector_stores", index), values


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
