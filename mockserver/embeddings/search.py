"""Finding messages by the words that they share with a question: an inverted index, word -> message numbers.

What a message says belongs to its record, which never changes: an edit is another record. So the index is
shared by all sandboxes, and an entry is good for whoever has the very record.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from mockserver.store.sorted_keys import Key, Ordered

MOST_MESSAGES = 500_000
"""Messages kept in the index, or twice what one search needs; with more it starts empty again."""
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


class Source(NamedTuple):
    """Where the messages are: an unchanged `version` says that no message has changed."""

    version: object
    get: Callable[[str], Mapping[str, Any] | None]
    key_of: Callable[[str], Key]
    """A message's key in its thread."""


class Hit(NamedTuple):
    """A message and how near it is: 0 to 1."""

    score: float
    key: Key
    thread_id: str


class WordIndex:
    """The words of messages; safe to use from several threads."""

    def __init__(self, most: int = MOST_MESSAGES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._records: list[Mapping[str, Any]] = []
        """By number."""
        self._weights = array("d")
        """What all the different words of a message count, by number."""
        self._known: set[int] = set()
        """The records' `id()`s, which stay theirs while the index holds them."""
        self._numbers: dict[str, array[int]] = {}
        """word -> numbers of the messages that have it."""
        self._complete: dict[Key, tuple[Ordered, object]] = {}
        """first key of a thread -> its keys, and the version in which all of them were in the index."""

    def best(
        self, asked: Mapping[str, float], threads: Sequence[Ordered], source: Source
    ) -> Iterator[tuple[float, list[Mapping[str, Any]]]]:
        """Scores, best first, each with the records that have it; other sandboxes' records, too.

        Nine parts how much of the question a message has, one part how much of the message that is.
        """
        held: dict[int, float] = {}
        with self._lock:
            self._add(threads, source)
            for word, heavy in asked.items():
                for number in self._numbers.get(word, ()):
                    held[number] = held.get(number, 0.0) + heavy
            records, weights = self._records, self._weights
        whole = sum(asked.values()) / 0.9
        scored = [
            (round(part / whole + 0.1 * part / weights[number], 4), number) for number, part in held.items()
        ]
        for score, equal in groupby(sorted(scored, reverse=True), _score):
            yield score, [records[number] for _, number in equal]

    def _add(self, threads: Sequence[Ordered], source: Source) -> None:
        if len(self._records) > max(self._most, 2 * sum(map(len, threads))):
            self._clear()
        for keys in threads:
            first = next(iter(keys), None)
            known = None if first is None else self._complete.get(first)
            if first is None or (known and known[0] is keys and known[1] is source.version):
                continue
            for key in keys:
                record = source.get(key[-1])
                if record is not None and id(record) not in self._known:
                    self._add_record(record)
            self._complete[first] = keys, source.version

    def _add_record(self, record: Mapping[str, Any]) -> None:
        number, words = len(self._records), {*wording(record["content"])} - COMMON
        self._known.add(id(record))
        self._records.append(record)
        self._weights.append(sum(map(weight, words)))
        for word in words:
            if (numbers := self._numbers.get(word)) is None:
                numbers = self._numbers[word] = array("L")
            numbers.append(number)


INDEX = WordIndex()
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
    keys = dict(threads)
    asked = {word: weight(word) for word in wording(question) if word not in COMMON}
    if not asked:
        return []
    places = {thread_id: place for place, thread_id in enumerate(keys)}
    hits: list[Hit] = []
    for score, records in INDEX.best(asked, [*keys.values()], source):
        equal = [
            Hit(score, source.key_of(record["id"]), record["thread_id"])
            for record in records
            if record["thread_id"] in places and source.get(record["id"]) is record
        ]
        for hit in sorted(equal, key=lambda hit: (places[hit.thread_id], hit.key)):
            if is_found(hit):
                hits.append(hit)
                if len(hits) == most:
                    return hits
    return hits


def _score(found: tuple[float, int]) -> float:
    return found[0]
