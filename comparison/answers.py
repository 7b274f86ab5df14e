"""Comparison of two answers to the same call by the kind of each value, not by its text.

Ids are one to one within a run, also inside texts. Times are compared by their distance from each side's
start, and by their precision. Of cursors and trace ids only the presence counts. Words of a model are a
bijection of texts. All else is equal, types included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from comparison.names import Names

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
IDS = re.compile(r"/(id|[a-z_]*_id|[a-z_]*_ids/\*)$")
"""Places of ids."""
ENDS = ("first_id", "last_id")
"""Fields with the ids of a list's first and last item."""
PRESENCE = re.compile(
    r"/(trace_id|request_id|next_cursor|previous_cursor|download_token|score|details/fields/\*/message)$"
)
"""Places whose values are of each server's own making: only the type is compared."""
WORDS = re.compile(
    r"^(/events/\*)?(/response/\*|/response_blocks/\*|/output/\*/content/\*)/text$|/(delta|partial_content)$"
)
"""Places where a model speaks."""
LINK = re.compile(r"https?://[^/]+(/__sandbox/[^/]+)?/v1/.*\?")
"""Link to an operation of the API, with what it needs."""
SEARCHED = re.compile(r"^(/events/\*)?(/file_search|/output/\*)/results$")
"""Lists of what a search found: in any order, and of the worst there may have been more than fit."""
FULL = 10
"""Results that a search returns at most."""
FAULTS = "/error/details/fields"
KEYS = ("added_at", "last_message_at", "created_at", "uploaded_at", "pinned_at")
"""Fields by which lists are ordered; items that are equal in all of them may change places."""
ECHOES = ("updateThreadMessage",)
"""Operations that answer with the caller's text in a message of the model."""
ORDERS: Mapping[str, Sequence[str]] = {"getThreadChanges": ("updated_at",)}
"""Operation -> fields by which its list is ordered, if not KEYS."""
HEADERS = ("content-type", "allow", "location", "www-authenticate", "content-disposition")


class Answered(Protocol):
    """Answer of a server."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name."""

    @property
    def text(self) -> str:
        """Body as text."""

    @property
    def body(self) -> Any:
        """Decoded JSON body; None without one."""


class AnswerDifference(NamedTuple):
    """One place where two answers differ."""

    kind: str
    """status, header, type, fields, length, items, order, id, time, precision, text or value"""
    pointer: str
    """JSON pointer into the body; list indexes are stars."""
    left: Any
    right: Any


@dataclass
class Comparer:
    """Compares the answers of two servers in one run."""

    names: Names = field(default_factory=Names)
    starts: tuple[float, float] = 0.0, 0.0
    """Time of each side, in seconds since 1970, when the run began."""
    slack: float = 0.0
    """Seconds by which times may differ after that."""
    kind_of: Callable[[str, str], str] = lambda _, pointer: pointer.rpartition("/")[2]
    """Kind of a new id, from operation and pointer; the first part of its label."""

    def answers(
        self, left: Answered, right: Answered, operation: str = "", uid: str = ""
    ) -> list[AnswerDifference]:
        """Differences of two answers; labels of new ids are made of the operation's kind and `uid`."""
        if left.status != right.status:
            return [AnswerDifference("status", "", left.status, right.status)]
        return [*self._headers(left, right), *self.bodies(content(left), content(right), operation, uid)]

    def bodies(self, left: Any, right: Any, operation: str = "", uid: str = "") -> list[AnswerDifference]:
        """Differences of two bodies."""
        return list(_Walk(self, operation, uid).values(left, right, "", ""))

    def _headers(self, left: Answered, right: Answered) -> Iterator[AnswerDifference]:
        both = left.headers, right.headers
        if ("x-request-id" in both[0]) != ("x-request-id" in both[1]):
            yield AnswerDifference("header", "x-request-id", *("x-request-id" in each for each in both))
        for name in HEADERS:
            values = [self._header(name, each.get(name, ""), side) for side, each in enumerate(both)]
            if values[0] != values[1]:
                yield AnswerDifference("header", name, *values)

    def _header(self, name: str, value: str, side: int) -> str:
        if name == "content-type":
            return value.partition(";")[0].strip().lower()
        if name == "allow":
            return ", ".join(sorted(word.strip() for word in value.upper().split(",")))
        return self.names.abstract(side, re.sub(r"^https?://[^/]+", "", value))


class _Walk(NamedTuple):
    """Walk through one pair of bodies."""

    comparer: Comparer
    operation: str
    uid: str

    def values(
        self, left: Any, right: Any, place: str, at: str, *, spoken: bool = False
    ) -> Iterator[AnswerDifference]:
        """`place`: pointer with stars; `at`: pointer with indexes; `spoken`: whether a model speaks here."""
        if _kind(left) != _kind(right):
            yield AnswerDifference("type", place, left, right)
        elif isinstance(left, dict):
            yield from self.objects(left, right, place, at)
        elif isinstance(left, list):
            yield from self.lists(left, right, place, at, spoken=spoken)
        elif isinstance(left, str):
            yield from self.texts(left, right, place, at, spoken=spoken or WORDS.search(place) is not None)
        elif left != right and not PRESENCE.search(place):
            yield AnswerDifference("value", place, left, right)

    def objects(self, left: Any, right: Any, place: str, at: str) -> Iterator[AnswerDifference]:
        if left.keys() != right.keys():
            missing, more = sorted(left.keys() - right.keys()), sorted(right.keys() - left.keys())
            yield AnswerDifference("fields", place, missing, more)
        spoken = left.get("role") == "assistant" and self.operation not in ECHOES
        both = sorted(left.keys() & right.keys(), key=_ids_first)
        for name in both:  # texts may have the ids
            says = spoken and name in ("content", "text", "response_blocks")
            yield from self.values(left[name], right[name], f"{place}/{name}", f"{at}/{name}", spoken=says)

    def lists(
        self, left: Any, right: Any, place: str, at: str, *, spoken: bool
    ) -> Iterator[AnswerDifference]:
        if len(left) != len(right):
            yield AnswerDifference(
                "length", place, *(self.names_of(side, each) for side, each in enumerate((left, right)))
            )
            return
        if SEARCHED.search(place) or place == FAULTS:
            left, right = (self.sorted(side, each) for side, each in enumerate((left, right)))
        labels = [[self.label(side, item) for item in each] for side, each in enumerate((left, right))]
        if left and all(map(all, labels)) and labels[0] != labels[1]:
            if sorted(map(str, labels[0])) != sorted(map(str, labels[1])):
                yield AnswerDifference("items", place, *labels)
                return
            position = {label: n for n, label in enumerate(labels[1])}
            right = [right[position[label]] for label in labels[0]]
            keys = ORDERS.get(self.operation, KEYS)
            if not _tied(left, right, [position[label] for label in labels[0]], keys):
                yield AnswerDifference("order", place, *labels)
        for n, (one, other) in enumerate(zip(left, right, strict=False)):
            yield from self.values(one, other, f"{place}/*", f"{at}/{n}", spoken=spoken)

    def sorted(self, side: int, items: Sequence[Any]) -> list[Any]:
        """Items of a list without order, in one that both share; without those that others could replace."""
        objects = [item for item in items if isinstance(item, dict)]
        worst = min((item.get("score") or 0 for item in objects), default=0) if len(items) >= FULL else -1
        kept = [item for item in objects if item.get("score", 0) != worst]

        def key(item: Mapping[str, Any]) -> list[str]:
            id_ = item.get("message_id", item.get("file_id"))
            return [str(item.get(name)) for name in ("in", "name", "text", "role")] + [
                self.label(side, id_) or ""
            ]

        return sorted(kept, key=key)

    def label(self, side: int, item: Any) -> str | None:
        """Label of a list's item, by its id."""
        return self.comparer.names.label(side, item.get("id") if isinstance(item, dict) else item)

    def names_of(self, side: int, items: Sequence[Any]) -> list[Any]:
        return [self.label(side, item) or item for item in items]

    def texts(
        self, left: str, right: str, place: str, at: str, *, spoken: bool
    ) -> Iterator[AnswerDifference]:
        names = self.comparer.names
        if place.endswith("next_cursor"):
            names.keep(f"cursor:{self.uid}{at}", left, right)
            return
        labels = names.label(0, left), names.label(1, right)
        if any(labels):
            if labels[0] != labels[1]:
                yield AnswerDifference(
                    "text" if spoken else "id", place, labels[0] or left, labels[1] or right
                )
        elif TIME.fullmatch(left) or TIME.fullmatch(right):
            yield from self.times(left, right, place)
        elif (left != right or place.endswith("/id")) and not PRESENCE.search(place):  # ids may be equal
            if IDS.search(place) and SEARCHED.search(place.rpartition("/*/")[0]):
                return  # nobody has named it: several results may have the same text
            if IDS.search(place):
                names.add(f"{self.comparer.kind_of(self.operation, place)}:{self.uid}{at}", left, right)
            elif spoken:
                names.add(f"words:{self.uid}{at}", left, right)
            else:
                yield from self.plain_texts(left, right, place, at)

    def plain_texts(self, left: str, right: str, place: str, at: str) -> Iterator[AnswerDifference]:
        if self._plain(0, left) != self._plain(1, right):
            yield AnswerDifference("value", place, left, right)
        elif LINK.match(left) and LINK.match(right):
            self.comparer.names.keep(f"link:{self.uid}{at}", left, right)

    def _plain(self, side: int, text: str) -> str:
        """Text with labels for ids; of a URL only the path, and the names of its parameters."""
        if text.startswith(("http://", "https://")) or "?token=" in text:
            url = urlsplit(text)
            text = " ".join([url.path, *(name for name, _ in parse_qsl(url.query))])
        return self.comparer.names.abstract(side, text)

    def times(self, left: str, right: str, place: str) -> Iterator[AnswerDifference]:
        if place == "/updated_at":
            self.comparer.names.keep(f"time:{self.uid}{place}", left, right)
        if left == right:
            return
        if not (TIME.fullmatch(left) and TIME.fullmatch(right)):
            yield AnswerDifference("type", place, left, right)
            return
        if re.sub(r"\d", "0", left) != re.sub(r"\d", "0", right):
            yield AnswerDifference("precision", place, left, right)
        starts = self.comparer.starts
        ages = [moment(text) - start for text, start in zip((left, right), starts, strict=True)]
        if abs(ages[0] - ages[1]) > self.comparer.slack:
            yield AnswerDifference(
                "time",
                place,
                *(f"{text} ({age:+.0f} s)" for text, age in zip((left, right), ages, strict=True)),
            )


def _ids_first(name: str) -> tuple[bool, str]:
    """Order of fields; the ends of a list come after the list."""
    return (name in ENDS or not IDS.search(f"/{name}"), name)


def moment(text: str) -> float:
    """Time in seconds since 1970; UTC if the text has no offset."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else datetime.fromisoformat(f"{text}+00:00")).timestamp()


def content(answer: Answered) -> Any:
    """Body of an answer as data: JSON, the events of a stream, or else the text."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return {"events": list(_events(answer.text))}
    return answer.body if answer.body is not None else answer.text


def _events(text: str) -> Iterator[Any]:
    """Events of a stream; deltas are joined, since each server cuts them as it likes."""
    deltas = ""
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            event = json.loads(line[5:])
        except ValueError:
            event = line[5:].strip()
        name = event.get("event") if isinstance(event, dict) else ""
        if name == "response.heartbeat":
            continue
        if name == "response.content_delta":
            deltas += str(event.get("delta"))
            continue
        if deltas:
            yield {"event": "response.content_delta", "delta": deltas}
            deltas = ""
        yield event
    if deltas:
        yield {"event": "response.content_delta", "delta": deltas}


def _kind(value: Any) -> str:
    """JSON type; integers and other numbers are the same type, booleans are not numbers."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    if isinstance(value, int | float):
        return "number"
    return "object" if isinstance(value, Mapping) else type(value).__name__


def _tied(left: Sequence[Any], right: Sequence[Any], positions: Sequence[int], names: Sequence[str]) -> bool:
    """Whether only items changed places that are equal, on one side, in what orders them.

    `right`: the same items as `left`; `positions`: where they are on the right. The two sides do the same at
    other fractions of a second, so that what is equal on one may differ on the other.
    """
    sides = [
        [[item[name] for name in names if name in item] if isinstance(item, dict) else [] for item in items]
        for items in (left, right)
    ]
    return all(
        positions[n] < positions[later] or any(keys[n] == keys[later] != [] for keys in sides)
        for n in range(len(left))
        for later in range(n + 1, len(left))
    )
