"""A state as a scenario file, and what such a file can't hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from pydantic import BaseModel

from mockserver.embeddings.policy import Policy
from mockserver.embeddings.queues import Embeddings
from mockserver.openapi.record_shapes import RecordShapes
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import SandboxState
from mockserver.scenarios import file_format, loader
from mockserver.state_document.export import NAMES, document, ident

Values = dict[str, Any]

MEANINGS: Mapping[str, str] = {
    "threads: pin_order": "pinned threads may change places",
    "deleted_threads": "they are unknown, not deleted: a page after one of them is refused",
    "deleted_messages": "they are unknown, not deleted: a page after one of them is refused",
    "replies": "the next answers of the model are its own",
}
"""Beginning of a line about what a scenario lacks -> what that means for the answers."""


def scenario_of(state: SandboxState, shapes: RecordShapes) -> tuple[Values, list[str]]:
    """Content of a scenario file, and a line for each thing of the state that it lacks.

    DocumentError if the state can't be a scenario.
    """
    content = _content(state)
    again = loader.data_of(content, shapes, state.data.name)
    lacking = [*_differences(state.data.versions, again.versions), *_unfinished(state)]
    if again.directory.users != state.data.directory.users:
        lacking.append("users: capabilities that do not follow from their roles")
    return content, [_with_meaning(line) for line in lacking]


def _with_meaning(line: str) -> str:
    found = next((text for start, text in MEANINGS.items() if line.startswith(start)), "")
    return f"{line} ({found})" if found else line


def _content(state: SandboxState) -> Values:
    whole = document(state, {})
    rows = {name: [row["record"] for row in whole["collections"][name]["records"]] for name in NAMES}
    messages, in_spaces = _by(rows["messages"], "thread_id"), _by(rows["space_threads"], "space_id")
    stores = _by(rows["space_vector_stores"], "space_id")
    files = _by(rows["vector_store_files"], "vector_store_id")
    return {
        "organizations": [_organization(each, whole["users"]) for each in whole["organizations"]],
        "users": [_user(each) for each in whole["users"]],
        **{name: found for name, found in whole["reference"].items() if found},
        "files": [_file(each) for each in rows["files"]],
        "vector_stores": [
            _entry(file_format.VectorStoreEntry, each)
            | {"files": [_link(link, "file_id") for link in files.get(each["id"], ())]}
            for each in rows["vector_stores"]
            if each.get("space_id") is None
        ],
        **({"foreign_rows": rows["foreign_rows"]} if rows["foreign_rows"] else {}),
        "threads": [
            _entry(file_format.ThreadEntry, each)
            | {"messages": [_entry(file_format.MessageEntry, m) for m in messages.get(each["id"], ())]}
            for each in rows["threads"]
        ],
        "spaces": [
            _entry(file_format.SpaceEntry, each)
            | {
                "threads": [
                    {"id": link["thread_id"], "added_at": link["added_at"]}
                    for link in in_spaces.get(each["id"], ())
                ],
                "vector_stores": [_link(link, "vector_store_id") for link in stores.get(each["id"], ())],
            }
            for each in rows["spaces"]
        ],
    }


def _by(records: Iterable[Record], field: str) -> dict[Any, list[Record]]:
    found: dict[Any, list[Record]] = {}
    for record in records:
        found.setdefault(record[field], []).append(record)
    return found


def _entry(model: type[BaseModel], record: Record) -> Values:
    """Fields of a record that an entry has, without those that have their default."""
    return {
        name: record[name]
        for name, field in model.model_fields.items()
        if name in record and (field.is_required() or record[name] != field.default)
    }


def _link(link: Record, to: str) -> Values:
    return {"id": link[to], "link_id": link["id"], "added_by": link["added_by"], "added_at": link["added_at"]}


def _file(record: Record) -> Values:
    kept = ("id", "organization_id", "uploaded_by", "mime_type", "uploaded_at")
    fields = {name: record[name] for name in kept}
    return {**fields, "filename": record["original_filename"], "base64": record["content"]["base64"]}


def _organization(values: Record, users: list[Record]) -> Values:
    members = [
        member for user in users for member in user["member_of"] if member["organization"] == values["id"]
    ]
    roles = [{**role, "capabilities": _capabilities(role["id"], members)} for role in values["roles"]]
    return {**values, "roles": roles}


def _capabilities(role: str, members: list[Record]) -> list[str]:
    """Capabilities that everybody with this role has."""
    of_each = [set(member["capabilities"]) for member in members if role in member["roles"]]
    return sorted(set.intersection(*of_each)) if of_each else []


def _user(values: Record) -> Values:
    members = [
        {name: value for name, value in member.items() if name != "capabilities"}
        for member in values["member_of"]
    ]
    return {**values, "member_of": members}


def _differences(mine: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Lines about records that are not, or not the same, in the data of the scenario."""
    lines = []
    for name in NAMES:
        records, others = (_in_order(name, data) for data in (mine, again))
        if missing := len(records.keys() - others.keys()):
            lines.append(f"{name}: {missing} record{'s' * (missing > 1)}")
        fields = Counter(
            field
            for id_, record in records.items()
            for field in record
            if id_ in others and record[field] != others[id_].get(field)
        )
        lines += [f"{name}: {field} of {count} record{'s' * (count > 1)}" for field, count in fields.items()]
        if not missing and list(records) != list(others):
            lines.append(f"{name}: their order")
    return lines


def _in_order(name: str, data: Mapping[str, Any]) -> dict[Any, Record]:
    """Records of a collection, in the order of their sequence numbers."""
    rows = sorted(data[name].rows.values(), key=itemgetter(0))
    return {ident(name, record): record for _, record in rows}


def _unfinished(state: SandboxState) -> list[str]:
    """Lines about jobs of the embedding queue that have not ended, and about its settings."""
    version = state.data.versions["embeddings"]
    embeddings = Embeddings(state.policy)
    embeddings.restore(version)
    counts = embeddings.counts(state.clock_start.instant or 0)._asdict()
    open_ = {name: number for name, number in counts.items() if number and name != "completed"}
    lines = [f"queue: {', '.join(f'{number} {name}' for name, number in open_.items())}"] if open_ else []
    changed = _changed_settings(embeddings.policy, state.policy)
    return [*lines, f"queue: its settings ({', '.join(changed)})"] if changed else lines


def _changed_settings(policy: Policy, own: Policy) -> list[str]:
    """Settings of the queue that are not those which the mock was started with, in words."""
    time = f"{policy.duration / 1_000_000:g} s a message" if policy.duration else "without delay"
    words = {
        "duration": "" if policy.manual else time,
        "manual": "only by steps" if policy.manual else "",
        "slots": f"{policy.slots} at once",
        "retries": f"{policy.retries} retries",
        "failure_rate": f"{policy.failure_rate:g} of the attempts fail",
        "failing_every": f"1 of {policy.failing_every} fails" if policy.failing_every else "",
        "failing_turns": f"{len(policy.failing_turns)} chosen by place fail" if policy.failing_turns else "",
        "failing_keys": f"{len(policy.failing_keys)} chosen by id fail" if policy.failing_keys else "",
        "failing_attempts": f"in {policy.failing_attempts} attempts",
    }
    return [text for name, text in words.items() if text and getattr(policy, name) != getattr(own, name)]
