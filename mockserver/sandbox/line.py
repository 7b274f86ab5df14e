"""A space's line of batches, as an immutable value that is counted without looking at most of it.

A batch is planned when somebody asks for it: of a thousand threads that are taken out of a long line one
after the other, each would otherwise plan all that wait behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mockserver.sandbox.chunk import CHUNK, END, Chunk, chunk_at, chunks_of, found
from mockserver.sandbox.plan import Batch, Counts
from mockserver.sandbox.policy import Policy

BIG = 1000
"""From so many jobs on a batch is planned at once: whoever adds it waits, and not whoever looks."""


class Late(NamedTuple):
    """Of these batches nothing has begun, and all are to be planned, or planned anew."""

    first: int
    """The number of the first; all behind it are late, too."""
    free: tuple[int, ...]
    """When each slot is free for them."""
    now: int
    """None starts before."""
    policy: Policy


class State(NamedTuple):
    """A line's content."""

    chunks: tuple[Chunk, ...] = ()
    free: tuple[int, ...] = ()
    late: Late | None = None


_EMPTY = State()


class Line:
    """Batches by number, ascending; no attempt of one starts before all of the one ahead have."""

    __slots__ = ("_state",)

    def __init__(self, state: State = _EMPTY) -> None:
        # Replaced by the same content planned further, in one assignment, and read once in each method: lines
        # are shared by sandboxes whose threads know nothing of each other.
        self._state = state

    @classmethod
    def of(cls, batches: Iterable[Batch], free: tuple[int, ...] = ()) -> Line:
        """A line of planned batches."""
        return cls(State(chunks_of(list(batches)), free))

    def __iter__(self) -> Iterator[Batch]:
        return (batch for chunk in self._planned().chunks for batch in chunk.batches)

    @property
    def free(self) -> tuple[int, ...]:
        """When each slot is free after all that waits, ascending; empty before the first job."""
        return self._planned().free

    def counts(self, now: int) -> Counts:
        """All jobs by state."""
        total = Counts()
        for chunk in self._planned().chunks:
            total = total.plus(chunk.counts(now))
        return total

    def retried(self, now: int) -> int:
        """How many attempts have failed and were queued again."""
        return sum(chunk.retried(now) for chunk in self._planned().chunks)

    def get(self, number: int) -> Batch | None:
        """The batch of this number; what waits behind it is not planned for that."""
        return found(self._planned(number).chunks, number)

    def unplanned(self, number: int) -> Batch | None:
        """The batch of this number, with no plan, or an old one, if it is late."""
        return found(self._state.chunks, number)

    def since(self, number: int) -> Iterator[Batch]:
        """The batches from this number on."""
        chunks = self._planned().chunks
        for chunk in chunks[chunk_at(chunks, number) :]:
            yield from (batch for batch in chunk.batches if batch.number >= number)

    def running(self, since: int, until: int) -> Iterator[Batch]:
        """The batches of which an attempt may end in (since, until]."""
        for chunk in self._planned().chunks:
            if chunk.sum.end > since and chunk.sum.start <= until:
                yield from chunk.batches

    def settled(self, batch: Batch) -> Line:
        """With a batch at its end whose plan is made, and that takes no slot."""
        return _grown(self._planned(), batch)

    def enqueued(self, batch: Batch, now: int, policy: Policy) -> Line:
        """With a batch at its end that waits for all of the line."""
        state = self._state
        if state.chunks and len(state.chunks[-1].batches) == CHUNK:
            state = self._planned()  # and counted, so that whoever looks never waits for many
            _ = state.chunks[-1].sum
        if state.late is None:
            free = state.free or (policy.opens(now),) * policy.slots
            state = State(state.chunks, (), Late(batch.number, free, now, policy))
        line = _grown(state, batch)
        if len(batch.keys) >= BIG:
            line._planned()
        return line

    def with_free(self, free: tuple[int, ...]) -> Line:
        """The line with the slots free at other instants than after all of it."""
        return Line(self._planned()._replace(free=free))

    def replaced(self, batch: Batch) -> Line:
        """The line with this batch instead of the one of its number."""
        return self._with(batch.number, (batch,))

    def without(self, number: int) -> Line:
        """The line without this batch; the others keep their plans."""
        return self._with(number, ())

    def late(self, first: int, free: tuple[int, ...], now: int, policy: Policy) -> Line:
        """The line with all from this number on, of which nothing has begun, to be planned anew."""
        chunks, _, late = self._state
        assert late is None or late.first >= first
        if not chunks or chunks[-1].batches[-1].number < first:
            return Line(State(chunks, free))
        return Line(State(chunks, (), Late(first, free, now, policy)))

    def replaced_since(self, number: int, batches: Iterable[Batch], free: tuple[int, ...]) -> Line:
        """The line with `batches` instead of all from this number on."""
        chunks = self._planned().chunks
        at = chunk_at(chunks, number)
        kept = [b for b in chunks[at].batches if b.number < number] if chunks else []
        return Line(State((*chunks[:at], *chunks_of([*kept, *batches])), free))

    def _with(self, number: int, instead: tuple[Batch, ...]) -> Line:
        chunks, free, late = self._state
        at = chunk_at(chunks, number)
        place = chunks[at].place(number)
        assert chunks[at].batches[place].number == number
        chunk = chunks[at].changed(place, instead + chunks[at].batches[place + 1 :])
        return Line(State((*chunks[:at], *([chunk] if chunk.batches else []), *chunks[at + 1 :]), free, late))

    def _planned(self, until: int = END) -> State:
        """The content with all batches planned up to this number."""
        state = self._state
        if state.late is not None and state.late.first <= until:
            self._state = state = _planned(state.chunks, state.late, until)
        return state


def _planned(chunks: tuple[Chunk, ...], late: Late, until: int) -> State:
    first, free, now, policy = late
    done = list(chunks)
    for at in range(chunk_at(chunks, first), len(chunks)):
        if (chunk := chunks[at]).batches[0].number > until:
            break
        begin, end = chunk.place(first), chunk.place(until + 1)
        planned = []
        for batch in chunk.batches[begin:end]:
            planned.append(batch.planned(policy.bases(max(batch.arrived, now), free), policy))
            free = planned[-1].rounds[-1].free()
        done[at] = chunk.changed(begin, (*planned, *chunk.batches[end:]))
    if until == END or not chunks or chunks[-1].batches[-1].number <= until:
        return State(tuple(done), free)
    return State(tuple(done), (), Late(until + 1, free, now, policy))


def _grown(state: State, batch: Batch) -> Line:
    chunks, free, late = state
    if chunks and len(chunks[-1].batches) < CHUNK:
        last = chunks[-1].changed(len(chunks[-1].batches), (batch,))
        return Line(State((*chunks[:-1], last), free, late))
    return Line(State((*chunks, Chunk((batch,))), free, late))
