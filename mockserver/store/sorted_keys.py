"""Immutable sorted sequence: a change copies one chunk and shares the rest."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

CHUNK = 512
"""Most keys per chunk. 100,000 keys are some 300 chunks: an insert copies one of them and a list of 300."""

Key = tuple[Any, ...]
_last = itemgetter(-1)


class SortedKeys:
    """Unique, comparable keys (tuples), ascending. Sharing a sequence costs nothing, at any size."""

    __slots__ = ("_chunks", "_size")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        everything = sorted(keys)
        self._chunks = tuple(
            tuple(everything[i : i + CHUNK // 2]) for i in range(0, len(everything), CHUNK // 2)
        )
        self._size = len(everything)

    def __len__(self) -> int:
        return self._size

    def with_key(self, key: Key) -> SortedKeys:
        """Sequence with `key` added; this one if it contains it."""
        if not self._chunks:
            return _from_chunks(((key,),), 1)
        at = min(bisect_left(self._chunks, key, key=_last), len(self._chunks) - 1)
        chunk = list(self._chunks[at])
        place = bisect_left(chunk, key)
        if place < len(chunk) and chunk[place] == key:
            return self
        insort(chunk, key)
        half = len(chunk) // 2
        parts = (tuple(chunk),) if len(chunk) <= CHUNK else (tuple(chunk[:half]), tuple(chunk[half:]))
        return _from_chunks(self._chunks[:at] + parts + self._chunks[at + 1 :], self._size + 1)

    def with_keys(self, keys: Iterable[Key]) -> SortedKeys:
        """Sequence with all of these keys added."""
        return SortedKeys([*self, *keys])

    def without_key(self, key: Key) -> SortedKeys:
        """Sequence without `key`; this one if it does not contain it."""
        at = bisect_left(self._chunks, key, key=_last)
        if at == len(self._chunks):
            return self
        chunk = self._chunks[at]
        place = bisect_left(chunk, key)
        if chunk[place] != key:
            return self
        rest = chunk[:place] + chunk[place + 1 :]
        parts = (rest,) if rest else ()
        return _from_chunks(self._chunks[:at] + parts + self._chunks[at + 1 :], self._size - 1)

    def mapped(self, first: Key, last: Key, change: Callable[[Key], Key]) -> SortedKeys:
        """Sequence with `change` applied to the keys from `first` to `last`; the order must not change."""
        chunks = list(self._chunks)
        for at in range(bisect_left(chunks, first, key=_last), len(chunks)):
            if chunks[at][0] > last:
                break
            chunks[at] = tuple(change(key) if first <= key <= last else key for key in chunks[at])
        return _from_chunks(tuple(chunks), self._size)

    def after(self, key: Key | None = None) -> Iterator[Key]:
        """Keys greater than `key`, ascending; all without one. `key` need not be here."""
        at = place = 0
        if key is not None:
            at = bisect_left(self._chunks, key, key=_last)
            place = bisect_right(self._chunks[at], key) if at < len(self._chunks) else 0
        for chunk in self._chunks[at:]:
            yield from chunk[place:]
            place = 0

    def before(self, key: Key | None = None) -> Iterator[Key]:
        """Keys less than `key`, descending; all without one. `key` need not be here."""
        if key is None:
            at, place = len(self._chunks) - 1, CHUNK + 1
        else:
            at = bisect_left(self._chunks, key, key=_last)
            place = bisect_left(self._chunks[at], key) if at < len(self._chunks) else 0
        for index in range(at, -1, -1):
            if index < len(self._chunks):
                yield from reversed(self._chunks[index][:place])
            place = CHUNK + 1

    def at(self, place: int) -> Key:
        """Key at this place, counted from 0; IndexError if there is none."""
        for chunk in self._chunks:
            if place < len(chunk):
                return chunk[place]
            place -= len(chunk)
        raise IndexError(place)

    def place(self, key: Key) -> int | None:
        """Number of keys before `key`; None if it is not here."""
        at = bisect_left(self._chunks, key, key=_last)
        if at == len(self._chunks):
            return None
        inner = bisect_left(self._chunks[at], key)
        if self._chunks[at][inner] != key:
            return None
        return sum(map(len, self._chunks[:at])) + inner

    def __iter__(self) -> Iterator[Key]:
        return self.after()


def _from_chunks(chunks: tuple[tuple[Key, ...], ...], size: int) -> SortedKeys:
    made = SortedKeys.__new__(SortedKeys)
    made._chunks, made._size = chunks, size
    return made


EMPTY = SortedKeys()
