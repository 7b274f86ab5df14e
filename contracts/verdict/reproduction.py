"""Which requests a failure needs: those that made what it names, those that changed it, and itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from contracts.http.exchange import SAFE, Answer, Request

T = TypeVar("T")
LOOKS = 6
"""The most reads that are kept where a failure does not show in a single answer."""
_WORD = re.compile(r"[A-Za-z0-9_\-]{6,}")


def words(request: Request) -> set[str]:
    """Everything in a request that may be an id."""
    return {*_WORD.findall(request.path), *_WORD.findall(request.text)}


def given_at(answer: Answer) -> Iterator[tuple[str, str]]:
    """The ids and cursors that an answer gives out, with where they are, as jq would say it."""
    body = answer.body if 200 <= answer.status < 300 and isinstance(answer.body, dict) else {}
    inner = body.get("data")
    for place, fields in (("", body), (".data", inner if isinstance(inner, dict) else {})):
        for name in ("id", "vector_store_id", "user_id", "next_cursor"):
            if isinstance(fields.get(name), str):
                yield f"{place}.{name}", fields[name]


class Origins:
    """Which exchange first gave each id: what is older than a check, such as the user behind a key."""

    def __init__(self) -> None:
        self._first: dict[str, Answer] = {}

    def note(self, answer: Answer) -> None:
        """Look at one exchange."""
        for id_ in _given(answer) if answer.request.method == "POST" else ():
            self._first.setdefault(id_, answer)

    def of(self, ids: Iterable[str]) -> list[Answer]:
        """The exchanges that gave these ids, in their order."""
        found = {id(self._first[id_]): self._first[id_] for id_ in ids if id_ in self._first}
        return sorted(found.values(), key=lambda answer: answer.at)


def made_by(answer: Answer) -> set[str]:
    """The ids of what an exchange made, with those that came with it."""
    made = given_at(answer) if answer.request.method == "POST" else ()
    return {id_ for where, id_ in made if where.endswith((".id", ".vector_store_id"))}


def _given(answer: Answer) -> list[str]:
    return [id_ for _, id_ in given_at(answer)]


def minimal(
    chain: Sequence[Answer], telling: Answer | None, named: Iterable[str], origins: Origins
) -> tuple[Answer, ...]:
    """The exchanges that the telling one needs, itself the last; `named` are ids that the failure names.

    Without a telling one the last reads tell it together.
    """
    if not chain:
        return ()
    end = next((n for n, a in enumerate(chain) if a is telling), len(chain) - 1)
    kept = {end}
    if telling is None:
        kept.update(_last_reads(chain))
    asks = [words(answer.request) for answer in chain]
    gives = [[id_ for id_ in _given(a) if id_ not in asked] for a, asked in zip(chain, asks, strict=True)]
    made = {id_ for answer, ids in zip(chain, gives, strict=True) if _writes(answer) for id_ in ids}
    needed = {word for n in kept for word in asks[n]} | set(named)
    if made and not made & needed and not origins.of(needed):
        needed |= made
    things = made | {id_ for n in kept for id_ in asks[n] if origins.of([id_])}
    while True:
        more = {
            n
            for n in range(end)
            if n not in kept
            and (
                any(id_ in needed and n == _first(gives, id_) for id_ in gives[n])
                or (_writes(chain[n]) and things & needed & (asks[n] | set(gives[n])))
            )
        }
        if not more:
            break
        kept |= more
        needed |= {word for n in more for word in asks[n]}
    here = {id_ for ids in gives for id_ in ids}
    return (*_older(needed - here, origins), *(chain[n] for n in sorted(kept)))


def _older(ids: set[str], origins: Origins) -> list[Answer]:
    """What gave the ids that the chain did not, and what those needed in turn."""
    found: list[Answer] = []
    seen: set[str] = set()
    while ids - seen:
        new = [answer for answer in origins.of(ids - seen) if answer not in found]
        seen |= ids
        found += new
        ids = {word for answer in new for word in words(answer.request)}
    return sorted(found, key=lambda answer: answer.at)


def _last_reads(chain: Sequence[Answer]) -> list[int]:
    reads: list[int] = []
    for n in range(len(chain) - 1, -1, -1):
        if _writes(chain[n]) or len(reads) == LOOKS:
            break
        reads.append(n)
    return reads


def _first(gives: Sequence[list[str]], id_: str) -> int:
    return next(n for n, ids in enumerate(gives) if id_ in ids)


def _writes(answer: Answer) -> bool:
    return answer.request.method not in (*SAFE, "TRACE")


def fewest(items: tuple[T, ...], happens: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Leave out runs of items, long ones first, while it still happens."""
    length = max(len(items) // 2, 1)
    while length:
        before = items
        for start in range(len(items) - length, -1, -length):
            without = items[:start] + items[start + length :]
            if happens(without):
                items = without
        if length > 1 or items == before:
            length //= 2
    return items
