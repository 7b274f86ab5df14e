"""Runs scenarios until target and model differ, and cuts what differed down to the steps that it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakKeyDictionary

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from contracts.checks.check import Check, promise
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import Evidence
from contracts.http.exchange import Answer
from contracts.http.run import Team
from contracts.model.machine import Machine, Stop
from contracts.model.pair import Pair
from contracts.model.side_by_side import Unplayable
from contracts.model.steps import LOOKING, Note, Step, renamed, story, words
from contracts.verdict.reproduction import fewest

ROLES = ("owner", "editor", "viewer", "outsider")
OPERATIONS = (
    "createSpace",
    "listSpaces",
    "getSpace",
    "updateSpace",
    "deleteSpace",
    "createThread",
    "getThread",
    "deleteThread",
    "listSpaceThreads",
    "addThreadToSpace",
    "removeThreadFromSpace",
)
ASSUMED = {
    "A01": ("addThreadToSpace", "adding a thread again is 201 with the first added_at"),
    "A02": ("addThreadToSpace", "adding a thread that was deleted is 404"),
    "A03": ("removeThreadFromSpace", "removing a thread that is not in the space is 404"),
    "A04": ("listSpaceThreads", "threads come in the order of adding, whatever was removed in between"),
    "A06": ("listSpaceThreads", "a walk goes on where it was after the removal of its anchor"),
    "A14": ("deleteThread", "a deleted thread is in no space"),
    "A18": ("updateSpace", "PATCH with nothing is 200, and null clears the description"),
    "A19": ("createSpace", "a name has 1 to 255 characters"),
    "A24": ("createSpace", "what makes something answers 201"),
    "A36": ("getThread", "a thread of somebody else is 403"),
}
"""What the walk can find to be otherwise -> an operation, and the sentence."""
SHRINKING = 20.0
"""Seconds at most for cutting one chain down."""


class Played(NamedTuple):
    """What came of a chain of steps."""

    failure: Broken | None
    notes: list[Note]
    chain: tuple[Answer, ...]


@dataclass
class Finding:
    """Steps after which target and model differ; `assumption` is None if a contract is broken by it."""

    assumption: str | None
    steps: tuple[Step, ...]
    complaint: str
    chain: tuple[Answer, ...] = ()
    told: bool = False

    def tell(self, team: Team) -> None:
        """Raise it; from the second time on only if it happens again."""
        if self.told:
            complaint = self.seen_in(play(team, self.steps))
            if complaint is None:
                return
        else:
            self.told, team.chain = True, list(self.chain)
        raise Broken(self.message, what=self.complaint)

    def seen_in(self, played: Played) -> str | None:
        """What differs, if it does here, too."""
        if self.assumption is None:
            return played.failure.message if played.failure else None
        return next((note.complaint for note in played.notes if note.assumption == self.assumption), None)

    @property
    def message(self) -> str:
        """For a stranger: what was done, and what came of it."""
        last = self.steps[-1]
        known = last[0] in LOOKING or self.complaint.startswith(words(last))
        before = story(self.steps[:-1] if known else self.steps)
        return f"after: {before}: {self.complaint}" if before else self.complaint


@dataclass
class Walk:
    """What a run of scenarios found."""

    broken: Finding | None = None
    doubts: dict[str, Finding] = field(default_factory=dict)
    """By the assumption that does not hold."""


def walk(team: Team) -> Walk:
    """All scenarios of the team's profile, or as many as it takes until target and model differ."""
    roles = present(team)
    pairs: list[Pair] = []

    @seed(team.settings.seed)
    class Bound(Machine):
        def __init__(self) -> None:
            team.chain = []
            pairs.append(Pair(team, roles))
            super().__init__(pairs[-1])

    found = Walk()
    size = team.settings.profile
    how = settings(
        max_examples=size.scenarios,
        stateful_step_count=size.steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Bound, settings=how)
    except HypothesisException as error:
        raise Untested(f"the scenarios could not be made up: {' '.join(str(error).split())[:200]}") from error
    except Stop as stop:
        if not isinstance(stop.error, Broken):
            raise stop.error from None
        found.broken = shrunk(Finding(None, tuple(stop.pair.steps), stop.error.message, stop.chain), team)
    notes = sorted((note for pair in pairs for note in pair.notes), key=lambda note: len(note.steps))
    for note in notes:
        if note.assumption not in found.doubts:
            found.doubts[note.assumption] = shrunk(Finding(*note), team)
    return found


def present(team: Team) -> tuple[str, ...]:
    """The roles that have a key, and a user that can be named."""
    roles = []
    for role in ROLES:
        try:
            team.user_id(role)
        except Untested:
            if role == ROLES[0]:
                raise
        else:
            roles.append(role)
    return tuple(roles)


def play(team: Team, steps: Sequence[Step]) -> Played:
    """Take the steps on fresh resources; a chain that can't be played has no failure."""
    team.chain = []
    pair = Pair(team, present(team))
    failure = None
    try:
        for step in steps:
            pair.do(step)
    except Unplayable:
        pair.notes.clear()
    except Broken as error:
        failure = error
    finally:
        chain = tuple(team.chain)
        pair.close()
        team.chain = list(chain)
    return Played(failure, pair.notes, chain)


def shrunk(finding: Finding, team: Team) -> Finding:
    """The finding with as few steps as can be found in time; as it was if it does not happen again."""
    until = time.monotonic() + SHRINKING

    def happens(steps: tuple[Step, ...]) -> bool:
        in_time = bool(steps) and time.monotonic() < until
        return in_time and finding.seen_in(play(team, steps)) is not None

    shortest = renamed(plainer(fewest(finding.steps, happens), happens)) if happens(finding.steps) else ()
    played = play(team, shortest)
    complaint = finding.seen_in(played)
    if complaint is None:
        return finding
    return Finding(finding.assumption, shortest, complaint, played.chain)


def plainer(steps: tuple[Step, ...], happens: Callable[[tuple[Step, ...]], bool]) -> tuple[Step, ...]:
    """Let spaces be created for their owner alone where it still happens."""
    for place, (kind, *args) in enumerate(steps):
        if kind == "create_space" and args[-1]:
            without = (*steps[:place], (kind, *args[:-1], ()), *steps[place + 1 :])
            steps = without if happens(without) else steps
    return steps


_walks: WeakKeyDictionary[Team, Walk] = WeakKeyDictionary()


def walked(team: Team) -> Walk:
    """The run's one walk, which all the checks share."""
    if team not in _walks:
        _walks[team] = walk(team)
    return _walks[team]


@promise(*OPERATIONS, evidence=Evidence.PUBLISHED, layer="model")
def the_target_behaves_like_the_model(team: Team) -> None:
    """In scenarios of many steps every answer and every list is what a small model of spaces says."""
    if broken := walked(team).broken:
        broken.tell(team)


def _assume(assumption: str, operation: str, sentence: str) -> Check:
    def run(team: Team) -> None:
        if doubt := walked(team).doubts.get(assumption):
            doubt.tell(team)

    run.__name__ = f"the_model_may_assume_{assumption.lower()}"
    run.__doc__ = f"In every scenario {sentence}."
    return promise(operation, evidence=Evidence.ASSUMED, assumption=assumption, layer="model")(run)


def checks() -> list[Check]:
    """One for the contract, one for every assumption that the walk leans on."""
    return [the_target_behaves_like_the_model, *(_assume(id_, *about) for id_, about in ASSUMED.items())]
