"""Exploration: random scenarios on target and model, and minimization of what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from contracts.checks.check import Check, check
from contracts.checks.errors import Broken, Untested
from contracts.checks.evidence import effects
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run
from contracts.model.machine import Machine, Stop
from contracts.model.pair import Pair
from contracts.model.side_by_side import Unplayable
from contracts.model.steps import READS, Note, Step, general, renamed, story, words
from contracts.verdict.reproduction import fewest

ROLES = ("owner", "editor", "viewer", "outsider")
OPERATIONS = (
    *(f"{verb}Space" for verb in ("create", "get", "update", "delete")),
    *(f"{verb}Thread" for verb in ("create", "get", "delete")),
    *("listSpaces", "listSpaceThreads", "addThreadToSpace", "removeThreadFromSpace"),
)
ASSUMED = {
    "A01": "addThreadToSpace",
    "A02": "addThreadToSpace",
    "A03": "removeThreadFromSpace",
    "A04": "listSpaceThreads",
    "A06": "listSpaceThreads",
    "A14": "deleteThread",
    "A18": "updateSpace",
    "A19": "createSpace",
    "A24": "createSpace",
    "A36": "getThread",
}
"""Assumption that a scenario can refute -> operation."""
MINIMIZING_SECONDS = 20.0
"""Time limit for minimizing one chain of steps."""


class PlayResult(NamedTuple):
    """Result of a chain of steps."""

    failure: Broken | None
    notes: list[Note]
    chain: tuple[ClientResponse, ...]


@dataclass
class Divergence:
    """Steps after which target and model differ; `assumption` is None if the contract is broken."""

    assumption: str | None
    steps: tuple[Step, ...]
    complaint: str
    chain: tuple[ClientResponse, ...] = ()
    reported: bool = False

    def report(self, run: Run) -> None:
        """Raise Broken; from the second call on only if the steps still diverge."""
        if self.reported:
            complaint = self.seen_in(play(run, self.steps))
            if complaint is None:
                return
        else:
            self.reported, run.chain = True, list(self.chain)
        raise Broken(self.message, what=general(self.complaint), brief=self.complaint)

    def seen_in(self, played: PlayResult) -> str | None:
        """Complaint of the same divergence in another play; None if absent."""
        if self.assumption is None:
            return played.failure.message if played.failure else None
        return next((note.complaint for note in played.notes if note.assumption == self.assumption), None)

    @property
    def message(self) -> str:
        """Description of the steps and of the difference."""
        last = self.steps[-1]
        known = last[0] in READS or self.complaint.startswith(words(last))
        before = story(self.steps[:-1] if known else self.steps)
        return f"after: {before}: {self.complaint}" if before else self.complaint


@dataclass
class Exploration:
    """Divergences found by a run of scenarios."""

    broken: Divergence | None = None
    refuted: dict[str, Divergence] = field(default_factory=dict)
    """Divergence by assumption that does not hold."""


def explore(run: Run) -> Exploration:
    """Run the scenarios of the profile until target and model differ."""
    roles = usable_roles(run)
    pairs: list[Pair] = []
    stops: list[Stop] = []
    """Ends of a scenario, which Hypothesis calls flaky if they come earlier than those before."""
    unprepared: list[Exception] = []
    """Errors before the first step, likewise."""

    @seed(run.settings.seed)
    class SeededMachine(Machine):
        def __init__(self) -> None:
            run.chain = []
            try:
                pairs.append(Pair(run, roles))
            except Exception as error:
                unprepared.append(error)
                raise
            super().__init__(pairs[-1])

        def take(self, *steps: Step) -> None:
            try:
                super().take(*steps)
            except Stop as stop:
                stops.append(stop)
                raise

    exploration = Exploration()
    stop = _first_stop(SeededMachine, run, stops, unprepared)
    if stop is not None:
        if not isinstance(stop.error, Broken):
            raise stop.error from None
        found = Divergence(None, tuple(stop.pair.steps), stop.error.message, stop.chain)
        exploration.broken = minimized(found, run)
    notes = sorted((note for pair in pairs for note in pair.notes), key=lambda note: len(note.steps))
    for note in notes:
        if note.assumption not in exploration.refuted:
            exploration.refuted[note.assumption] = minimized(Divergence(*note), run)
    return exploration


def _first_stop(
    machine: type[Machine], run: Run, stops: list[Stop], unprepared: list[Exception]
) -> Stop | None:
    """Run the scenarios; returns what ended them, or None if they were played to their end."""
    size = run.settings.profile
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
        run_state_machine_as_test(machine, settings=how)
    except HypothesisException as error:
        if unprepared:
            raise unprepared[0] from None
        if not stops:
            why = " ".join(str(error).split())[:200]
            raise Untested(f"the scenarios could not be generated: {why}") from error
    except Stop:
        pass  # it is among the stops
    return next(iter(stops), None)


def usable_roles(run: Run) -> tuple[str, ...]:
    """Roles with a key and a known user."""
    roles = []
    for role in ROLES:
        try:
            run.user_id(role)
        except Untested:
            if role == ROLES[0]:
                raise
        else:
            roles.append(role)
    return tuple(roles)


def play(run: Run, steps: Sequence[Step]) -> PlayResult:
    """Play the steps on fresh resources; a chain that can't be played has no failure."""
    run.chain = []
    pair = Pair(run, usable_roles(run))
    failure = None
    try:
        for step in steps:
            pair.do(step)
    except Unplayable:
        pair.notes.clear()
    except Broken as error:
        failure = error
    finally:
        chain = tuple(run.chain)
        pair.close()
        run.chain = list(chain)
    return PlayResult(failure, pair.notes, chain)


def minimized(divergence: Divergence, run: Run) -> Divergence:
    """Divergence with the fewest steps found in time; unchanged if it can't be reproduced."""
    until = time.monotonic() + MINIMIZING_SECONDS

    def happens(steps: tuple[Step, ...]) -> bool:
        has_time = bool(steps) and time.monotonic() < until
        return has_time and divergence.seen_in(play(run, steps)) is not None

    shortest: tuple[Step, ...] = ()
    if happens(divergence.steps):
        shortest = renamed(without_grants(fewest(divergence.steps, happens), happens))
    played = play(run, shortest)
    complaint = divergence.seen_in(played)
    if complaint is None:
        return divergence
    return Divergence(divergence.assumption, shortest, complaint, played.chain)


def without_grants(steps: tuple[Step, ...], happens: Callable[[tuple[Step, ...]], bool]) -> tuple[Step, ...]:
    """Drop the grants of created spaces where the divergence remains."""
    for place, (kind, *args) in enumerate(steps):
        if kind == "create_space" and args[-1]:
            without = (*steps[:place], (kind, *args[:-1], ()), *steps[place + 1 :])
            steps = without if happens(without) else steps
    return steps


def exploration_of(run: Run) -> Exploration:
    """Exploration of a run, shared by all model checks."""
    if "exploration" not in run.shared:
        run.shared["exploration"] = explore(run)
    found: Exploration = run.shared["exploration"]
    return found


@check(*OPERATIONS, layer="model")
def the_target_behaves_like_the_model(run: Run) -> None:
    """In random scenarios every response and every list is as a reference model of spaces predicts."""
    if broken := exploration_of(run).broken:
        broken.report(run)


def _assume(assumption: str, operation: str) -> Check:
    def function(run: Run) -> None:
        if divergence := exploration_of(run).refuted.get(assumption):
            divergence.report(run)

    function.__name__ = f"the_model_may_assume_{assumption.lower()}"
    function.__doc__ = effects()[function.__name__.replace("_", "-")].sentence
    return check(operation, layer="model")(function)


def checks() -> list[Check]:
    """One check for the contract, and one for each assumption of the model."""
    return [
        the_target_behaves_like_the_model,
        *(_assume(id_, operation) for id_, operation in ASSUMED.items()),
    ]
