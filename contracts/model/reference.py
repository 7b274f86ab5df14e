"""What spaces are, as values: spaces, threads, who is in what, and who may do what. No HTTP, no ids.

Every operation returns the state after it and what the API then says. Nothing is changed in place, so
a state that was kept is still that state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

NONE, VIEW, EDIT, OWNER = range(4)
CREATOR = "owner"
"""The role that makes every space and thread."""


class Says(NamedTuple):
    """A status; `by` is the assumption that it rests on, None if it is exact."""

    status: int
    by: str | None = None


@dataclass(frozen=True)
class Space:
    """One space; users are roles here."""

    name: str
    description: str | None = None
    access_mode: str = "private"
    access_users: tuple[str, ...] = ()
    editable_by_users: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    """In the order of adding."""


ACCESS_FIELDS = ("access_mode", "access_users", "editable_by_users")
"""Of these only an owner may change one."""


@dataclass(frozen=True)
class Model:
    """Everything that exists."""

    spaces: Mapping[str, Space] = field(default_factory=dict)
    threads: frozenset[str] = frozenset()

    def level(self, role: str, space_id: str) -> int:
        """What a role may do with a space."""
        space = self.spaces[space_id]
        if role == CREATOR:
            return OWNER
        if role in space.editable_by_users:
            return EDIT
        return VIEW if role in space.access_users or space.access_mode == "organization" else NONE

    def refusal(self, needed: int, role: str, space_id: str) -> Says | None:
        """404 of a space that is not there, then 403; None if the role may."""
        if space_id not in self.spaces:
            return Says(404)
        return Says(403) if self.level(role, space_id) < needed else None

    def spaces_of(self, thread_id: str) -> frozenset[str]:
        """The spaces that a thread is in."""
        return frozenset(id_ for id_, space in self.spaces.items() if thread_id in space.threads)

    def create_space(self, space_id: str, space: Space) -> tuple[Model, Says]:
        """A new space."""
        return self._with(space_id, space), Says(201, "A24")

    def create_thread(self, thread_id: str) -> tuple[Model, Says]:
        """A new thread, in no space."""
        return replace(self, threads=self.threads | {thread_id}), Says(201, "A24")

    def add(self, role: str, space_id: str, thread_id: str) -> tuple[Model, Says]:
        """A thread goes to the end of a space; again is no change."""
        if refusal := self.refusal(EDIT, role, space_id):
            return self, refusal
        if thread_id not in self.threads:
            return self, Says(404, "A02")
        space = self.spaces[space_id]
        if thread_id in space.threads:
            return self, Says(201, "A01")
        return self._with(space_id, replace(space, threads=(*space.threads, thread_id))), Says(201)

    def remove(self, role: str, space_id: str, thread_id: str) -> tuple[Model, Says]:
        """A thread leaves one space and goes on to exist."""
        if refusal := self.refusal(EDIT, role, space_id):
            return self, refusal
        if thread_id not in self.spaces[space_id].threads:
            return self, Says(404, "A03")
        return self._without(thread_id, space_id), Says(204)

    def patch(self, role: str, space_id: str, changes: Mapping[str, Any]) -> tuple[Model, Says]:
        """What is named changes, nothing else does."""
        needed = OWNER if any(name in changes for name in ACCESS_FIELDS) else EDIT
        if refusal := self.refusal(needed, role, space_id):
            return self, refusal
        by = "A18" if not changes or None in changes.values() else None
        return self._with(space_id, replace(self.spaces[space_id], **changes)), Says(200, by)

    def delete_space(self, role: str, space_id: str) -> tuple[Model, Says]:
        """A space goes; its threads stay."""
        if refusal := self.refusal(EDIT, role, space_id):
            return self, refusal
        rest = {id_: space for id_, space in self.spaces.items() if id_ != space_id}
        return replace(self, spaces=rest), Says(204)

    def delete_thread(self, role: str, thread_id: str) -> tuple[Model, Says]:
        """A thread goes, and out of every space."""
        says = self.read_thread(role, thread_id)
        if says.status != 200:
            return self, says
        gone = self._without(thread_id, *self.spaces)
        return replace(gone, threads=self.threads - {thread_id}), Says(204)

    def read_thread(self, role: str, thread_id: str) -> Says:
        """A thread is its creator's alone."""
        if thread_id not in self.threads:
            return Says(404)
        return Says(200) if role == CREATOR else Says(403, "A36")

    def read(self, role: str, space_id: str) -> Says:
        """A space and its list are for whoever may view."""
        return self.refusal(VIEW, role, space_id) or Says(200)

    def _with(self, space_id: str, space: Space) -> Model:
        return replace(self, spaces={**self.spaces, space_id: space})

    def _without(self, thread_id: str, *space_ids: str) -> Model:
        spaces = dict(self.spaces)
        for id_ in space_ids:
            left = tuple(t for t in spaces[id_].threads if t != thread_id)
            spaces[id_] = replace(spaces[id_], threads=left)
        return replace(self, spaces=spaces)


def pages(items: tuple[str, ...], limit: int) -> list[tuple[tuple[str, ...], bool]]:
    """A list in pages: the items of each, and whether there are more."""
    starts = range(0, max(len(items), 1), limit)
    return [(items[start : start + limit], start + limit < len(items)) for start in starts]
