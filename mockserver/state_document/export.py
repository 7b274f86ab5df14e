"""Export of a state document: everything that determines a sandbox's future answers.

The order is fixed, so that two documents can be compared line by line: lists by id or by sequence number, the
fields of a record as the API shows them, for their order is part of its answers.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from hashlib import sha256
from typing import Any

import orjson

from mockserver.embeddings import queue_json
from mockserver.faults.faults_json import faults_json
from mockserver.file_contents.content import Content
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.directory import Directory, Membership
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import SandboxSession, SandboxState, collections

FORMAT = "freddy-mock-state/1"

NAMES = tuple(name for name in collections() if name not in ("extension_records", "file_pieces", "streams"))
"""Collections of a state document."""
INLINE = 1_000_000
"""Most bytes of a file's content inside of a document that has a folder for larger ones."""
_LINKED = {
    "space_threads": ("space_id", "thread_id"),
    "space_vector_stores": ("space_id", "vector_store_id"),
    "vector_store_files": ("vector_store_id", "file_id"),
    "foreign_rows": ("collection", "id"),
}


def ident(collection: str, record: Record) -> Any:
    """Id of a record; of a link, the ids of what it links."""
    linked = _LINKED.get(collection)
    return record["id"] if linked is None else tuple(record[name] for name in linked)


def document(
    state: SandboxState, spec: Mapping[str, Any], beside: dict[str, Content] | None = None
) -> Record:
    """State document; `spec`: title, version and SHA-256 of what the mock serves.

    `beside` gets the contents of more than INLINE bytes, by hash; without it they are in the document.
    """
    marks, (now, frozen) = state.data.versions, state.clock_start
    return {
        "format": FORMAT,
        "spec": dict(spec),
        "scenario": state.data.name,
        "seed": state.policy.seed,
        "clock": {"now": None if now is None else as_text(now), "frozen": frozen},
        "ids": {
            "ordinals": dict(sorted(state.counters.ordinals.items())),
            "requests": state.counters.requests,
        },
        "policy": state.policy.as_json(),
        "organizations": _organizations(state.data.directory),
        "users": _users(state.data.directory),
        "reference": {name: list(rows) for name, rows in state.data.directory.reference.items()},
        "collections": {
            name: _rows(marks[name], partial(_with_content, beside) if name == "files" else None)
            for name in NAMES
        }
        | {"extension_records": _extension_rows(marks["extension_records"])},
        "queue": queue_json.queues_json(marks["embeddings"]),
    }


class States:
    """Whole states of a document, each once, by their hash."""

    def __init__(self, spec: Mapping[str, Any], beside: dict[str, Content] | None = None) -> None:
        self.documents: dict[str, Record] = {}
        """By SHA-256."""
        self._spec, self._beside = spec, beside
        self._hashes: dict[int, str] = {}

    def hash_of(self, state: SandboxState) -> str:
        """Hash of a state, which is now among the documents."""
        if id(state) not in self._hashes:
            whole = {**document(state, self._spec, self._beside), "origin": state.origin}
            if state.faults is not None:
                whole["faults"] = faults_json(state.faults)
            digest = sha256(orjson.dumps(whole)).hexdigest()
            self._hashes[id(state)], self.documents[digest] = digest, whole
        return self._hashes[id(state)]


def session_document(
    session: SandboxSession,
    snapshots: Mapping[str, SandboxState],
    spec: Mapping[str, Any],
    beside: dict[str, Content] | None = None,
) -> Record:
    """Document of everything that determines the answers of a sandbox; the others are as for `document`."""
    assert session.faults is not None
    assert session.start is not None
    states = States(spec, beside)
    return {
        **document(session.state, spec, beside),
        "faults": faults_json(session.faults),
        "start": states.hash_of(session.start),
        "snapshots": {name: states.hash_of(state) for name, state in snapshots.items()},
        "states": dict(sorted(states.documents.items())),
    }


def _extension_rows(mark: Any) -> Record:
    """Rows of the records of views; those that are no JSON under a text are left out."""
    rows = sorted(
        (number, key, record) for key, (number, record) in mark.rows.items() if _is_json(key, record)
    )
    return {
        "next": mark.next,
        "records": [{"sequence": number, "key": key, "record": record} for number, key, record in rows],
    }


def _is_json(key: Any, record: Any) -> bool:
    try:
        return isinstance(key, str) and orjson.loads(orjson.dumps(record)) == record
    except TypeError:
        return False


def _rows(mark: Any, exported: Callable[[Record], Record] | None = None) -> Record:
    rows = sorted(mark.rows.values(), key=lambda row: row[0])
    return {
        "next": mark.next,
        "records": [
            {"sequence": number, "record": record if exported is None else exported(record)}
            for number, record in rows
        ],
    }


def _with_content(beside: dict[str, Content] | None, file: Record) -> Record:
    """File with its content in base64, or with the hash of one that goes beside the document."""
    content: Content = file["content"]
    stored = {"sha256": content.sha256}
    if beside is None or len(content.data) <= INLINE:
        stored["base64"] = b64encode(content.data).decode()
    else:
        beside[content.sha256] = content
    return {**file, "content": stored}


def _sets(member: Membership) -> Record:
    """Its sets of names, sorted."""
    return {field.name: sorted(getattr(member, field.name)) for field in fields(member)}


def _organizations(directory: Directory) -> list[Record]:
    return [
        {"id": id_, "name": each.name, "roles": _named(each.roles), "departments": _named(each.departments)}
        for id_, each in sorted(directory.organizations.items())
    ]


def _named(names: Mapping[str, str]) -> list[Record]:
    return [{"id": id_, "name": name} for id_, name in names.items()]


def _users(directory: Directory) -> list[Record]:
    """Users with their keys, except for the key from the environment, which is private."""
    keys: dict[str, list[Record]] = {}
    for key, credential in sorted(directory.credentials.items()):
        if not credential.from_environment:
            keys.setdefault(credential.caller.user_id, []).append({"key": key, "state": credential.state})
    return [
        {
            "id": id_,
            "name": user.name,
            "keys": keys.get(id_, []),
            "member_of": [
                {"organization": organization, **_sets(member)}
                for organization, member in sorted(user.memberships.items())
            ],
        }
        for id_, user in sorted(directory.users.items())
    ]


def with_integers(node: Any) -> Any:
    """Values with integers for JSON's `4.0`, which every schema accepts as an integer.

    Records stay as they are.
    """
    if isinstance(node, dict):
        kept = ("record", "failure_rate", "faults", "states")
        return {key: value if key in kept else with_integers(value) for key, value in node.items()}
    if isinstance(node, list):
        return [with_integers(value) for value in node]
    return int(node) if isinstance(node, float) else node
