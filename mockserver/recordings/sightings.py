"""What a recording shows of each record: every form in which it was answered, and what was done to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from comparison.answers import content
from mockserver.recordings.recorded import PRODUCED, RecordedExchange

Values = dict[str, Any]
KINDS: Mapping[str, tuple[str, Sequence[str]]] = {
    "spaces": ("space_", ("created_by", "vector_store_id", "access_mode")),
    "threads": ("thrd_", ("user_id", "created_at", "organization_id")),
    "messages": ("msg_", ("role", "content", "thread_id", "created_at")),
    "vector_stores": ("vs_", ("created_by", "created_at", "name")),
    "files": ("file_", ("original_filename", "organization_id", "file_size", "uploaded_by", "uploaded_at")),
    "organizations": ("org_", ("name",)),
    "assistants": ("asst_", ("name", "created_at")),
}
"""Kind -> beginning of its ids, and fields that a whole record has."""
_SPACE_THREAD = re.compile(r"/v1/spaces/([^/]+)/threads/([^/?]+)")
_SPACE_THREADS = re.compile(r"/v1/spaces/([^/]+)/threads/?(?:\?.*)?")
_SPACE_STORE = re.compile(r"/v1/spaces/([^/]+)/vector-stores/([^/?]+)")
_SPACE_STORES = re.compile(r"/v1/spaces/([^/]+)/vector-stores/?(?:\?.*)?")
_ID = re.compile(r"/([a-z]+_[^/?]+)(?=[/?]|$)")


@dataclass
class Sighting:
    """One record, from its first answer to its last."""

    first: Values
    last: Values
    made: bool
    """Whether it came into being during the recording."""
    deleted: bool = False
    changed_before: bool = False
    """Whether it was written before it was read for the first time."""


@dataclass
class Link:
    """Thread or store in a space."""

    space: str
    id: str
    added_at: str = ""
    added_by: str = ""
    link_id: str = ""
    at_start: bool = True
    at_end: bool = True


@dataclass
class Sightings:
    """Everything that a recording shows of a server's data."""

    start: str
    """Time of the server at the first request, as answers format it."""
    records: dict[str, dict[str, Sighting]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    """Role -> user id, as far as an answer told it."""
    names: dict[str, str] = field(default_factory=dict)
    """User id -> name."""
    refused: dict[str, set[str]] = field(default_factory=dict)
    """Role -> ids of what it got a 403 of."""
    reached: dict[str, set[str]] = field(default_factory=dict)
    """Role -> ids in the paths and queries of what it got."""
    named: dict[str, Values] = field(default_factory=dict)
    """Roles and departments of organizations, by id."""
    named_by_model: int = 0
    """Names of threads that a model has given."""
    replies: list[Values] = field(default_factory=list)
    """Answers of a model, in order, as a scenario has them."""
    faults: list[Values] = field(default_factory=list)
    """Answers 429, and failures of the target, likewise."""
    counts: Counter[str] = field(default_factory=Counter)
    """Operation -> requests that a fault could be about."""
    is_changed: bool = False
    """Whether anything but a GET was carried out: what was read before that was there at the start."""
    written: set[str] = field(default_factory=set)
    contents: dict[str, str] = field(default_factory=dict)
    """Texts of files that were downloaded, by id."""
    listed: set[str] = field(default_factory=set)
    """Spaces whose threads were listed to their end."""

    def add(self, each: RecordedExchange) -> None:
        """Take an exchange in."""
        ids = set(_ID.findall(each.path)) | set(re.findall(r"=([a-z]+_[^&]+)", each.path))
        self._note_fault(each)
        if each.source not in PRODUCED or each.status >= 300:
            if each.status == 403:
                self.refused.setdefault(each.role, set()).update(ids)
            return
        self.is_changed = self.is_changed or each.method != "GET"
        self.reached.setdefault(each.role, set()).update(ids)
        self.named_by_model += each.operation == "generateThreadName"
        if each.operation == "createResponse" and (text := _said(each)):
            self.replies.append({"text": text})
        for record in _objects(each.body):
            self._see(each, _whole(each, record))
            if each.operation == "listSpaces":
                self.reached[each.role].add(record["id"])
        if each.operation == "downloadFile" and not each.is_cut:
            self.contents[_ID.findall(each.path)[-1]] = each.text
        self._note_user(each)
        self._note_links(each)
        if each.method != "GET":
            self._note_write(each)

    def _see(self, each: RecordedExchange, record: Values) -> None:
        id_ = record["id"]
        if each.operation in ("listOrganizationRoles", "listDepartments"):
            self.named.setdefault(id_, record)
        for kind, (prefix, needed) in KINDS.items():
            if id_.startswith(prefix) and all(name in record for name in needed):
                known = self.records[kind].get(id_)
                if known is None:
                    at = record.get("created_at") or record.get("uploaded_at")
                    made = each.status == 201 or (self.is_changed and str(at or "") >= self.start)
                    self.records[kind][id_] = Sighting(
                        record, record, made, changed_before=id_ in self.written
                    )
                else:
                    known.first = {**record, **known.first}
                    known.last = {**known.last, **record}

    def _note_fault(self, each: RecordedExchange) -> None:
        """Count a request, and note its answer if it is no state: a fault strikes at the same place."""
        if each.source not in PRODUCED or not each.operation or each.status == 401:
            return
        if each.status == 429 or each.status >= 500:
            wait = each.headers.get("retry-after", "")
            error = {"status": each.status} | ({"retry_after": int(wait)} if wait.isdigit() else {})
            self.faults.append(
                {"operation": each.operation, "skip": self.counts[each.operation], "error": error}
            )
        else:
            self.counts[each.operation] += 1

    def _note_user(self, each: RecordedExchange) -> None:
        body = each.body if isinstance(each.body, dict) else {}
        rows = body.get("data")
        if each.operation == "getCurrentUser":
            self.users[each.role] = body.get("id", "")
            self.names[self.users[each.role]] = body.get("full_name") or ""
        elif each.operation in ("createThread", "getThread") and "user_id" in body:
            self.users.setdefault(each.role, body["user_id"])
        elif each.operation == "uploadFiles" and body.get("files"):
            self.users.setdefault(each.role, body["files"][0].get("uploaded_by", ""))
        elif each.operation == "createSpace" and "created_by" in body:
            self.users.setdefault(each.role, body["created_by"])
        elif each.operation == "listThreads" and isinstance(rows, list) and rows:
            self.users.setdefault(each.role, rows[0].get("user_id", ""))

    def _note_links(self, each: RecordedExchange) -> None:
        body = each.body if isinstance(each.body, dict) else {}
        for pattern in (_SPACE_THREAD, _SPACE_STORE):
            if (found := pattern.fullmatch(each.path.partition("?")[0])) is not None:
                key = found[1], found[2]
                known = self.links.get(key)
                link = self.links.setdefault(key, Link(*key, at_start=each.method == "DELETE"))
                link.at_end = each.method == "POST"
                if each.method == "POST" and (known is None or not known.at_start):
                    link.added_at = body.get("added_at", "")
                    link.added_by = self.users.get(each.role, "")
        self._note_listed(each, body)

    def _note_listed(self, each: RecordedExchange, body: Values) -> None:
        if (found := _SPACE_THREADS.fullmatch(each.path)) is not None:
            if not body.get("has_more"):
                self.listed.add(found[1])
            for row in body.get("data", ()):
                self.links.setdefault((found[1], row["id"]), Link(found[1], row["id"]))
        if (found := _SPACE_STORES.fullmatch(each.path)) is not None:
            for row in body.get("vector_stores", ()):
                key = found[1], row["vector_store_id"]
                link = self.links.setdefault(key, Link(*key))
                link.link_id, link.added_by, link.added_at = row["id"], row["added_by"], row["added_at"]
        for record in _objects(each.body):
            for space in record.get("space_ids") or ():
                self.links.setdefault((space, record["id"]), Link(space, record["id"]))

    def _note_write(self, each: RecordedExchange) -> None:
        path = each.path.partition("?")[0]
        named = _ID.findall(path)
        self.written.update(named)
        is_link = _SPACE_THREAD.fullmatch(path) or _SPACE_STORE.fullmatch(path)
        if each.method == "DELETE" and named and not is_link:
            for rows in self.records.values():
                if named[-1] in rows and path.endswith(named[-1]):
                    rows[named[-1]].deleted = True
        if each.operation == "deleteAllThreads":
            mine = self.users.get(each.role)
            for thread in self.records["threads"].values():
                thread.deleted = thread.deleted or thread.last["user_id"] == mine


def _whole(each: RecordedExchange, record: Values) -> Values:
    """Record with what its list tells of all of them: an assistant's organization, and a user."""
    if each.operation != "listAssistants" or not isinstance(record.get("created_at"), int):
        return record
    at = datetime.fromtimestamp(record["created_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    is_own = record.get("user_access_level") == "owner"
    user = each.body.get("user_context", {}).get("user_id") if is_own else f"usr_of_{record['id']}"
    of = {"organization_id": each.body.get("organization_id"), "created_by": user}
    return {**of, **record, "created_at": at}


def _said(each: RecordedExchange) -> str:
    """What the model said in an answer: its own text, or the deltas of its stream."""
    if "event-stream" not in each.headers.get("content-type", ""):
        parts = each.body.get("response", ()) if isinstance(each.body, dict) else ()
        return "".join(part.get("text", "") for part in parts)
    events = content(each)["events"]
    return "".join(event.get("delta", "") for event in events if isinstance(event, dict))


def _objects(value: Any) -> Iterator[Values]:
    """Objects with an id, in any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)
