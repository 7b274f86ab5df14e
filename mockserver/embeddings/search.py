"""Search of messages by the words that they share with a question, in an inverted index.

Records never change (an edit is a new record), so all sandboxes share the index, and an entry is valid for
every sandbox that has the very record.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from mockserver.store.collection import Collection
from mockserver.store.sorted_keys import Key

Record = Mapping[str, Any]
MOST_MESSAGES = 500_000
"""Most messages in the index, or twice those of one search; beyond it the index is emptied."""
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a about all also am an and any are as at be been but by can could did do does for from had has
        have he her his how i if in into is it its just me my no not of on or our she so some tell than that
        the their them then there these they this to up us was we were what when where which who why will
        with would you your""",
    )
)


def wording(text: str) -> list[str]:
    """Words of the text in order, in lower case."""
    return re.findall(r"[^\W_]+", text.lower())


def weight(word: str) -> float:
    """Weight of a word: longer ones count more."""
    return min(len(word), 8) / 8 + 0.5


class Hit(NamedTuple):
    """Message, its key in its thread, and its score, 0 to 1."""

    score: float
    key: Key
    message: Record


class WordIndex:
    """Index of messages by word; safe to use from several threads."""

    def __init__(self, most: int = MOST_MESSAGES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._records: list[Record] = []
        self._weights = array("d")
        """Total weight of the distinct words of each record."""
        self._known: set[int] = set()
        """`id()`s of the records, unique while the index keeps them."""
        self._numbers: dict[str, array[int]] = defaultdict(partial(array, "L"))
        """Word -> numbers of the records that contain it."""
        self._complete: dict[str, object] = {}
        """Thread -> version of the messages at which all of its own were indexed."""

    def best(
        self, asked: Sequence[str], threads: Sequence[str], messages: Collection[str, Any]
    ) -> Iterator[tuple[float, list[Record]]]:
        """Scores, best first, each with its records, which may belong to other sandboxes.

        Nine parts: share of the question found in the message; one part: share of the message that this is.
        """
        held: dict[int, float] = defaultdict(float)
        with self._lock:
            self._add(threads, messages)
            for word in asked:
                for number in self._numbers.get(word, ()):
                    held[number] += weight(word)
            records, weights = self._records, self._weights
        whole = sum(map(weight, asked)) / 0.9
        scored = [(round(part / whole + 0.1 * part / weights[n], 4), n) for n, part in held.items()]
        for score, equal in groupby(sorted(scored, reverse=True), itemgetter(0)):
            yield score, [records[number] for _, number in equal]

    def _add(self, threads: Sequence[str], messages: Collection[str, Any]) -> None:
        asked = sum(len(messages.keys("thread", thread_id)) for thread_id in threads)
        if len(self._records) > max(self._most, 2 * asked):
            self._clear()
        missing = [t for t in threads if self._complete.get(t) is not messages.version]
        keys = (key for thread_id in missing for key in messages.keys("thread", thread_id))
        for record in messages.records(key[-1] for key in keys):
            if id(record) not in self._known:
                words = {*wording(record["content"])} - STOP_WORDS
                for word in words:
                    self._numbers[word].append(len(self._records))
                self._known.add(id(record))
                self._records.append(record)
                self._weights.append(sum(map(weight, words)))
        self._complete |= dict.fromkeys(missing, messages.version)


INDEX = WordIndex()
"""Shared by the whole process: the index depends on the messages alone."""


def nearest(
    question: str,
    threads: Sequence[str],
    messages: Collection[str, Any],
    is_found: Callable[[Hit], bool],
    most: int,
) -> list[Hit]:
    """The `most` messages of these threads nearest to the question, best first, among those `is_found`.

    Equal scores are ordered by thread and place. A message without a common word is no hit.
    """
    asked = [word for word in dict.fromkeys(wording(question)) if word not in STOP_WORDS]
    places = {thread_id: place for place, thread_id in enumerate(threads)}
    hits: list[Hit] = []
    for score, records in INDEX.best(asked, threads, messages) if asked else ():
        equal = [
            Hit(score, (*(messages.position("thread", record["id"]) or ()), record["id"]), record)
            for record in records
            if record["thread_id"] in places and messages.get(record["id"]) is record
        ]
        for hit in sorted(equal, key=lambda hit: (places[hit.message["thread_id"]], hit.key)):
            if len(hits) < most and is_found(hit):
                hits.append(hit)
        if len(hits) == most:
            break
    return hits
