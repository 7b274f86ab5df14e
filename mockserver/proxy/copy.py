"""Copy of the target's data, and the mock that answers from it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Any
from urllib.parse import unquote_to_bytes

from comparison.answers import moment
from comparison.given import Given
from mockserver.corridor import Corridor
from mockserver.http.context import Api, Refusal
from mockserver.http.log import RequestLog
from mockserver.http.problems import Problem
from mockserver.http.request import Request
from mockserver.http.upload import BodyLimits
from mockserver.journal.journal import JournalLimits, Journals
from mockserver.profile.answers import fits
from mockserver.profile.switches import switches
from mockserver.sandbox import records
from mockserver.sandbox.directory import Caller, Credential, Membership, Organization
from mockserver.sandbox.records import HIDDEN
from mockserver.sandbox.sandbox import Sandbox, SandboxState

SEED = 0x0C0B1
"""Seed of the copy's ids, so that they are hardly those of a mock behind the proxy."""
SECOND = 1_000_000
"""Microseconds of one."""
MOST_LATE = 3
"""Seconds by which a time in an answer may differ from the copy's clock to be the target's now."""
_NOW = ("timestamp", "created_at", "updated_at", "added_at", "uploaded_at", "last_message_at")
TOGETHER = 10_000
"""Records of the same second that keep the order in which they were fetched."""
BEFORE = 1 << 60
"""Sequence numbers of what is fetched lie this far below those of what the copy makes itself."""
TABLES = {"space_": "spaces", "thrd_": "threads", "vs_": "vector_stores", "msg_": "messages"}
"""Beginning of an id -> collection."""


class _Only:
    """The one sandbox of a copy."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.outside = sandbox

    def find(self, _: str | None) -> Sandbox:
        return self.outside

    def enter(self, found: Sandbox, _: Callable[[], bool]) -> Sandbox:
        return found


class Copy:
    """Sandbox that begins with people alone, and gets the records that requests are about."""

    def __init__(self, api: Api, begin: SandboxState, limits: BodyLimits) -> None:
        """`begin`: whose users, keys and rights it has."""
        policy = begin.policy._replace(seed=SEED)
        start = begin._replace(data=begin.data.emptied(), policy=policy)
        self.sandbox = Sandbox("copy", start, journal=Journals(JournalLimits(0)).new("copy"))
        self.known_users = frozenset(begin.data.directory.users)
        """Users whose rights are known, not learned."""
        self.assumptions: list[str] = []
        """Of the last answer."""
        self._put = 0
        self._corridor = Corridor(
            [replace(api, answers=self)],
            _Only(self.sandbox),
            log=RequestLog(quiet=True),
            limits=limits,
            stopping=Event(),
        )

    def instead(self, refusal: Refusal) -> Problem:
        """The same problem; notes on which assumptions it rests."""
        self.assumptions = [
            id_
            for id_, each in switches().items()
            for row in each.refusals
            if fits(id_, row, refusal) and not row.get("bodiless")
        ]
        return refusal.problem

    def answer(self, request: Request, path: str, body: bytes) -> Given:
        """Answer to a request, with the copy's ids in path and body."""
        plain, _, query = path.partition("?")
        environ = {
            **{name: value for name, value in request.environ().items() if not _is_ours(name)},
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(plain).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        told: list[Any] = []
        self.assumptions = []
        pieces = b"".join(self._corridor(environ, lambda *given: told.extend(given)))  # type: ignore[arg-type]
        headers = {name.lower(): value for name, value in told[1]}
        return Given(int(told[0].split()[0]), headers, pieces.decode("utf-8", "replace"))

    def set_clock(self, body: Any) -> None:
        """Take the second at which the target has answered, so that what comes later is later for both."""
        told = [body, body.get("error"), body.get("data")] if isinstance(body, dict) else []
        times = [each[name] for each in told if isinstance(each, dict) for name in _NOW if each.get(name)]
        clock = self.sandbox.clock
        now = clock.now() // SECOND
        seconds = [int(moment(text)) for text in times if isinstance(text, str)]
        second = max((each for each in seconds if abs(each - now) <= MOST_LATE), default=now)
        if second != now:
            clock.freeze(second * SECOND + (SECOND - 1 if second < now else 0))
            clock.resume()

    def user_of(self, key: str) -> str:
        """Id of the user of a key; empty if it has none."""
        known = self.sandbox.directory.credentials.get(key)
        return known.caller.user_id if known is not None else ""

    def add_user(self, key: str, id_: str, organizations: Sequence[str], *, state: str = "active") -> None:
        """Learn a user and its key."""
        directory = self.sandbox.directory
        user = directory.users.get(id_) or Caller(id_, {each: Membership() for each in organizations})
        changed = replace(
            directory,
            organizations={**dict.fromkeys(organizations, Organization()), **directory.organizations},
            users={**directory.users, id_: user},
            credentials={**directory.credentials, key: Credential(user, state)},
        )
        self.sandbox.data = self.sandbox.data._replace(directory=changed)

    def organization_of(self, key: str) -> str:
        """An organization of a key's user; empty if it has none."""
        known = self.sandbox.directory.credentials.get(key)
        return next(iter(known.caller.memberships), "") if known is not None else ""

    def has(self, id_: str) -> bool:
        """Whether it has a record."""
        return (table := self._table(id_)) is not None and id_ in table

    def forget(self, id_: str) -> None:
        """Remove a record that the target does not have."""
        if (table := self._table(id_)) is not None:
            table.remove(id_)

    def put(self, record: Mapping[str, Any]) -> None:
        """Take a whole record of an answer."""
        id_, sandbox = record["id"], self.sandbox
        self._put += 1
        sequence = int(moment(record["created_at"])) * TOGETHER + self._put % TOGETHER - BEFORE
        if id_.startswith("space_"):
            new = records.space(**{"id_": id_, **_fields(record, "id", "additional_vector_store_ids")})
            sandbox.spaces.put(id_, new, sequence)
            if new["vector_store_id"] not in sandbox.vector_stores:
                sandbox.vector_stores.put(new["vector_store_id"], records.dedicated_store(new), sequence)
        elif id_.startswith("thrd_"):
            old = sandbox.threads.get(id_) or {}
            hidden = {name: old[name] for name in HIDDEN["thread"] if name in old}
            shown = _fields(record, "space_ids", "status")
            new = records.thread(**{"id_": id_, **_fields(shown, "id", "object"), **hidden})
            sandbox.threads.put(id_, new, sequence)
        elif id_.startswith("vs_"):
            old = sandbox.vector_stores.get(id_) or {"space_id": None}
            new = {**_fields(record, "file_count", "data_size"), "space_id": old["space_id"]}
            sandbox.vector_stores.put(id_, new, sequence)
        elif id_.startswith("msg_"):
            sandbox.messages.put(id_, record)

    def link_thread(self, space: str, thread: str) -> None:
        """Note that a thread is in a space."""
        if (space, thread) not in self.sandbox.space_threads:
            link = {"space_id": space, "thread_id": thread, "added_at": self.sandbox.now()}
            self.sandbox.space_threads.put((space, thread), link)
            keys = self.sandbox.messages.keys("thread", thread)
            self.sandbox.embeddings.add_thread(space, thread, keys, self.sandbox.clock.now())

    def link_store(self, space: str, link: Mapping[str, Any]) -> None:
        """Note that a store is attached to a space."""
        id_ = link["vector_store_id"]
        self.sandbox.space_vector_stores.put((space, id_), {**link, "space_id": space})

    def unlink(self, space: str) -> None:
        """Forget what is in a space, before that is learned again."""
        for table in (self.sandbox.space_threads, self.sandbox.space_vector_stores):
            for link in [*table.ids("space", space)]:
                table.remove(link)

    def _table(self, id_: str) -> Any:
        name = next((name for prefix, name in TABLES.items() if id_.startswith(prefix)), None)
        return None if name is None else getattr(self.sandbox, name)


def _fields(record: Mapping[str, Any], *without: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in without}


def _is_ours(name: str) -> bool:
    return name.startswith("HTTP_X_MOCK_") or name in ("HTTP_PREFER", "HTTP_IF_NONE_MATCH")
