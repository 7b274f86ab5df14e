"""A moment as a JSON document: everything that decides what a sandbox answers from then on.

The order is fixed, so that two documents can be compared line by line: lists by id or by sequence number, the
fields of a record as the API shows them, for their order is part of its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.embeddings import state as queue_state
from mockserver.sandbox.clock import as_text
from mockserver.sandbox.directory import Directory
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Moment

FORMAT = "freddy-mock-state/1"

Ident = Callable[[Record], Any]
IDENT: Mapping[str, Ident] = {
    "spaces": lambda record: record["id"],
    "threads": lambda record: record["id"],
    "deleted_threads": lambda record: record["id"],
    "messages": lambda record: record["id"],
    "deleted_messages": lambda record: record["id"],
    "replies": lambda record: record["id"],
    "vector_stores": lambda record: record["id"],
    "space_threads": lambda record: (record["space_id"], record["thread_id"]),
    "space_vector_stores": lambda record: (record["space_id"], record["vector_store_id"]),
}
"""What the records of a collection are known by."""


def document(moment: Moment, spec: Mapping[str, str]) -> Record:
    """The moment; `spec` is the title, version and sha256 of what the mock serves."""
    marks, dial = moment.world.marks, moment.dial
    assert dial.instant is not None, "a moment that was taken knows its time"
    ordinals = moment.counters.ordinals
    return {
        "format": FORMAT,
        "spec": dict(spec),
        "scenario": moment.world.name,
        "seed": moment.policy.seed,
        "clock": {"now": as_text(dial.instant), "frozen": dial.frozen},
        "ids": {
            "ordinals": {kind: ordinals[kind] for kind in sorted(ordinals)},
            "requests": moment.counters.requests,
        },
        "policy": queue_state.policy_written(moment.policy),
        "organizations": _organizations(moment.world.directory),
        "users": _users(moment.world.directory),
        "collections": {name: _rows(marks[name]) for name in IDENT},
        "queue": queue_state.written(marks["embeddings"]),
    }


def _rows(mark: Any) -> Record:
    rows = sorted(mark.rows.values(), key=lambda row: row[0])
    return {
        "next": mark.next,
        "records": [{"sequence": number, "record": record} for number, record in rows],
    }


def _organizations(directory: Directory) -> list[Record]:
    return [
        {"id": id_, "roles": sorted(each.roles), "departments": sorted(each.departments)}
        for id_, each in sorted(directory.organizations.items())
    ]


def _users(directory: Directory) -> list[Record]:
    """With their keys, but for one that came from the environment: that is whoever started the mock's."""
    keys: dict[str, list[Record]] = {}
    for key, credential in sorted(directory.credentials.items()):
        if not credential.from_outside:
            keys.setdefault(credential.caller.user_id, []).append({"key": key, "state": credential.state})
    return [
        {
            "id": id_,
            "keys": keys.get(id_, []),
            "member_of": [
                {
                    "organization": organization,
                    "roles": sorted(member.roles),
                    "departments": sorted(member.departments),
                    "capabilities": sorted(member.capabilities),
                }
                for organization, member in sorted(user.memberships.items())
            ],
        }
        for id_, user in sorted(directory.users.items())
    ]


def with_integers(node: Any) -> Any:
    """The values of a document with integers where JSON had `4.0`, which is an integer to every schema.

    Records stay as they are: they are shown as they are.
    """
    if isinstance(node, dict):
        kept = ("record", "failure_rate")
        return {key: value if key in kept else with_integers(value) for key, value in node.items()}
    if isinstance(node, list):
        return [with_integers(value) for value in node]
    return int(node) if isinstance(node, float) else node
