"""One scenario on the target and in the model: the ids there, and whether both agree."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from contracts.checks.errors import Broken, Unanswered, Untested
from contracts.checks.evidence import Assumptions
from contracts.http.exchange import Answer
from contracts.http.run import Team
from contracts.model.reference import Model, Says
from contracts.model.steps import Note, Step, words

PATH = {"S": "/v1/spaces/", "T": "/v1/threads/"}
ASSUMPTIONS = Assumptions()


class Unplayable(Exception):
    """A step names what was never made: it was cut out of another chain."""


class SideBySide:
    """One scenario; what extends it has a method for each kind of step."""

    def __init__(self, team: Team, roles: Collection[str]) -> None:
        self.team, self.roles = team, roles
        self.model = Model()
        self.steps: list[Step] = []
        self.notes: list[Note] = []
        self.ids: dict[str, str] = {}
        """What is called S1 or T1 here -> its id on the target."""

    def do(self, step: Step) -> None:
        """One step on both; Broken if they come to differ."""
        self.steps.append(step)
        kind, *args = step
        try:
            getattr(self, kind)(*args)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise Broken(
                f"{words(step)}: the answer has not the documented shape ({type(error).__name__}: {error})"
            ) from error

    def close(self) -> None:
        """Remove what the scenario made; what can't be removed now is removed at the end of the run."""
        mine = set(self.ids.values())
        with suppress(Unanswered, Untested):
            for made in [made for made in self.team.ledger.left() if made.id in mine]:
                self.team.remove(made)

    def id_of(self, name: str) -> str:
        """The target's id."""
        if name not in self.ids:
            raise Unplayable(name)
        return self.ids[name]

    def name_of(self, id_: str) -> str:
        """What an id is called here."""
        return next((name for name, known in self.ids.items() if known == id_), f"unknown {id_}")

    def path(self, name: str) -> str:
        """Where a space or a thread is."""
        return PATH[name[0]] + self.id_of(name)

    def differ(self, assumption: str, what: str, value: object, complaint: str) -> None:
        """Broken, unless the assumption's table allows this value: then it is noted that it does not hold."""
        if value not in ASSUMPTIONS.alternatives(assumption, what):
            raise Broken(complaint)
        self.notes.append(Note(assumption, tuple(self.steps), complaint))

    def agree(self, what: str, answer: Answer, says: Says) -> bool:
        """Whether the status is the model's; False if it is another that its assumption allows."""
        if answer.status == says.status:
            return True
        complaint = f"{what} answers {answer.status}, the model says {says.status}"
        if says.by is None:
            raise Broken(complaint, expected=says.status, got=answer.status)
        self.differ(says.by, "status", answer.status, complaint)
        return False
