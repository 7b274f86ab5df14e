"""The target and the model side by side: every step goes to both, and both have to agree."""

from __future__ import annotations

from typing import Any

from contracts.checks.errors import Untested
from contracts.http.exchange import Answer
from contracts.model.reference import ACCESS_FIELDS, CREATOR, Model, Says, Space
from contracts.model.steps import BOUNDARY, words
from contracts.model.views import Views


class Pair(Views):
    """One scenario, step by step."""

    def create_space(self, name: str, label: str, grants: tuple[tuple[str, Any], ...]) -> None:
        """A space of the owner; a name of 1 or 255 characters may be refused (A19)."""
        fields = {"name": self._text(label), **dict(grants)}
        after, says = self.model.create_space(name, Space(**fields))
        body = {"organization_id": self.team.organization_id, **self._sent(fields)}
        answer = self._make("space", name, "/v1/spaces/", body)
        self.agree(words(self.steps[-1]), answer, says._replace(by="A19") if label in BOUNDARY else says)
        if answer.status < 300:
            self.model = after
            self.see_space(name)

    def create_thread(self, name: str) -> None:
        """A thread of the owner."""
        after, says = self.model.create_thread(name)
        body = {"organization_id": self.team.organization_id, "title": self._text(name)}
        self.agree(words(self.steps[-1]), self._make("thread", name, "/v1/threads", body), says)
        self.model = after

    def add(self, role: str, space: str, thread: str) -> None:
        """A thread into a space."""
        again = self._holds(space, thread)
        after, says = self.model.add(role, space, thread)
        answer = self.team.caller(role).add(self.id_of(space), self.id_of(thread))
        if self.agree(words(self.steps[-1]), answer, says) and says.status == 201:
            self.added(space, thread, answer.body, again)
        self._settle(after, space, thread)

    def remove(self, role: str, space: str, thread: str) -> None:
        """A thread out of a space."""
        if self.is_ghost(thread):
            return
        after, says = self.model.remove(role, space, thread)
        answer = self.team.caller(role).take_out(self.id_of(space), self.id_of(thread))
        self.agree(words(self.steps[-1]), answer, says)
        self._settle(after, space, thread)

    def patch(self, role: str, space: str, changes: tuple[tuple[str, Any], ...]) -> None:
        """Some fields of a space, read back by everybody."""
        new = dict(changes)
        if new.get("name"):
            new["name"] = self._text(new["name"])
        after, says = self.model.patch(role, space, new)
        answer = self.team.caller(role).ask("PATCH", self.path(space), self._sent(new))
        if new.get("name") in BOUNDARY and says.status == 200:
            says = says._replace(by="A19")
        if self.agree(words(self.steps[-1]), answer, says):
            self.model = after
        self.see_space(space)
        for reader in self.roles:
            self.read_space(reader, space)

    def delete_space(self, role: str, space: str) -> None:
        """A space; its threads stay."""
        held = self.model.spaces[space].threads if space in self.model.spaces else ()
        after, says = self.model.delete_space(role, space)
        self._delete(role, space, says)
        self.forget(space)
        self._settle(after, space, *held)

    def delete_thread(self, role: str, thread: str) -> None:
        """A thread; it leaves every space, or stays in all (A14)."""
        held = sorted(self.model.spaces_of(thread))
        after, says = self.model.delete_thread(role, thread)
        if self._delete(role, thread, says):
            self.left_behind(thread, held)
        self._settle(after, thread, *held)

    def remove_between_pages(self, space: str, limit: int) -> None:
        """The last thread of the first page goes before the next page is read (A06)."""
        first = self.first_page(space, limit)
        if first is None:
            return
        shown, cursor = first
        after, says = self.model.remove(CREATOR, space, shown[-1])
        self.agree("removing it", self.team.owner.take_out(self.id_of(space), self.id_of(shown[-1])), says)
        self.rest_of_walk(space, limit, shown, cursor)
        self._settle(after, space, shown[-1])

    def _settle(self, after: Model, *touched: str) -> None:
        """The model moves on, and what was touched is looked at."""
        self.model = after
        for name in touched:
            if name.startswith("S"):
                self.see_space(name)
            else:
                self.read_thread(CREATOR, name)

    def _holds(self, space: str, thread: str) -> bool:
        return space in self.model.spaces and thread in self.model.spaces[space].threads

    def _delete(self, role: str, name: str, says: Says) -> bool:
        answer = self.team.caller(role).ask("DELETE", self.path(name))
        self.agree(words(self.steps[-1]), answer, says)
        return answer.status == 204

    def _make(self, kind: str, name: str, path: str, body: dict[str, Any]) -> Answer:
        answer = self.team.owner.ask("POST", path, body)
        if answer.status in (402, 429):
            raise Untested(f"a {kind} can't be made: {answer.status}")
        if answer.status < 300:
            self.ids[name] = answer.body["id"]
        return answer

    def _text(self, label: str) -> str:
        return label if label in BOUNDARY else f"contracts {self.team.run_id} {label}"

    def _sent(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Roles as the ids of their users."""
        named = {f: v for f, v in fields.items() if f in ACCESS_FIELDS and isinstance(v, tuple)}
        return {**fields, **{f: [self.team.user_id(role) for role in v] for f, v in named.items()}}
