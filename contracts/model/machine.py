"""What is tried: single steps, and short runs of steps that chance alone would hardly ever put together."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contracts.model.reference import CREATOR
from contracts.model.side_by_side import SideBySide, Unplayable
from contracts.model.steps import LONG, SHORT, Step

MOST_SPACES, MOST_THREADS = 3, 8
"""Alive at once in one scenario, so that a run over the network stays bounded."""
FULL = 5
"""Threads that `fill` puts into a space: past a page of each size below."""
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
"""Which of the things that there are, counted around."""


class Stop(BaseException):
    """Ends a run of scenarios at once; no Exception, so that Hypothesis does not try it again."""

    def __init__(self, pair: SideBySide, error: Exception) -> None:
        super().__init__()
        self.pair, self.error = pair, error
        self.chain = tuple(pair.team.chain)


class Machine(RuleBasedStateMachine):
    """Scenarios on one pair of target and model."""

    def __init__(self, pair: SideBySide) -> None:
        super().__init__()
        self.pair = pair
        self._count = {"S": 0, "T": 0}

    def run(self, *steps: Step) -> None:
        """Take these steps, as far as they can be taken."""
        try:
            for step in steps:
                self.pair.do(step)
        except Unplayable:
            return  # what an earlier step would have made was refused, as it may be
        except HypothesisException:
            raise
        except Exception as error:
            raise Stop(self.pair, error) from error

    def teardown(self) -> None:
        """Remove what the scenario made."""
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
        given = {"access_users": "viewer", "editable_by_users": "editor"}
        allowed = tuple((field, (role,)) for field, role in given.items() if role in self.pair.roles)
        return "create_space", self._new("S"), label, allowed if grants is None else grants

    def _may_grow(self) -> bool:
        return len(self._spaces) < MOST_SPACES

    def _has_both(self) -> bool:
        return bool(self._spaces and self._threads)

    @initialize()
    def begin(self) -> None:
        """Two spaces and three threads."""
        self.run(self._new_space(), self._new_space())
        self.run(*(("create_thread", self._new("T")) for _ in range(3)))

    @precondition(_may_grow)
    @rule(label=st.sampled_from(["space", SHORT, LONG]), granted=st.booleans())
    def create_space(self, label: str, granted: bool) -> None:
        """One more space."""
        self.run(self._new_space(label, None if granted else ()))

    @precondition(lambda self: len(self._threads) < MOST_THREADS)
    @rule()
    def create_thread(self) -> None:
        """One more thread."""
        self.run(("create_thread", self._new("T")))

    @precondition(_has_both)
    @rule(role=pick, space=pick, thread=pick)
    def add(self, role: int, space: int, thread: int) -> None:
        """Any thread, any space, anybody."""
        self.run(("add", self._role(role), self._space(space), self._thread(thread)))

    @precondition(_has_both)
    @rule(role=pick, space=pick, thread=pick)
    def remove(self, role: int, space: int, thread: int) -> None:
        """Mostly a thread that is in the space."""
        name = self._space(space)
        self.run(("remove", self._role(role), name, self._inside(name, thread)))

    @precondition(lambda self: self._spaces)
    @rule(role=pick, space=pick, changes=st.sampled_from(PATCHES))
    def patch(self, role: int, space: int, changes: Any) -> None:
        """Some fields, by anybody."""
        self.run(("patch", self._role(role), self._space(space), changes))

    @precondition(lambda self: self._spaces)
    @rule(space=pick, field=st.sampled_from(["access_users", "editable_by_users"]), role=pick)
    def grant(self, space: int, field: str, role: int) -> None:
        """Access for one role instead of whoever had it, and a new name after that."""
        name = self._space(space)
        self.run(
            ("patch", CREATOR, name, ((field, (self._role(role),)),)),
            ("patch", CREATOR, name, (("name", "granted"),)),
        )

    @precondition(lambda self: self._spaces)
    @rule(space=pick)
    def patch_twice(self, space: int) -> None:
        """A description, then the name twice: the description stays."""
        name = self._space(space)
        changes = (("description", "stays"),), (("name", "first"),), (("name", "second"),)
        self.run(*(("patch", CREATOR, name, change) for change in changes))

    @precondition(_has_both)
    @rule(space=pick, thread=pick, role=pick)
    def add_twice(self, space: int, thread: int, role: int) -> None:
        """Again, and once more by somebody else."""
        name, what = self._space(space), self._thread(thread)
        self.run(*(("add", who, name, what) for who in (CREATOR, CREATOR, self._role(role))))

    @precondition(_has_both)
    @rule(space=pick, thread=pick)
    def add_then_remove(self, space: int, thread: int) -> None:
        """In, out, out again, and in again."""
        name, what = self._space(space), self._thread(thread)
        self.run(*((kind, CREATOR, name, what) for kind in ("add", "remove", "remove", "add")))

    @precondition(lambda self: self._spaces)
    @rule(space=pick, limit=st.sampled_from(LIMITS))
    def fill(self, space: int, limit: int) -> None:
        """More threads than a page has, then exactly so many as fill one and more pages."""
        name = self._space(space)
        while len(self._threads) < FULL:
            self.run(("create_thread", self._new("T")))
        self.run(*(("add", CREATOR, name, thread) for thread in self._threads[:FULL]))
        self.run(("walk", CREATOR, name, limit), ("walk", CREATOR, name, 1))
        count = len(self.pair.model.spaces[name].threads)
        self.run(*(("walk", CREATOR, name, size) for size in (count, -(-count // 2)) if size))

    @precondition(lambda self: self._spaces)
    @rule(space=pick, limit=st.sampled_from((2, 3)), removed=pick)
    def remove_from_the_middle(self, space: int, limit: int, removed: int) -> None:
        """Fill, take one out, walk, and put it back at the end."""
        self.fill(space, limit)
        name = self._space(space)
        gone = self._inside(name, removed)
        steps = ("remove", CREATOR, name, gone), ("walk", CREATOR, name, limit), ("add", CREATOR, name, gone)
        self.run(*steps)

    @precondition(_has_both)
    @rule(space=pick, limit=st.sampled_from((1, 2)))
    def remove_between_pages(self, space: int, limit: int) -> None:
        """The anchor of the next page goes."""
        self.run(("remove_between_pages", self._space(space), limit))

    @precondition(lambda self: self._spaces and self._threads and self._may_grow())
    @rule(thread=pick, role=pick, other=pick)
    def delete_space_then_touch_it(self, thread: int, role: int, other: int) -> None:
        """A space with a thread in it goes: everything in it is 404, elsewhere the thread stays."""
        step, what, who = self._new_space(), self._thread(thread), self._role(role)
        elsewhere, gone = self._space(other), step[1]
        self.run(step, ("add", CREATOR, elsewhere, what), ("add", CREATOR, gone, what))
        self.run(("delete_space", who, gone), ("delete_space", CREATOR, gone))
        self.run(("add", CREATOR, gone, what), ("remove", who, gone, what), ("walk", who, gone, 2))
        self.run(("patch", CREATOR, gone, (("name", "late"),)), ("walk", CREATOR, elsewhere, 1))

    @precondition(lambda self: len(self._threads) > 1)
    @rule(thread=pick, role=pick)
    def delete_thread_then_touch_it(self, thread: int, role: int) -> None:
        """A thread in every space goes: out of all, and it can't come back."""
        what = self._thread(thread)
        self.run(*(("add", CREATOR, space, what) for space in self._spaces))
        self.run(("delete_thread", self._role(role), what), ("delete_thread", CREATOR, what))
        self.run(*(("add", CREATOR, space, what) for space in self._spaces))

    @precondition(_has_both)
    @rule(role=pick, space=pick, thread=pick)
    def try_everything(self, role: int, space: int, thread: int) -> None:
        """Every read and every write but the deletion, as one role: a refused one changes nothing."""
        who, name = self._role(role), self._space(space)
        inside = self._inside(name, thread)
        self.run(("read_space", who, name), ("walk", who, name, 2), ("read_thread", who, inside))
        self.run(("add", who, name, self._thread(thread)), ("remove", who, name, inside))
        self.run(("patch", who, name, (("name", f"by the {who}"),)))
        self.run(("patch", who, name, (("access_mode", "private"),)), ("list_spaces", who))

    @precondition(_has_both)
    @rule(space=pick, role=pick)
    def delete_refused(self, space: int, role: int) -> None:
        """Who may only look, or not even that, deletes nothing."""
        who, name = self._role(role), self._space(space)
        if self.pair.model.refusal(2, who, name):
            self.run(("delete_space", who, name), ("walk", CREATOR, name, 100))
