"""A small deterministic text embedding, and the search over it.

Words are hashed into 128 numbers, kept in half precision: no model, no meaning, but a text is near another
that shares its words. So few numbers blur, so they only choose the candidates; the score looks at the
words themselves. Vectors belong to the messages' content: they are built on first search, in the pieces
in which sequences share their keys, and shared by every space and sandbox that holds the same messages.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import is_
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from mockserver.sandbox.ordered import Key, Ordered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 128
PLACES = 2
"""Numbers that one word adds to."""
MOST_WORDS = 500_000
"""Words kept with their places; more begin anew."""
CANDIDATES = 1024
"""How many of the nearest vectors are looked at word by word."""
MOST_ROWS = 500_000
"""Vectors kept at most: 128 MB. The pieces not searched for longest are forgotten."""
_WORD = re.compile(r"[^\W_]+")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """a about all also am an and any are as at be been but by can could did do does for from had has
        have he her his how i if in into is it its just me my no not of on or our she so some tell than
        that the their them then there these they this to up us was we were what when where which who why
        will with would you your""",
    )
)
"""Words that say nothing about what a text is about."""


def words(text: str) -> set[str]:
    """The words that count, in lower case."""
    return set(_WORD.findall(text.lower())) - _COMMON


def weight(word: str) -> float:
    """What a word counts: longer ones say more."""
    return min(len(word), 8) / 8 + 0.5


class _Vocabulary(dict[str, int]):
    """word -> its row in the tables of places and of what it adds there."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.signed = array("l"), array("d")
        self.lock = threading.Lock()

    def __missing__(self, word: str) -> int:
        bits = crc32(word.encode())
        heavy = 0.0 if word in _COMMON else weight(word)
        self.places.extend(bits >> (7 * i) & (DIMENSIONS - 1) for i in range(PLACES))
        self.signed.extend(heavy if bits >> (28 + i) & 1 else -heavy for i in range(PLACES))
        row = self[word] = len(self)
        return row

    def forget_if_full(self) -> None:
        """Begin anew once there are too many; what is forgotten is worked out again."""
        if len(self) > MOST_WORDS:
            self.clear()
            self.places, self.signed = array("l"), array("d")


_vocabulary = _Vocabulary()


def embed(texts: Sequence[str]) -> NDArray[np.float16]:
    """One unit vector (a row of 128 half-precision numbers) for each text; zeros where no word counts."""
    import numpy as np  # takes a tenth of a second: paid by the first search, not by every start

    found = [_WORD.findall(text.lower()) for text in texts]
    with _vocabulary.lock:
        _vocabulary.forget_if_full()
        rows = np.fromiter(map(_vocabulary.__getitem__, chain.from_iterable(found)), dtype=np.int64)
        places = np.array(_vocabulary.places).reshape(-1, PLACES)[rows]
        values = np.array(_vocabulary.signed).reshape(-1, PLACES)[rows]
    of_text = np.repeat(np.arange(len(texts)), [len(each) for each in found])
    cells = (of_text[:, None] * DIMENSIONS + places).ravel()
    sums = np.bincount(cells, weights=values.ravel(), minlength=len(texts) * DIMENSIONS)
    vectors = sums.reshape(len(texts), DIMENSIONS)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms == 0, 1, norms)).astype(np.float16)


class Question(NamedTuple):
    """The words of a question."""

    words: set[str]
    size: float

    @classmethod
    def of(cls, text: str) -> Question:
        """The question in `text`."""
        asked = words(text)
        return cls(asked, sum(map(weight, asked)))

    def likeness(self, text: str) -> float:
        """How near `text` is: 0 for no word in common, 1 for the same words.

        Nine parts how much of the question is in the text, one part how little else is, so that of two texts
        with the same words of it the shorter one wins.
        """
        held = words(text)
        shared = self.words & held
        if not shared:
            return 0.0
        part = sum(map(weight, shared)) / self.size
        return 0.9 * part + 0.1 * len(shared) / len(held)


class Source(NamedTuple):
    """Where the messages are: an unchanged `version` says that no message has changed."""

    version: object
    record_of: Callable[[str], Mapping[str, Any]]


@dataclass(slots=True)
class _Piece:
    """The vectors of one chunk of message keys."""

    keys: tuple[Key, ...]
    records: list[Mapping[str, Any]]
    """The messages as they were embedded: an edit puts another in the place of one."""
    vectors: NDArray[np.float16]
    version: object
    """Of the messages when the records were last found to be the same."""


class Hit(NamedTuple):
    """A message and how near it is: 0 to 1."""

    score: float
    key: Key
    thread_id: str


class Shelf:
    """The pieces that were embedded, by the identity of their chunk of keys."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._rows = 0
        self._pieces: OrderedDict[int, _Piece] = OrderedDict()
        self._lock = threading.Lock()

    def vectors(self, chunk: tuple[Key, ...], source: Source) -> NDArray[np.float16]:
        """The vectors of a chunk's messages, built again only if one of them changed."""
        with self._lock:
            piece = self._pieces.get(id(chunk))
            if piece is not None:
                self._pieces.move_to_end(id(chunk))
        if piece is not None and piece.version is source.version:
            return piece.vectors
        records = [source.record_of(key[-1]) for key in chunk]
        if piece is not None and all(map(is_, piece.records, records)):
            piece.version = source.version
            return piece.vectors
        piece = _Piece(chunk, records, embed([r["content"] for r in records]), source.version)
        with self._lock:
            if id(chunk) not in self._pieces:
                self._rows += len(chunk)
            # The piece holds its chunk, so no other chunk can have the same identity meanwhile.
            self._pieces[id(chunk)] = piece
            while self._rows > self._most_rows and len(self._pieces) > 1:
                _, forgotten = self._pieces.popitem(last=False)
                self._rows -= len(forgotten.keys)
        return piece.vectors


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
    import numpy as np

    asked = embed([question])[0].astype(np.float32)
    where = [(thread_id, chunk) for thread_id, keys in threads for chunk in keys.chunks]
    if not where:
        return []
    scores = np.concatenate([_dot(SHELF.vectors(c, source), asked) for _, c in where])
    starts = np.cumsum([0, *(len(chunk) for _, chunk in where)])
    looked_for = Question.of(question)
    wanted = CANDIDATES
    while True:
        found: list[tuple[float, int, Hit]] = []
        for place in _best(scores, wanted):
            piece = int(np.searchsorted(starts, place, side="right")) - 1
            thread_id, chunk = where[piece]
            key = chunk[int(place - starts[piece])]
            score = looked_for.likeness(source.record_of(key[-1])["content"])
            if score > 0:
                found.append((-score, int(place), Hit(min(round(score, 4), 1.0), key, thread_id)))
        hits = list(islice((hit for *_, hit in sorted(found) if is_found(hit)), most))
        if len(hits) == most or wanted >= len(scores):
            return hits
        wanted *= 8


def _dot(vectors: NDArray[np.float16], asked: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vectors @ asked`, exactly, in a fifth of the time that numpy takes to widen half precision.

    A half is a sign, 5 bits of exponent and 10 of fraction; in the same bits, moved, a single reads as the
    number divided by 2**112, zeros and the smallest included.
    """
    import numpy as np

    wide = vectors.view(np.int16).astype(np.int32)
    wide <<= 13
    wide &= np.int32(-0x70000001)  # the sign is kept, its copies are not
    product: NDArray[np.float32] = wide.view(np.float32) @ (asked * np.float32(2.0**112))
    return product


def _best(scores: NDArray[np.float32], wanted: int) -> list[int]:
    """The places of the `wanted` highest scores, and of all that tie with the last of them."""
    import numpy as np

    if wanted >= len(scores):
        return list(range(len(scores)))
    least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
    places: list[int] = np.flatnonzero(scores >= least).tolist()
    return places
