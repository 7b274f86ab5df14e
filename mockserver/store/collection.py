"""Collections of records with sorted indexes: a thin mutable shell around immutable values.

A change creates a new map that shares almost all of the old one.
So a checkpoint of the whole state is a handful of references, restoring it is an assignment, and a
record never changes while a reader holds it. Records are replaced, never edited.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from immutables import Map

from mockserver.store.sorted_keys import EMPTY, Key, SortedKeys

SEAL_BYTES = 6
"""Enough to detect a foreign or mistyped cursor; it is no secret."""

_MOST = 2**53
"""Upper bound of sequence numbers, places and batches."""
IdT = TypeVar("IdT", bound=Hashable)
RecordT = TypeVar("RecordT", bound=Mapping[str, Any])


class Index(NamedTuple, Generic[RecordT]):
    """Sorted index of part of the records: `parent` selects the part, `order` gives the sort keys."""

    parent: Callable[[RecordT], Hashable]
    order: Callable[[RecordT], Key] = lambda _: ()


class CollectionVersion(NamedTuple):
    """Immutable content of a collection at one instant."""

    rows: Map[Any, Any]
    orders: Map[Any, SortedKeys]
    next: int


class Collection(Generic[IdT, RecordT]):
    """Records by id, each with the sequence number of its creation."""

    def __init__(self, **indexes: Index[RecordT]) -> None:
        self._indexes = indexes
        self.content = CollectionVersion(Map(), Map(), 1)
        """Replaced by every change."""

    def get(self, id_: IdT) -> RecordT | None:
        """Record, or None."""
        row = self.content.rows.get(id_)
        return None if row is None else row[1]

    def record(self, id_: IdT) -> RecordT:
        """Record, which must exist."""
        record: RecordT = self.content.rows[id_][1]
        return record

    @property
    def version(self) -> object:
        """Object that is replaced by every change."""
        return self.content.rows

    def records(self, ids: Iterable[IdT]) -> list[RecordT]:
        """Records of these ids, which must exist, in that order."""
        rows = self.content.rows
        return [rows[id_][1] for id_ in ids]

    def __contains__(self, id_: IdT) -> bool:
        return id_ in self.content.rows

    def __len__(self) -> int:
        return len(self.content.rows)

    def __iter__(self) -> Iterator[RecordT]:
        """All records in order of their sequence numbers."""
        return (record for _, record in sorted(self.content.rows.values(), key=lambda row: row[0]))

    def put(self, id_: IdT, record: RecordT, sequence: int | None = None) -> None:
        """Add or replace a record; a new one gets the next sequence number unless one is passed."""
        rows, orders, following = self.content
        old = rows.get(id_)
        if old is not None:
            number = old[0]
        elif sequence is None:
            number, following = following, following + 1
        else:
            number = sequence
        for name, index in self._indexes.items():
            place, key = (name, index.parent(record)), (*index.order(record), number, id_)
            if old is not None:
                old_place, old_key = (name, index.parent(old[1])), (*index.order(old[1]), number, id_)
                if old_key == key and old_place == place:
                    continue
                orders = _without_key(orders, old_place, old_key)
            orders = orders.set(place, orders.get(place, EMPTY).with_key(key))
        self.content = CollectionVersion(rows.set(id_, (number, record)), orders, following)

    def remove(self, id_: IdT) -> RecordT | None:
        """Remove and return the record; None if it is not here."""
        rows, orders, following = self.content
        row = rows.get(id_)
        if row is None:
            return None
        number, record = row
        for name, index in self._indexes.items():
            key = (*index.order(record), number, id_)
            orders = _without_key(orders, (name, index.parent(record)), key)
        self.content = CollectionVersion(rows.delete(id_), orders, following)
        return record  # type: ignore[no-any-return]  # what `put` got

    def move(self, id_: IdT, other: Collection[IdT, RecordT]) -> None:
        """Move the record to `other`, with its sequence number."""
        number = self.content.rows[id_][0]
        record = self.remove(id_)
        assert record is not None
        other.put(id_, record, number)

    def position(self, name: str, id_: IdT) -> Key | None:
        """Position of the record in the index `name`, for paging; None if it is not here."""
        row = self.content.rows.get(id_)
        return None if row is None else (*self._indexes[name].order(row[1]), row[0])

    def keys(self, name: str, parent: Hashable) -> SortedKeys:
        """Keys of the index `name` under `parent`: (order…, sequence, id), ascending."""
        return self.content.orders.get((name, parent), EMPTY)

    def ids(self, name: str, parent: Hashable) -> Iterator[IdT]:
        """Ids under `parent`, in the index's order."""
        return (key[-1] for key in self.keys(name, parent))

    def load(self, rows: Iterable[tuple[IdT, int, RecordT]], next_sequence: int | None = None) -> None:
        """Add many new records with their sequence numbers, much faster than one by one."""
        rows_before, orders, following = self.content
        fresh = [(id_, (number, record)) for id_, number, record in rows]
        added: dict[tuple[str, Hashable], list[Key]] = {}
        for name, index in self._indexes.items():
            for id_, (number, record) in fresh:
                key = (*index.order(record), number, id_)
                added.setdefault((name, index.parent(record)), []).append(key)
        longer = {place: orders.get(place, EMPTY).with_keys(keys) for place, keys in added.items()}
        largest = max((number for _, (number, _) in fresh), default=0)
        following = max(following, largest + 1) if next_sequence is None else next_sequence
        self.content = CollectionVersion(rows_before.update(fresh), orders.update(longer), following)

    def load_new(self, records: Iterable[tuple[IdT, RecordT]]) -> None:
        """Add many new records with the next sequence numbers."""
        self.load((id_, number, record) for number, (id_, record) in enumerate(records, self.content.next))

    def restore(self, version: CollectionVersion) -> None:
        """Restore the content."""
        self.content = version


def _without_key(orders: Map[Any, SortedKeys], place: tuple[str, Hashable], key: Key) -> Map[Any, SortedKeys]:
    rest = orders[place].without_key(key)
    return orders.set(place, rest) if rest else orders.delete(place)


class Page(NamedTuple):
    """Page of keys, and whether more follow."""

    keys: list[Key]
    has_more: bool


def page(keys: Iterable[Key], limit: int, keep: Callable[[Key], bool] | None = None) -> Page:
    """First `limit` keys that `keep` accepts."""
    found = list(islice(keys if keep is None else filter(keep, keys), limit + 1))
    return Page(found[:limit], len(found) > limit)


def key_after(position: Key) -> Key:
    """Key between the record at `position` and the next one.

    Sequence numbers are unique, so the position is enough, even if the record is gone.
    """
    return (*position[:-1], position[-1] + 1)


def cursor(position: Key, *scope: str) -> str:
    """Opaque, URL-safe cursor for `position` in the list identified by `scope` (A06, A51)."""
    text = orjson.dumps(position)
    return base64.urlsafe_b64encode(_seal(text, scope) + text).rstrip(b"=").decode()


def decode_cursor(cursor_text: str, *scope: str, shape: tuple[type, ...] = (int,)) -> Key | None:
    """Position of a cursor of the same scope; None if it is malformed or foreign."""
    try:
        raw = base64.b64decode(cursor_text + "=" * (-len(cursor_text) % 4), altchars=b"-_", validate=True)
        seal, text = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
        position = orjson.loads(text)
    except ValueError:  # both errors, for base64 and JSON, are of this kind
        return None
    # The seal is no secret, so the position is checked like any input.
    if seal != _seal(text, scope) or not isinstance(position, list):
        return None
    if tuple(map(type, position)) != shape or any(isinstance(n, int) and n > _MOST for n in position):
        return None
    # Encoded again, so that only the exact text is accepted.
    return tuple(position) if cursor(tuple(position), *scope) == cursor_text else None


def _seal(text: bytes, scope: Iterable[str]) -> bytes:
    return blake2b("\0".join(scope).encode() + b"\0" + text, digest_size=SEAL_BYTES).digest()
