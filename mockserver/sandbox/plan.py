"""What becomes of the jobs that arrive together.

A batch is what arrives at once: a thread's messages, or one turn of a conversation. Its attempts come in
rounds: all jobs once, then, when that round has ended, those that failed, in the same order, until the
retries are used up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from immutables import Map

from mockserver.sandbox.ordered import Key, Ordered
from mockserver.sandbox.pace import Pace, Round
from mockserver.sandbox.policy import Policy, failing_ranks

STATES = ("pending", "processing", "completed", "failed")
"""The vendor's own words."""
LONG_AGO = -(10**18)
"""Microseconds; before any clock. What is in a scenario's spaces was embedded then (A55)."""


class Counts(NamedTuple):
    """Jobs by state."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0

    def plus(self, other: Counts) -> Counts:
        """The sum, state by state."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


class Batch(NamedTuple):
    """Jobs that arrived together, and their plan."""

    number: int
    """Its place in the space's line."""
    thread_id: str
    keys: Ordered
    """The messages' keys; the job at place p embeds the message of the p-th."""
    first_job: int
    """The number of its first job; the others follow."""
    arrived: int
    removed: Map[int, int]
    """place -> the first round without it; a removed job counts nowhere."""
    gone: Counts
    """In which state the removed jobs would end: what `counts` leaves out once all is over."""
    rounds: tuple[Round, ...]

    @property
    def start(self) -> int:
        """When its first attempt starts, if there is one."""
        return self.rounds[0].start

    @property
    def end(self) -> int:
        """When its last attempt ends."""
        return self.rounds[-1].end

    @property
    def live(self) -> int:
        """Jobs that were not removed."""
        return len(self.keys) - len(self.removed)

    def free(self, now: int) -> tuple[int, ...]:
        """When each slot is free if nothing more of it starts after `now`, ascending."""
        before: Round | None = None
        for round_ in self.rounds:
            started = round_.started(now)
            if started < len(round_.members):
                if started == 0 and before is not None:
                    break  # it only waits for the round before to end
                return round_.first(started)[-1].free()
            before = round_
        assert before is not None
        return before.free()

    def state(self, place: int, now: int) -> tuple[str, int]:
        """State and attempts begun of the job at `place`, as if it had not been removed."""
        attempts = 0
        for round_ in self.rounds:
            rank = round_.rank(place)
            if rank is None or rank >= round_.started(now):
                return "pending", attempts
            attempts += 1
            if rank >= round_.ended(now):
                return "processing", attempts
            if not round_.fails(rank):
                return "completed", attempts
        return "failed", attempts

    @property
    def final(self) -> Counts:
        """Its jobs by state when all is over."""
        completed = sum(len(r.members) - len(r.failing) for r in self.rounds) - self.gone.completed
        failed = len(self.rounds[-1].failing) - self.gone.failed
        return Counts(self.live - completed - failed, 0, completed, failed)

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        if now >= self.end:
            return self.final
        processing = completed = failed = 0
        for round_ in self.rounds:
            ended = round_.ended(now)
            missed = bisect_left(round_.failing, ended)
            processing += round_.started(now) - ended
            completed += ended - missed
            failed = missed if round_ is self.rounds[-1] else 0
        found = {"processing": processing, "completed": completed, "failed": failed}
        for place, cut in self.removed.items():
            state, _ = self.state(place, now)
            if state in found and cut > 1:
                found[state] -= 1
        return Counts(self.live - sum(found.values()), **found)

    def retried(self, now: int) -> int:
        """How many of its attempts have failed and were queued again."""
        again = sum(bisect_left(r.failing, r.ended(now)) for r in self.rounds[:-1])
        for place in self.removed if again else ():
            for round_ in self.rounds[:-1]:
                rank = round_.rank(place)
                again -= rank is not None and rank < round_.ended(now) and round_.fails(rank)
        return again

    def places(self, state: str | None, now: int, first: int = 0) -> Iterator[int]:
        """The places, from `first` on, of jobs in this state; of all jobs for None."""
        only = self.rounds[0] if len(self.rounds) == 1 else None
        if state is None or only is None or not isinstance(only.members, range):
            for place in range(first, len(self.keys)):
                if place not in self.removed and state in (None, self.state(place, now)[0]):
                    yield place
            return
        # With one round the states are stretches of it: no need to ask each job.
        ended, started = only.ended(now), only.started(now)
        stretch = {
            "pending": range(started, len(self.keys)),
            "processing": range(ended, started),
            "completed": range(ended),
            "failed": only.failing,
        }[state]
        for place in stretch[bisect_left(stretch, first) :]:
            if state == "failed" and place >= ended:
                return
            if place not in self.removed and (state != "completed" or not only.fails(place)):
                yield place

    def without(self, place: int, now: int, policy: Policy) -> Batch:
        """The batch without this job: what has not started of it never will."""
        tried = [round_ for round_ in self.rounds if round_.rank(place) is not None]
        begun = [r for r in tried if (rank := r.rank(place)) is not None and rank < r.started(now)]
        removed = self.removed.set(place, 1 + len(begun))
        if len(begun) == len(tried):
            # Its last attempt runs or has ended, so nobody else's changes.
            state, _ = self.state(place, self.end)
            gone = self.gone.plus(Counts(**{state: 1})) if state in ("completed", "failed") else self.gone
            return self._replace(removed=removed, gone=gone)
        return self._replace(removed=removed).replanned(now, policy)._with_removed(removed)

    def planned(self, bases: tuple[int, ...], policy: Policy) -> Batch:
        """The batch with its rounds worked out, given when each slot is free for it."""
        if self.arrived == LONG_AGO:
            policy = policy._replace(failure_rate=0.0, duration=0)
        members = self._left(range(len(self.keys)), 1)
        paces = (Pace(len(members), bases, policy.duration),)
        return self._replace(rounds=self._onward([], members, paces, (), policy))

    def unended(self, now: int) -> tuple[int, int] | None:
        """The first round that a job has still to end, and how many attempts have; None if all is over."""
        for number, round_ in enumerate(self.rounds):
            ended = round_.ended(now)
            if any(place not in self.removed for place in islice(round_.members, ended, None)):
                return number, ended
        return None

    def next_jobs(self, now: int) -> Iterator[int]:
        """The numbers of the jobs whose attempts are to end next, of one round."""
        at = self.unended(now)
        if at is not None:
            places = islice(self.rounds[at[0]].members, at[1], None)
            yield from (self.first_job + place for place in places if place not in self.removed)

    def restarted(self, now: int, bases: tuple[int, ...], policy: Policy, at_once: int = 0) -> Batch:
        """What has ended stays; the next `at_once` attempts end now; the rest begins anew from `bases` on."""
        found = self.unended(now)
        if found is None:
            return self if len(self.rounds[0].members) else self.planned(bases, policy)
        number, ended = found
        round_ = self.rounds[number]
        whole: Sequence[int] = round_.members
        if self.removed:
            whole = [*whole[:ended], *(place for place in whole[ended:] if place not in self.removed)]
        stepped = min(at_once, len(whole) - ended)
        paces = [pace for pace in round_.first(ended) if pace.jobs]
        paces += [Pace(stepped, (now,), 0)] if stepped else []
        paces += [Pace(len(whole) - ended - stepped, bases, policy.duration)]
        settled = round_.failing[: bisect_left(round_.failing, ended)]
        rounds = self._onward(list(self.rounds[:number]), whole, tuple(paces), settled, policy, ended)
        return self._replace(rounds=rounds)._without_what_begins_anew(round_.members[ended:], number + 1)

    def _without_what_begins_anew(self, places: Sequence[int], attempt: int) -> Batch:
        """What was removed while it ran, and then was to begin anew, has not been in this round at all."""
        if not self.removed:
            return self
        gone = [place for place in places if self.removed.get(place, 0) > attempt]
        return self._with_removed(self.removed.update(dict.fromkeys(gone, attempt)))

    def _with_removed(self, removed: Map[int, int]) -> Batch:
        """With these removed, and what `counts` leaves out of them at the end."""
        batch = self._replace(removed=removed)
        ends = [batch.state(p, batch.end)[0] for p, cut in removed.items() if cut > 1]
        return batch._replace(gone=Counts(0, 0, ends.count("completed"), ends.count("failed")))

    def replanned(self, now: int, policy: Policy) -> Batch:
        """What has started stays; the rest is planned at the pace that it had, without what was removed."""
        waiting = (n for n, r in enumerate(self.rounds) if r.started(now) < len(r.members))
        number = next(waiting, None)
        if number is None:
            return self
        round_ = self.rounds[number]
        started = round_.started(now)
        members = [*round_.members[:started], *self._left(round_.members[started:], number + 1)]
        paces = round_.first(len(members))
        policy = policy._replace(duration=paces[-1].duration)  # a drained batch took no time, and stays so
        settled = round_.failing[: bisect_left(round_.failing, started)]
        before = list(self.rounds[:number])
        if before and not members:  # an empty round would still hold up what waits behind it
            return self._replace(rounds=tuple(before))
        return self._replace(rounds=self._onward(before, members, paces, settled, policy, started))

    def _left(self, members: Sequence[int], attempt: int) -> Sequence[int]:
        """Those that were not removed before this attempt."""
        if not self.removed:
            return members
        return [p for p in members if self.removed.get(p, attempt + 1) > attempt]

    def _onward(
        self,
        rounds: list[Round],
        members: Sequence[int],
        paces: tuple[Pace, ...],
        settled: Sequence[int],
        policy: Policy,
        known: int = 0,
    ) -> tuple[Round, ...]:
        """These rounds, one more, of which the first `known` outcomes are `settled`, and all that follow."""
        while True:
            attempt = len(rounds) + 1
            found = failing_ranks(members[known:], self.first_job, attempt, self._named(policy), policy)
            failing = [*settled, *(known + rank for rank in found)] if known else found
            rounds.append(Round(members, paces, failing))
            if not len(failing) or attempt > policy.retries:
                return tuple(rounds)
            members = self._left([members[rank] for rank in failing], attempt + 1)
            if not members:
                return tuple(rounds)
            bases = (policy.opens(rounds[-1].end),) * policy.slots
            paces, settled, known = (Pace(len(members), bases, policy.duration),), (), 0

    def _named(self, policy: Policy) -> list[int]:
        """The places of the messages that the policy names."""
        places = (self.keys.place(key) for key in policy.failing_keys)
        return [place for place in places if place is not None]

    def key(self, place: int) -> Key:
        """The key of the message at `place`."""
        return self.keys.at(place)
