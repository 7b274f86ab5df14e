"""A small deterministic text embedding.

Words are hashed into 128 numbers, kept in half precision: no model, no meaning, but a text is near another
that shares its words. So few numbers blur, so the words' own hashes are kept beside them.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 128
PLACES = 2
"""Numbers that one word adds to."""
NO_WORD = 0
"""The code of a word that does not count."""
MOST_WORDS = 500_000
"""Words kept with their places; more begin anew."""
_WORD = re.compile(r"[^\W_]+")
COMMON = frozenset(
    re.findall(
        r"\w+",
        """a about all also am an and any are as at be been but by can could did do does for from had has
        have he her his how i if in into is it its just me my no not of on or our she so some tell than
        that the their them then there these they this to up us was we were what when where which who why
        will with would you your""",
    )
)
"""Words that say nothing about what a text is about."""


def wording(text: str) -> list[str]:
    """The text's words in order, in lower case: two texts that differ in nothing else say the same."""
    return _WORD.findall(text.lower())


def weight(word: str) -> float:
    """What a word counts: longer ones say more."""
    return min(len(word), 8) / 8 + 0.5


class _Vocabulary(dict[str, int]):
    """word -> its row in the tables of places and of what it adds there."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.signed, self.codes = array("l"), array("d"), array("L")
        self.lock = threading.Lock()

    def __missing__(self, word: str) -> int:
        bits = crc32(word.encode())
        self.codes.append(NO_WORD if word in COMMON else bits)
        heavy = 0.0 if word in COMMON else weight(word)
        self.places.extend(bits >> (7 * i) & (DIMENSIONS - 1) for i in range(PLACES))
        self.signed.extend(heavy if bits >> (28 + i) & 1 else -heavy for i in range(PLACES))
        row = self[word] = len(self)
        return row

    def forget_if_full(self) -> None:
        """Begin anew once there are too many; what is forgotten is worked out again."""
        if len(self) > MOST_WORDS:
            self.clear()
            self.places, self.signed, self.codes = array("l"), array("d"), array("L")


_vocabulary = _Vocabulary()


class Embedded(NamedTuple):
    """Texts as numbers."""

    vectors: NDArray[np.float16]
    """One unit vector (a row of 128) for each text; zeros where no word counts."""
    codes: NDArray[np.uint32]
    """The hashes of all the words of all the texts, one text after the other."""
    ends: NDArray[np.int64]
    """Where each text's words end in `codes`."""


def embed(texts: Sequence[str]) -> Embedded:
    """The texts as numbers, the same on every machine."""
    import numpy as np  # takes a tenth of a second: paid by the first search, not by every start

    found = [wording(text) for text in texts]
    with _vocabulary.lock:
        _vocabulary.forget_if_full()
        rows = np.fromiter(map(_vocabulary.__getitem__, chain.from_iterable(found)), dtype=np.int64)
        places = np.array(_vocabulary.places, dtype=np.int64).reshape(-1, PLACES)[rows]
        signed = np.array(_vocabulary.signed).reshape(-1, PLACES)[rows]
        codes = np.array(_vocabulary.codes, dtype=np.uint32)[rows]
    lengths = [len(each) for each in found]
    of_text = np.repeat(np.arange(len(texts)), lengths)
    cells = (of_text[:, None] * DIMENSIONS + places).ravel()
    sums = np.bincount(cells, weights=signed.ravel(), minlength=len(texts) * DIMENSIONS)
    vectors = sums.reshape(len(texts), DIMENSIONS)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = (vectors / np.where(norms == 0, 1, norms)).astype(np.float16)
    return Embedded(unit, codes, np.cumsum(lengths, dtype=np.int64))


def dot(vectors: NDArray[np.float16], asked: NDArray[np.float32]) -> NDArray[np.float32]:
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
