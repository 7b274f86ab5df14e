"""Layer `lockstep`: recorded and random sequences of calls, answered by the target like by the mock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from functools import cache, partial
from importlib import resources
from typing import NamedTuple

from contracts.checks.check import Check
from contracts.checks.errors import Broken, Excluded, Fingerprint, Untested
from contracts.checks.evidence import Evidence
from contracts.checks.spec import document
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.http.run import Run
from contracts.lockstep.api import Step
from contracts.lockstep.found import Found, signature
from contracts.lockstep.interruptions import interruptions
from contracts.lockstep.maker import Maker
from contracts.lockstep.model import shared_model
from contracts.lockstep.play import Lockstep
from contracts.lockstep.sides import target_of
from contracts.lockstep.systematic import groups, sequence
from contracts.lockstep.writes import states, writes
from contracts.verdict.reproduction import fewest

Failures = Callable[[Found], Iterable[Broken]]
LENGTH = 60
"""Random steps of a sequence, after its prepared state."""
MOST_DIFFERENCES = 30
"""Differences after which a run stops searching."""
MOST_REPEATS = 4
"""Times that a systematic sequence is played if its steps differ."""
SHRINKING_SECONDS, SHRINKING_IN_ALL = 8.0, 24.0
"""Time limit for leaving out steps of one difference, and of all of them."""


class Recorded(NamedTuple):
    """Sequence of contracts/lockstep/corpus.json."""

    notices: tuple[str, ...]
    """Automatic mutants that no sequence before it notices."""
    steps: list[Step]


@cache
def corpus() -> tuple[Recorded, ...]:
    """Recorded sequences, shortest first."""
    text = (resources.files("contracts") / "lockstep" / "corpus.json").read_text("utf-8")
    found = [Recorded(tuple(each["notices"]), each["steps"]) for each in json.loads(text)]
    return tuple(sorted(found, key=lambda each: len(each.steps)))


class DifferenceSearch:
    """Differences that a run found, each with the steps that show it."""

    def __init__(
        self,
        run: Run,
        failures: Failures,
        is_enough: Callable[[list[Found]], bool] = lambda found: len(found) >= MOST_DIFFERENCES,
        shrinking: float = SHRINKING_IN_ALL,
    ) -> None:
        """`is_enough`: whether the search ends with what is found; `shrinking`: seconds for shorter steps."""
        self.run, self._failures, self._is_enough = run, failures, is_enough
        self.found: list[Found] = []
        self._left = shrinking
        self._ended: Step | None = None
        """Step at which the last sequence ended too early."""

    def search(self) -> None:
        """Play the recorded sequences of the profile, then random ones."""
        profile, lockstep = self.run.settings.profile, self.lockstep()
        for recorded in corpus()[: profile.recorded]:
            self._play(lockstep, deepcopy(recorded.steps))
        if profile.sequences:
            for state in states(lockstep):
                self.play_whole(lockstep, partial(writes, lockstep, state))
            if lockstep.target.is_mock:
                self.play_whole(lockstep, partial(interruptions, lockstep))
            for group in groups(lockstep):
                self.play_whole(lockstep, partial(sequence, lockstep, group))
        maker, known = Maker(self.run.settings.seed, lockstep), self._assumptions(self.found) - {None}
        for _ in range(profile.sequences):
            before = len(self.found)
            self._play(lockstep, maker.sequence(LENGTH))
            for found in self.found[before:]:
                maker.failing.update(_ended(found))
            self.found[before:] = [each for each in self.found[before:] if self._assumptions([each]) - known]

    def _assumptions(self, found: Iterable[Found]) -> set[str | None]:
        """Assumptions that differences contradict; None for any other claim.

        What a seed alone shows of an assumption that does not hold anyway is not told: every seed shows more.
        """
        return {broken.assumption for each in found for broken in self._failures(each)}

    def lockstep(self) -> Lockstep:
        """Model and target."""
        run, target = self.run, target_of(self.run)
        return Lockstep(
            shared_model(run.revision, run.settings.profile_file),
            target,
            document(),
            {each.id: each for each in document().operations.values()},
            may_ask=run.may_ask or target.is_mock,  # a mock's model costs nothing
            may_send=lambda operation: may_send(run, operation),
            permits=run.permits,
            allow=run.ledger.allow,
            unsteady=run.shared.setdefault("unsteady", {}),
            requires_organization=run.requires_organization,
        )

    def play_whole(self, lockstep: Lockstep, steps: Callable[[], Iterator[Step]]) -> None:
        """Play a sequence again without the steps that differ, as far as there are a few."""
        left: set[str] = set()
        for _ in range(MOST_REPEATS):
            self._play(lockstep, (step for step in steps() if step["uid"] not in left))
            if self._ended is None:
                return
            left.add(self._ended["uid"])

    def _play(self, lockstep: Lockstep, steps: Iterable[Step]) -> None:
        """Play a sequence, unless enough is found."""
        self._ended = None
        if self._is_enough(self.found):
            return
        try:
            self._ended = lockstep.play(steps)
        except Found as found:
            lockstep.known.update(signature(found.step, each) for each in found.differences)
            self.found.append(found if self.run.rate_limited else self._shrunk(lockstep, found))
            self._ended = found.step

    def _shrunk(self, lockstep: Lockstep, found: Found) -> Found:
        started = time.monotonic()
        best = shrunk(lockstep, found, min(SHRINKING_SECONDS, self._left))
        self._left = max(0.0, self._left - (time.monotonic() - started))
        return best

    def again(self) -> Iterator[Broken]:
        """Failures that remain when their steps are taken again."""
        lockstep = self.lockstep()
        known = {signature(found.step, each) for found in self.found for each in found.differences}
        for found in self.found:
            lockstep.known = known - {signature(found.step, each) for each in found.differences}
            try:
                lockstep.play(deepcopy(found.steps), read_back=False)
            except Found as same:
                yield from self._failures(same)


def may_send(run: Run, operation: str) -> bool:
    """Whether an operation may be sent; a question to a model uses one up."""
    if operation in MODEL_OPERATIONS:
        try:
            run.spend_model_question(generated=True)
        except Untested:
            return False
    return True


def _ended(found: Found) -> list[str]:
    statuses = found.model.status, found.target.status
    return [found.step["op"]] if statuses[0] != statuses[1] and min(statuses) < 300 else []


def shrunk(lockstep: Lockstep, found: Found, seconds: float) -> Found:
    """Difference with the fewest steps found in so many seconds."""
    until, best = time.monotonic() + seconds, found
    wanted = {signature(found.step, each) for each in found.differences}
    known, lockstep.known = lockstep.known, lockstep.known - wanted

    def happens(steps: tuple[Step, ...]) -> bool:
        nonlocal best
        if time.monotonic() > until:
            return False
        try:
            lockstep.play([*deepcopy(steps), deepcopy(last)], read_back=False)
        except Found as shorter:
            if wanted & {signature(shorter.step, each) for each in shorter.differences}:
                best = shorter
                return True
        return False

    last = found.step
    try:
        fewest(tuple(found.steps[:-1]), happens)
    finally:
        lockstep.known = known
    return best


def compare(run: Run, failures: Failures) -> None:
    """Search for differences; from the second call on, only take the steps of those found again."""
    if run.read_only:
        raise Excluded("lock step writes, and the run is read-only")
    run.require_budget()
    found = run.shared.get("lockstep")
    if found is None:
        exploration = DifferenceSearch(run, failures)
        exploration.search()
        run.shared["lockstep"] = exploration
        broken = [each for found in exploration.found for each in failures(found)]
    else:
        broken = [*found.again()]
    run.chain = []
    unique: dict[Fingerprint | None, Broken] = {}
    for each in broken:
        unique.setdefault(each.fingerprint, each)
    if unique:
        first, *more = sorted(unique.values(), key=lambda each: each.evidence is Evidence.ASSUMED)
        first.more = tuple(more)
        raise first


def checks(failures: Failures) -> Sequence[Check]:
    """The one check of this layer; `failures`: what the differences of an answer contradict."""
    sentence = (
        "The same calls in the same order are answered as by the mock, which has every documented rule."
    )
    name = "the-target-answers-like-the-mock"
    operations = tuple(each.id for each in document().operations.values())
    return [
        Check(
            name,
            sentence,
            "lockstep",
            operations,
            Evidence.PUBLISHED,
            None,
            partial(compare, failures=failures),
        )
    ]
