"""When each attempt of a batch ends, and which of them fail.

Attempts come in rounds: one of each job, then, when all of these have ended, one of each that failed, in the
same order, until the retries are used up. Slots take attempts first come, first served, so attempts start and
end in one order, and what has started or ended by any instant is counted with a bisection.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapreplace
from itertools import pairwise
from typing import NamedTuple

from mockserver.embeddings.policy import Policy, failing_ranks


class Pace(NamedTuple):
    """Attempts that follow each other on the same slots, each as long as the others."""

    first: int
    """The number of the first of them."""
    duration: int
    free: tuple[int, ...]
    """When each slot is free for them, ascending."""


class Plan(NamedTuple):
    """A batch's attempts, numbered from 0 in the order in which they start and end."""

    ends: Sequence[int] = ()
    """When each of them ends; microseconds, ascending."""
    places: Sequence[int] = ()
    """The place in the batch of each attempt's job; ascending within a round."""
    failing: Sequence[int] = ()
    """The attempts that fail, ascending."""
    void: Sequence[int] = ()
    """The attempts of removed jobs, ascending: they hold their slots and count nowhere."""
    rounds: tuple[int, ...] = (0,)
    """The first attempt of each round."""
    paces: tuple[Pace, ...] = ()
    """None where nothing plans again: of a job that a tester gave an end."""

    def started(self, now: int) -> int:
        """How many attempts have started."""
        if not self.paces or not self.ends or self.ends[-1] <= now:
            return self.ended(now)
        if self.ends[0] > now + self.paces[0].duration:
            return 0
        firsts = [*(pace.first for pace in self.paces), len(self.ends)]
        return sum(
            bisect_right(self.ends, now + pace.duration, pace.first, last) - pace.first
            for pace, last in zip(self.paces, firsts[1:], strict=True)
        )

    def ended(self, now: int) -> int:
        """How many attempts have ended."""
        return bisect_right(self.ends, now)

    def outcomes(self, ended: int) -> tuple[int, int, int]:
        """How many of the first `ended` attempts completed a job, were its last failure, will be repeated."""
        counted = ended - bisect_left(self.void, ended)
        if not self.failing:
            return counted, 0, 0
        missed, again = (bisect_left(self.failing, at) for at in (ended, min(ended, self.rounds[-1])))
        return counted - missed, missed - again, again

    def fails(self, attempt: int) -> bool:
        """Whether this attempt fails."""
        at = bisect_left(self.failing, attempt)
        return at < len(self.failing) and self.failing[at] == attempt

    def attempts_of(self, place: int) -> Iterator[int]:
        """The attempts of the job at this place."""
        for first, last in pairwise((*self.rounds, len(self.ends))):
            at = bisect_left(self.places, place, first, last)
            if at == last or self.places[at] != place:
                return
            yield at

    def state(self, place: int, started: int, ended: int) -> tuple[str, int]:
        """State of a job and attempts begun, when so many of the batch's have started and ended."""
        count = 0
        for attempt in self.attempts_of(place):
            if attempt >= started:
                return "pending", count
            count += 1
            if attempt >= ended:
                return "processing", count
            if not self.fails(attempt):
                return "completed", count
        return "failed", count

    def round_of(self, attempt: int) -> int:
        """The round that this attempt belongs to, from 0."""
        return bisect_right(self.rounds, attempt) - 1

    def round_end(self, number: int) -> int:
        """The attempt behind the last one of this round."""
        return self.rounds[number + 1] if number + 1 < len(self.rounds) else len(self.ends)

    def slots(self, count: int, pace: Pace) -> list[int]:
        """When each slot is free after the first `count` attempts, the last of which go at this pace."""
        width = len(pace.free)
        recent = self.ends[max(pace.first, count - width) : count]
        return sorted((*pace.free, *recent))[-width:]

    def free(self, count: int) -> tuple[int, ...]:
        """When each slot is free if only the first `count` attempts start, ascending."""
        at = bisect_left(self.paces, count, key=_first)
        return tuple(self.slots(count, self.paces[max(0, at - 1)]))

    def without(self, attempts: Iterable[int]) -> Plan:
        """The plan with these attempts void."""
        gone = {*attempts}
        failing = array("l", [attempt for attempt in self.failing if attempt not in gone])
        return self._replace(failing=failing, void=sorted({*self.void, *gone}))

    def cut(self, count: int, rounds: tuple[int, ...], paces: tuple[Pace, ...]) -> Plan:
        """The first `count` attempts, in these rounds and paces."""
        return Plan(
            self.ends[:count],
            self.places[:count],
            self.failing[: bisect_left(self.failing, count)],
            self.void[: bisect_left(self.void, count)],
            rounds,
            paces,
        )

    def pace_at(self, attempt: int) -> int:
        """Which of the paces this attempt goes at."""
        return bisect_right(self.paces, attempt, key=_first) - 1


def ends_of(count: int, slots: list[int], duration: int) -> list[int]:
    """When each of so many attempts ends.

    `slots` says when each is free, ascending, and then becomes when they are free after these attempts.
    """
    return [heapreplace(slots, slots[0] + duration) + duration for _ in range(count)]


def extended(
    kept: Plan, waiting: Sequence[int], first_job: int, named: Sequence[int], policy: Policy
) -> Plan:
    """The plan with the jobs at these places in its last round, at its last pace, and with all retries.

    `kept` may know when the first of them end. `first_job` and `named` are what `failing_ranks` takes.
    """
    _, places, failing, void, rounds, paces = kept
    ends = array("q", kept.ends)
    duration, slots = paces[-1].duration, kept.slots(len(ends), paces[-1])
    while True:
        first, attempt = len(places), len(rounds)
        count = first + len(waiting) - len(ends)
        ends.extend(ends_of(count, slots, duration))
        places = array("l", [*places, *waiting]) if first else waiting
        ranks = failing_ranks(waiting, first_job, attempt, named, policy)
        if ranks:
            failing = array("l", [*failing, *(first + rank for rank in ranks)])
        again = failing[bisect_left(failing, rounds[-1]) :]
        if not again or attempt > policy.retries:
            return Plan(ends, places, failing, void, rounds, paces)
        waiting = [places[attempt] for attempt in again]
        slots = [policy.opens(max(slots))] * policy.slots
        rounds, paces = (*rounds, len(ends)), with_pace(paces, Pace(len(ends), duration, tuple(slots)))


def with_pace(paces: tuple[Pace, ...], pace: Pace) -> tuple[Pace, ...]:
    """One more pace, in place of the last one if no attempt goes at that."""
    return (*(paces[:-1] if paces and paces[-1].first == pace.first else paces), pace)


def _first(pace: Pace) -> int:
    return pace.first
