"""Reads and lists of the target, compared with the model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from contracts.checks.check import equal
from contracts.checks.errors import Broken
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.model.reference import CREATOR, VIEW, ExpectedStatus, pages
from contracts.model.side_by_side import SideBySide
from contracts.model.steps import listed


class Views(SideBySide):
    """Scenario with its read steps, and the lists last seen."""

    def __init__(self, run: Run, roles: Collection[str]) -> None:
        super().__init__(run, roles)
        self._order: dict[str, list[str]] = {}
        """Threads of each space as last listed."""
        self._added_at: dict[tuple[str, str], object] = {}
        self.ghosts: set[str] = set()
        """Deleted threads that are still listed (A14)."""

    def see_space(self, space: str) -> None:
        """Read and list a space as the owner."""
        self.read_space(CREATOR, space)
        self.walk(CREATOR, space, 100)

    def read_space(self, role: str, space: str) -> None:
        """Read a space as a role."""
        answer = self.run.client(role).get(self.path(space))
        predicted = self.model.read(role, space)
        what = _as_role(role, f"reading {space}")
        if not self.agree(what, answer, predicted) or predicted.status != 200:
            return
        expected, listed_now = self.model.spaces[space], answer.body
        for field in ("name", "description", "access_mode"):
            _same(what, field, listed_now[field], getattr(expected, field))
        for field in ("access_users", "editable_by_users"):
            users = sorted(self.run.user_id(role) for role in getattr(expected, field))
            _same(what, field, sorted(listed_now[field] or []), users)

    def read_thread(self, role: str, thread: str) -> None:
        """Read a thread as a role, with its space_ids."""
        answer = self.run.client(role).get(self.path(thread))
        predicted = self.model.read_thread(role, thread)
        if not self.agree(_as_role(role, f"reading {thread}"), answer, predicted) or predicted.status != 200:
            return
        named = answer.body.get("space_ids")
        if named is not None:
            listed_now, expected = sorted(map(self.name_of, named)), sorted(self.model.spaces_of(thread))
            _lists(f"reading {thread}", listed_now, expected, "names the spaces")

    def walk(self, role: str, space: str, limit: int) -> None:
        """List a space page by page; the order must not change between walks."""
        what = _as_role(role, f"listing {space}" + (f" by {limit}" if limit != 100 else ""))
        predicted = self.model.read(role, space)
        if predicted.status != 200:
            self.agree(what, self._page(role, space, limit, None), predicted)
            return
        listed_now: list[str] = []
        cursor = None
        expected = self.model.spaces[space].threads
        count = len(expected) + sum(t in self.ghosts for t in self._order.get(space, ()))
        for items, more in pages(tuple("x" * count), limit):
            answer = self._page(role, space, limit, cursor)
            self.agree(what, answer, predicted)
            found = self._names(answer)
            listed_now += found
            if len(found) != len(items) or answer.body["has_more"] is not more:
                self._compare(what, space, listed_now, partly=limit < count)
                raise Broken(
                    f"{what} gives {len(found)} threads on a page with has_more {answer.body['has_more']}, "
                    f"the model says {len(items)} and {more}",
                    pointer="/has_more",
                )
            cursor = answer.body["next_cursor"]
        self._compare(what, space, listed_now)

    def _compare(self, what: str, space: str, listed_now: Sequence[str], *, partly: bool = False) -> None:
        """Compare threads and order with the model, or at least with the previous walk (A04)."""
        expected = list(self.model.spaces[space].threads)
        alive = [thread for thread in listed_now if thread not in self.ghosts]
        if partly and set(alive) < set(expected) and len(set(alive)) == len(alive):
            return
        if sorted(alive) != sorted(expected):
            _lists(what, alive, expected, "shows")
        kept = [thread for thread in self._order.get(space, ()) if thread in listed_now]
        now = [thread for thread in listed_now if thread in kept]
        if now != kept:
            raise Broken(f"{what} shows {listed(now)}, and showed {listed(kept)} before: the order changed")
        if alive != expected:
            complaint = f"{what} shows {listed(alive)}, the model says {listed(expected)}"
            self.differ("A04", "order", "any other", complaint)
        self._order[space] = list(listed_now)

    def _page(self, role: str, space: str, limit: int, cursor: object) -> ClientResponse:
        path = self.path(space) + "/threads"
        return self.run.client(role).get(path, limit=limit, cursor=cursor)

    def _names(self, page: ClientResponse) -> list[str]:
        return [self.name_of(thread["id"]) for thread in page.body["data"]]

    def first_page(self, space: str, limit: int) -> tuple[list[str], object] | None:
        """Names on the owner's first page, and its cursor; None without a second page."""
        if space not in self.model.spaces or len(self.model.spaces[space].threads) <= limit:
            return None
        answer = self._page(CREATOR, space, limit, None)
        self.agree(f"listing {space}", answer, ExpectedStatus(200))
        listed_now = self._names(answer)
        if not listed_now or set(listed_now) & self.ghosts:
            return None
        return listed_now, answer.body["next_cursor"]

    def rest_of_walk(self, space: str, limit: int, listed_now: list[str], cursor: object) -> None:
        """Read the pages after one whose anchor was removed."""
        before, seen = self._order[space], list(listed_now)
        complaint = ""
        try:
            path = self.path(space) + "/threads"
            for page in self.run.owner.pages(path, limit=limit, cursor=cursor):
                seen += self._names(page)
        except Broken as broken:
            complaint = broken.message if broken.got is None else f"the next page answers {broken.got}"
        if seen != before and not complaint:
            complaint = f"the walk shows {listed(seen)}, the model says {listed(before)}"
        if complaint:
            self.differ("A06", "walk", "without its anchor", complaint)

    def list_spaces(self, role: str) -> None:
        """List the spaces as a role: each visible one once."""
        known = {id_: name for name, id_ in self.ids.items()}
        listed_now = [known[space["id"]] for space in self.run.client(role).spaces() if space["id"] in known]
        visible = [s for s in self.model.spaces if self.model.level(role, s) >= VIEW]
        if sorted(listed_now) != sorted(visible):
            _lists(_as_role(role, "listing the spaces"), listed_now, visible, "shows")

    def added(self, space: str, thread: str, body: dict[str, Any], again: bool) -> None:
        """Check the response to an add; a repetition keeps the first added_at (A01)."""
        ids = (body["space_id"], body["thread_id"])
        equal(ids, (self.ids[space], self.ids[thread]), "the ids in the answer to the add")
        first = self._added_at.setdefault((space, thread), body["added_at"]) if again else body["added_at"]
        self._added_at[space, thread] = first
        if body["added_at"] != first:
            complaint = f"added_at is {body['added_at']}, at first it was {first}"
            self.differ("A01", "added_at", "another", complaint)
        if not again and thread in self._order.get(space, ()):
            self._order[space].remove(thread)

    def left_behind(self, thread: str, spaces: Sequence[str]) -> None:
        """Check that a deleted thread left all of its spaces, or none if A14 does not hold."""
        still = [s for s in spaces if thread in self._names(self._page(CREATOR, s, 100, None))]
        if not still:
            return
        complaint = f"listing {listed(still)} shows {thread}, the model says it is in no space"
        self.differ("A14", "links", "kept" if still == list(spaces) else "some kept", complaint)
        self.ghosts.add(thread)

    def forget(self, space: str) -> None:
        """Drop the list of a deleted space."""
        if space not in self.model.spaces:
            self._order.pop(space, None)


def _as_role(role: str, what: str) -> str:
    return what if role == CREATOR else f"as {role} {what}"


def _same(what: str, field: str, got: object, expected: object) -> None:
    if got != expected:
        message = f"{what} shows {field} {got!r}, the model says {expected!r}"[:500]
        raise Broken(message, expected=expected, got=got, pointer=f"/{field}")


def _lists(what: str, listed_now: Sequence[str], expected: Sequence[str], verb: str) -> None:
    if list(listed_now) != list(expected):
        message = f"{what} {verb} {listed(listed_now)}, the model says {listed(expected)}"
        raise Broken(message, expected=list(expected), got=list(listed_now))
