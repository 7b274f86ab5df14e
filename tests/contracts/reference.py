"""Reference model of spaces, threads, membership and permissions as immutable values. No HTTP, no ids.

Every operation returns the next state and the expected status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

NONE, VIEW, EDIT, OWNER = range(4)
CREATOR = "owner"
"""Role that creates every space and thread."""


class ExpectedStatus(NamedTuple):
    """Expected status; `by` is the assumption behind it, None if there is none."""

    status: int
    by: str | None = None


@dataclass(frozen=True)
class Space:
    """Space whose users are roles."""

    name: str
    description: str | None = None
    access_mode: str = "private"
    access_users: tuple[str, ...] = ()
    editable_by_users: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    """In order of addition."""


ACCESS_FIELDS = ("access_mode", "access_users", "editable_by_users")
"""Fields that only an owner may change."""


@dataclass(frozen=True)
class Model:
    """State of all spaces and threads."""

    spaces: Mapping[str, Space] = field(default_factory=dict)
    threads: frozenset[str] = frozenset()
    own_threads_only: bool = False
    """Whether only the creator of a thread may add it to a space, as newer revisions have it."""

    def level(self, role: str, space_id: str) -> int:
        """Access level of a role to a space."""
        space = self.spaces[space_id]
        if role == CREATOR:
            return OWNER
        if role in space.editable_by_users:
            return EDIT
        return VIEW if role in space.access_users or space.access_mode == "organization" else NONE

    def refusal(self, needed: int, role: str, space_id: str) -> ExpectedStatus | None:
        """404 for a missing space, then 403; None if permitted."""
        if space_id not in self.spaces:
            return ExpectedStatus(404)
        return ExpectedStatus(403) if self.level(role, space_id) < needed else None

    def spaces_of(self, thread_id: str) -> frozenset[str]:
        """Spaces that contain a thread."""
        return frozenset(id_ for id_, space in self.spaces.items() if thread_id in space.threads)

    def create_space(self, space_id: str, space: Space) -> tuple[Model, ExpectedStatus]:
        """Create a space."""
        return self._with(space_id, space), ExpectedStatus(201, "A24")

    def create_thread(self, thread_id: str) -> tuple[Model, ExpectedStatus]:
        """Create a thread, in no space."""
        return replace(self, threads=self.threads | {thread_id}), ExpectedStatus(201)

    def add(self, role: str, space_id: str, thread_id: str) -> tuple[Model, ExpectedStatus]:
        """Append a thread to a space; repeating it changes nothing."""
        if refusal := self.refusal(EDIT, role, space_id):
            return self, refusal
        if thread_id not in self.threads:
            return self, ExpectedStatus(404, "A02")
        if self.own_threads_only and role != CREATOR:
            return self, ExpectedStatus(403)
        space = self.spaces[space_id]
        if thread_id in space.threads:
            return self, ExpectedStatus(201, "A01")
        return self._with(space_id, replace(space, threads=(*space.threads, thread_id))), ExpectedStatus(201)

    def remove(self, role: str, space_id: str, thread_id: str) -> tuple[Model, ExpectedStatus]:
        """Remove a thread from one space; the thread stays."""
        if refusal := self.refusal(EDIT, role, space_id):
            return self, refusal
        if thread_id not in self.spaces[space_id].threads:
            return self, ExpectedStatus(404, "A03")
        return self._without(thread_id, space_id), ExpectedStatus(204)

    def patch(self, role: str, space_id: str, changes: Mapping[str, Any]) -> tuple[Model, ExpectedStatus]:
        """Change the named fields only."""
        needed = OWNER if any(name in changes for name in ACCESS_FIELDS) else EDIT
        if refusal := self.refusal(needed, role, space_id):
            return self, refusal
        by = "A18" if not changes or None in changes.values() else None
        return self._with(space_id, replace(self.spaces[space_id], **changes)), ExpectedStatus(200, by)

    def delete_space(self, role: str, space_id: str) -> tuple[Model, ExpectedStatus]:
        """Delete a space; its threads stay."""
        if refusal := self.refusal(EDIT, role, space_id):
            return self, refusal
        rest = {id_: space for id_, space in self.spaces.items() if id_ != space_id}
        return replace(self, spaces=rest), ExpectedStatus(204)

    def delete_thread(self, role: str, thread_id: str) -> tuple[Model, ExpectedStatus]:
        """Delete a thread, which leaves every space."""
        predicted = self.read_thread(role, thread_id)
        if predicted.status != 200:
            return self, predicted
        gone = self._without(thread_id, *self.spaces)
        return replace(gone, threads=self.threads - {thread_id}), ExpectedStatus(204)

    def read_thread(self, role: str, thread_id: str) -> ExpectedStatus:
        """Read a thread, which only its creator may."""
        if thread_id not in self.threads:
            return ExpectedStatus(404)
        return ExpectedStatus(200) if role == CREATOR else ExpectedStatus(403, "A36")

    def read(self, role: str, space_id: str) -> ExpectedStatus:
        """Read a space or its list, with view access."""
        return self.refusal(VIEW, role, space_id) or ExpectedStatus(200)

    def _with(self, space_id: str, space: Space) -> Model:
        return replace(self, spaces={**self.spaces, space_id: space})

    def _without(self, thread_id: str, *space_ids: str) -> Model:
        spaces = dict(self.spaces)
        for id_ in space_ids:
            left = tuple(t for t in spaces[id_].threads if t != thread_id)
            spaces[id_] = replace(spaces[id_], threads=left)
        return replace(self, spaces=spaces)


def pages(items: tuple[str, ...], limit: int) -> list[tuple[tuple[str, ...], bool]]:
    """Items of each page, and whether more follow."""
    starts = range(0, max(len(items), 1), limit)
    return [(items[start : start + limit], start + limit < len(items)) for start in starts]
