"""A space's line of batches, as an immutable value that is counted without looking at most of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mockserver.sandbox.plan import Batch, Counts

CHUNK = 256
"""Most batches in a chunk. 100,000 batches are 400 chunks, and a count looks into two or three."""


class Chunk(NamedTuple):
    """Batches that follow each other, with what they come to."""

    batches: tuple[Batch, ...]
    start: int
    """When its first attempt starts, or earlier."""
    end: int
    """When its last attempt ends."""
    jobs: int
    final: Counts
    """Its jobs when all is over."""
    retried: int
    """How many attempts will have been repeated then."""

    def counts(self, now: int) -> Counts:
        """Its jobs by state."""
        if self.end <= now:
            return self.final
        if self.start > now:
            return Counts(pending=self.jobs)
        total = Counts()
        for batch in self.batches:
            total = total.plus(Counts(pending=batch.live) if batch.start > now else batch.counts(now))
        return total


def _chunk(batches: tuple[Batch, ...]) -> Chunk:
    final = Counts()
    for batch in batches:
        final = final.plus(batch.counts(batch.end))
    end = max(batch.end for batch in batches)
    jobs, retried = sum(batch.live for batch in batches), sum(batch.retried(end) for batch in batches)
    return Chunk(batches, min(batch.start for batch in batches), end, jobs, final, retried)


class Line:
    """Batches by number, ascending; no attempt of one starts before all of the one ahead have."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: tuple[Chunk, ...] = ()) -> None:
        self._chunks = chunks

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def __iter__(self) -> Iterator[Batch]:
        return (batch for chunk in self._chunks for batch in chunk.batches)

    def counts(self, now: int) -> Counts:
        """All jobs by state."""
        total = Counts()
        for chunk in self._chunks:
            total = total.plus(chunk.counts(now))
        return total

    def retried(self, now: int) -> int:
        """How many attempts have failed and were queued again."""
        return sum(
            chunk.retried if chunk.end <= now else sum(batch.retried(now) for batch in chunk.batches)
            for chunk in self._chunks
            if chunk.start <= now
        )

    def get(self, number: int) -> Batch | None:
        """The batch of this number."""
        chunk = self._chunks[self._at(number)] if self._chunks else None
        return next((b for b in chunk.batches if b.number == number), None) if chunk else None

    def since(self, number: int) -> Iterator[Batch]:
        """The batches from this number on."""
        if self._chunks:
            for chunk in self._chunks[self._at(number) :]:
                yield from (batch for batch in chunk.batches if batch.number >= number)

    def running(self, since: int, until: int) -> Iterator[Batch]:
        """The batches of which an attempt may end in (since, until]."""
        for chunk in self._chunks:
            if chunk.end > since and chunk.start <= until:
                yield from chunk.batches

    def appended(self, batch: Batch) -> Line:
        """The line with one more batch at its end."""
        if self._chunks and len(self._chunks[-1].batches) < CHUNK:
            last = self._chunks[-1]
            grown = Chunk(
                (*last.batches, batch),
                min(last.start, batch.start),
                max(last.end, batch.end),
                last.jobs + batch.live,
                last.final.plus(batch.counts(batch.end)),
                last.retried + batch.retried(batch.end),
            )
            return Line((*self._chunks[:-1], grown))
        return Line((*self._chunks, _chunk((batch,))))

    def replaced_since(self, number: int, batches: Iterable[Batch]) -> Line:
        """The line with `batches` instead of all from this number on."""
        at = self._at(number) if self._chunks else 0
        kept = [b for b in self._chunks[at].batches if b.number < number] if self._chunks else []
        rest = [*kept, *batches]
        chunks = [_chunk(tuple(rest[i : i + CHUNK])) for i in range(0, len(rest), CHUNK)]
        return Line((*self._chunks[:at], *chunks))

    def replaced(self, batch: Batch) -> Line:
        """The line with this batch instead of the one of its number."""
        return self._with(batch.number, (batch,))

    def without(self, number: int) -> Line:
        """The line without this batch; the others keep their plans."""
        return self._with(number, ())

    def _with(self, number: int, instead: tuple[Batch, ...]) -> Line:
        at = self._at(number)
        old = self._chunks[at].batches
        place = next(i for i, batch in enumerate(old) if batch.number == number)
        batches = old[:place] + instead + old[place + 1 :]
        middle = (_chunk(batches),) if batches else ()
        return Line((*self._chunks[:at], *middle, *self._chunks[at + 1 :]))

    def _at(self, number: int) -> int:
        return max(0, bisect_right(self._chunks, number, key=lambda c: c.batches[0].number) - 1)
