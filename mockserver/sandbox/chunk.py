"""Batches that follow each other, counted once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from mockserver.sandbox.plan import Batch, Counts

CHUNK = 256
"""Most batches in a chunk. 100,000 batches are 400 chunks, and a count looks into two or three."""
END = 1 << 62
"""Behind every batch, and every instant."""


class Sum(NamedTuple):
    """What the batches of a chunk come to."""

    start: int
    """When its first attempt starts, or earlier."""
    end: int
    """When its last attempt ends."""
    jobs: int
    final: Counts
    """Its jobs when all is over."""
    retried: int
    """How many attempts will have been repeated then."""

    def plus(self, batch: Batch) -> Sum:
        """With one more batch."""
        return Sum(
            min(self.start, batch.start),
            max(self.end, batch.end),
            self.jobs + batch.live,
            self.final.plus(batch.final),
            self.retried + batch.retried(batch.end),
        )


_NOTHING = Sum(END, -END, 0, Counts(), 0)


class Chunk:
    """Batches that follow each other."""

    __slots__ = ("_known", "batches")

    def __init__(self, batches: tuple[Batch, ...], known: tuple[Sum, int] = (_NOTHING, 0)) -> None:
        """`known`: what the first of them come to, and how many these are."""
        self.batches = batches
        self._known = known

    @property
    def sum(self) -> Sum:
        """Counted once, and only if somebody asks."""
        total, count = self._known
        if count < len(self.batches):
            for batch in self.batches[count:]:
                total = total.plus(batch)
            self._known = total, len(self.batches)
        return total

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        known = self.sum
        if known.end <= now:
            return known.final
        if known.start > now:
            return Counts(pending=known.jobs)
        total = Counts()
        for batch in self.batches:
            total = total.plus(Counts(pending=batch.live) if batch.start > now else batch.counts(now))
        return total

    def retried(self, now: int) -> int:
        """How many attempts have failed and were queued again."""
        if self.sum.end <= now:
            return self.sum.retried
        return sum(batch.retried(now) for batch in self.batches) if self.sum.start <= now else 0

    def place(self, number: int) -> int:
        """Where the batch of this number is, or would be."""
        return bisect_left(self.batches, number, key=_number)

    def changed(self, place: int, behind: tuple[Batch, ...]) -> Chunk:
        """With these batches instead of all from `place` on."""
        known = self._known
        return Chunk(self.batches[:place] + behind, known if known[1] <= place else (_NOTHING, 0))


def found(chunks: tuple[Chunk, ...], number: int) -> Batch | None:
    """The batch of this number, if there is one."""
    if not chunks:
        return None
    batches = (chunk := chunks[chunk_at(chunks, number)]).batches
    place = chunk.place(number)
    return batches[place] if place < len(batches) and batches[place].number == number else None


def chunks_of(batches: list[Batch]) -> tuple[Chunk, ...]:
    """The batches in full chunks."""
    return tuple(Chunk(tuple(batches[i : i + CHUNK])) for i in range(0, len(batches), CHUNK))


def chunk_at(chunks: tuple[Chunk, ...], number: int) -> int:
    """Which chunk has this number, if one has."""
    return max(0, bisect_right(chunks, number, key=_first_number) - 1)


def _number(batch: Batch) -> int:
    return batch.number


def _first_number(chunk: Chunk) -> int:
    return chunk.batches[0].number
