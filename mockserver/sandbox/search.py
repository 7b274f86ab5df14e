"""Finding messages by what they say.

What counts most is how many of the question's words a message has. What is needed for that belongs to the
messages' content: it is built on first search, in the pieces in which sequences share their keys, and shared
by every sandbox with the same messages.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import is_
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from mockserver.sandbox.ordered import Key, Ordered
from mockserver.sandbox.vectors import COMMON, Embedded, dot, embed, weight, wording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_ROWS = 500_000
"""Vectors kept at most: 128 MB. The pieces not searched for longest are forgotten."""


class Source(NamedTuple):
    """Where the messages are: an unchanged `version` says that no message has changed."""

    version: object
    record_of: Callable[[str], Mapping[str, Any]]


@dataclass(slots=True)
class _Piece:
    """One chunk of message keys, embedded."""

    keys: tuple[Key, ...]
    records: list[Mapping[str, Any]]
    """The messages as they were embedded: an edit puts another in the place of one."""
    embedded: Embedded
    version: object
    """Of the messages when the records were last found to be the same."""


class Hit(NamedTuple):
    """A message and how near it is: 0 to 1."""

    score: float
    key: Key
    thread_id: str


class Shelf:
    """The pieces that were embedded, by their first key: a chunk that grew takes the place of what it was."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._rows = 0
        self._pieces: OrderedDict[Key, _Piece] = OrderedDict()
        self._lock = threading.Lock()

    def embedded(self, chunk: tuple[Key, ...], source: Source) -> Embedded:
        """A chunk's messages as numbers, worked out again only if one of them changed."""
        with self._lock:
            piece = self._pieces.get(chunk[0])
            if piece is not None:
                self._pieces.move_to_end(chunk[0])
        if piece is not None and piece.keys is chunk and piece.version is source.version:
            return piece.embedded
        records = [source.record_of(key[-1]) for key in chunk]
        if piece is not None and piece.keys is chunk and all(map(is_, piece.records, records)):
            piece.version = source.version
            return piece.embedded
        fresh = _Piece(chunk, records, embed([r["content"] for r in records]), source.version)
        with self._lock:
            old = self._pieces.pop(chunk[0], None)
            self._pieces[chunk[0]] = fresh
            self._rows += len(chunk) - (len(old.keys) if old else 0)
            while self._rows > self._most_rows and len(self._pieces) > 1:
                _, forgotten = self._pieces.popitem(last=False)
                self._rows -= len(forgotten.keys)
        return fresh.embedded


SHELF = Shelf()
"""Of the whole process: what is in it depends on the messages alone."""


def nearest(
    question: str,
    threads: Iterable[tuple[str, Ordered]],
    source: Source,
    is_found: Callable[[Hit], bool],
    most: int,
) -> list[Hit]:
    """The `most` messages nearest to the question, best first, among those that can be found.

    Messages of equal score come in the order of their threads and places. Nothing in common is no hit.
    """
    where = [(thread_id, chunk) for thread_id, keys in threads for chunk in keys.chunks]
    asked = {word: weight(word) for word in wording(question) if word not in COMMON}
    if not where or not asked:
        return []
    import numpy as np

    vector = embed([question]).vectors[0].astype(np.float32)
    scores = np.concatenate([_scores(SHELF.embedded(chunk, source), asked, vector) for _, chunk in where])
    starts = np.cumsum([0, *(len(chunk) for _, chunk in where)])
    hits: list[Hit] = []
    for place in _in_order(scores):
        piece = int(np.searchsorted(starts, place, side="right")) - 1
        thread_id, chunk = where[piece]
        hit = Hit(min(round(float(scores[place]), 4), 1.0), chunk[place - int(starts[piece])], thread_id)
        if is_found(hit):
            hits.append(hit)
            if len(hits) == most:
                break
    return hits


def _scores(texts: Embedded, asked: Mapping[str, float], vector: NDArray[np.float32]) -> NDArray[np.float64]:
    """How near each text is: nine parts how much of the question it has, one part how alike the vectors are.

    A text without any word of the question is at 0, however alike 128 numbers may look.
    """
    import numpy as np

    held = np.zeros(len(texts.ends))
    for word, heavy in asked.items():
        at = np.flatnonzero(texts.codes == crc32(word.encode()))
        if len(at):
            held[np.unique(np.searchsorted(texts.ends, at, side="right"))] += heavy
    if not held.any():
        return held
    alike = dot(texts.vectors, vector).clip(0, 1)
    return np.where(held > 0, 0.9 * held / sum(asked.values()) + 0.1 * alike, 0.0)


def _in_order(scores: NDArray[np.float64]) -> Iterator[int]:
    """The places above 0 by score, best first, equal ones by place; sorted only as far as they are taken."""
    import numpy as np

    places = np.flatnonzero(scores)
    step = 256
    while len(places):
        best = places
        if len(places) > step:
            least = np.partition(scores[places], len(places) - step)[len(places) - step]
            best = places[scores[places] >= least]
        yield from best[np.argsort(-scores[best], kind="stable")].tolist()
        places, step = np.setdiff1d(places, best, assume_unique=True), step * 8
