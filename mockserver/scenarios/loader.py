"""Loader of scenarios: YAML files, checked against the same schemas as every answer."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.file_contents.content import content_of
from mockserver.file_contents.pieces import media_type_of
from mockserver.openapi.record_shapes import RecordShapes
from mockserver.openapi.references import Pointer
from mockserver.openapi.yaml_document import Document, DocumentError
from mockserver.sandbox import records
from mockserver.sandbox.records import Record
from mockserver.sandbox.reference_data import DEFAULTS
from mockserver.sandbox.sandbox import Data
from mockserver.scenarios.file_format import FileEntry, ScenarioFile, ThreadEntry
from mockserver.state_document.consistency import Reader
from mockserver.state_document.export import NAMES


def names() -> list[str]:
    """Names of the bundled scenarios."""
    files = (file.name for file in resources.files("mockserver.scenarios").iterdir())
    return sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml"))


def name_of(name_or_file: str) -> str:
    """Name of the scenario at this name or path."""
    return name_or_file if name_or_file in names() else Path(name_or_file).stem


def load(name_or_file: str, shapes: RecordShapes) -> Data:
    """Data of a bundled scenario by name, or of a file by path; DocumentError if it is invalid."""
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
    return _data(document.error, content, shapes, path.stem)


def data_of(values: Mapping[str, Any], shapes: RecordShapes, name: str) -> Data:
    """Data of the values of a scenario file; DocumentError if they are invalid."""

    def error(at: Pointer, why: str) -> DocumentError:
        return DocumentError(f"{'.'.join(map(str, at))}: {why}")

    try:
        content = ScenarioFile.model_validate(values)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        raise error(first["loc"], first["msg"].removeprefix("Value error, ")) from invalid
    return _data(error, content, shapes, name)


def _data(
    error: Callable[[Pointer, str], DocumentError], content: ScenarioFile, shapes: RecordShapes, name: str
) -> Data:
    """Data of a scenario file, read as the equivalent state document; `error` gets place and reason."""
    rows: dict[str, list[Record]] = {table: [] for table in NAMES}
    places: dict[Pointer, Pointer] = {}
    for table, at, record in (*_replies(content), *_records(content)):
        places["collections", table, len(rows[table])] = at
        rows[table].append({"sequence": len(rows[table]) + 1, "record": record})

    def refuse(at: Pointer, why: str) -> None:
        raise error(places.get(at, at), why)

    tables = {table: {"next": len(found) + 1, "records": found} for table, found in rows.items()}
    reader = Reader({**_people(content), "collections": tables}, shapes, refuse, "this file")
    versions = reader.versions()
    embeddings = Embeddings(Policy())
    for link in reader.tables["space_threads"]:
        messages = reader.tables["messages"].keys("thread", link["thread_id"])
        embeddings.add_embedded(link["space_id"], link["thread_id"], messages)
    for stored in reader.tables["vector_store_files"]:
        if pieces := reader.tables["file_pieces"].keys("thread", stored["id"]):
            embeddings.add_embedded(stored["vector_store_id"], stored["id"], pieces)
    faults = tuple(each.model_dump(exclude_none=True) for each in content.faults)
    return Data(name, reader.directory, {**versions, "embeddings": embeddings.checkpoint()}, faults)


def _people(content: ScenarioFile) -> Record:
    """Organizations, users and reference data as in a state document, with the capabilities of roles."""
    roles = {(each.id, role.id): role.capabilities for each in content.organizations for role in each.roles}
    return {
        "organizations": [
            {
                "id": each.id,
                "name": each.name,
                "roles": [{"id": role.id, "name": role.name} for role in each.roles],
                "departments": [department.model_dump() for department in each.departments],
            }
            for each in content.organizations
        ],
        "users": [
            {
                "id": user.id,
                "name": user.name,
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
        "reference": content.model_dump(include={*DEFAULTS}, exclude_unset=True),
    }


def _replies(content: ScenarioFile) -> Iterator[tuple[str, Pointer, Record]]:
    for number, reply in enumerate(content.replies):
        queued = {"id": f"reply_{number:032x}", "deltas": None, "pace": 0, **reply.model_dump()}
        yield "replies", ("replies", number), {**queued, "thread_id": None, "times": 1, "fault": None}


def _records(content: ScenarioFile) -> Iterator[tuple[str, Pointer, Record]]:
    """Collection, address in the file, and record; omitted fields have their defaults."""
    at: Pointer
    for number, file in enumerate(content.files):
        yield "files", ("files", number), _file(file)
    for number, store in enumerate(content.vector_stores):
        yield "vector_stores", ("vector_stores", number), records.vector_store(store.id, **_others(store))
        for index, stored in enumerate(store.files):
            record = records.vector_store_file(
                stored.link_id or _derived("vsf", store.id, index),
                vector_store_id=store.id,
                file_id=stored.id,
                added_by=stored.added_by,
                added_at=stored.added_at,
            )
            yield "vector_store_files", ("vector_stores", number, "files", index), record
    for number, row in enumerate(content.foreign_rows):
        yield "foreign_rows", ("foreign_rows", number), row.model_dump()
    for number, thread in enumerate(content.threads):
        at = ("threads", number)
        yield "threads", at, _thread(thread)
        for index, message in enumerate(thread.messages):
            id_ = message.id or _derived("msg", thread.id, index)
            record = records.message(id_, **_others(message), thread_id=thread.id)
            yield "messages", (*at, "messages", index), record
    for number, space in enumerate(content.spaces):
        at = ("spaces", number)
        record = {"id": space.id, **_others(space), "updated_at": space.updated_at or space.created_at}
        yield "spaces", at, record
        yield "vector_stores", at, records.dedicated_store(record)
        for index, link in enumerate(space.threads):
            values = {"space_id": space.id, "thread_id": link.id, "added_at": link.added_at}
            yield "space_threads", (*at, "threads", index), values
        for index, attached in enumerate(space.vector_stores):
            values = {
                "id": attached.link_id or _derived("svs", space.id, index),
                "space_id": space.id,
                "vector_store_id": attached.id,
                "added_by": attached.added_by,
                "added_at": attached.added_at,
            }
            yield "space_vector_stores", (*at, "vector_stores", index), values


def _file(entry: FileEntry) -> Record:
    data = entry.text.encode() if entry.base64 is None else b64decode(entry.base64)
    return records.file(
        entry.id,
        organization_id=entry.organization_id,
        uploaded_by=entry.uploaded_by,
        uploaded_at=entry.uploaded_at,
        filename=entry.filename,
        mime_type=media_type_of(entry.filename, entry.mime_type),
        content=content_of(data),
    )


def _thread(entry: ThreadEntry) -> Record:
    last = entry.messages[-1].created_at if entry.messages else entry.created_at
    fields = {**_others(entry), "updated_at": entry.updated_at or last, "last_message_at": last}
    if entry.workflow_id is None:
        del fields["workflow_id"]
    return records.thread(entry.id, **fields, message_count=len(entry.messages))


def _others(entry: BaseModel) -> dict[str, Any]:
    """Fields of an entry besides its id and its lists of other records."""
    return entry.model_dump(exclude={"id", "messages", "threads", "vector_stores", "files"})


def _derived(prefix: str, parent: str, index: int) -> str:
    """Id derived from the place in the file, so that no seed changes a scenario."""
    return f"{prefix}_{blake2b(f'{parent}/{index}'.encode(), digest_size=16).hexdigest()}"
