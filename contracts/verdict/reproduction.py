"""Requests that reproduce a failure: those that created or changed its resources, and itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from contracts.http.exchange import SAFE, ClientRequest, ClientResponse

T = TypeVar("T")
MAX_READS = 6
"""Most reads kept for a failure that no single response shows."""
WORD = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{4,}[A-Za-z0-9_\-]")
"""What may be an id: dots are inside, not at its ends."""


def words(request: ClientRequest) -> set[str]:
    """Substrings of a request that may be ids."""
    return {*WORD.findall(request.path), *WORD.findall(request.text)}


def returned_ids(answer: ClientResponse) -> Iterator[tuple[str, str]]:
    """Ids and cursors of a response as (jq path, value)."""
    body = answer.fields if 200 <= answer.status < 300 else {}
    inner = body.get("data")
    for place, fields in (("", body), (".data", inner if isinstance(inner, dict) else {})):
        for name in ("id", "vector_store_id", "user_id", "next_cursor"):
            if isinstance(fields.get(name), str):
                yield f"{place}.{name}", fields[name]
    files = body.get("files")
    for number, file in enumerate(files if isinstance(files, list) else ()):
        name = "file_id" if isinstance(file, dict) and "file_id" in file else "id"
        if isinstance(file, dict) and isinstance(file.get(name), str):
            yield f".files[{number}].{name}", file[name]


class IdSources:
    """First exchange that returned each id, including those before the current check."""

    def __init__(self) -> None:
        self._first: dict[str, ClientResponse] = {}

    def note(self, answer: ClientResponse) -> None:
        """Record the ids of one exchange."""
        for id_ in _returned(answer) if answer.request.method == "POST" else ():
            self._first.setdefault(id_, answer)

    def of(self, ids: Iterable[str]) -> list[ClientResponse]:
        """Exchanges that returned these ids, in order."""
        found = {id(self._first[id_]): self._first[id_] for id_ in ids if id_ in self._first}
        return sorted(found.values(), key=lambda answer: answer.at)


def created_ids(answer: ClientResponse) -> set[str]:
    """Ids that an exchange created."""
    made = returned_ids(answer) if answer.request.method == "POST" else ()
    return {id_ for where, id_ in made if where.endswith((".id", ".vector_store_id", ".file_id"))}


def _returned(answer: ClientResponse) -> list[str]:
    return [id_ for _, id_ in returned_ids(answer)]


def minimal(
    chain: Sequence[ClientResponse],
    decisive: ClientResponse | None,
    named: Iterable[str],
    id_sources: IdSources,
) -> tuple[ClientResponse, ...]:
    """Exchanges that the decisive one depends on, ending with it; the failure names the ids `named`.

    Without a decisive exchange the last reads are kept.
    """
    if not chain:
        return ()
    end = next((n for n, a in enumerate(chain) if a is decisive), len(chain) - 1)
    kept = {end}
    if decisive is None:
        kept.update(_last_reads(chain))
    asks = [words(answer.request) for answer in chain]
    gives = [[id_ for id_ in _returned(a) if id_ not in asked] for a, asked in zip(chain, asks, strict=True)]
    made = {id_ for answer, ids in zip(chain, gives, strict=True) if _writes(answer) for id_ in ids}
    needed = {word for n in kept for word in asks[n]} | set(named)
    if made and not made & needed and not id_sources.of(needed):
        needed |= made
    things = made | {id_ for n in kept for id_ in asks[n] if id_sources.of([id_])}
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
    return (*_older(needed - here, id_sources), *(chain[n] for n in sorted(kept)))


def _older(ids: set[str], id_sources: IdSources) -> list[ClientResponse]:
    """Exchanges before the chain that returned these ids, with their own dependencies."""
    found: list[ClientResponse] = []
    seen: set[str] = set()
    while ids - seen:
        new = [answer for answer in id_sources.of(ids - seen) if answer not in found]
        seen |= ids
        found += new
        ids = {word for answer in new for word in words(answer.request)}
    return sorted(found, key=lambda answer: answer.at)


def _last_reads(chain: Sequence[ClientResponse]) -> list[int]:
    reads: list[int] = []
    for n in range(len(chain) - 1, -1, -1):
        if _writes(chain[n]) or len(reads) == MAX_READS:
            break
        reads.append(n)
    return reads


def _first(gives: Sequence[list[str]], id_: str) -> int:
    return next(n for n, ids in enumerate(gives) if id_ in ids)


def _writes(answer: ClientResponse) -> bool:
    return answer.request.method not in (*SAFE, "TRACE")


def fewest(items: tuple[T, ...], happens: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Remove slices of items, long ones first, while `happens` stays true."""
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
