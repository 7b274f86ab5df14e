"""Steps of a scenario: each goes to the target and to the model, which must agree."""

from __future__ import annotations

from typing import Any

from contracts.checks.errors import Untested
from contracts.http.exchange import ClientResponse
from contracts.model.reference import ACCESS_FIELDS, CREATOR, ExpectedStatus, Model, Space
from contracts.model.steps import BOUNDARY, words
from contracts.model.views import Views


class Pair(Views):
    """Scenario with a method for each step that changes state."""

    def create_space(self, name: str, label: str, grants: tuple[tuple[str, Any], ...]) -> None:
        """Create a space; a name of 1 or 255 characters may be refused (A19)."""
        fields = {"name": self._text(label), **dict(grants)}
        after, predicted = self.model.create_space(name, Space(**fields))
        body = {"organization_id": self.run.organization_id, **self._body(fields)}
        answer = self._create("space", name, "/v1/spaces/", body)
        if label in BOUNDARY:
            predicted = predicted._replace(by="A19")
        self.agree(words(self.steps[-1]), answer, predicted)
        if answer.status < 300:
            self.model = after
            self.see_space(name)

    def create_thread(self, name: str) -> None:
        """Create a thread."""
        after, predicted = self.model.create_thread(name)
        body = {"organization_id": self.run.organization_id, "title": self._text(name)}
        self.agree(words(self.steps[-1]), self._create("thread", name, "/v1/threads", body), predicted)
        self.model = after

    def add(self, role: str, space: str, thread: str) -> None:
        """Add a thread to a space."""
        again = space in self.model.spaces and thread in self.model.spaces[space].threads
        after, predicted = self.model.add(role, space, thread)
        answer = self.run.client(role).add(self.id_of(space), self.id_of(thread))
        if self.agree(words(self.steps[-1]), answer, predicted) and predicted.status == 201:
            self.added(space, thread, answer.body, again)
        self._advance(after, space, thread)

    def remove(self, role: str, space: str, thread: str) -> None:
        """Remove a thread from a space."""
        if thread in self.ghosts:
            return
        after, predicted = self.model.remove(role, space, thread)
        answer = self.run.client(role).remove_thread(self.id_of(space), self.id_of(thread))
        self.agree(words(self.steps[-1]), answer, predicted)
        self._advance(after, space, thread)

    def patch(self, role: str, space: str, changes: tuple[tuple[str, Any], ...]) -> None:
        """Change fields of a space, and read it as every role."""
        new = dict(changes)
        if new.get("name"):
            new["name"] = self._text(new["name"])
        after, predicted = self.model.patch(role, space, new)
        answer = self.run.client(role).ask("PATCH", self.path(space), self._body(new))
        if new.get("name") in BOUNDARY and predicted.status == 200:
            predicted = predicted._replace(by="A19")
        if self.agree(words(self.steps[-1]), answer, predicted):
            self.model = after
        self.see_space(space)
        for reader in self.roles:
            self.read_space(reader, space)

    def delete_space(self, role: str, space: str) -> None:
        """Delete a space; its threads stay."""
        held = self.model.spaces[space].threads if space in self.model.spaces else ()
        after, predicted = self.model.delete_space(role, space)
        self._delete(role, space, predicted)
        self.forget(space)
        self._advance(after, space, *held)

    def delete_thread(self, role: str, thread: str) -> None:
        """Delete a thread; it leaves every space, or stays in all (A14)."""
        held = sorted(self.model.spaces_of(thread))
        after, predicted = self.model.delete_thread(role, thread)
        if self._delete(role, thread, predicted):
            self.left_behind(thread, held)
        self._advance(after, thread, *held)

    def remove_between_pages(self, space: str, limit: int) -> None:
        """Remove the last thread of the first page before reading the next (A06)."""
        first = self.first_page(space, limit)
        if first is None:
            return
        page, cursor = first
        after, predicted = self.model.remove(CREATOR, space, page[-1])
        answer = self.run.owner.remove_thread(self.id_of(space), self.id_of(page[-1]))
        self.agree("removing it", answer, predicted)
        self.rest_of_walk(space, limit, page, cursor)
        self._advance(after, space, page[-1])

    def _advance(self, after: Model, *touched: str) -> None:
        """Adopt the model's new state, and compare the affected resources."""
        self.model = after
        for name in touched:
            if name.startswith("S"):
                self.see_space(name)
            else:
                self.read_thread(CREATOR, name)

    def _delete(self, role: str, name: str, predicted: ExpectedStatus) -> bool:
        answer = self.run.client(role).ask("DELETE", self.path(name))
        self.agree(words(self.steps[-1]), answer, predicted)
        return answer.status == 204

    def _create(self, kind: str, name: str, path: str, body: dict[str, Any]) -> ClientResponse:
        answer = self.run.owner.ask("POST", path, body)
        if answer.status in (402, 429):
            raise Untested(f"a {kind} can't be created: {answer.status}")
        if answer.status < 300:
            self.ids[name] = answer.body["id"]
        return answer

    def _text(self, label: str) -> str:
        return label if label in BOUNDARY else f"contracts {self.run.run_id} {label}"

    def _body(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Fields with roles replaced by user ids."""
        named = {f: v for f, v in fields.items() if f in ACCESS_FIELDS and isinstance(v, tuple)}
        return {**fields, **{f: [self.run.user_id(role) for role in v] for f, v in named.items()}}
