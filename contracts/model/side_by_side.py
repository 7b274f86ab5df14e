"""State of one scenario on target and model: ids, steps, and comparison of statuses."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from contracts.checks.errors import Broken, Unanswered, Untested
from contracts.checks.evidence import Assumptions
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.model.reference import ExpectedStatus, Model
from contracts.model.steps import Note, Step, words

PATH = {"S": "/v1/spaces/", "T": "/v1/threads/"}
ASSUMPTIONS = Assumptions()


class Unplayable(Exception):
    """A step names a resource that was never created."""


class SideBySide:
    """Base of a scenario; subclasses have a method for each kind of step."""

    def __init__(self, run: Run, roles: Collection[str]) -> None:
        self.run, self.roles = run, roles
        self.model = Model(own_threads_only=run.own_threads_only)
        self.steps: list[Step] = []
        self.notes: list[Note] = []
        self.ids: dict[str, str] = {}
        """Name such as S1 or T1 -> id on the target."""

    def do(self, step: Step) -> None:
        """Play a step on both; Broken if they differ."""
        self.steps.append(step)
        kind, *args = step
        try:
            getattr(self, kind)(*args)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise Broken(
                f"{words(step)}: the answer has not the documented shape ({type(error).__name__}: {error})"
            ) from error

    def close(self) -> None:
        """Delete the scenario's resources; the end of the run retries failed deletions."""
        mine = set(self.ids.values())
        with suppress(Unanswered, Untested):
            for made in [made for made in self.run.ledger.left() if made.id in mine]:
                self.run.remove(made)

    def id_of(self, name: str) -> str:
        """Id on the target."""
        if name not in self.ids:
            raise Unplayable(name)
        return self.ids[name]

    def name_of(self, id_: str) -> str:
        """Name of an id."""
        return next((name for name, known in self.ids.items() if known == id_), f"unknown {id_}")

    def path(self, name: str) -> str:
        """Path of a space or thread."""
        return PATH[name[0]] + self.id_of(name)

    def differ(self, assumption: str, what: str, value: object, complaint: str) -> None:
        """Note that an assumption does not hold; Broken if its alternatives exclude the value."""
        if value not in ASSUMPTIONS.alternatives(assumption, what):
            raise Broken(complaint)
        self.notes.append(Note(assumption, tuple(self.steps), complaint))

    def agree(self, what: str, answer: ClientResponse, predicted: ExpectedStatus) -> bool:
        """Compare the status with the model; False for an alternative of its assumption."""
        if answer.status == predicted.status:
            return True
        complaint = f"{what} answers {answer.status}, the model says {predicted.status}"
        if predicted.by is None:
            raise Broken(complaint, expected=predicted.status, got=answer.status)
        self.differ(predicted.by, "status", answer.status, complaint)
        return False
