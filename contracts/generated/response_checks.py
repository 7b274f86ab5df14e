"""Additional checks of generated cases that no schema expresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from contracts.http.exchange import SAFE, ClientRequest, ClientResponse
from contracts.http.run import Run

_TRACE = re.compile(r"Traceback \(most recent|\.py\"?, line \d|\n[^\S\n]++at [\w.$]++\([\w.]+:\d+\)")
_OWN = re.compile(r"/v1/(?:spaces|threads)/[^/]+|/v1/organizations/[^/]+/vector-stores/[^/]+")
FOLLOW_UPS = 5
"""Follow-up requests for each operation and kind of result."""


class ResponseChecks:
    """Checks each response of a generated request."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._counts: Counter[tuple[str, str]] = Counter()
        self._state: dict[str, str] = {}

    def inspect(self, label: str, answer: ClientResponse) -> Iterator[tuple[str, str]]:
        """Failures as (check, message)."""
        text = answer.text + str(dict(answer.headers))
        if self._run.contains_key(text):
            yield "no_key_in_an_answer", "the answer repeats a key"
        if _TRACE.search(answer.text):
            yield "no_stack_trace", "the answer shows a stack trace"
        if answer.status < 300:
            yield from _times(answer)
        request = answer.request
        kind = f"{request.method} {answer.status}"
        if kind == "GET 200" and label.startswith("GET "):
            yield from _page(answer)
            yield from self._check_next_page(label, answer)
        elif request.role == "owner" and kind in ("POST 201", "PATCH 200", "DELETE 204"):
            yield from self._check_effect(label, answer)

    def _check_next_page(self, label: str, answer: ClientResponse) -> Iterator[tuple[str, str]]:
        """Check the next page of a list: no item repeats, and the limit holds."""
        body = answer.fields
        ids = listed_ids(answer)
        if not isinstance(body.get("next_cursor"), str) or not ids or self._exhausted(label, "walk"):
            return
        url = urlsplit(answer.request.path)
        query = [(n, v) for n, v in parse_qsl(url.query, keep_blank_values=True) if n != "cursor"]
        where = f"{url.path}?{urlencode([*query, ('cursor', body['next_cursor'])])}"
        following = self._run.send(answer.request._replace(path=where))
        if following.status != 200:
            yield "the_next_page_follows", f"the next page answers {following.status}"
        elif again := set(ids) & set(listed_ids(following)):
            yield "the_next_page_follows", f"the next page has {sorted(again)[0]} again"
        else:
            yield from _page(following)

    def _check_effect(self, label: str, answer: ClientResponse) -> Iterator[tuple[str, str]]:
        """Check that a created or changed resource reads back, and a deleted one is gone."""
        path, sent_back = answer.request.path.partition("?")[0], _inner(answer)
        if answer.status == 201:
            path = f"{path.rstrip('/')}/{sent_back['id']}" if isinstance(sent_back.get("id"), str) else ""
        if not _OWN.fullmatch(path) or "{space_id}/" in label or self._exhausted(label, "done"):
            return
        read = self._run.send(ClientRequest("GET", path, "owner"))
        if answer.status == 204:
            if read.status != 404:
                yield "deleted_is_gone", f"what was deleted reads as {read.status}"
            return
        current = _inner(read)
        wrong = sorted(name for name in sent_back if name in current and current[name] != sent_back[name])
        if read.status != 200 or wrong:
            done = "created" if answer.status == 201 else "patched"
            yield f"{done}_reads_back", f"what was {done} reads as {read.status}, other: {', '.join(wrong)}"

    def before(self, label: str, request: ClientRequest) -> str | None:
        """State of the resource that a write names, for comparison if the write is refused."""
        path = request.path.partition("?")[0]
        match = _OWN.match(path)
        enough = self._counts[label, "refused"] >= FOLLOW_UPS
        if request.method in (*SAFE, "TRACE") or match is None or enough:
            return None
        if match[0].rpartition("/")[2] not in {made.id for made in self._run.ledger.left()}:
            return None
        state = self._run.send(ClientRequest("GET", match[0], "owner"))
        return state.text if state.status == 200 else None

    def after(self, label: str, answer: ClientResponse, before: str | None) -> Iterator[tuple[str, str]]:
        """Check that a refused write changed nothing."""
        match = _OWN.match(answer.request.path)
        if before is None or match is None or not 400 <= answer.status < 500:
            return
        self._counts[label, "refused"] += 1
        now = self._run.send(ClientRequest("GET", match[0].partition("?")[0], "owner"))
        if now.text != before:
            yield (
                "a_refused_write_changes_nothing",
                f"it was refused with {answer.status} and changed something",
            )

    def _exhausted(self, label: str, what: str) -> bool:
        self._counts[label, what] += 1
        return self._counts[label, what] > FOLLOW_UPS


def _inner(answer: ClientResponse) -> Mapping[str, Any]:
    """Resource in a response; vector stores wrap it in `data`."""
    inner = answer.fields.get("data")
    return inner if isinstance(inner, dict) else answer.fields


def listed_ids(answer: ClientResponse) -> list[str]:
    """Ids of the items of a list."""
    return [item["id"] for item in answer.items if isinstance(item.get("id"), str)]


def _times(answer: ClientResponse) -> Iterator[tuple[str, str]]:
    for resource in (_inner(answer), *answer.items):
        created, updated = (_instant(resource.get(name)) for name in ("created_at", "updated_at"))
        if created is not None and updated is not None and updated < created:
            yield "created_before_updated", f"updated_at {updated} is before created_at {created}"
            return


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _page(answer: ClientResponse) -> Iterator[tuple[str, str]]:
    body = answer.fields
    query = parse_qs(urlsplit(answer.request.path).query)
    limit = (query.get("limit") or query.get("take") or [""])[-1]
    for items in (body.get("data"), body.get("spaces")):
        if isinstance(items, list) and limit.isdecimal() and 0 < int(limit) < len(items):
            yield "page_within_limit", f"limit={limit} and {len(items)} items"
    more, cursor = body.get("has_more"), body.get("next_cursor")
    if "next_cursor" in body and isinstance(more, bool) and more != (cursor is not None):
        yield "has_more_goes_with_a_cursor", f"has_more is {more}, and next_cursor is {cursor!r}"
