"""Users, storage and ids of the whole server."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Record = dict[str, Any]
ORGANIZATION, ELSEWHERE = "org_main", "org_elsewhere"
ROLES, DEPARTMENTS = {"role_writers"}, {"dept_sales"}


@dataclass(frozen=True)
class User:
    """Caller behind a key."""

    id: str
    organization: str = ORGANIZATION
    overrides: bool = False
    """Whether a role of the user has `override_all_permissions`."""


USERS = {
    "key-owner": User("usr_olga"),
    "key-editor": User("usr_emil"),
    "key-viewer": User("usr_vera"),
    "key-outsider": User("usr_otto"),
    "key-foreign": User("usr_fritz", ELSEWHERE),
    "key-admin": User("usr_anna", overrides=True),
}


def new_id(prefix: str) -> str:
    """Id of 32 hexadecimal digits behind a prefix."""
    return f"{prefix}_{uuid.uuid4().hex}"


@dataclass
class State:
    """All records, by id; handlers run one at a time, in the loop of the server."""

    spaces: dict[str, Record] = field(default_factory=dict)
    threads: dict[str, Record] = field(default_factory=dict)
    deleted: dict[str, Record] = field(default_factory=dict)
    """Deleted threads."""
    messages: dict[str, list[Record]] = field(default_factory=dict)
    """Thread -> its messages."""
    read: Counter[str] = field(default_factory=Counter)
    """Thread -> how many of its messages are read."""
    stores: dict[str, Record] = field(default_factory=dict)
    links: dict[str, dict[str, str]] = field(default_factory=dict)
    """Space -> thread -> when it was added."""
    attached: dict[str, dict[str, Record]] = field(default_factory=dict)
    """Space -> store -> link."""
    files: dict[str, Record] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    stored: dict[str, dict[str, Record]] = field(default_factory=dict)
    """Store -> file -> its record in the store."""
    vectors: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(store, message or file) -> words of its text, once it is embedded."""
    streams: dict[str, Any] = field(default_factory=dict)
    """Thread -> its last stream."""
    tasks: set[Any] = field(default_factory=set)
    """Streams that are being sent."""
    last: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> str:
        """Time in microseconds, later than each one before."""
        self.last = max(datetime.now(UTC), self.last + timedelta(microseconds=1))
        return self.last.isoformat(timespec="microseconds").replace("+00:00", "Z")
