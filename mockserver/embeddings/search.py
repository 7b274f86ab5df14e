"""Search of messages by the words that they share with a question, in an inverted index.

Records never change (an edit is a new record), so all sandboxes share the index, and an entry is valid for
every sandbox that has the very record.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from mockserver.store.sorted_keys import Key, SortedKeys

MOST_MESSAGES = 500_000
"""Most messages in the index, or twice those of one search; beyond it the index is emptied."""
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
"""Stop words."""


def wording(text: str) -> list[str]:
    """Words of the text in order, in lower case."""
    return _WORD.findall(text.lower())


def weight(word: str) -> float:
    """Weight of a word: longer ones count more."""
    return min(len(word), 8) / 8 + 0.5


class MessageSource(NamedTuple):
    """Messages of one sandbox; `version` changes whenever a message does."""

    version: object
    get: Callable[[str], Mapping[str, Any] | None]
    key_of: Callable[[str], Key]
    """Key of a message in its thread."""


class Hit(NamedTuple):
    """Message and its score, 0 to 1."""

    score: float
    key: Key
    thread_id: str


class WordIndex:
    """Index of messages by word; safe to use from several threads."""

    def __init__(self, most: int = MOST_MESSAGES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._records: list[Mapping[str, Any]] = []
        """By number."""
        self._weights = array("d")
        """Total weight of the distinct words of a message, by number."""
        self._known: set[int] = set()
        """`id()`s of the records, unique while the index keeps them."""
        self._numbers: dict[str, array[int]] = {}
        """Word -> numbers of the messages that contain it."""
        self._complete: dict[Key, tuple[SortedKeys, object]] = {}
        """First key of a thread -> its keys, and the version at which all of them were indexed."""

    def best(
        self, asked: Mapping[str, float], threads: Sequence[SortedKeys], source: MessageSource
    ) -> Iterator[tuple[float, list[Mapping[str, Any]]]]:
        """Scores, best first, each with its records, which may belong to other sandboxes.

        Nine parts: share of the question found in the message; one part: share of the message that this is.
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

    def _add(self, threads: Sequence[SortedKeys], source: MessageSource) -> None:
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
"""Shared by the whole process: the index depends on the messages alone."""


def nearest(
    question: str,
    threads: Iterable[tuple[str, SortedKeys]],
    source: MessageSource,
    is_found: Callable[[Hit], bool],
    most: int,
) -> list[Hit]:
    """The `most` messages nearest to the question, best first, among those that are embedded.

    Equal scores are ordered by thread and place. A message without a common word is no hit.
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
