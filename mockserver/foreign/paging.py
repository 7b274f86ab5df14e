"""Filters and pages of a list, by the usual names of parameters."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

_LIMIT = ("limit", "per_page", "perPage", "page_size", "pageSize", "size", "count", "first")
_OFFSET = ("offset", "skip", "start")
_PAGE = ("page", "page_number", "pageNumber")
_CURSOR = ("cursor", "after", "starting_after", "page_token", "pageToken", "next_token")
_TOTAL = ("total", "total_count", "totalCount", "count")
_NEXT = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "cursor")
_MORE = ("has_more", "hasMore", "has_next", "hasNext")


class RowsPage(NamedTuple):
    """Rows of a page, and what an answer may say about it, by the usual names of fields."""

    rows: list[Any]
    facts: Mapping[str, Any]


def _number(query: Mapping[str, Any], names: Sequence[str]) -> int | None:
    found = next((query[name] for name in names if name in query), None)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def page_of(rows: Sequence[Mapping[str, Any]], query: Mapping[str, Any], fields: set[str]) -> RowsPage:
    """Rows that a query selects: equal in each field that it names, then one page of them."""
    ours = {*_LIMIT, *_OFFSET, *_PAGE, *_CURSOR}
    wanted = {name: value for name, value in query.items() if name in fields and name not in ours}
    found = [row for row in rows if all(_is(row.get(name), value) for name, value in wanted.items())]
    limit, offset, page = (_number(query, names) for names in (_LIMIT, _OFFSET, _PAGE))
    start = offset or 0
    if page is not None and limit is not None:
        start = max(0, page - 1) * limit
    cursor = next((query[name] for name in _CURSOR if name in query), None)
    if isinstance(cursor, str) and cursor:
        with suppress(ValueError):
            start = int(urlsafe_b64decode(cursor.encode() + b"=="))
    end = len(found) if limit is None else start + limit
    more = end < len(found)
    following = urlsafe_b64encode(str(end).encode()).decode().rstrip("=") if more else None
    facts: dict[str, Any] = {
        **dict.fromkeys(_TOTAL, len(found)),
        **dict.fromkeys(_NEXT, following),
        **dict.fromkeys(_MORE, more),
        **dict.fromkeys(_OFFSET, start),
    }
    facts |= {} if limit is None else dict.fromkeys(_LIMIT[:-2], limit)
    facts |= {} if page is None else dict.fromkeys(_PAGE, page)
    return RowsPage(found[start:end], facts)


def _is(value: Any, wanted: Any) -> bool:
    """Whether a field is what a query asks for: one of several, or one of those in the field."""
    if isinstance(wanted, list):
        return any(_is(value, each) for each in wanted)
    if isinstance(value, list):
        return wanted in value
    return bool(value == wanted) or (isinstance(wanted, str) and str(value) == wanted)
