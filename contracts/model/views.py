"""Looking at the target through every list and reader, and comparing with the model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from contracts.checks.check import equal
from contracts.checks.errors import Broken
from contracts.http.exchange import Answer
from contracts.http.run import Team
from contracts.model.reference import CREATOR, VIEW, Says, pages
from contracts.model.side_by_side import SideBySide
from contracts.model.steps import listed


class Views(SideBySide):
    """What the target showed, by space."""

    def __init__(self, team: Team, roles: Collection[str]) -> None:
        super().__init__(team, roles)
        self._order: dict[str, list[str]] = {}
        """The threads of a space as they were last listed."""
        self._added_at: dict[tuple[str, str], object] = {}
        self._ghosts: set[str] = set()
        """Deleted threads that are listed on (A14)."""

    def see_space(self, space: str) -> None:
        """The space and its threads, as the owner sees them."""
        self.read_space(CREATOR, space)
        self.walk(CREATOR, space, 100)

    def read_space(self, role: str, space: str) -> None:
        """The space as one role sees it."""
        answer = self.team.caller(role).get(self.path(space))
        says = self.model.read(role, space)
        what = _told(role, f"reading {space}")
        if not self.agree(what, answer, says) or says.status != 200:
            return
        expected, shown = self.model.spaces[space], answer.body
        for field in ("name", "description", "access_mode"):
            _same(what, field, shown[field], getattr(expected, field))
        for field in ("access_users", "editable_by_users"):
            users = sorted(self.team.user_id(role) for role in getattr(expected, field))
            _same(what, field, sorted(shown[field] or []), users)

    def read_thread(self, role: str, thread: str) -> None:
        """The thread as one role sees it, with the spaces that it says it is in."""
        answer = self.team.caller(role).get(self.path(thread))
        says = self.model.read_thread(role, thread)
        if not self.agree(_told(role, f"reading {thread}"), answer, says) or says.status != 200:
            return
        named = answer.body.get("space_ids")
        if named is not None:
            shown, expected = sorted(map(self.name_of, named)), sorted(self.model.spaces_of(thread))
            _lists(f"reading {thread}", shown, expected, "names the spaces")

    def walk(self, role: str, space: str, limit: int) -> None:
        """The space's threads, page by page: the pages are slices, and the order stays what it was."""
        what = _told(role, f"listing {space}" + (f" by {limit}" if limit != 100 else ""))
        says = self.model.read(role, space)
        if says.status != 200:
            self.agree(what, self._page(role, space, limit, None), says)
            return
        shown: list[str] = []
        cursor = None
        expected = self.model.spaces[space].threads
        count = len(expected) + sum(t in self._ghosts for t in self._order.get(space, ()))
        for items, more in pages(tuple("x" * count), limit):
            answer = self._page(role, space, limit, cursor)
            self.agree(what, answer, says)
            found = [self.name_of(thread["id"]) for thread in answer.body["data"]]
            shown += found
            if len(found) != len(items) or answer.body["has_more"] is not more:
                self._compare(what, space, shown, partly=limit < count)
                raise Broken(
                    f"{what} gives {len(found)} threads on a page with has_more {answer.body['has_more']}, "
                    f"the model says {len(items)} and {more}",
                    pointer="/has_more",
                )
            cursor = answer.body["next_cursor"]
        self._compare(what, space, shown)

    def _compare(self, what: str, space: str, shown: Sequence[str], *, partly: bool = False) -> None:
        """The threads of a space, and their order: the model's, or at least the same each time (A04)."""
        expected = list(self.model.spaces[space].threads)
        alive = [thread for thread in shown if thread not in self._ghosts]
        if partly and set(alive) < set(expected) and len(set(alive)) == len(alive):
            return
        if sorted(alive) != sorted(expected):
            _lists(what, alive, expected, "shows")
        kept = [thread for thread in self._order.get(space, ()) if thread in shown]
        now = [thread for thread in shown if thread in kept]
        if now != kept:
            raise Broken(f"{what} shows {listed(now)}, and showed {listed(kept)} before: the order changed")
        if alive != expected:
            self.differ(
                "A04",
                "order",
                "any other",
                f"{what} shows {listed(alive)}, the model says {listed(expected)}",
            )
        self._order[space] = list(shown)

    def _page(self, role: str, space: str, limit: int, cursor: object) -> Answer:
        path = self.path(space) + "/threads"
        return self.team.caller(role).get(path, limit=limit, cursor=cursor)

    def first_page(self, space: str, limit: int) -> tuple[list[str], object] | None:
        """The names on the owner's first page and its cursor; None if there is no second page."""
        if space not in self.model.spaces or len(self.model.spaces[space].threads) <= limit:
            return None
        answer = self._page(CREATOR, space, limit, None)
        self.agree(f"listing {space}", answer, Says(200))
        shown = [self.name_of(thread["id"]) for thread in answer.body["data"]]
        if not shown or set(shown) & self._ghosts:
            return None
        return shown, answer.body["next_cursor"]

    def rest_of_walk(self, space: str, limit: int, shown: list[str], cursor: object) -> None:
        """The pages behind a page whose anchor has gone."""
        before, seen = self._order[space], list(shown)
        complaint = ""
        try:
            path = self.path(space) + "/threads"
            for page in self.team.owner.pages(path, limit=limit, cursor=cursor):
                seen += [self.name_of(thread["id"]) for thread in page.body["data"]]
        except Broken as broken:
            complaint = broken.message if broken.got is None else f"the next page answers {broken.got}"
        if seen != before and not complaint:
            complaint = f"the walk shows {listed(seen)}, the model says {listed(before)}"
        if complaint:
            self.differ("A06", "walk", "without its anchor", complaint)

    def list_spaces(self, role: str) -> None:
        """Of the scenario's spaces those that the role may view are in its list, each once."""
        known = {id_: name for name, id_ in self.ids.items()}
        shown = [known[space["id"]] for space in self.team.caller(role).spaces() if space["id"] in known]
        visible = [s for s in self.model.spaces if self.model.level(role, s) >= VIEW]
        if sorted(shown) != sorted(visible):
            _lists(_told(role, "listing the spaces"), shown, visible, "shows")

    def added(self, space: str, thread: str, body: dict[str, Any], again: bool) -> None:
        """The answer to an add; of a repeated one the first added_at (A01)."""
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
        """A deleted thread is in none of its spaces any more, or, if A14 does not hold, in all."""
        still = [space for space in spaces if thread in self._names(space)]
        if not still:
            return
        complaint = f"listing {listed(still)} shows {thread}, the model says it is in no space"
        self.differ("A14", "links", "kept" if still == list(spaces) else "some kept", complaint)
        self._ghosts.add(thread)

    def is_ghost(self, thread: str) -> bool:
        """Whether the thread is deleted and listed on (A14)."""
        return thread in self._ghosts

    def _names(self, space: str) -> list[str]:
        body = self._page(CREATOR, space, 100, None).body
        return [self.name_of(thread["id"]) for thread in body["data"]]

    def forget(self, space: str) -> None:
        """The space is gone."""
        if space not in self.model.spaces:
            self._order.pop(space, None)


def _told(role: str, what: str) -> str:
    return what if role == CREATOR else f"as {role} {what}"


def _same(what: str, field: str, got: object, expected: object) -> None:
    if got != expected:
        raise Broken(
            f"{what} shows {field} {got!r}, the model says {expected!r}"[:500],
            expected=expected,
            got=got,
            pointer=f"/{field}",
        )


def _lists(what: str, shown: Sequence[str], expected: Sequence[str], verb: str) -> None:
    if list(shown) != list(expected):
        raise Broken(
            f"{what} {verb} {listed(shown)}, the model says {listed(expected)}",
            expected=list(expected),
            got=list(shown),
        )
