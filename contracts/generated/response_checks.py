"""Our own looks at generated cases: what no schema says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from contracts.http.exchange import SAFE, Answer, Request
from contracts.http.run import Team

_TRACE = re.compile(r"Traceback \(most recent|\.py\"?, line \d|\n\s+at [\w.$]+\([\w.]+:\d+\)")
_ITEMS = ("data", "spaces")
_OWN = re.compile(r"/v1/(?:spaces|threads)/[^/]+|/v1/organizations/[^/]+/vector-stores/[^/]+")
FOLLOW_UPS = 5
"""How many created and how many refused requests of an operation are looked into with a request more."""


class Riders:
    """Looks at each answer as it comes."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self._looked: Counter[tuple[str, str]] = Counter()
        self._state: dict[str, str] = {}

    def look(self, label: str, answer: Answer) -> Iterator[tuple[str, str]]:
        """What is wrong, as (check, message)."""
        text = answer.text + str(dict(answer.headers))
        if self._team.tells_a_key(text):
            yield "no_key_in_an_answer", "the answer repeats a key"
        if _TRACE.search(answer.text):
            yield "no_stack_trace", "the answer shows a stack trace"
        if answer.status < 300:
            yield from _times(answer)
        request = answer.request
        kind = f"{request.method} {answer.status}"
        if kind == "GET 200" and label.startswith("GET "):
            yield from _page(answer)
            yield from self._walk(label, answer)
        elif request.role == "owner" and kind in ("POST 201", "PATCH 200", "DELETE 204"):
            yield from self._done(label, answer)

    def _walk(self, label: str, answer: Answer) -> Iterator[tuple[str, str]]:
        """The page behind a page, asked for in the same way: nothing is on both, and both have their size."""
        body = answer.body if isinstance(answer.body, dict) else {}
        shown = shown_ids(body)
        if not isinstance(body.get("next_cursor"), str) or not shown or self._often(label, "walk"):
            return
        url = urlsplit(answer.request.path)
        query = [(n, v) for n, v in parse_qsl(url.query, keep_blank_values=True) if n != "cursor"]
        where = f"{url.path}?{urlencode([*query, ('cursor', body['next_cursor'])])}"
        following = self._team.send(answer.request._replace(path=where))
        if following.status != 200:
            yield "the_next_page_follows", f"the next page answers {following.status}"
        elif again := set(shown) & set(shown_ids(following.body)):
            yield "the_next_page_follows", f"the next page has {sorted(again)[0]} again"
        else:
            yield from _page(following)

    def _done(self, label: str, answer: Answer) -> Iterator[tuple[str, str]]:
        """What was created or changed is read back; what was deleted is gone."""
        path, told = answer.request.path.partition("?")[0], _inner(answer.body)
        if answer.status == 201:
            path = f"{path.rstrip('/')}/{told['id']}" if isinstance(told.get("id"), str) else ""
        if not _OWN.fullmatch(path) or "{space_id}/" in label or self._often(label, "done"):
            return
        read = self._team.send(Request("GET", path, "owner"))
        if answer.status == 204:
            if read.status != 404:
                yield "deleted_is_gone", f"what was deleted reads as {read.status}"
            return
        shown = _inner(read.body)
        wrong = sorted(name for name in told if name in shown and shown[name] != told[name])
        if read.status != 200 or wrong:
            done = "created" if answer.status == 201 else "patched"
            yield f"{done}_reads_back", f"what was {done} reads as {read.status}, other: {', '.join(wrong)}"

    def before(self, label: str, request: Request) -> str | None:
        """The state of the thing that a write is about to name, to compare it if the write is refused."""
        path = request.path.partition("?")[0]
        match = _OWN.match(path)
        if request.method in (*SAFE, "TRACE") or match is None:
            return None
        if match[0].rpartition("/")[2] not in {made.id for made in self._team.ledger.left()}:
            return None
        if self._looked[label, "refused"] >= FOLLOW_UPS:
            return None
        state = self._team.send(Request("GET", match[0], "owner"))
        return state.text if state.status == 200 else None

    def after(self, label: str, answer: Answer, before: str | None) -> Iterator[tuple[str, str]]:
        """Whether a refused write changed the thing after all."""
        match = _OWN.match(answer.request.path)
        if before is None or match is None or not 400 <= answer.status < 500:
            return
        self._looked[label, "refused"] += 1
        now = self._team.send(Request("GET", match[0].partition("?")[0], "owner"))
        if now.text != before:
            yield (
                "a_refused_write_changes_nothing",
                f"it was refused with {answer.status} and changed something",
            )

    def _often(self, label: str, what: str) -> bool:
        self._looked[label, what] += 1
        return self._looked[label, what] > FOLLOW_UPS


def _inner(body: Any) -> dict[str, Any]:
    """The thing that an answer shows, which vector stores have inside of `data`."""
    shown = body if isinstance(body, dict) else {}
    return shown["data"] if isinstance(shown.get("data"), dict) else shown


def _items(body: Any) -> list[dict[str, Any]]:
    found = [body.get(name) for name in _ITEMS] if isinstance(body, dict) else []
    return [item for items in found if isinstance(items, list) for item in items if isinstance(item, dict)]


def shown_ids(body: Any) -> list[str]:
    """The ids of what a list shows."""
    return [item["id"] for item in _items(body) if isinstance(item.get("id"), str)]


def _times(answer: Answer) -> Iterator[tuple[str, str]]:
    for shown in (_inner(answer.body), *_items(answer.body)):
        created, updated = (_instant(shown.get(name)) for name in ("created_at", "updated_at"))
        if created is not None and updated is not None and updated < created:
            yield "created_before_updated", f"updated_at {updated} lies before created_at {created}"
            return


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _page(answer: Answer) -> Iterator[tuple[str, str]]:
    body = answer.body
    if not isinstance(body, dict):
        return
    query = parse_qs(urlsplit(answer.request.path).query)
    limit = (query.get("limit") or query.get("take") or [""])[-1]
    for name in _ITEMS:
        items = body.get(name)
        if isinstance(items, list) and limit.isdecimal() and 0 < int(limit) < len(items):
            yield "page_within_limit", f"limit={limit} and {len(items)} items"
    more, cursor = body.get("has_more"), body.get("next_cursor")
    if "next_cursor" in body and isinstance(more, bool) and more != (cursor is not None):
        yield "has_more_goes_with_a_cursor", f"has_more is {more}, and next_cursor is {cursor!r}"
