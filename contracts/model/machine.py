"""Rules of the random scenarios: single steps, and sequences that chance would rarely produce."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contracts.model.reference import CREATOR
from contracts.model.side_by_side import SideBySide, Unplayable
from contracts.model.steps import LONG, SHORT, Step

MOST_SPACES, MOST_THREADS = 3, 8
"""Resources that exist at once in a scenario, to bound runs over a network."""
FULL = 5
"""Threads that `fill` adds to a space: more than a page of any size in LIMITS."""
LIMITS = (1, 2, 3, 4, 5)
PATCHES = (
    (("name", "another name"),),
    (("description", "Ähnlich wie 日本 🚀"),),
    (("description", None),),
    (("access_mode", "organization"),),
    (("access_mode", "private"),),
    (("name", SHORT),),
    (("name", LONG), ("description", "both")),
    (),
)
pick = st.integers(0, 11)
"""Index of an existing resource, modulo their number."""


class Stop(BaseException):
    """Ends the scenarios at once; a BaseException, so that Hypothesis does not retry."""

    def __init__(self, pair: SideBySide, error: Exception) -> None:
        super().__init__()
        self.pair, self.error = pair, error
        self.chain = tuple(pair.run.chain)


class Machine(RuleBasedStateMachine):
    """State machine of scenarios on one pair of target and model."""

    def __init__(self, pair: SideBySide) -> None:
        super().__init__()
        self.pair = pair
        self._count = {"S": 0, "T": 0}

    def take(self, *steps: Step) -> None:
        """Take these steps until one can't be played."""
        try:
            for step in steps:
                self.pair.do(step)
        except Unplayable:
            return  # the resource was never created: a permitted refusal of an earlier step
        except HypothesisException:
            raise
        except Exception as error:
            raise Stop(self.pair, error) from error

    def teardown(self) -> None:
        """Delete the scenario's resources."""
        self.pair.close()

    @property
    def _spaces(self) -> list[str]:
        return sorted(self.pair.model.spaces)

    @property
    def _threads(self) -> list[str]:
        return sorted(self.pair.model.threads)

    def _space(self, number: int) -> str:
        return self._spaces[number % len(self._spaces)]

    def _thread(self, number: int) -> str:
        return self._threads[number % len(self._threads)]

    def _inside(self, space: str, number: int) -> str:
        threads = self.pair.model.spaces[space].threads or tuple(self._threads)
        return threads[number % len(threads)]

    def _role(self, number: int) -> str:
        return list(self.pair.roles)[number % len(self.pair.roles)]

    def _new(self, kind: str) -> str:
        self._count[kind] += 1
        return f"{kind}{self._count[kind]}"

    def _new_space(self, label: str = "space", grants: Any = None) -> Step:
        roles = {"access_users": "viewer", "editable_by_users": "editor"}
        allowed = tuple((field, (role,)) for field, role in roles.items() if role in self.pair.roles)
        return "create_space", self._new("S"), label, allowed if grants is None else grants

    def _may_grow(self) -> bool:
        return len(self._spaces) < MOST_SPACES

    def _has_both(self) -> bool:
        return bool(self._spaces and self._threads)

    @initialize()
    def begin(self) -> None:
        """Start with two spaces and three threads."""
        self.take(self._new_space(), self._new_space())
        self.take(*(("create_thread", self._new("T")) for _ in range(3)))

    @precondition(_may_grow)
    @rule(label=st.sampled_from(["space", SHORT, LONG]), granted=st.booleans())
    def create_space(self, label: str, granted: bool) -> None:
        """Create a space."""
        self.take(self._new_space(label, None if granted else ()))

    @precondition(lambda self: len(self._threads) < MOST_THREADS)
    @rule()
    def create_thread(self) -> None:
        """Create a thread."""
        self.take(("create_thread", self._new("T")))

    @precondition(_has_both)
    @rule(role=pick, space=pick, thread=pick)
    def add(self, role: int, space: int, thread: int) -> None:
        """Add any thread to any space as any role."""
        self.take(("add", self._role(role), self._space(space), self._thread(thread)))

    @precondition(_has_both)
    @rule(role=pick, space=pick, thread=pick)
    def remove(self, role: int, space: int, thread: int) -> None:
        """Remove a thread, mostly one that is in the space."""
        name = self._space(space)
        self.take(("remove", self._role(role), name, self._inside(name, thread)))

    @precondition(lambda self: self._spaces)
    @rule(role=pick, space=pick, changes=st.sampled_from(PATCHES))
    def patch(self, role: int, space: int, changes: Any) -> None:
        """Change fields as any role."""
        self.take(("patch", self._role(role), self._space(space), changes))

    @precondition(lambda self: self._spaces)
    @rule(space=pick, field=st.sampled_from(["access_users", "editable_by_users"]), role=pick)
    def grant(self, space: int, field: str, role: int) -> None:
        """Grant access to one role only, then rename the space."""
        name = self._space(space)
        self.take(
            ("patch", CREATOR, name, ((field, (self._role(role),)),)),
            ("patch", CREATOR, name, (("name", "granted"),)),
        )

    @precondition(lambda self: self._spaces)
    @rule(space=pick)
    def patch_twice(self, space: int) -> None:
        """Set the description, then the name twice: the description stays."""
        name = self._space(space)
        changes = (("description", "stays"),), (("name", "first"),), (("name", "second"),)
        self.take(*(("patch", CREATOR, name, change) for change in changes))

    @precondition(_has_both)
    @rule(space=pick, thread=pick, role=pick)
    def add_twice(self, space: int, thread: int, role: int) -> None:
        """Add a thread twice, then once more as another role."""
        name, what = self._space(space), self._thread(thread)
        self.take(*(("add", who, name, what) for who in (CREATOR, CREATOR, self._role(role))))

    @precondition(_has_both)
    @rule(space=pick, thread=pick)
    def add_then_remove(self, space: int, thread: int) -> None:
        """Add a thread, remove it twice, add it again."""
        name, what = self._space(space), self._thread(thread)
        self.take(*((kind, CREATOR, name, what) for kind in ("add", "remove", "remove", "add")))

    @precondition(lambda self: self._spaces)
    @rule(space=pick, limit=st.sampled_from(LIMITS))
    def fill(self, space: int, limit: int) -> None:
        """Fill a space beyond one page, then list it with exactly full pages."""
        name = self._space(space)
        while len(self._threads) < FULL:
            self.take(("create_thread", self._new("T")))
        self.take(*(("add", CREATOR, name, thread) for thread in self._threads[:FULL]))
        self.take(("walk", CREATOR, name, limit), ("walk", CREATOR, name, 1))
        count = len(self.pair.model.spaces[name].threads)
        self.take(*(("walk", CREATOR, name, size) for size in (count, -(-count // 2)) if size))

    @precondition(lambda self: self._spaces)
    @rule(space=pick, limit=st.sampled_from((2, 3)), removed=pick)
    def remove_from_the_middle(self, space: int, limit: int, removed: int) -> None:
        """Fill a space, remove a thread, list, and add it again at the end."""
        self.fill(space, limit)
        name = self._space(space)
        gone = self._inside(name, removed)
        steps = ("remove", CREATOR, name, gone), ("walk", CREATOR, name, limit), ("add", CREATOR, name, gone)
        self.take(*steps)

    @precondition(_has_both)
    @rule(space=pick, limit=st.sampled_from((1, 2)))
    def remove_between_pages(self, space: int, limit: int) -> None:
        """Remove the anchor of the next page."""
        self.take(("remove_between_pages", self._space(space), limit))

    @precondition(lambda self: self._spaces and self._threads and self._may_grow())
    @rule(thread=pick, role=pick, other=pick)
    def delete_space_then_touch_it(self, thread: int, role: int, other: int) -> None:
        """Delete a space with a thread: its operations are 404, the thread stays elsewhere."""
        step, what, who = self._new_space(), self._thread(thread), self._role(role)
        elsewhere, gone = self._space(other), step[1]
        self.take(step, ("add", CREATOR, elsewhere, what), ("add", CREATOR, gone, what))
        self.take(("delete_space", who, gone), ("delete_space", CREATOR, gone))
        self.take(("add", CREATOR, gone, what), ("remove", who, gone, what), ("walk", who, gone, 2))
        self.take(("patch", CREATOR, gone, (("name", "late"),)), ("walk", CREATOR, elsewhere, 1))

    @precondition(lambda self: len(self._threads) > 1)
    @rule(thread=pick, role=pick)
    def delete_thread_then_touch_it(self, thread: int, role: int) -> None:
        """Delete a thread of every space: it leaves all and can't be added again."""
        what = self._thread(thread)
        self.take(*(("add", CREATOR, space, what) for space in self._spaces))
        self.take(("delete_thread", self._role(role), what), ("delete_thread", CREATOR, what))
        self.take(*(("add", CREATOR, space, what) for space in self._spaces))

    @precondition(_has_both)
    @rule(role=pick, space=pick, thread=pick)
    def try_everything(self, role: int, space: int, thread: int) -> None:
        """Every read and every write except deletion as one role; a refusal changes nothing."""
        who, name = self._role(role), self._space(space)
        inside = self._inside(name, thread)
        self.take(("read_space", who, name), ("walk", who, name, 2), ("read_thread", who, inside))
        self.take(("add", who, name, self._thread(thread)), ("remove", who, name, inside))
        self.take(("patch", who, name, (("name", f"by the {who}"),)))
        self.take(("patch", who, name, (("access_mode", "private"),)), ("list_spaces", who))

    @precondition(_has_both)
    @rule(space=pick, role=pick)
    def delete_refused(self, space: int, role: int) -> None:
        """A role without edit access can't delete a space."""
        who, name = self._role(role), self._space(space)
        if self.pair.model.refusal(2, who, name):
            self.take(("delete_space", who, name), ("walk", CREATOR, name, 100))
